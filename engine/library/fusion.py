"""One rule that joins meaning and words, the same for every library.

Chosen by measurement (`python -m tests.benchmarks.fusion`), with each of the choosing corpora
left out in turn; see docs/adr. The form is the convex combination of Bruch, Gai and Ingber
2022, arXiv 2210.11934.
"""

from __future__ import annotations

from collections.abc import Sequence

CANDIDATES = 100
"""Passages each of the two searches contributes."""
DENSE_WEIGHT = 0.7

Scored = Sequence[tuple[int, float]]


def fuse(dense: Scored, keyword: Scored) -> list[tuple[int, float]]:
    """Ids with one score each, best first.

    Args:
        dense: (id, cosine), best first.
        keyword: (id, BM25 score), best first.
    """
    scores: dict[int, float] = {}
    for weight, found in ((DENSE_WEIGHT, dense), (1 - DENSE_WEIGHT, keyword)):
        if not found:
            continue
        best, least = found[0][1], min(0.0, found[-1][1])
        for passage, score in found:
            share = (score - least) / (best - least) if best > least else 1.0
            scores[passage] = scores.get(passage, 0.0) + weight * share
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
