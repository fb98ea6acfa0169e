"""What a weight is called in peft and in GGUF, and how its rows are ordered there.

llama.cpp reads the rows of llama's queries and keys in another order (pairs of the rotary
embedding beside each other), so a file of that architecture has them permuted; see
`LlamaModel.permute` in llama.cpp's convert_hf_to_gguf.py.
"""

from __future__ import annotations

import functools
import re

import gguf
import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidInput
from engine.models.gguf import GgufHeader

_SPLIT = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
_FUSED = ("self_attn.qkv_proj", "self_attn.o_proj", "mlp.gate_up_proj", "mlp.down_proj")
_MODULES = {
    "llama": _SPLIT,
    "qwen2": _SPLIT,
    "qwen3": _SPLIT,
    "gemma2": _SPLIT,
    "gemma3": _SPLIT,
    "phi3": _FUSED,
}
ARCHITECTURES = tuple(_MODULES)
"""As GGUF files call them; Mistral's models are files of architecture llama."""

_WRAPPING = re.compile(r"^(?:base_model\.model\.)?(?:model\.language_model\.|model\.)?")


def bare(module: str) -> str:
    """A module's path without what peft or a multimodal model puts around it."""
    if module.endswith("lm_head"):
        return "lm_head"
    return "model." + _WRAPPING.sub("", module.replace("language_model.model.", "model.", 1))


@functools.lru_cache(maxsize=16)
def tensors_by_module(architecture: str, layers: int) -> dict[str, str]:
    """Module path → tensor, for every weight an adapter can change.

    Raises:
        InvalidInput: adapters for this architecture are not supported.
    """
    if architecture not in _MODULES:
        raise InvalidInput(
            f"Adapters for models of architecture {architecture[:40]!r} are not supported.",
            hint=f"Supported are: {', '.join(ARCHITECTURES)} (and Mistral).",
        )
    kind = {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[architecture]
    names = gguf.get_tensor_name_map(kind, layers)
    found = {"lm_head": "output.weight"}
    for layer in range(layers):
        for part in _MODULES[architecture]:
            module = f"model.layers.{layer}.{part}"
            tensor = names.get_name(module)
            assert tensor is not None, module
            found[module] = f"{tensor}.weight"
    return found


def tensor_of(base: GgufHeader, module: str) -> str:
    """The GGUF tensor of a module.

    Raises:
        InvalidInput: an adapter in GGUF cannot change this module.
    """
    tensor = tensors_by_module(base.architecture, base.layers).get(bare(module))
    if tensor is None:
        raise InvalidInput(
            f"The adapter changes {module[:120]!r}, which a GGUF adapter cannot express.",
            hint="Adapters of attention and feed-forward weights work.",
        )
    return tensor


def module_of(base: GgufHeader, tensor: str) -> str:
    """The module of a GGUF tensor, without peft's beginning.

    Raises:
        InvalidInput: none has this name.
    """
    known = tensors_by_module(base.architecture, base.layers)
    for module, name in known.items():
        if name == tensor:
            return module
    raise InvalidInput(
        f"The adapter changes {tensor[:120]!r}, which the model's own form does not have."
    )


def to_gguf_rows(
    base: GgufHeader, tensor: str, rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Rows of a weight, or of the B that changes it, in the order of the file."""
    heads = _rotated_heads(base, tensor)
    if not heads:
        return rows
    form = (heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return np.ascontiguousarray(rows.reshape(form).swapaxes(1, 2)).reshape(rows.shape)


def from_gguf_rows(
    base: GgufHeader, tensor: str, rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The inverse of `to_gguf_rows`."""
    heads = _rotated_heads(base, tensor)
    if not heads:
        return rows
    form = (heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:])
    return np.ascontiguousarray(rows.reshape(form).swapaxes(1, 2)).reshape(rows.shape)


def _rotated_heads(base: GgufHeader, tensor: str) -> int:
    if base.architecture != "llama":
        return 0
    if tensor.endswith(".attn_q.weight"):
        return base.heads
    return base.kv_heads if tensor.endswith(".attn_k.weight") else 0
