"""Exams: questions with their right answers, kept in `exams/<id>.jsonl`, one a line.

An exam is made of the held-out rows of a dataset, or imported: JSON lines of
`id, question, answers[], answerable` or of `text, label`, or any file a dataset can be
imported from. Comparing can also read such a file without keeping it.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from engine.errors import InvalidInput, StorageDamaged
from engine.files import atomic_write, show_path
from engine.paths import Home
from engine.store.db import Store, utc_now
from engine.tuning.datasets.columns import recognise
from engine.tuning.datasets.rows import RawRow, read_rows, tidy
from engine.tuning.datasets.shaping import NoExample, labels_of, shape
from engine.tuning.datasets.storing import (
    clean_name,
    find_row,
    free_name,
    load_dataset,
    writing,
)
from engine.tuning.datasets.types import Example, Said, TaskKind
from engine.work.api import ExamItem, ExamReport, ExamRow, ImportExamSpec, MakeExamSpec
from engine.work.api import Said as AskedBefore
from engine.work.jobs import NULL_JOB, Job

_QUESTIONS: frozenset[TaskKind] = frozenset(("answers", "instruction"))
_STEP = 1_000


@dataclass(frozen=True)
class Exam:
    """An exam to be taken; `labels` are those of its dataset, or its own."""

    id: str
    name: str
    task: TaskKind
    labels: list[str]
    items: list[ExamItem]


def list_exams(store: Store) -> list[ExamRow]:
    """All exams, the newest first."""
    rows = store.connection().execute(
        "SELECT * FROM exams ORDER BY created_at DESC, rowid DESC"
    )
    return [_listed(row) for row in rows]


def find_exam(store: Store, ref: str) -> ExamRow:
    """The exam with this id or name, or the only one whose id begins so.

    Raises:
        InvalidInput: there is none, or several.
    """
    return _listed(find_row(store, "exams", ref, "exam"))


def load_exam(home: Home, store: Store, ref: str) -> Exam:
    """A kept exam by id or name, or else the file of that path, which is not kept.

    Raises:
        InvalidInput: there is none, or the file is no exam.
        StorageDamaged: a kept one cannot be read back.
    """
    try:
        row = find_exam(store, ref)
    except InvalidInput:
        path = Path(ref).expanduser()
        if not path.is_file():
            raise
        task, labels, items, _ = read_exam(path, None, {})
        return Exam("", path.name, task, labels, items)
    return Exam(row.id, row.name, row.task, row.labels, list(_read(home, row)))


def import_exam(
    home: Home, store: Store, spec: ImportExamSpec, job: Job = NULL_JOB
) -> ExamReport:
    """Keep the questions of a file.

    Raises:
        InvalidInput: it cannot be read or understood, or has no question.
        StorageFull: no room; nothing was kept.
        Cancelled: `job` was cancelled; nothing was kept.
    """
    path = Path(spec.path).expanduser()
    task, labels, items, warnings = read_exam(path, spec.task, spec.columns, job)
    row = _save(home, store, spec.name or path.stem, task, path.name, "", labels, items)
    return _report(row, warnings)


def make_exam(home: Home, store: Store, spec: MakeExamSpec) -> ExamReport:
    """Keep the held-out rows of a dataset as an exam.

    Raises:
        InvalidInput: there is no such dataset, or it holds nothing out.
        StorageFull: no room; nothing was kept.
    """
    dataset = load_dataset(home, store, spec.dataset)
    examples = dataset.examples("heldout")
    if not examples:
        raise InvalidInput(
            f"{dataset.name!r} has no held-out rows.",
            hint="Move some rows to the held-out side first.",
        )
    warnings: list[str] = []
    if spec.limit is not None and spec.limit < len(examples):
        drawn = set(random.Random(spec.seed).sample(range(len(examples)), spec.limit))
        warnings.append(f"{spec.limit} of {len(examples)} held-out rows were drawn.")
        examples = [one for at, one in enumerate(examples) if at in drawn]
    items = [item_of(dataset.task, one) for one in examples]
    name = spec.name or f"{dataset.name} held out"
    row = _save(
        home, store, name, dataset.task, dataset.name, dataset.id, dataset.labels, items
    )
    return _report(row, warnings)


def remove_exam(home: Home, store: Store, ref: str) -> ExamRow:
    """Delete an exam. Gives what it was.

    Raises:
        InvalidInput: there is none.
    """
    with writing(home):
        row = find_exam(store, ref)
        with store.transaction() as connection:
            connection.execute("DELETE FROM exams WHERE id=?", (row.id,))
        _path(home, row.id).unlink(missing_ok=True)
    store.forget_in_copies([("DELETE FROM exams WHERE id=?", (row.id,))])
    return row


def first_items(home: Home, store: Store, ref: str, count: int = 10) -> list[ExamItem]:
    """The first items of a kept exam.

    Raises:
        InvalidInput: there is none.
        StorageDamaged: it cannot be read back.
    """
    items = _read(home, find_exam(store, ref))
    return [item for _, item in zip(range(count), items, strict=False)]


def item_of(task: TaskKind, example: Example) -> ExamItem:
    """An example as an exam asks it."""
    item = ExamItem(
        id=example.id,
        context=example.context,
        system=example.system,
        group=example.group,
        history=[
            AskedBefore(question=said.question, answer=said.answer) for said in example.history
        ],
    )
    if task in _QUESTIONS and example.source.get("answerable") is False:
        update: dict[str, object] = {"question": example.input, "answerable": False}
    elif task in _QUESTIONS:
        several = cast("list[Any]", example.source.get("answers") or [])
        answers = dict.fromkeys([example.output, *map(str, several)])
        update = {"question": example.input, "answers": list(answers)}
    elif task == "classification":
        update = {"text": example.input, "label": example.output}
    else:
        update = {"text": example.input, "output": example.output}
    return item.model_copy(update=update)


def example_of(item: ExamItem) -> Example:
    """What a model is asked in an exam; `output` is its first right answer, or empty."""
    return Example(
        id=item.id,
        input=item.question or item.text,
        output=item.label or item.output or next(iter(item.answers), ""),
        context=item.context,
        system=item.system,
        group=item.group,
        split="heldout",
        history=[Said(question=said.question, answer=said.answer) for said in item.history],
    )


def read_exam(
    path: Path, task: TaskKind | None, columns: Mapping[str, str], job: Job = NULL_JOB
) -> tuple[TaskKind, list[str], list[ExamItem], list[str]]:
    """Task, labels, items and warnings of a file.

    Raises:
        InvalidInput: it cannot be read or understood, or has no question.
        Cancelled: `job` was cancelled.
    """
    rows = read_rows(path)
    items: list[ExamItem] = []
    asks = not columns and task in (None, "answers") and _asks(rows.rows)
    meaning = None if asks else recognise(rows.rows, task, columns)
    for number, row in enumerate(rows.rows):
        if number % _STEP == 0:
            job.checkpoint()
            job.progress(number, len(rows.rows), "Reading questions")
        try:
            if meaning is None:
                items.append(_question(row))
            else:
                for one in shape(row, meaning.task, meaning.columns, show_path(path.name)):
                    made = item_of(meaning.task, one)
                    items.append(made.model_copy(update={"id": str(one.source.get("id", ""))}))
        except NoExample as error:
            rows.add_broken(row.line, str(error))
    if not items:
        told = f" Line {rows.broken[0].line}: {rows.broken[0].reason}" if rows.broken else ""
        raise InvalidInput(f"{show_path(path.name)} has no question.{told}")
    kind: TaskKind = meaning.task if meaning is not None else "answers"
    warnings: list[str] = []
    if rows.broken_total:
        warnings.append(
            f"Rows that could not be used: {rows.broken_total:,}. The first one is in line "
            f"{rows.broken[0].line}: {rows.broken[0].reason}"
        )
    examples = map(example_of, items)
    labels = sorted({label for one in examples for label in labels_of(kind, one.output)})
    return kind, labels, _with_ids(items), warnings


def _asks(rows: Sequence[RawRow]) -> bool:
    """Whether the rows are questions as the command line's exam files have them."""
    return all("question" in row.fields for row in rows[:100]) and any(
        {"answers", "answerable"} & set(row.fields) for row in rows[:100]
    )


