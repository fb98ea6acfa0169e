"""LoRA adapters as GGUF files: written as llama.cpp reads them, read back without trust.

A tensor `<weight>.lora_a` holds A, (rank, in), and `<weight>.lora_b` holds B, (out, rank);
llama.cpp adds alpha / rank · B·A, the rank being that of the tensor itself. LoRA: Hu et al.
2021, arXiv 2106.09685; rsLoRA, which scales with alpha / √rank: arXiv 2312.03732.
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-adapter.cpp
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import gguf
import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidInput, ModelUnavailable, TrainingFailed
from engine.files import open_regular, storage_error
from engine.models.gguf import GgufContents, GgufHeader, TensorPlace, read_contents
from engine.tuning.adapters.naming import (
    from_gguf_rows,
    module_of,
    tensor_of,
    to_gguf_rows,
)

MAX_RANK = 4096
MAX_ADAPTER_BYTES = 4 << 30
_F32, _F16, _BF16 = 0, 1, 30
_READABLE = (_F32, _F16, _BF16)
_A, _B = ".lora_a", ".lora_b"
_WIDEST_F16 = 65504.0


class Factors(NamedTuple):
    """The change of one weight: A (rank, in) and B (out, rank), float32."""

    a: NDArray[np.float32]
    b: NDArray[np.float32]


@dataclass(frozen=True)
class Lora:
    """An adapter as its file has it: tensors in GGUF's names and order of rows.

    The change of a weight is `scale_of` · B·A.
    """

    architecture: str
    name: str
    alpha: float
    factors: dict[str, Factors]

    @property
    def rank(self) -> int:
        """The largest rank of a tensor."""
        return max(one.a.shape[0] for one in self.factors.values())

    def scale_of(self, tensor: str) -> float:
        """What B·A is multiplied by; an alpha of 0 means 1, as llama.cpp has it."""
        return self.alpha / self.factors[tensor].a.shape[0] if self.alpha else 1.0


@dataclass(frozen=True)
class PeftLora:
    """An adapter as peft has it: factors by bare module path, with one rank and alpha.

    The change of a weight is alpha / r · B·A with r its own rank: `rank`, or what `ranks`
    (peft's `rank_pattern`) says for its module.
    """

    rank: int
    alpha: float
    factors: dict[str, Factors]
    ranks: dict[str, int]


def write_lora(
    path: Path,
    base: GgufHeader,
    tensors: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]],
    rank: int,
    alpha: float,
    use_rslora: bool = False,
    alphas: Mapping[str, float] | None = None,
    precision: Literal["F16", "F32"] = "F16",
    name: str = "",
) -> None:
    """Write an adapter; the file appears whole or not at all.

    Args:
        path: where it goes.
        base: the header of the model it changes.
        tensors: peft module path → (A (r, in), B (out, r)); r may differ by module.
        rank: of the adapter as a whole.
        alpha: peft's `lora_alpha`.
        use_rslora: scale with alpha / √r instead of alpha / r.
        alphas: module path → an alpha of its own (peft's `alpha_pattern`).
        precision: of the numbers in the file.
        name: what the adapter is called.

    Raises:
        InvalidInput: a shape, alpha or module that cannot be expressed.
        TrainingFailed: numbers that are not finite, or too large for the file.
        StorageFull: no room.
    """
    if not (math.isfinite(alpha) and alpha > 0) or not 0 < rank <= MAX_RANK or not tensors:
        raise InvalidInput(f"An adapter of rank {rank} and alpha {alpha} cannot be written.")
    written = alpha * math.sqrt(rank) if use_rslora else alpha
    made: dict[str, Factors] = {}
    for module, (a, b) in tensors.items():
        tensor = tensor_of(base, module)
        own = _own_scale(a.shape[0], (alphas or {}).get(module, alpha), use_rslora)
        # The file has one alpha; what another rank or alpha asks for goes into B.
        factor = own / (written / a.shape[0])
        made[tensor] = Factors(a, to_gguf_rows(base, tensor, np.float32(factor) * b))
    _check_factors(made, precision)
    _write(path, base.architecture, made, written, precision, name)


def _own_scale(rank: int, alpha: float, use_rslora: bool) -> float:
    return alpha / (math.sqrt(rank) if use_rslora else rank)


def _check_factors(factors: Mapping[str, Factors], precision: str) -> None:
    for tensor, (a, b) in factors.items():
        if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1]:
            raise InvalidInput(f"The adapter's shapes {a.shape}, {b.shape} of {tensor} differ.")
        largest = max(float(np.abs(a).max()), float(np.abs(b).max()))
        if not math.isfinite(largest) or (precision == "F16" and largest > _WIDEST_F16):
            raise TrainingFailed(
                "The adapter holds numbers that are not usable.",
                hint="Tune again with a lower learning rate.",
                details=f"{tensor}: {largest}",
            )


def _write(
    path: Path,
    architecture: str,
    factors: Mapping[str, Factors],
    alpha: float,
    precision: str,
    name: str,
) -> None:
    form = np.float16 if precision == "F16" else np.float32
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    try:
        writer = gguf.GGUFWriter(part, architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
        if name:
            writer.add_name(name)
        for tensor, (a, b) in sorted(factors.items()):
            writer.add_tensor(tensor + _A, np.ascontiguousarray(a, form))
            writer.add_tensor(tensor + _B, np.ascontiguousarray(b, form))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        with open(part, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        Path(part).unlink(missing_ok=True)


# --- reading -----------------------------------------------------------------------------


def read_lora(path: Path) -> Lora:
    """Read an adapter that may be damaged or hostile.

    Nothing is read beyond what the header, checked by `engine.models.gguf`, says lies inside
    the file. Norms, which llama.cpp passes over, are passed over.

    Raises:
        ModelUnavailable: it is no LoRA adapter, or a damaged one; says why.
    """
    contents = read_contents(path)
    if contents.header.kind != "adapter" or contents.values.get("adapter.type") != "lora":
        raise ModelUnavailable(
            "This file is not a LoRA adapter.",
            hint="Whole models are added on the Models page, or with `whetstone models add`.",
        )
    if any(key.startswith("adapter.alora") for key in contents.values):
        raise ModelUnavailable("This adapter waits for a word to be switched on by (aLoRA).")
    alpha: object = contents.values.get("adapter.lora.alpha", 0.0)
    if isinstance(alpha, bool) or not isinstance(alpha, int | float):
        raise _damaged("its alpha is no number")
    if not math.isfinite(alpha) or not 0 <= alpha <= 1e6:
        raise _damaged(f"its alpha is {alpha}")
    pairs = _pairs(contents)
    try:
        with open_regular(path) as stream:
            factors = {
                tensor: Factors(_numbers(stream, a), _numbers(stream, b))
                for tensor, (a, b) in pairs.items()
            }
    except OSError as error:
        raise _damaged("it cannot be read to its end") from error
    for tensor, (a, b) in factors.items():
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise _damaged(f"{tensor[:80]!r} holds what is no number")
    header = contents.header
    return Lora(header.architecture, header.name, float(alpha), factors)


def _damaged(reason: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"This adapter file is damaged: {reason}.",
        hint="Get the file again, from a source you trust.",
    )


def _pairs(contents: GgufContents) -> dict[str, tuple[TensorPlace, TensorPlace]]:
    """The adapter's tensors two by two, each a matrix, their ranks agreeing."""
    names = {name for name in contents.tensors if not name.endswith("_norm.weight")}
    bases = {name.removesuffix(_A).removesuffix(_B) for name in names}
    if not bases or names != {f"{base}{end}" for base in bases for end in (_A, _B)}:
        raise _damaged("its tensors are not pairs of lora_a and lora_b")
    if sum(contents.tensors[name].size_bytes for name in names) > MAX_ADAPTER_BYTES:
        raise _damaged("it is larger than any adapter")
    pairs: dict[str, tuple[TensorPlace, TensorPlace]] = {}
    for base in sorted(bases):
        a, b = contents.tensors[base + _A], contents.tensors[base + _B]
        if a.kind not in _READABLE or b.kind not in _READABLE:
            raise ModelUnavailable(
                "This adapter is quantized, which is not supported.",
                hint="Get it as float16 or float32.",
            )
        if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != b.shape[1]:
            raise _damaged(f"the shapes of {base[:80]!r} do not fit each other")
        if a.shape[0] > MAX_RANK:
            raise _damaged(f"its rank is {a.shape[0]}")
        pairs[base] = (a, b)
    return pairs


def _numbers(stream: BinaryIO, place: TensorPlace) -> NDArray[np.float32]:
    stream.seek(place.offset)
    data = stream.read(place.size_bytes)
    if len(data) != place.size_bytes:
        raise _damaged("it is cut short")
    if place.kind == _BF16:
        # A bfloat16 is the upper half of a float32.
        wide = np.frombuffer(data, np.uint16).astype(np.uint32) << np.uint32(16)
        return wide.view(np.float32).reshape(place.shape)
    form: Any = np.float16 if place.kind == _F16 else np.float32
    return np.frombuffer(data, form).astype(np.float32).reshape(place.shape)


def check_fits(lora: Lora, base: GgufContents) -> None:
    """Refuse an adapter that was made for another model.

    Raises:
        InvalidInput: another architecture, or weights that the model lacks or has in
            other sizes.
    """
    if lora.architecture != base.header.architecture:
        raise InvalidInput(
            f"This adapter is for models of architecture {lora.architecture[:40]!r}, the model "
            f"is {base.header.architecture!r}.",
            hint="Choose the model the adapter was made for.",
        )
    for tensor, (a, b) in lora.factors.items():
        place = base.tensors.get(tensor)
        if place is None or place.shape != (b.shape[0], a.shape[1]):
            there = "has none of that name" if place is None else f"has {list(place.shape)}"
            raise InvalidInput(
                f"This adapter is for another model: it changes {tensor[:80]!r} as "
                f"[{b.shape[0]}, {a.shape[1]}], the model {there}.",
                hint="Choose the model the adapter was made for.",
            )


def to_peft(lora: Lora, base: GgufHeader) -> PeftLora:
    """The adapter in peft's names and order of rows.

    Raises:
        InvalidInput: it changes what peft has no module for.
    """
    factors: dict[str, Factors] = {}
    ranks: dict[str, int] = {}
    rank = lora.rank
    alpha = lora.alpha or float(rank)
    for tensor, (a, b) in lora.factors.items():
        module = module_of(base, tensor)
        own = a.shape[0]
        scale = lora.scale_of(tensor) / (alpha / own)  # peft too divides by a module's own rank
        factors[module] = Factors(a, np.float32(scale) * from_gguf_rows(base, tensor, b))
        if own != rank:
            ranks[module] = own
    return PeftLora(rank, alpha, factors, ranks)
