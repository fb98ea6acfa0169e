"""Models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.base import View


class ModelCard(View):
    """A GGUF file and whether this machine can run it. Sizes in bytes, context in tokens."""

    id: str
    name: str
    path: str
    architecture: str
    parameters: int
    quantization: str
    size_bytes: int
    context: int
    license: str
    chat_template: bool
    sha256: str
    source: Literal["starter", "added"]
    default: bool = False
    layers: int = 0
    gpu_layers: int = 0
    """Layers that will be put on the GPU; 0 when there is none."""
    gpu_layers_chosen: Literal["automatic", "user"] = "automatic"
    memory_bytes: int
    """Estimated memory to run it with `context_used` tokens."""
    context_used: int
    memory_available_bytes: int
    fits: bool


class ModelList(View):
    models: list[ModelCard]


class ModelRef(View):
    model: str


class AddModelSpec(View):
    path: str


class GpuLayersSpec(View):
    """`layers` None goes back to the automatic choice."""

    model: str
    layers: int | None


RerankerVerdict = Literal["gain", "no difference", "loss", "too few"]


class RetrievalFigures(View):
    """How well known passages were found: shares from 0 to 1, and the median time."""

    recall_1: float
    recall_5: float
    mrr: float
    """Mean reciprocal rank within the first ten."""
    milliseconds: float


class Gain(View):
    """A mean difference over the same questions, with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


class RerankerMeasurement(View):
    """Searches in one library without (`plain`) and with (`reranked`) the reranker."""

    library: str
    """The library's name when it was measured."""
    questions: int
    plain: RetrievalFigures
    reranked: RetrievalFigures
    recall_1_gain: Gain
    recall_5_gain: Gain
    mrr_gain: Gain
    verdict: RerankerVerdict
    """By `mrr_gain`; "gain" switches the reranker on."""
    sentence: str
    """The verdict in words."""
    measured_at: str


class RerankerView(View):
    """The cross-encoder that is set; `folder` is empty when none is."""

    folder: str = ""
    name: str = ""
    architecture: str = ""
    max_tokens: int = 0
    size_bytes: int = 0
    on: bool = False
    problem: str = ""
    """Why it cannot be used now; searches go on without it."""
    measured: list[RerankerMeasurement] = Field(default_factory=list[RerankerMeasurement])
    """What was measured on this machine, the newest first, one a library."""


class RerankerSpec(View):
    """`folder` "" takes the reranker away."""

    folder: str


class RerankerSwitch(View):
    on: bool


class MeasureRerankerSpec(View):
    library: str
    questions: int = Field(default=60, ge=1, le=500)
