"""Reading the header of a GGUF file that may be damaged or hostile.

Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3). Every
count and length is checked before it is believed, nothing is read beyond the header, and the
tensors' places are checked against the size of the file. llama.cpp itself aborts the whole
process on some headers, so a file is accepted only after this and a trial in a child.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from engine.errors import ModelUnavailable
from engine.files import open_regular, show_path

MAX_KEYS = 65_536
MAX_TENSORS = 65_536
MAX_TEXT_BYTES = 16 << 20
MAX_ITEMS = 8 << 20
MAX_HEADER_BYTES = 512 << 20
MAX_DIMENSIONS = 4
MAX_LAYERS = 1024
MAX_CONTEXT = 1 << 27
KEPT_ITEMS = 4096
"""Longer arrays (the vocabulary) are checked and counted but not kept."""

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9

# ggml tensor type → (name, values in a block, bytes of a block); ggml.h and ggml-common.h
TENSOR_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}

# general.file_type → name; enum llama_ftype in llama.h
FILE_TYPES: dict[int, str] = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
}

QUANTIZATIONS: dict[str, int] = {
    name: number
    for number, name in FILE_TYPES.items()
    if not name.startswith(("IQ", "TQ", "MXFP4"))
}
"""In what a model can be written without a sample of what it computes: name → file type."""


@dataclass(frozen=True)
class GgufHeader:
    """What the header says. Sizes in bytes, context in tokens; 0 or "" where it is silent."""

    architecture: str
    kind: str
    """"model", or "adapter" and the like, which cannot answer by themselves."""
    name: str
    license: str
    parameters: int
    quantization: str
    context: int
    layers: int
    width: int
    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    vocabulary: int
    chat_template: str
    size_bytes: int
    tensor_bytes: int
    output_bytes: int
    """Bytes of the embedding and output matrices, which are no layer's."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready fields."""
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> GgufHeader:
        """The inverse of `to_dict`."""
        return GgufHeader(**data)


@dataclass(frozen=True)
class TensorPlace:
    """A tensor in a file. `shape` as numpy has it: the rows of a matrix first.

    `kind` is a key of `TENSOR_TYPES`; `offset` counts bytes from the beginning of the file.
    """

    kind: int
    shape: tuple[int, ...]
    size_bytes: int
    offset: int


@dataclass(frozen=True)
class GgufContents:
    """A whole header: what it means, the bare values, and where every tensor lies.

    `values` hold no array beyond its first `KEPT_ITEMS`. Bytes [`keys_begin`, `keys_end`) of
    the file are its keys with their values.
    """

    header: GgufHeader
    values: dict[str, Any]
    tensors: dict[str, TensorPlace]
    keys: int
    keys_begin: int
    keys_end: int


def read_header(path: Path) -> GgufHeader:
    """Read and check the header of the GGUF file at `path`.

    Raises:
        ModelUnavailable: it is no GGUF file, or a damaged or hostile one; says why.
    """
    return read_contents(path).header


def read_contents(path: Path) -> GgufContents:
    """Read and check the header of the GGUF file at `path`, with the places of its tensors.

    Raises:
        ModelUnavailable: it is no GGUF file, or a damaged or hostile one; says why.
    """
    try:
        with open_regular(path) as stream:
            stream.seek(0, 2)
            size = stream.tell()
            stream.seek(0)
            return _Reader(stream, size).contents()
    except OSError as error:
        raise ModelUnavailable(
            f"{show_path(path)} cannot be opened.",
            hint="Check that the file is there and that you may read it.",
            details=str(error),
        ) from error
    except (struct.error, UnicodeDecodeError, OverflowError, MemoryError) as error:
        raise _damaged(f"{type(error).__name__}: {error}") from error


def _damaged(reason: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"This model file is damaged: {reason}.",
        hint="Get the file again, from a source you trust.",
    )


