"""Texts that mean nearly the same, by their embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.errors import InvalidInput
from engine.work.jobs import NULL_JOB, Job

SAME = 0.95
"""Cosine from which two short texts say nearly the same, with all-MiniLM-L6-v2."""
MAX_TEXTS = 30_000
"""All pairs are compared: more would take longer than training on them."""
_LONG_CHARACTERS = 800
"""The embedder reads no more than the beginning of a longer text."""
_BLOCK = 1_024

_Vectors = np.ndarray[Any, np.dtype[np.float32]]
Embed = Callable[[Sequence[str], Job], _Vectors]
"""Texts to unit vectors, shape (texts, dimensions)."""


def near_by_meaning(
    texts: Sequence[str], embed: Embed, job: Job = NULL_JOB
) -> list[tuple[int, int, float]]:
    """(earlier, later, cosine) of texts that mean nearly the same, each with the nearest.

    Long texts and repetitions are left to the comparison of words.

    Raises:
        InvalidInput: there are too many to compare all of them.
        ModelUnavailable, NotEnoughMemory, WorkerCrashed: the embedder cannot be used now.
        Cancelled: `job` was cancelled.
    """
    first: dict[str, int] = {}
    for index, text in enumerate(texts):
        if 0 < len(text) <= _LONG_CHARACTERS:
            first.setdefault(text, index)
    if len(first) < 2:
        return []
    if len(first) > MAX_TEXTS:
        raise InvalidInput(f"More than {MAX_TEXTS:,} rows are not compared by meaning.")
    index_of = list(first.values())
    vectors = _embed_in_steps(list(first), embed, job)
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(index_of), _BLOCK):
        job.checkpoint()
        job.progress(start, len(index_of), "Comparing what rows mean")
        block = vectors[start : start + _BLOCK]
        cosines = block @ vectors[: start + len(block)].T
        # Each with those before it: what is on or above the diagonal does not count.
        for row in range(len(block)):
            cosines[row, start + row :] = -1.0
        best = cosines.argmax(axis=1)
        for row, other in enumerate(best):
            cosine = float(cosines[row, other])
            if cosine >= SAME:
                pair = (index_of[int(other)], index_of[start + row])
                found.append((*pair, min(cosine, 0.9999)))
    return sorted((min(one, other), max(one, other), share) for one, other, share in found)


def _embed_in_steps(texts: list[str], embed: Embed, job: Job) -> _Vectors:
    parts: list[_Vectors] = []
    for start in range(0, len(texts), _BLOCK):
        job.progress(start, len(texts), "Reading what rows mean")
        parts.append(embed(texts[start : start + _BLOCK], job))
    return np.concatenate(parts)
