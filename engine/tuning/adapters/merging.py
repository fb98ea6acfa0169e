"""A model file with some of its weights changed, written anew; the file itself is only read.

Keys are copied byte for byte, and so is every weight that does not change. A changed weight is
dequantized, changed and written as float32; llama.cpp then quantizes the whole again (see
`engine.answers.quantizing`), and what has its type already stays as it is.
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import gguf
import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelUnavailable
from engine.files import open_regular, storage_error
from engine.models.gguf import GgufContents, TensorPlace, read_contents
from engine.tuning.adapters.gguf_adapter import Lora, check_fits
from engine.work.jobs import NULL_JOB, Job

Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From a weight (rows, columns) to what takes its place, in the order of the file."""

_F32 = 0
_COPY_BYTES = 8 << 20


def changes_of(lora: Lora, scale: float = 1.0) -> dict[str, Change]:
    """What an adapter does to each weight: W + scale · alpha/r · B·A."""

    def change(tensor: str) -> Change:
        a, b = lora.factors[tensor]
        factor = np.float32(scale * lora.scale_of(tensor))
        return lambda weight: np.asarray(weight + factor * (b @ a), np.float32)

    return {tensor: change(tensor) for tensor in lora.factors}


def rewritten_bytes(base: GgufContents, changed: Mapping[str, object]) -> int:
    """How large a file `rewrite_model` writes, nearly."""
    bare = base.header.size_bytes - base.header.tensor_bytes
    return bare + sum(
        _place(name, place, changed).size_bytes for name, place in base.tensors.items()
    )


def merge(base: Path, out: Path, lora: Lora, scale: float = 1.0, job: Job = NULL_JOB) -> None:
    """Write the model `base` with an adapter in its weights to `out`.

    Raises:
        InvalidInput: the adapter is for another model.
        ModelUnavailable, StorageFull, Cancelled: as `rewrite_model`.
    """
    check_fits(lora, read_contents(base))
    rewrite_model(base, out, changes_of(lora, scale), job)


def rewrite_model(
    base: Path, out: Path, changes: Mapping[str, Change], job: Job = NULL_JOB
) -> None:
    """Write `base` with changed weights to `out`, which is not there yet.

    Args:
        base: a model file; only read.
        out: gone again when anything goes wrong.
        changes: tensor → its change; the shape stays.
        job: progress in bytes of the file read; can cancel.

    Raises:
        ModelUnavailable: the file is damaged or gone.
        StorageFull: no room.
        Cancelled: stopped.
    """
    contents = read_contents(base)
    try:
        with open_regular(base) as source, out.open("xb") as target:
            _write_header(source, target, contents, changes)
            alignment = _alignment(contents)
            done = 0
            for name, place in contents.tensors.items():
                job.checkpoint()
                job.progress(done, contents.header.tensor_bytes, "writing the model")
                source.seek(place.offset)
                if name in changes:
                    target.write(_changed(source, place, changes[name]).tobytes())
                else:
                    _copy(source, target, place.size_bytes)
                target.write(bytes(-target.tell() % alignment))
                done += place.size_bytes
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        out.unlink(missing_ok=True)
        raise storage_error(error, out) from error
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _place(name: str, place: TensorPlace, changed: Mapping[str, object]) -> TensorPlace:
    """The tensor as it will be; its offset is not known yet."""
    if name not in changed:
        return place
    return TensorPlace(_F32, place.shape, 4 * math.prod(place.shape), 0)


def _alignment(contents: GgufContents) -> int:
    return int(contents.values.get("general.alignment", 32))


def _write_header(
    source: BinaryIO,
    target: BinaryIO,
    contents: GgufContents,
    changes: Mapping[str, Change],
) -> None:
    target.write(b"GGUF" + struct.pack("<IQQ", 3, len(contents.tensors), contents.keys))
    source.seek(contents.keys_begin)
    _copy(source, target, contents.keys_end - contents.keys_begin)
    alignment, offset = _alignment(contents), 0
    for name, old in contents.tensors.items():
        place = _place(name, old, changes)
        text = name.encode()
        target.write(struct.pack("<Q", len(text)) + text)
        sides = place.shape[::-1]
        target.write(struct.pack(f"<I{len(sides)}Q", len(sides), *sides))
        target.write(struct.pack("<IQ", place.kind, offset))
        offset += place.size_bytes + -place.size_bytes % alignment
    target.write(bytes(-target.tell() % alignment))


def _changed(source: BinaryIO, place: TensorPlace, change: Change) -> NDArray[np.float32]:
    raw = np.frombuffer(_take(source, place.size_bytes), np.uint8)
    kind = gguf.GGMLQuantizationType(place.kind)
    rows = raw.reshape(*place.shape[:-1], -1)
    weight = np.asarray(gguf.quants.dequantize(rows, kind), np.float32).reshape(place.shape)
    made = np.ascontiguousarray(change(weight), np.float32)
    assert made.shape == place.shape, (made.shape, place.shape)
    return made


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    while length:
        some = min(length, _COPY_BYTES)
        target.write(_take(source, some))
        length -= some


def _take(source: BinaryIO, length: int) -> bytes:
    data = source.read(length)
    if len(data) != length:
        raise ModelUnavailable("This model file is shorter than it was a moment ago.")
    return data
