"""The verdict says no more than the questions allow."""

from __future__ import annotations

import pytest

from engine.compare.verdict import outcome_of, verdict
from engine.work.api import Interval
from engine.work.api.compare import ArmName, ArmReport, Outcome


def arm(name: ArmName, score: float, gain: Interval | None = None, n: int = 100) -> ArmReport:
    return ArmReport(
        arm=name,
        score=score,
        low=score,
        high=score,
        first_token_ms=1,
        total_ms=1,
        peak_mb=1,
        disk_mb=1,
        metrics={},
        gain=gain,
        outcome="one arm" if gain is None else outcome_of(gain, n),
    )


@pytest.mark.parametrize(
    ("low", "high", "questions", "outcome", "begins"),
    [
        (0.1, 0.3, 100, "better", "The tuned model is better: accuracy 70.0% against 50.0%"),
        (-0.3, -0.1, 100, "worse", "The tuned model is worse"),
        (-0.01, 0.02, 900, "no difference", "It makes no difference"),
        (-0.1, 0.3, 100, "too few questions", "Too few questions to tell (100 questions)"),
        (0.1, 0.3, 19, "too few questions", "Too few questions to tell (19 questions)"),
        (0.0, 0.3, 100, "too few questions", "Too few questions to tell"),
    ],
)
def test_sentences(
    low: float, high: float, questions: int, outcome: Outcome, begins: str
) -> None:
    gain = Interval(value=(low + high) / 2, low=low, high=high)
    tuned = arm("tuned", 0.7, gain, questions)
    assert tuned.outcome == outcome
    said = verdict([arm("base", 0.5), tuned], "accuracy", questions)
    assert said.startswith(begins)
    assert f"{low * 100:+.1f}" in said


def test_one_arm_is_compared_with_nothing() -> None:
    said = verdict([arm("tuned", 0.25)], "token F1", 1)
    assert said.startswith("Tuned has token F1 25.0% in 1 question")
    assert "nothing to compare" in said