def _question(row: RawRow) -> ExamItem:
    """A question of an exam file.

    Raises:
        NoExample: it has no question, or one that should have an answer has none.
    """
    asked = row.fields.get("question")
    if not isinstance(asked, str) or not asked.strip():
        raise NoExample("The question is empty.")
    given = row.fields.get("answers")
    if isinstance(given, dict):  # SQuAD as rows: {"text": […]}
        given = cast("dict[str, Any]", given).get("text")
    listed = cast("list[Any]", given) if isinstance(given, list) else [given]
    answers = [tidy(str(one)).strip() for one in listed if isinstance(one, str | int | float)]
    answers = list(dict.fromkeys(answer for answer in answers if answer))
    answerable = row.fields.get("answerable", bool(answers))
    if not isinstance(answerable, bool):
        raise NoExample('"answerable" is neither true nor false.')
    if answerable and not answers:
        raise NoExample("It has no answer.")
    try:
        return ExamItem(
            id=str(row.fields.get("id", ""))[:200],
            question=asked.strip(),
            answers=answers,
            answerable=answerable,
            context=tidy(row.fields.get("context") or ""),
            group=tidy(row.fields.get("group") or ""),
            history=row.fields.get("history") or [],
        )
    except ValidationError as error:
        raise NoExample("Its history, context or group cannot be understood.") from error


