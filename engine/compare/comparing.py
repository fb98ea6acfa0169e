"""Arms answer the same exam, are scored, and told apart or not.

`comparisons/<id>/` holds the exam as it was asked and the report; what the arms answered
stands in `comparisons/answers/` (see `engine.compare.answering`).
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.answers.generator import Generator
from engine.compare import exams
from engine.compare.answering import Answer, Answering, Arm, Exam, read_answers
from engine.compare.bootstrap import difference, measured
from engine.compare.scoring import Scores, confusions, expected, score
from engine.compare.verdict import outcome_of, verdict
from engine.errors import InvalidInput, StorageDamaged
from engine.files import atomic_write
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.datasets.storing import load_dataset
from engine.tuning.datasets.types import TaskKind
from engine.work.api import ExamItem
from engine.work.api.compare import (
    AnsweredRow,
    AnsweredRows,
    ArmAnswer,
    ArmName,
    ArmReport,
    CompareReport,
    CompareRowsSpec,
    CompareSpec,
)
from engine.work.idle import Idle
from engine.work.jobs import Job

_MB = 1e6


@dataclass(frozen=True)
class Asked:
    """An exam as it is asked: its items and the labels that count."""

    exam: str
    name: str
    task: TaskKind
    labels: list[str]
    items: list[ExamItem]


class _Kept(BaseModel):
    """A comparison on the disk."""

    model_config = ConfigDict(extra="forbid")

    report: CompareReport
    items: list[ExamItem]
    answers: dict[ArmName, tuple[str, list[str]]]
    """Of each arm: its file of answers, and the keys of the items in it."""


def ask_what(home: Home, store: Store, spec: CompareSpec) -> Asked:
    """The exam a comparison asks, and the labels: the dataset's, else the exam's own.

    Raises:
        InvalidInput: there is no such exam or dataset, or it has no question.
        StorageDamaged: it cannot be read back.
    """
    dataset = load_dataset(home, store, spec.dataset) if spec.dataset else None
    if spec.exam:
        exam = exams.load_exam(home, store, spec.exam)
        asked = Asked(exam.id, exam.name, exam.task, exam.labels, exam.items)
    elif dataset is not None:
        held = [exams.item_of(dataset.task, one) for one in dataset.examples("heldout")]
        name = f"{dataset.name} held out"
        asked = Asked("", name, dataset.task, dataset.labels, held)
    else:
        raise InvalidInput("Name an exam, or a dataset with held-out rows.")
    if dataset is not None and dataset.task != asked.task:
        raise InvalidInput(
            f"The exam is for {asked.task}, the dataset {dataset.name!r} for {dataset.task}.",
            hint="Choose a dataset of the same kind.",
        )
    items = asked.items
    if spec.limit is not None and spec.limit < len(items):
        drawn = sorted(random.Random(spec.seed).sample(range(len(items)), spec.limit))
        items = [items[at] for at in drawn]
    if not items:
        raise InvalidInput(f"{asked.name!r} has no question.")
    labels = dataset.labels if dataset is not None else asked.labels
    return Asked(asked.exam, asked.name, asked.task, list(labels), items)


def compare(
    home: Home,
    generator: Generator,
    idle: Idle,
    asked: Asked,
    arms: Sequence[Arm],
    seed: int,
    job: Job,
) -> CompareReport:
    """Let every arm answer every item, and say how they did.

    Raises:
        ModelUnavailable, NotEnoughMemory, WorkerCrashed: a model cannot be run.
        StorageFull: no room; what was answered before is kept.
        Cancelled: `job` was cancelled; what was answered is kept for the next call.
    """
    exam = Exam(asked.task, asked.labels, asked.items)
    folder = home.comparisons / "answers"
    sides = [Answering(folder, generator, idle, exam, arm) for arm in arms]
    total = len(sides) * len(asked.items)
    for number, side in enumerate(sides):
        side.run(job, number * len(asked.items), total)
    report = _report(asked, arms, [side.answers() for side in sides], seed)
    kept = _Kept(
        report=report,
        items=asked.items,
        answers={
            arm.name: (side.path.name, [answer.key for answer in side.answers()])
            for arm, side in zip(arms, sides, strict=True)
        },
    )
    atomic_write(_path(home, report.comparison), kept.model_dump_json().encode())
    return report


def _report(
    asked: Asked, arms: Sequence[Arm], answers: Sequence[Sequence[Answer]], seed: int
) -> CompareReport:
    scores = [
        score(asked.task, asked.labels, asked.items, [one.answer for one in side])
        for side in answers
    ]
    metric = next(iter(scores[0].figures))
    base = next((at for at, arm in enumerate(arms) if arm.name == "base"), None)
    reports: list[ArmReport] = []
    for at, (arm, side) in enumerate(zip(arms, answers, strict=True)):
        one = _arm_report(asked, arm, side, scores[at], seed)
        if base is not None and at != base:
            stats, figure = scores[at].figures[metric]
            one.gain = difference(stats, scores[base].figures[metric][0], figure, seed)
            one.outcome = outcome_of(one.gain, len(asked.items))
        reports.append(one)
    warnings = [
        f"Rows longer than the model reads, which count as wrong: {one.failed} ({one.arm})."
        for one in reports
        if one.failed
    ]
    return CompareReport(
        comparison=_id(asked, arms),
        exam=asked.exam,
        exam_name=asked.name,
        task=asked.task,
        metric=metric,
        rows=len(asked.items),
        model=arms[0].card.id,
        model_name=arms[0].card.name,
        labels=asked.labels,
        arms=reports,
        verdict=verdict(reports, metric, len(asked.items)),
        warnings=warnings,
    )


def _arm_report(
    asked: Asked, arm: Arm, answers: Sequence[Answer], scores: Scores, seed: int
) -> ArmReport:
    metrics = {
        str(name): measured(stats, figure, seed)
        for name, (stats, figure) in scores.figures.items()
    }
    first = next(iter(metrics.values()))
    timed = [one for one in answers if not one.failed]
    return ArmReport(
        arm=arm.name,
        score=first.value,
        low=first.low,
        high=first.high,
        first_token_ms=_median([one.first_token_ms for one in timed]),
        total_ms=_median([one.total_ms for one in timed]),
        peak_mb=max(one.memory_bytes for one in answers) / _MB,
        disk_mb=arm.disk_bytes / _MB,
        metrics=metrics,
        confusion=confusions(asked.items, scores.read_as) if scores.read_as else [],
        failed=len(answers) - len(timed),
        adapter=arm.adapter,
    )


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0


# --- looking at rows --------------------------------------------------------------------


def compared_rows(home: Home, spec: CompareRowsSpec) -> AnsweredRows:
    """A page of rows with what each arm answered.

    Raises:
        InvalidInput: there is no such comparison.
        StorageDamaged: it cannot be read back.
    """
    kept = _read(home, spec.comparison)
    report = kept.report
    columns = {name: _column(home, kept, name) for name in kept.answers}
    found: list[AnsweredRow] = []
    total = 0
    for at, item in enumerate(kept.items):
        answers = [column[at] for column in columns.values()]
        if not _shown(spec, [answer.score for answer in answers]):
            continue
        if spec.offset <= total < spec.offset + spec.limit:
            example = exams.example_of(item)
            found.append(
                AnsweredRow(
                    id=item.id,
                    input=example.input,
                    context=example.context,
                    expected=expected(item),
                    answers=answers,
                )
            )
        total += 1
    assert report.rows >= total
    return AnsweredRows(total=total, rows=found)


def _shown(spec: CompareRowsSpec, scores: Sequence[float]) -> bool:
    if spec.show == "wrong":
        return min(scores) < 1
    return spec.show == "all" or len(set(scores)) > 1


def _column(home: Home, kept: _Kept, arm: ArmName) -> list[ArmAnswer]:
    """The answers of one arm, scored row by row."""
    file, keys = kept.answers[arm]
    known = read_answers(home.comparisons / "answers" / file)
    try:
        answers = [known[key] for key in keys]
    except KeyError as error:
        raise _damaged(kept.report.comparison, str(error)) from error
    texts = [one.answer for one in answers]
    scores = score(kept.report.task, kept.report.labels, kept.items, texts)
    read_as = scores.read_as or [""] * len(texts)
    return [
        ArmAnswer(arm=arm, answer=one.answer, read_as=said, score=each, total_ms=one.total_ms)
        for one, said, each in zip(answers, read_as, scores.each, strict=True)
    ]


def forget_exam(home: Home, exam: str) -> None:
    """Forget the comparisons by an exam, with what was answered in them alone."""
    needed: dict[str, set[str]] = {}
    touched: set[str] = set()
    for path in home.comparisons.glob("*/comparison.json"):
        try:
            kept = _Kept.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
        if kept.report.exam == exam:
            touched.update(file for file, _ in kept.answers.values())
            shutil.rmtree(path.parent, ignore_errors=True)
        else:
            for file, keys in kept.answers.values():
                needed.setdefault(file, set()).update(keys)
    for name in touched:
        path = home.comparisons / "answers" / name
        left = [
            one for one in read_answers(path).values() if one.key in needed.get(name, set())
        ]
        if left:
            data = b"".join(one.model_dump_json().encode() + b"\n" for one in left)
            atomic_write(path, data)
        else:
            path.unlink(missing_ok=True)


def _id(asked: Asked, arms: Sequence[Arm]) -> str:
    """Names a comparison: the same exam, arms and labels are one."""
    value = [
        [item.model_dump() for item in asked.items],
        asked.labels,
        [(arm.name, arm.card.sha256, arm.adapter_sha256, arm.adapter) for arm in arms],
    ]
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=6).hexdigest()


def _path(home: Home, comparison: str) -> Path:
    return home.comparisons / comparison / "comparison.json"


def _read(home: Home, comparison: str) -> _Kept:
    known = [path.name for path in home.comparisons.iterdir()] if comparison.isalnum() else []
    if comparison not in known or not _path(home, comparison).is_file():
        raise InvalidInput(f"There is no comparison {comparison!r}.")
    try:
        return _Kept.model_validate_json(_path(home, comparison).read_bytes())
    except (OSError, ValidationError) as error:
        raise _damaged(comparison, str(error)) from error


def _damaged(comparison: str, details: str) -> StorageDamaged:
    return StorageDamaged(
        f"The comparison {comparison} cannot be read.",
        hint="Run it again.",
        details=details,
    )
