"""Batches for llama.cpp: tokens of several sequences, or embeddings in the place of tokens."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import llama_cpp
import numpy as np
from numpy.typing import NDArray

_api: Any = llama_cpp

BATCH_TOKENS = 512


class Entry(NamedTuple):
    """A token at its position in a sequence; `wanted`: scores of what comes after it.

    Tokens below 0 are those of a soft prompt: -1 its first, -2 its second.
    """

    seq: int
    position: int
    token: int
    wanted: bool


def split(entries: Sequence[Entry]) -> Iterator[tuple[int, Sequence[Entry]]]:
    """Where each batch begins, and its entries: tokens, or tokens of a soft prompt."""
    start = 0
    for _, group in itertools.groupby(entries, lambda entry: entry.token < 0):
        alike = list(group)
        for at in range(0, len(alike), BATCH_TOKENS):
            yield start + at, alike[at : at + BATCH_TOKENS]
        start += len(alike)


class Batches:
    """The two batches of a context, filled anew each time.

    Args:
        width: of the model's embeddings.
    """

    def __init__(self, width: int) -> None:
        self._tokens: Any = _api.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._embeddings: Any = _api.llama_batch_init(BATCH_TOKENS, width, 1)

    def fill(self, entries: Sequence[Entry], soft: NDArray[np.float32] | None) -> Any:
        """A llama_batch of entries that `split` gave together.

        Args:
            entries: at most `BATCH_TOKENS`.
            soft: the soft prompt, (tokens, width), where entries are of it.
        """
        embedded = entries[0].token < 0
        batch = self._embeddings if embedded else self._tokens
        batch.n_tokens = len(entries)
        for at, (seq, position, token, wanted) in enumerate(entries):
            if embedded:
                assert soft is not None
                row = soft[-token - 1]
                begin = ctypes.addressof(batch.embd.contents)
                ctypes.memmove(begin + at * row.nbytes, row.ctypes.data, row.nbytes)
            else:
                batch.token[at] = token
            batch.pos[at] = position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = seq
            batch.logits[at] = wanted
        return batch

    def close(self) -> None:
        """Free them."""
        _api.llama_batch_free(self._tokens)
        _api.llama_batch_free(self._embeddings)
