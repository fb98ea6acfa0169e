"""How probable it is, before the model reads, that each passage holds the answer.

A passage's probability is a softmax over its place and over how far its score lies behind the
best one's: p(z) ∝ exp(-RANK·place - SCORE·(best - score)). Both numbers were learned from the
choosing sets by maximum likelihood of the passages that hold the gold answer:
`python -m tests.benchmarks prior` repeats that.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.work.api import PassageHit

RANK = 0.0
SCORE = 24.0


def log_prior(passages: Sequence[PassageHit]) -> list[float]:
    """Log-weights of passages, best first; not normalized."""
    if not passages:
        return []
    best = passages[0].score
    return [-RANK * place - SCORE * (best - hit.score) for place, hit in enumerate(passages)]
