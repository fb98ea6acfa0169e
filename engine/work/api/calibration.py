"""Finding out how refusals have to be judged in one library."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.base import View


class CalibrateSpec(View):
    """Measure on a library's own questions when an answer is to be refused."""

    library: str
    model: str | None = None
    """None: the default model."""
    questions: int = Field(default=32, ge=4, le=400)
    """Made from the library's passages, at most."""


class CalibrationReport(View):
    """What came of it. Shares are from 0 to 1.

    Questions "made" are answered by a passage of the library and found it. The others are not
    answered by anything in it: the same ones without the document they were made from, and
    questions from elsewhere.
    """

    library: str
    model: str
    kept: Literal["measured", "shipped"]
    """Which rule is used from now on."""
    reason: str
    """Why, in one plain sentence."""
    made: int
    written: int
    """Of those made, how many the model wrote; the others are words of a passage."""
    without: int
    elsewhere: int
    auc: float
    """Probability that a question made is judged likelier to be answerable than another; the
    same before and after, because the order of judgements is kept."""
    loss_before: float
    loss_after: float
    """Mean log-loss on the half of the questions that was not fitted on, each half in turn."""
    made_refused_before: float
    made_refused_after: float
    others_refused_before: float
    others_refused_after: float
    threshold: float
    """Answers are refused below this probability."""
    measured_at: str
