"""Will a model run here: memory it needs against memory there, context, layers on the GPU."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from engine import hardware
from engine.models.gguf import GgufHeader

USUAL_CONTEXT = 4096
SMALLEST_CONTEXT = 1024
_BATCH_TOKENS = 512
_BASE_BYTES = 48 << 20
"""What llama.cpp and the process around it take by themselves."""
_TOKEN_BYTES = 600
"""What llama.cpp's tokenizer keeps for each token of the vocabulary."""
_SPARE = 0.9
"""Share of the free memory a model may take: the rest of the machine wants to live too."""
_GPU_LIBRARIES = ("cuda", "vulkan", "metal", "hip", "sycl")


@dataclass(frozen=True)
class Fit:
    """How a model will be run. Sizes in bytes, context in tokens."""

    context: int
    memory_bytes: int
    available_bytes: int
    gpu_layers: int
    fits: bool


@functools.cache
def gpu_build() -> bool:
    """Whether the installed llama.cpp has a GPU backend; looks at its files only."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return False
    names = [path.name for path in (Path(spec.origin).parent / "lib").glob("*ggml-*")]
    return any(kind in name for name in names for kind in _GPU_LIBRARIES)


def kv_bytes_per_token(header: GgufHeader) -> int:
    """Bytes of keys and values (float16) a token adds, over all layers."""
    return 2 * header.layers * header.kv_heads * (header.key_length + header.value_length)


def memory_needed(header: GgufHeader, context: int) -> int:
    """Bytes to run the model with `context` tokens: weights, keys and values, buffers.

    The compute buffer holds activations of one batch of 512 tokens; its largest parts are
    the feed-forward layer's and the attention scores'. With a context of 4,096 tokens the
    resident memory measured was 287 MB for SmolLM2 135M Q4_1 and 720 MB for Qwen2.5 0.5B
    Q4_K_M; this gives 282 MB and 697 MB.
    """
    activations = _BATCH_TOKENS * (header.width * 24 + header.heads * context // 8)
    logits = 4 * header.vocabulary * 8
    vocabulary = header.vocabulary * _TOKEN_BYTES
    kept = header.tensor_bytes + context * kv_bytes_per_token(header)
    return kept + activations + logits + vocabulary + _BASE_BYTES


def gpu_layers_that_fit(header: GgufHeader, context: int, free_bytes: int) -> int:
    """Layers whose weights and keys and values fit; one more than all includes the output."""
    if not header.layers:
        return 0
    layer = (header.tensor_bytes - header.output_bytes) // header.layers
    layer += context * kv_bytes_per_token(header) // header.layers
    room = int(free_bytes * _SPARE) - (256 << 20)
    whole = room // max(layer, 1)
    if whole > header.layers and room - header.layers * layer >= header.output_bytes:
        return header.layers + 1
    return max(0, min(whole, header.layers))


def fit(
    header: GgufHeader,
    wanted_context: int = 0,
    gpu_layers: int | None = None,
    available_bytes: int | None = None,
    gpu_free_bytes: int | None = None,
) -> Fit:
    """How to run the model on this machine.

    Args:
        header: the model.
        wanted_context: the user's choice; 0 picks up to 4096 and less when memory is short.
        gpu_layers: the user's choice; None picks what fits.
        available_bytes: free memory; default: this machine's.
        gpu_free_bytes: free GPU memory; default: this machine's, 0 without a GPU build.
    """
    available = (
        hardware.memory_available_bytes() if available_bytes is None else available_bytes
    )
    longest = header.context or USUAL_CONTEXT
    context = min(wanted_context or USUAL_CONTEXT, longest)
    if not wanted_context:
        while (
            context > SMALLEST_CONTEXT and memory_needed(header, context) > available * _SPARE
        ):
            context = max(SMALLEST_CONTEXT, context // 2)
    if gpu_free_bytes is None:
        gpu_free_bytes = sum(gpu.free_bytes for gpu in hardware.gpus()) if gpu_build() else 0
    automatic = gpu_layers_that_fit(header, context, gpu_free_bytes) if gpu_free_bytes else 0
    layers = automatic if gpu_layers is None else min(gpu_layers, header.layers + 1)
    needed = memory_needed(header, context)
    on_gpu = layers / (header.layers + 1) if gpu_free_bytes else 0.0
    return Fit(
        context=context,
        memory_bytes=needed,
        available_bytes=available,
        gpu_layers=layers,
        fits=needed * (1 - on_gpu) <= available * _SPARE,
    )
