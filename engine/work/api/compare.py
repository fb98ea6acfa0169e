"""Comparing ways of answering by an exam."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.base import View
from engine.work.api.datasets import TaskKind

ArmName = Literal["base", "tuned"]
"""base: the model as it is, told the labels where there are some; tuned: with the adapter."""
Metric = Literal["accuracy", "macro F1", "exact match", "token F1", "entity F1", "fields right"]
Outcome = Literal["better", "worse", "no difference", "too few questions", "one arm"]


class CompareSpec(View):
    """Let arms answer an exam. What a call that was cancelled has answered is kept.

    `exam`: id, name or file; "" for the held-out rows of `dataset`. `dataset`: whose labels
    count; "" for the exam's own. `adapter`: for the arm tuned; "" for the newest one tuned
    with the dataset, or else what is enabled for the model. `limit`: only so many rows, drawn
    by `seed`.
    """

    exam: str = ""
    dataset: str = ""
    adapter: str = ""
    model: str = ""
    arms: list[ArmName] = Field(default_factory=lambda: list[ArmName](("base", "tuned")))
    limit: int | None = Field(default=None, ge=1)
    seed: int = 0


class Interval(View):
    """A figure and its 95 % bootstrap interval over the same questions."""

    value: float
    low: float
    high: float


class Confusion(View):
    """How often a label was answered with one; `answered` is empty for none of them."""

    label: str
    answered: str
    rows: int


class ArmReport(View):
    """How one arm did. Scores from 0 to 1; times are medians; MB are 10^6 bytes.

    `first_token_ms` and `total_ms` count from the question to the first and last token, the
    model already loaded; `peak_mb` is the most memory seen while it answered, `disk_mb` the
    size of model and adapter.
    """

    arm: ArmName
    score: float
    low: float
    high: float
    first_token_ms: float
    total_ms: float
    peak_mb: float
    disk_mb: float
    metrics: dict[str, Interval]
    """All figures of the task; `score` is the first one."""
    gain: Interval | None = None
    """Score less that of the arm base, over the same questions."""
    outcome: Outcome = "one arm"
    confusion: list[Confusion] = Field(default_factory=list[Confusion])
    failed: int = 0
    """Rows longer than the model reads: they count as wrong."""
    adapter: str = ""


class CompareReport(View):
    """What came of a comparison; `comparison` is its id, for `compare.rows`."""

    comparison: str
    exam: str
    exam_name: str
    task: TaskKind
    metric: Metric
    rows: int
    model: str
    model_name: str
    labels: list[str]
    arms: list[ArmReport]
    verdict: str
    warnings: list[str] = Field(default_factory=list[str])


class CompareRowsSpec(View):
    """A page of rows side by side. `show`: all of them, those where an arm is wrong, or those
    where arms differ in being right.
    """

    comparison: str
    show: Literal["all", "wrong", "changed"] = "all"
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=1000)


class ArmAnswer(View):
    """What an arm answered; `read_as` is the label it was understood as."""

    arm: ArmName
    answer: str
    read_as: str = ""
    score: float
    """Of this row alone, 0 to 1."""
    total_ms: float


class AnsweredRow(View):
    id: str
    input: str
    context: str
    expected: list[str]
    """What is right; empty where the right answer is that there is none."""
    answers: list[ArmAnswer]


class AnsweredRows(View):
    """`total` counts all rows that fit, not only those of this page."""

    total: int
    rows: list[AnsweredRow]