class _Reader:
    """Reads one header. Every length is bounded by a limit and by what the file holds."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._values: dict[str, Any] = {}
        self._lengths: dict[str, int] = {}

    def contents(self) -> GgufContents:
        if self._size < 24 or self._take(4) != b"GGUF":
            raise ModelUnavailable(
                "This is not a GGUF model file.",
                hint="Whetstone runs GGUF files; other formats must be converted first.",
            )
        version = self._number("I")
        if version not in (2, 3):
            swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
            if swapped in (2, 3):
                raise ModelUnavailable("This model file is for big-endian computers.")
            raise ModelUnavailable(f"GGUF version {version} is not supported.")
        tensors = self._count("Q", MAX_TENSORS, "tensors")
        keys = self._count("Q", MAX_KEYS, "keys")
        keys_begin = self._stream.tell()
        for _ in range(keys):
            key = self._text(1024)
            if key in self._values:
                raise _damaged(f"the key {key[:80]!r} stands in it twice")
            self._values[key] = self._value(key, self._number("I"))
        keys_end = self._stream.tell()
        found = self._tensors(tensors)
        return GgufContents(
            self._describe(found), self._values, found, keys, keys_begin, keys_end
        )

    # --- pieces ------------------------------------------------------------------------

    def _take(self, length: int) -> bytes:
        if self._stream.tell() + length > min(self._size, MAX_HEADER_BYTES):
            raise _damaged("its header is cut short or too long")
        data = self._stream.read(length)
        if len(data) != length:
            raise _damaged("its header is cut short")
        return data

    def _number(self, form: str) -> Any:
        return struct.unpack("<" + form, self._take(struct.calcsize("<" + form)))[0]

    def _count(self, form: str, limit: int, what: str) -> int:
        count = int(self._number(form))
        if count > limit:
            raise _damaged(f"it claims {count} {what}")
        return count

    def _text(self, limit: int = MAX_TEXT_BYTES) -> str:
        return self._take(self._count("Q", limit, "bytes of text")).decode("utf-8", "replace")

    def _value(self, key: str, kind: int) -> Any:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array(key)
        raise _damaged(f"a value has the unknown type {kind}")

    def _array(self, key: str) -> list[Any]:
        kind = int(self._number("I"))
        length = self._count("Q", MAX_ITEMS, "items")
        self._lengths[key] = length
        if kind in _SCALARS:
            form = _SCALARS[kind]
            data = self._take(length * struct.calcsize("<" + form))
            kept = min(length, KEPT_ITEMS)
            return list(struct.unpack_from(f"<{kept}{form}", data))
        if kind == _STRING:
            kept_texts: list[Any] = []
            for at in range(length):
                text = self._text()
                if at < KEPT_ITEMS:
                    kept_texts.append(text)
            return kept_texts
        # Arrays of arrays appear in no model; refusing them bounds the nesting.
        raise _damaged(f"an array has items of type {kind}")

    def _tensors(self, count: int) -> dict[str, TensorPlace]:
        """Name → place, each checked against the file's end."""
        found: dict[str, TensorPlace] = {}
        for _ in range(count):
            name = self._text(1024)
            if name in found:
                raise _damaged(f"the tensor {name[:80]!r} stands in it twice")
            shape = [int(self._number("Q")) for _ in range(self._dimensions())]
            kind, offset = int(self._number("I")), int(self._number("Q"))
            if kind not in TENSOR_TYPES:
                raise ModelUnavailable(
                    f"This model uses a kind of numbers (type {kind}) that is not supported.",
                    hint="Get the model in another quantization, such as Q4_K_M.",
                )
            _, block_values, block_bytes = TENSOR_TYPES[kind]
            values = 1
            for side in shape:
                values *= side
                if not 0 < side < 1 << 40 or values > 1 << 50:
                    raise _damaged(f"the tensor {name[:80]!r} has an impossible shape")
            if shape and shape[0] % block_values:
                raise _damaged(f"the tensor {name[:80]!r} has an impossible shape")
            length = values // block_values * block_bytes
            found[name] = TensorPlace(kind, tuple(reversed(shape)), length, offset)
        return self._placed(found)

    def _dimensions(self) -> int:
        return self._count("I", MAX_DIMENSIONS, "dimensions of a tensor")

    def _placed(self, tensors: dict[str, TensorPlace]) -> dict[str, TensorPlace]:
        """The tensors with their offsets counted from the beginning of the file."""
        alignment = self._whole("general.alignment", 32, 1 << 20)
        if alignment < 1 or alignment & (alignment - 1):
            raise _damaged(f"its alignment is {alignment}")
        begin = -(-self._stream.tell() // alignment) * alignment
        for name, place in tensors.items():
            if place.offset % alignment or begin + place.offset + place.size_bytes > self._size:
                raise _damaged(f"the weights of {name[:80]!r} lie outside the file")
        return {
            name: replace(place, offset=begin + place.offset) for name, place in tensors.items()
        }

    # --- what it means -----------------------------------------------------------------

    def _words(self, key: str, limit: int = 200) -> str:
        value = self._values.get(key, "")
        if isinstance(value, list):
            value = ", ".join(str(item) for item in cast("list[object]", value)[:8])
        return str(value)[:limit] if isinstance(value, str) else ""

    def _whole(self, key: str, default: int, limit: int) -> int:
        value: object = self._values.get(key, default)
        if isinstance(value, list):  # one number a layer: the largest counts
            numbers = [item for item in cast("list[object]", value) if isinstance(item, int)]
            value = max(numbers, default=default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
            raise _damaged(f"{key} is {str(value)[:40]!r}")
        return value

    def _describe(self, tensors: dict[str, TensorPlace]) -> GgufHeader:
        architecture = self._words("general.architecture", 64)
        if not architecture:
            raise _damaged("it does not say which architecture it is")
        template = self._values.get("tokenizer.chat_template", "")
        heads = self._whole(f"{architecture}.attention.head_count", 0, 1 << 16)
        width = self._whole(f"{architecture}.embedding_length", 0, 1 << 24)
        head_width = width // heads if heads else 0
        outer = ("token_embd.weight", "output.weight")
        return GgufHeader(
            architecture=architecture,
            kind=self._words("general.type", 32) or "model",
            name=self._words("general.name"),
            license=self._words("general.license"),
            parameters=sum(math.prod(place.shape) for place in tensors.values()),
            quantization=self._quantization(tensors),
            context=self._whole(f"{architecture}.context_length", 0, MAX_CONTEXT),
            layers=self._whole(f"{architecture}.block_count", 0, MAX_LAYERS),
            width=width,
            heads=heads,
            kv_heads=self._whole(f"{architecture}.attention.head_count_kv", heads, 1 << 16),
            key_length=self._whole(f"{architecture}.attention.key_length", head_width, 1 << 16),
            value_length=self._whole(
                f"{architecture}.attention.value_length", head_width, 1 << 16
            ),
            vocabulary=self._lengths.get("tokenizer.ggml.tokens", 0),
            chat_template=template if isinstance(template, str) else "",
            size_bytes=self._size,
            tensor_bytes=sum(place.size_bytes for place in tensors.values()),
            output_bytes=sum(tensors[name].size_bytes for name in outer if name in tensors),
        )

    def _quantization(self, tensors: dict[str, TensorPlace]) -> str:
        """The file's type; where it does not say, the type most of the weights have."""
        file_type: object = self._values.get("general.file_type")
        if isinstance(file_type, int) and file_type in FILE_TYPES:
            return FILE_TYPES[file_type]
        amounts: Counter[str] = Counter()
        for place in tensors.values():
            amounts[TENSOR_TYPES[place.kind][0]] += math.prod(place.shape)
        return amounts.most_common(1)[0][0] if amounts else ""


def check_usable(header: GgufHeader) -> None:
    """Refuse what llama.cpp could not answer with, or would abort on.

    Raises:
        ModelUnavailable: says why.
    """
    if header.kind != "model":
        raise ModelUnavailable(
            f"This file is not a model but {header.kind[:40]!r}.",
            hint="Add the model it belongs to.",
        )
    if header.architecture in ("clip", "mmproj"):
        raise ModelUnavailable("This file holds only the image part of a model.")
    if header.layers < 1:
        raise _damaged("it has no layers")
    if not header.vocabulary:
        raise _damaged("it has no vocabulary")
    if not header.tensor_bytes:
        raise _damaged("it has no weights")
