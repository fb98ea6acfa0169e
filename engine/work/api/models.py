"""Models."""

from __future__ import annotations

from typing import Literal

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
