"""Arms answer an exam with real tiny models; what was answered is kept and shown row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.answers.generation import AdapterUse
from engine.answers.generator import Generator
from engine.compare import answering
from engine.compare.answering import Arm, answer_limit
from engine.compare.comparing import (
    Asked,
    ask_what,
    compare,
    compared_rows,
    forget_exam,
)
from engine.errors import Cancelled, InvalidInput, StorageDamaged
from engine.files import sha256_file
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.datasets.storing import save_dataset
from engine.tuning.datasets.types import Example
from engine.tuning.prompting import prompt_of
from engine.work.api import CompareReport, CompareRowsSpec, CompareSpec, ExamItem
from engine.work.idle import Idle
from engine.work.jobs import NULL_JOB, CallbackJob, Job
from engine.work.lease import CoreLease
from tests.adapters import write_random_lora
from tests.engine.answers.conftest import CHAIN_TEXT, NEWLINE, card_of
from tests.models import IM_END, byte_chain, write_tiny_gguf

ITEMS = [
    ExamItem(id=str(n), question=f"what is {n}", answers=[CHAIN_TEXT if n % 3 else "no"])
    for n in range(24)
]
ASKED = Asked("exam", "An exam", "answers", [], ITEMS)


class Room:
    """A model that says one thing, an adapter that changes it, and a process to run them."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home").create()
        chain = [*byte_chain(CHAIN_TEXT, NEWLINE), IM_END]
        self.model = write_tiny_gguf(folder / "chain.gguf", chain=chain)
        self.lora = write_random_lora(folder / "lora.gguf", self.model, size=3.0)
        self.generator = Generator(self.home, CoreLease(self.home))
        self.idle = Idle()

    def arms(self) -> list[Arm]:
        card = card_of(self.model)
        tuned = Arm(
            "tuned",
            card,
            [AdapterUse(path=str(self.lora))],
            adapter="lora",
            adapter_sha256=sha256_file(self.lora),
            disk_bytes=2_000_000,
        )
        return [Arm("base", card, [], disk_bytes=1_000_000, tell_labels=True), tuned]

    def run(self, asked: Asked = ASKED, job: Job = NULL_JOB) -> CompareReport:
        return compare(self.home, self.generator, self.idle, asked, self.arms(), 0, job)

    def close(self) -> None:
        self.generator.close()
        self.idle.close()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    one = Room(tmp_path_factory.mktemp("room"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def report(room: Room) -> CompareReport:
    return room.run()


def test_arms_are_scored_and_told_apart(report: CompareReport) -> None:
    base, tuned = report.arms
    assert report.metric == "token F1"
    assert base.score == pytest.approx(16 / 24)
    assert base.low <= base.score <= base.high
    assert tuned.score < base.score
    assert tuned.gain is not None
    assert tuned.gain.value == pytest.approx(tuned.score - base.score)
    assert (base.outcome, tuned.outcome) == ("one arm", "worse")
    assert report.verdict.startswith("The tuned model is worse: token F1 ")
    assert 0 < base.first_token_ms <= base.total_ms
    assert base.peak_mb > 10
    assert (base.disk_mb, tuned.disk_mb) == (1.0, 2.0)
    assert set(base.metrics) == {"token F1", "exact match"}
    assert report.warnings == []


def test_rows_stand_side_by_side(room: Room, report: CompareReport) -> None:
    page = compared_rows(room.home, CompareRowsSpec(comparison=report.comparison, limit=5))
    assert page.total == 24
    assert [row.id for row in page.rows] == ["0", "1", "2", "3", "4"]
    assert [one.arm for one in page.rows[1].answers] == ["base", "tuned"]
    assert page.rows[1].answers[0].answer == CHAIN_TEXT
    assert [row.answers[0].score for row in page.rows] == [0, 1, 1, 0, 1]
    changed = CompareRowsSpec(comparison=report.comparison, show="changed", offset=15)
    assert compared_rows(room.home, changed).total == 16
    assert len(compared_rows(room.home, changed).rows) == 1
    wrong = CompareRowsSpec(comparison=report.comparison, show="wrong")
    assert compared_rows(room.home, wrong).total == 24
    for ref in ("gone", "answers", "../runs", ""):
        with pytest.raises(InvalidInput, match="no comparison"):
            compared_rows(room.home, CompareRowsSpec(comparison=ref))


def test_what_was_answered_is_not_asked_again(
    room: Room, report: CompareReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(room.generator, "generate", never)
    assert room.run() == report
    fewer = Asked("exam", "An exam", "answers", [], ITEMS[:10])
    assert room.run(fewer).rows == 10
    assert room.run(fewer).verdict.startswith("Too few questions to tell (10 questions)")


def test_a_cancel_or_a_kill_keeps_the_rows_before(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [ExamItem(id=str(n), question=f"who {n}", answers=["x"]) for n in range(6)]
    asked = Asked("other", "Another", "answers", [], items)
    job = CallbackJob()
    count = 0
    generate = room.generator.generate

    def counting(*args: object, **named: object) -> object:
        nonlocal count
        count += 1
        if count == 3:
            job.cancel()
        return generate(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(room.generator, "generate", counting)
    with pytest.raises(Cancelled):
        room.run(asked, job)
    before = count
    files = list((room.home.comparisons / "answers").iterdir())
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes() + b'{"key": "half')
    room.run(asked)
    assert 12 <= count <= 13
    assert before <= 3
    room.run(asked)
    assert 12 <= count <= 13


def test_an_exam_that_goes_takes_its_answers_along(room: Room, report: CompareReport) -> None:
    asked = Asked("leaving", "Leaving", "answers", [], ITEMS[:2])
    leaving = room.run(asked)
    forget_exam(room.home, "leaving")
    with pytest.raises(InvalidInput, match="no comparison"):
        compared_rows(room.home, CompareRowsSpec(comparison=leaving.comparison))
    # Another comparison needs the same answers: they stay, and no others do.
    keys = [
        json.loads(line)["key"]
        for path in (room.home.comparisons / "answers").iterdir()
        for line in path.read_bytes().splitlines()
    ]
    assert len(keys) >= 48
    spec = CompareRowsSpec(comparison=report.comparison)
    assert compared_rows(room.home, spec).total == 24
    for path in (room.home.comparisons / "answers").iterdir():
        path.write_bytes(b"")
    with pytest.raises(StorageDamaged, match="cannot be read"):
        compared_rows(room.home, spec)
    forget_exam(room.home, "exam")
    forget_exam(room.home, "other")
    assert list((room.home.comparisons / "answers").iterdir()) == []


def test_a_row_that_does_not_fit_counts_as_wrong(room: Room) -> None:
    items = [ExamItem(id="1", question="a " * 3000, answers=["x"]), ITEMS[1]]
    made = room.run(Asked("long", "Long", "answers", [], items))
    assert [arm.failed for arm in made.arms] == [1, 1]
    assert made.arms[0].score == 0.5
    assert len(made.warnings) == 2


def test_the_base_is_told_the_labels_and_the_tuned_model_is_not(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [
        ExamItem(id="1", text="a tune", label="song"),
        ExamItem(id="2", text="x", label="y"),
    ]
    told: list[bool] = []

    def wording(task: object, labels: object, example: object, tell: bool) -> object:
        told.append(tell)
        return prompt_of(task, labels, example, tell)  # type: ignore[arg-type]

    monkeypatch.setattr(answering, "prompt_of", wording)
    made = room.run(Asked("c", "C", "classification", ["song", "y"], items))
    # To name what is kept, and then to ask: first the base, then the tuned model.
    assert told == [True, True, False, False] * 2
    assert made.metric == "accuracy"
    assert {one.label for one in made.arms[0].confusion} == {"song", "y"}


def test_what_is_asked(home: Home, tmp_path: Path) -> None:
    store = Store(home)
    rows = [
        Example(
            id=str(n),
            input=f"text {n}",
            output="ab"[n % 2],
            split="heldout" if n > 5 else "train",
        )
        for n in range(10)
    ]
    save_dataset(home, store, "d", "classification", "f", rows)
    asked = ask_what(home, store, CompareSpec(dataset="d"))
    assert (asked.task, asked.labels, len(asked.items)) == ("classification", ["a", "b"], 4)
    assert len(ask_what(home, store, CompareSpec(dataset="d", limit=2)).items) == 2
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps({"question": "Who?", "answers": ["Ada"]}) + "\n")
    assert ask_what(home, store, CompareSpec(exam=str(path))).task == "answers"
    for spec in (
        CompareSpec(),
        CompareSpec(exam="gone"),
        CompareSpec(dataset="gone"),
        CompareSpec(exam=str(path), dataset="d"),
    ):
        with pytest.raises(InvalidInput):
            ask_what(home, store, spec)
    store.close()


def test_a_right_answer_always_fits_into_the_limit() -> None:
    exam = answering.Exam("answers", [], [ExamItem(id="1", question="?", answers=["x" * 400])])
    assert answer_limit(exam) == 232
    many = answering.Exam("answers", [], [ExamItem(id="1", question="?", answers=["x" * 9999])])
    assert answer_limit(many) == 512
