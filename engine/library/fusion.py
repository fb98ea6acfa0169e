"""One rule that joins meaning and words, the same for every library.

TM2C2 of Bruch, Gai and Ingber 2022, arXiv 2210.11934: a convex combination of both scores,
each scaled from its theoretical minimum (cosine -1, BM25 0) to the best of the list. Against
reciprocal ranks, z-scores and plain min-max it did best with each choosing corpus left out in
turn; see docs/adr/0008 and `python -m tests.benchmarks fusion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CANDIDATES = 100
"""Passages each of the two searches contributes."""
DENSE_WEIGHT = 0.6
"""The weight whose worst loss against the better of the two searches is least; the mean alone
would take 0.75, at the price of a point where words are much the better guide."""

Scored = Sequence[tuple[int, float]]


class Fused(NamedTuple):
    """A passage with what each search adds to its score."""

    passage: int
    score: float
    dense_share: float
    keyword_share: float


def fuse(dense: Scored, keyword: Scored, dense_weight: float = DENSE_WEIGHT) -> list[Fused]:
    """Every passage of either list once, best first; ties go to the smaller id.

    A passage missing from the dense list counts as its last, one missing from the keyword
    list as not containing any word of the question. With one list alone its own scores
    remain.

    Args:
        dense: (id, cosine), best first.
        keyword: (id, BM25 score), best first.
        dense_weight: share of the dense score, 0 to 1.
    """
    if not keyword:
        return [Fused(passage, score, score, 0.0) for passage, score in dense]
    if not dense:
        return [Fused(passage, score, 0.0, score) for passage, score in keyword]
    best = max(1e-9, dense[0][1] + 1.0)
    by_meaning = {passage: (cosine + 1.0) / best for passage, cosine in dense}
    most = max(1e-9, keyword[0][1])
    by_words = {passage: score / most for passage, score in keyword}
    last = min(by_meaning.values())
    fused: list[Fused] = []
    for passage in {**by_meaning, **by_words}:
        meaning = dense_weight * by_meaning.get(passage, last)
        words = (1.0 - dense_weight) * by_words.get(passage, 0.0)
        fused.append(Fused(passage, meaning + words, meaning, words))
    return sorted(fused, key=lambda one: (-one.score, one.passage))
