"""Adapters: small changes to a model, trained here or brought along."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from engine.work.api.base import View

AdapterMethod = Literal["lora", "prompt"]
AdapterSource = Literal["tuned", "imported", "installation"]
ExportFormat = Literal["gguf", "safetensors", "ollama", "merged"]
Proof = Literal["proven", "failed", "none"]


class ParityReport(View):
    """Whether llama.cpp computes what was trained. Divergences in nats a token.

    `kl` is between torch and llama.cpp, both with the adapter; `effect_kl` between with and
    without it in torch, `served_effect_kl` in llama.cpp; `untuned_kl` between the two engines
    without any adapter.
    """

    kl: float
    top1: float
    """Share of places where both find the same word likeliest."""
    effect_kl: float
    served_effect_kl: float
    untuned_kl: float
    mismatch: float
    """Of what the adapter changes in the scores of all words (squared), the share that is
    another change in llama.cpp than in torch."""
    ending: float
    """Of the places where one of them ends the answer, the share where both do."""
    prompts: int
    tokens: int
    passed: bool
    reasons: list[str] = Field(default_factory=list[str])
    """Why it did not pass."""


class AdapterCard(View):
    """An adapter and all that is known of it. Sizes in bytes."""

    id: str
    name: str
    base_sha256: str
    """SHA-256 of the model file it changes; it works with no other."""
    base_name: str = ""
    architecture: str = ""
    method: AdapterMethod = "lora"
    rank: int = 0
    """For a soft prompt: how many tokens it has."""
    alpha: float = 0.0
    layers: int = 0
    """How many layers of the model it changes."""
    task: str = ""
    """The dataset's kind of task; "" where it is not known."""
    labels: list[str] = Field(default_factory=list[str])
    wording: str = ""
    """Version of the wording its prompts had."""
    dataset: str = ""
    dataset_name: str = ""
    dataset_sha256: str = ""
    documents: dict[str, str] = Field(default_factory=dict[str, str])
    """Documents the examples came from: path → SHA-256 then."""
    settings: dict[str, Any] = Field(default_factory=dict[str, Any])
    metrics: dict[str, Any] = Field(default_factory=dict[str, Any])
    parity: ParityReport | None = None
    proof: Proof = "none"
    """"none": not proven here, as with one that was brought along as a GGUF file."""
    lineage: list[str] = Field(default_factory=list[str])
    """Ids of the adapters it was tuned further from, the first one first."""
    run: str = ""
    created: str = ""
    """UTC, ISO 8601."""
    source: AdapterSource = "tuned"

    # What is found out when it is listed:
    stale: str = ""
    """Why it may no longer be up to date; "" when nothing changed."""
    model: str = ""
    """Id of the model it works with; "" when that is not here."""
    enabled: bool = False
    """Whether it is put on its model where nothing else is said."""
    scale: float = 1.0
    """How strongly, when enabled."""
    path: str = ""
    size_bytes: int = 0
    problem: str = ""
    """Why it cannot be used now."""


FOUND_OUT = frozenset(("stale", "model", "enabled", "scale", "path", "size_bytes", "problem"))
"""Fields of a card that are not kept in its file."""


class AdapterList(View):
    adapters: list[AdapterCard]


class AdapterRef(View):
    """An adapter by id, name, or the unique beginning of one of them."""

    adapter: str


class AdapterMix(View):
    """An adapter among several, and how strongly it works: 1 as it was trained."""

    adapter: str
    scale: float = Field(default=1.0, ge=-10.0, le=10.0)


class RenameAdapterSpec(View):
    adapter: str
    name: str


class ImportAdapterSpec(View):
    """A GGUF file, or a folder of peft's with adapter_config.json and safetensors."""

    path: str
    model: str | None = None
    """The model it is for; None finds the only one that fits."""
    name: str = ""


class EnableAdapterSpec(View):
    """Put an adapter on its model where nothing else is said, or no longer.

    `alone` takes the model's other adapters off; without it they are mixed.
    """

    adapter: str
    on: bool = True
    scale: float = Field(default=1.0, ge=-10.0, le=10.0)
    alone: bool = True


class ExportAdapterSpec(View):
    """Write an adapter for other programs.

    gguf: the file; safetensors: a folder as peft reads it; ollama: a folder with a Modelfile;
    merged: model and adapter as one GGUF file in `quantization` ("" for the model's own).
    """

    adapter: str
    format: ExportFormat
    out: str
    """File or folder to make; what is there already is not written over."""
    quantization: str = ""
    scale: float = Field(default=1.0, ge=-10.0, le=10.0)
    """Of the adapter in a merged file."""


class ExportedAdapter(View):
    path: str
    files: list[str]
    size_bytes: int


class CompareAdapterSpec(View):
    """Answer held-out examples with the model as it is and with what was learnt.

    The rows are those of the dataset that it learnt from, evenly spread over it.
    """

    adapter: str = ""
    run: str = ""
    """A run that is over, in place of `adapter`: its adapter or, after a full fine-tuning,
    its model."""
    rows: int = Field(default=5, ge=1, le=100)


class AnswerPair(View):
    """One held-out example: what is right, and what both say."""

    id: str
    input: str
    expected: str
    base: str
    tuned: str
    base_right: bool
    """The answer is the expected one but for space and case."""
    tuned_right: bool


class AdapterComparison(View):
    rows: list[AnswerPair]
    heldout: int
    """How many held-out examples there are."""
