"""How far chance reaches: intervals over the very questions that were asked.

Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile
intervals). All arms are resampled together, so that a hard question is hard for all of them
(paired; Koehn 2004). A figure is a function of sums over questions: a share of right ones is,
and so is the F1 of a whole corpus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.work.api import Interval

RESAMPLES = 2_000
_CELLS = 4_000_000
"""Counts that are held at once."""

Sums = np.ndarray[Any, np.dtype[np.float64]]
"""(…, k)."""
Figure = Callable[[Sums], Sums]
"""Sums of k statistics over some questions, (n, k), to a figure each, (n,)."""


def resample(stats: Sums, figure: Figure, seed: int = 0) -> Sums:
    """A figure over questions drawn with repetition, as many as there are.

    Args:
        stats: of each question, (questions, k).
        figure: what is made of their sums.
        seed: of the draws; the same for all arms, which pairs them.

    Returns:
        (RESAMPLES,).
    """
    rows = len(stats)
    chance = np.random.default_rng(seed)
    parts: list[Sums] = []
    step = max(1, _CELLS // max(1, rows))
    even = np.full(rows, 1.0 / rows)
    for start in range(0, RESAMPLES, step):
        size = min(step, RESAMPLES - start)
        counts = chance.multinomial(rows, even, size).astype(np.float64)
        parts.append(figure(counts @ stats))
    return np.concatenate(parts)


def interval(value: float, drawn: Sums) -> Interval:
    """A figure with the middle 95 % of what was drawn, which never leaves it out."""
    low, high = (float(one) for one in np.quantile(drawn, [0.025, 0.975]))
    return Interval(value=value, low=min(low, value), high=max(high, value))


def measured(stats: Sums, figure: Figure, seed: int = 0) -> Interval:
    """A figure of one arm with its interval."""
    value = float(figure(stats.sum(axis=0, keepdims=True))[0])
    return interval(value, resample(stats, figure, seed))


def difference(stats: Sums, base: Sums, figure: Figure, seed: int = 0) -> Interval:
    """How much more one arm has than another over the same questions."""
    whole = figure(np.stack([stats.sum(axis=0), base.sum(axis=0)]))
    drawn = resample(stats, figure, seed) - resample(base, figure, seed)
    return interval(float(whole[0] - whole[1]), drawn)
