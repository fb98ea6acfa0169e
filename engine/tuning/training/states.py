"""What the frozen lower layers gave for each example, kept so that it is computed once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from engine import hardware
from engine.files import free_bytes
from engine.tuning.training.decoder import Decoder
from engine.tuning.training.packs import Pack, Tokenized

FLOAT32_BYTES = 256 << 20
"""Up to this size the states are kept exactly; above it as bfloat16."""
MEMORY_SHARE = 0.25
DISK_SHARE = 0.5


class LowerStates:
    """States (tokens, width) of the examples' own tokens and of their common beginning.

    In memory while they take no more than a quarter of what is free; else in a mapped file;
    not `usable` where neither has the room.

    Args:
        decoder: whose lower layers are kept.
        layers: how many of them.
        examples: all that may be asked for.
        prefix: what all of them begin with.
        file: where they go when memory is short; removed at the end.
    """

    def __init__(
        self,
        decoder: Decoder,
        layers: int,
        examples: Sequence[Tokenized],
        prefix: Sequence[int],
        file: Path,
    ) -> None:
        self._decoder = decoder
        self._layers = layers
        self._shared = len(prefix)
        self._file = file
        self._starts: list[int] = []
        total = self._shared
        for example in examples:
            self._starts.append(total)
            total += len(example.ids) - self._shared
        self._known = [False] * len(examples)
        self._prefix_known = not self._shared
        size = total * decoder.width * 4
        dtype = torch.float32 if size <= FLOAT32_BYTES else torch.bfloat16
        self._kept = _room(total, decoder.width, dtype, file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory, remove the file."""
        self._kept = None
        self._file.unlink(missing_ok=True)

    @property
    def usable(self) -> bool:
        """False when there is no room to keep anything."""
        return self._kept is not None

    def missing(self, rows: Sequence[int]) -> list[int]:
        """Those of `rows` that were not computed yet."""
        return [row for row in rows if not self._known[row]]

    @torch.no_grad()
    def fill(self, pack: Pack) -> None:
        """Compute and keep the examples of a pack."""
        assert self._kept is not None
        embedded = self._decoder.embed(pack)
        states = self._decoder.run(embedded, pack, 0, self._layers)[0].to(self._kept.dtype)
        if not self._prefix_known:
            self._kept[: self._shared] = states[: self._shared]
            self._prefix_known = True
        for row, (begin, end) in zip(pack.rows, pack.spans, strict=True):
            start = self._starts[row]
            self._kept[start : start + end - begin] = states[begin:end]
            self._known[row] = True

    def of(self, pack: Pack) -> Tensor:
        """Input of the first upper layer for a pack, (1, length, width)."""
        assert self._kept is not None
        parts = [self._kept[: self._shared]]
        for row, (begin, end) in zip(pack.rows, pack.spans, strict=True):
            start = self._starts[row]
            parts.append(self._kept[start : start + end - begin])
        dtype = self._decoder.config.dtype or torch.float32
        return torch.cat(parts)[None].to(dtype)


def _room(rows: int, width: int, dtype: torch.dtype, file: Path) -> Tensor | None:
    size = rows * width * dtype.itemsize
    if size <= hardware.memory_available_bytes() * MEMORY_SHARE:
        return torch.empty(rows, width, dtype=dtype)
    if size > free_bytes(file.parent) * DISK_SHARE:
        return None
    with file.open("wb") as stream:
        os.truncate(stream.fileno(), size)
    flat = torch.from_file(str(file), shared=True, size=rows * width, dtype=dtype)
    return flat.view(rows, width)
