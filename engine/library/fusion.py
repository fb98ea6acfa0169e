"""One rule that joins meaning and words, the same for every library.

TM2C2 of Bruch, Gai and Ingber 2022, arXiv 2210.11934: a convex combination of both scores,
each scaled from its theoretical minimum (cosine -1, BM25 0) to the best of the list. Against
reciprocal ranks, z-scores and plain min-max it did best with each choosing corpus left out in
turn; see docs/adr/0008 and `python -m tests.benchmarks fusion`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

CANDIDATES = 100
"""Passages each of the two searches contributes."""
DENSE_WEIGHT = 0.6
"""The weight whose worst loss against the better of the two searches is least; the mean alone
would take 0.75, at the price of a point where words are much the better guide."""
PAIRED = 40
"""So many of the first passages are looked through for the question's pairs of words."""
PAIRS_WEIGHT = 0.25
"""Their part of the score; see docs/adr/0021."""

Scored = Sequence[tuple[int, float]]


class Fused(NamedTuple):
    """A passage with what meaning and words add to its score; their sum is the score."""

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
    return _best_first(fused)


def add_pairs(
    fused: Sequence[Fused], pairs: Mapping[int, float], weight: float = PAIRS_WEIGHT
) -> list[Fused]:
    """Passages as fused, with what neighbouring words add, best first.

    The best possible score stays 1, and those not looked through stay behind each other.

    Args:
        fused: what `fuse` made of two lists.
        pairs: the share of the question's pairs, 0 to 1, of the passages looked through.
        weight: share of the pairs in the score, 0 to 1.
    """
    kept = 1.0 - weight
    added: list[Fused] = []
    for passage, _, meaning, words in fused:
        meaning, words = kept * meaning, kept * words + weight * pairs.get(passage, 0.0)
        added.append(Fused(passage, meaning + words, meaning, words))
    return _best_first(added)


def _best_first(fused: Sequence[Fused]) -> list[Fused]:
    return sorted(fused, key=lambda one: (-one.score, one.passage))
