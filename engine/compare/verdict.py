"""What a comparison says, in one plain sentence."""

from __future__ import annotations

from engine.work.api import Interval
from engine.work.api.compare import ArmReport, Metric, Outcome

FEWEST_QUESTIONS = 20
"""With fewer nothing is said."""
NARROW = 0.02
"""An interval within so much of zero on both sides means that there is no difference."""


def outcome_of(gain: Interval, questions: int) -> Outcome:
    """What a difference to the base says."""
    if questions < FEWEST_QUESTIONS:
        return "too few questions"
    if gain.low > 0:
        return "better"
    if gain.high < 0:
        return "worse"
    if gain.low >= -NARROW and gain.high <= NARROW:
        return "no difference"
    return "too few questions"


def verdict(arms: list[ArmReport], metric: Metric, questions: int) -> str:
    """One sentence on all arms."""
    asked = f"{questions:,} question{'' if questions == 1 else 's'}"
    base = next((one for one in arms if one.arm == "base"), None)
    other = next((one for one in arms if one.gain is not None), None)
    if base is None or other is None or other.gain is None:
        only = arms[0]
        return (
            f"{only.arm.capitalize()} has {metric} {only.score:.1%} in {asked} "
            f"({only.low:.1%} to {only.high:.1%}); with one arm there is nothing to compare."
        )
    figures = f"{metric} {other.score:.1%} against {base.score:.1%} of the base"
    reach = (
        f"{_points(other.gain.value)} points, 95% interval "
        f"{_points(other.gain.low)} to {_points(other.gain.high)}"
    )
    if other.outcome == "better":
        return f"The tuned model is better: {figures} ({reach})."
    if other.outcome == "worse":
        return f"The tuned model is worse: {figures} ({reach})."
    if other.outcome == "no difference":
        return f"It makes no difference: {figures} ({reach})."
    return f"Too few questions to tell ({asked}): {figures} ({reach})."


def _points(share: float) -> str:
    return f"{share * 100:+.1f}"
