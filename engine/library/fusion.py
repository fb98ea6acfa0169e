"""One rule that joins meaning and words, the same for every library.

TM2C2 of Bruch, Gai and Ingber 2022, arXiv 2210.11934: a convex combination of both scores,
each scaled from its theoretical minimum (cosine -1, BM25 0) to the best of the list. Against
reciprocal ranks, z-scores and plain min-max it did best with each choosing corpus left out in
turn; see docs/adr/0008 and `python -m tests.benchmarks fusion`.
"""

from __future__ import annotations

from collections.abc import Sequence

CANDIDATES = 100
"""Passages each of the two searches contributes."""
DENSE_WEIGHT = 0.6
"""The weight whose worst loss against the better of the two searches is least; the mean alone
would take 0.75, at the price of a point where words are much the better guide."""

Scored = Sequence[tuple[int, float]]


def fuse(dense: Scored, keyword: Scored, dense_weight: float = DENSE_WEIGHT) -> Scored:
    """Ids with one score each, best first; ties go to the smaller id.

    A passage missing from the dense list counts as its last, one missing from the keyword
    list as not containing any word of the question.

    Args:
        dense: (id, cosine), best first.
        keyword: (id, BM25 score), best first.
        dense_weight: share of the dense score, 0 to 1.
    """
    if not dense or not keyword:
        return list(dense or keyword)
    best = dense[0][1] + 1.0
    by_meaning = {passage: (cosine + 1.0) / best for passage, cosine in dense}
    by_words = {passage: score / keyword[0][1] for passage, score in keyword}
    last = min(by_meaning.values())
    scores = {
        passage: dense_weight * by_meaning.get(passage, last)
        + (1.0 - dense_weight) * by_words.get(passage, 0.0)
        for passage in {**by_meaning, **by_words}
    }
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
