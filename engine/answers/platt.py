"""The shipped rule for refusals, fitted to one library: its scale, its bias, its threshold.

Platt scaling (Platt 1999, "Probabilistic outputs for support vector machines"): the log-odds z
of the shipped rule become scale·z + shift, by maximum likelihood. With some dozens of questions
that would follow chance, so both are pulled towards the shipped rule (scale 1, shift 0), as by
Gaussian priors. The order of judgements stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.answers.refusing import SHIPPED, THRESHOLD, Rule, Weights

FEWEST = 12
"""With fewer questions of either kind the shipped rule stays."""
MOST_REFUSED = 0.12
"""Of the questions that the library answers."""
_SCALE_SD, _SHIFT_SD = 0.25, 0.5
"""Standard deviations of the priors."""
_SCALES, _SHIFTS = (0.5, 2.0), (-1.5, 1.5)
_LOWER, _HIGHER = 2.0, 1.0
"""How far the log-odds at which an answer is refused may move."""
_STEPS = 25
_Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Odds:
    """Log-odds of the shipped rule for questions, by kind.

    `made`: answered by the library; `written`: how many of those a model wrote; `without`: the
    same without the document that answers them; `elsewhere`: from elsewhere.
    """

    made: Sequence[float]
    without: Sequence[float]
    elsewhere: Sequence[float]
    written: int = 0

    def others(self) -> list[float]:
        """Of all questions that nothing answers."""
        return [*self.without, *self.elsewhere]

    def half(self, odd: bool) -> Odds:
        """Every second question."""
        first = int(odd)
        return Odds(self.made[first::2], self.without[first::2], self.elsewhere[first::2])


@dataclass(frozen=True)
class Line:
    """scale·z + shift."""

    scale: float = 1.0
    shift: float = 0.0

    def of(self, odds: Sequence[float]) -> _Floats:
        return self.scale * np.asarray(odds, dtype=np.float64) + self.shift


@dataclass(frozen=True)
class Fitted:
    """The rule to use, whether it is a new one, why, and the held-out losses."""

    rule: Rule
    measured: bool
    reason: str
    loss_before: float = 0.0
    loss_after: float = 0.0


def fit(odds: Odds) -> Fitted:
    """The rule for a library."""
    if len(odds.made) < FEWEST or len(odds.others()) < FEWEST:
        return Fitted(Rule(), False, "Too few questions to tell: the usual rule stays.")
    before = after = 0.0
    for odd in (False, True):
        held_out, line = odds.half(not odd), fit_line(odds.half(odd))
        before += loss(held_out, Line()) / 2
        after += loss(held_out, line) / 2
    if after > before:
        reason = "The usual rule judges questions it has not seen as well: it stays."
        return Fitted(Rule(), False, reason, before, after)
    line = fit_line(odds)
    weights = Weights(
        each=_four([line.scale * weight for weight in SHIPPED.each]),
        bias=line.scale * SHIPPED.bias + line.shift,
    )
    rule = Rule(weights, _threshold(odds, line))
    return Fitted(rule, True, "Measured on this library's own questions.", before, after)


def fit_line(odds: Odds) -> Line:
    """Scale and shift at the greatest posterior density, by Newton's method."""
    z, held, share = _rows(odds)
    # As many independent questions as the smaller class has, counted for both.
    share = share * 2 * min(len(odds.made), len(odds.others()))
    at = np.array([1.0, 0.0])
    pull = np.array([1 / _SCALE_SD**2, 1 / _SHIFT_SD**2])
    design = np.stack([z, np.ones_like(z)], axis=1)
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(design @ at, -30, 30)))
        slope = design.T @ (share * (likely - held)) + pull * (at - np.array([1.0, 0.0]))
        curve = (design.T * (share * likely * (1 - likely))) @ design + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        at = at - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return Line(_within(float(at[0]), *_SCALES), _within(float(at[1]), *_SHIFTS))


def loss(odds: Odds, line: Line) -> float:
    """Mean log-loss; both classes count the same, and so do both kinds of others."""
    z, held, share = _rows(odds)
    moved = np.where(held > 0.5, -1.0, 1.0) * (line.scale * z + line.shift)
    return float((share * np.logaddexp(0.0, moved)).sum())


def separation(odds: Odds) -> float:
    """Area under the ROC curve: how often a question made lies above another; ties half."""
    made, others = np.asarray(odds.made), np.asarray(odds.others())
    if not made.size or not others.size:
        return 0.5
    apart = made[:, None] - others[None, :]
    return float((apart > 0).mean() + (apart == 0).mean() / 2)


def refused(odds: Sequence[float], rule: Rule) -> float:
    """Share of questions, by their log-odds under the shipped rule, that `rule` refuses."""
    if not odds:
        return 0.0
    scale = rule.weights.each[0] / SHIPPED.each[0]
    line = Line(scale, rule.weights.bias - scale * SHIPPED.bias)
    return float((line.of(odds) < _logit(rule.threshold) - 1e-9).mean())


def _threshold(odds: Odds, line: Line) -> float:
    """The usual threshold, lowered until few enough of the questions made are refused.

    Questions made of a passage's own words are easier than a person's. So where a model wrote
    too few, an answer is never refused that the shipped rule would let through.
    """
    made = np.sort(line.of(odds.made))
    allowed = made[math.floor(MOST_REFUSED * len(made))]
    usual = _logit(THRESHOLD)
    higher = _HIGHER if odds.written >= FEWEST else 0.0
    lowest, highest = line.of([usual - _LOWER, usual + higher])
    cut = _within(min(usual, float(allowed)), float(lowest), float(highest))
    return 1 / (1 + math.exp(-cut))


def _rows(odds: Odds) -> tuple[_Floats, _Floats, _Floats]:
    """Log-odds, 1 where the library answers, and each question's share of 1."""
    kinds = [(odds.made, 1.0, 0.5)]
    others = [kind for kind in (odds.without, odds.elsewhere) if kind]
    kinds += [(kind, 0.0, 0.5 / len(others)) for kind in others]
    z = np.concatenate([np.asarray(kind, dtype=np.float64) for kind, _, _ in kinds])
    held = np.concatenate([np.full(len(kind), is_held) for kind, is_held, _ in kinds])
    share = np.concatenate([np.full(len(kind), part / len(kind)) for kind, _, part in kinds])
    return z, held, share


def _four(weights: Sequence[float]) -> tuple[float, float, float, float]:
    return weights[0], weights[1], weights[2], weights[3]


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