def _with_ids(items: Sequence[ExamItem]) -> list[ExamItem]:
    """Items whose ids are there and unique; those that are missing or taken get a number."""
    taken = {item.id for item in items}
    seen: set[str] = set()
    numbered: list[ExamItem] = []
    for number, item in enumerate(items, 1):
        own = item.id
        if not own or own in seen:
            own = f"{item.id}-{number}" if item.id else str(number)
            while own in taken:
                own += "+"
            taken.add(own)
        seen.add(own)
        numbered.append(item.model_copy(update={"id": own}))
    return numbered


def _save(
    home: Home,
    store: Store,
    name: str,
    task: TaskKind,
    source: str,
    dataset: str,
    labels: Sequence[str],
    items: Sequence[ExamItem],
) -> ExamRow:
    exam = uuid.uuid4().hex[:12]
    lines = [item.model_dump_json(exclude_defaults=True) for item in items]
    data = ("\n".join(lines) + "\n").encode()
    with writing(home):
        _sweep(home, store)
        atomic_write(_path(home, exam), data)
        with store.transaction() as connection:
            free = free_name(connection, "exams", clean_name(name) or "Exam")
            connection.execute(
                "INSERT INTO exams VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    exam,
                    free,
                    task,
                    show_path(source),
                    dataset,
                    len(items),
                    json.dumps(list(labels), ensure_ascii=False),
                    hashlib.sha256(data).hexdigest(),
                    utc_now(),
                ),
            )
    return find_exam(store, exam)


def _read(home: Home, exam: ExamRow) -> Iterator[ExamItem]:
    path = _path(home, exam.id)
    try:
        with path.open("rb") as lines:
            for line in lines:
                yield ExamItem.model_validate_json(line)
    except (OSError, ValidationError) as error:
        raise StorageDamaged(
            f"The questions of the exam {exam.name!r} cannot be read.",
            hint="Remove the exam and import it again.",
            details=f"{path}: {error}",
        ) from error


def _path(home: Home, exam: str) -> Path:
    return home.exams / f"{exam}.jsonl"


def _sweep(home: Home, store: Store) -> None:
    """Delete files that no exam has: what a kill left before its row was written."""
    known = {row["id"] for row in store.connection().execute("SELECT id FROM exams")}
    for path in home.exams.iterdir():
        if path.name.endswith(".tmp") or (path.suffix == ".jsonl" and path.stem not in known):
            path.unlink(missing_ok=True)


def _listed(row: sqlite3.Row) -> ExamRow:
    return ExamRow(
        id=row["id"],
        name=row["name"],
        task=row["task"],
        source=row["source"],
        dataset=row["dataset"],
        rows=row["row_count"],
        labels=json.loads(row["labels"]),
        sha256=row["sha256"],
        created_at=row["created_at"],
    )


def _report(row: ExamRow, warnings: list[str]) -> ExamReport:
    return ExamReport(
        exam=row.id,
        name=row.name,
        task=row.task,
        rows=row.rows,
        labels=row.labels,
        warnings=warnings,
    )
