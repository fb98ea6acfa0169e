"""Examples made: counted, gone on with, refused with a weak model; over given texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from engine.answers.generation import Generated, Task
from engine.answers.generator import Generator
from engine.answers.refusals import says_nothing
from engine.answers.words import STOP_WORDS, tokenize
from engine.errors import Cancelled, InvalidInput, ModelUnavailable
from engine.library.drawing import DrawnPassage, draw
from engine.paths import Home
from engine.store.ledger import PASSAGES_PER_CONTENT
from engine.tuning.making import making
from engine.tuning.making.making import REFUSAL, SAMPLE, Made, Means, make_examples
from engine.work.api import (
    LibraryView,
    MakeExamplesSpec,
    PassageHit,
    SearchReport,
    SearchSpec,
)
from engine.work.idle import Idle
from engine.work.jobs import NULL_JOB, CallbackJob, Job
from engine.work.lease import CoreLease
from tests.engine.answers.conftest import card_of, hit

SPEC = MakeExamplesSpec(library="shore", count=20, unanswerable=0.3)


def text_of(n: int) -> str:
    return f"The keeper of lighthouse L{n} counts {n + 100} gulls on cliff C{n} daily."


class Shore:
    """A library of documents of one sentence, searched by shared words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = {(n + 1) * PASSAGES_PER_CONTENT: text for n, text in enumerate(texts)}

    def draw(self, library: str, most: int, seed: int) -> list[int]:
        contents = [(one // PASSAGES_PER_CONTENT, 1) for one in self.texts]
        return draw(contents, most, seed)

    def drawn(self, library: str, ids: Sequence[int]) -> list[DrawnPassage]:
        return [
            DrawnPassage(one, self.texts[one], "", "", None, f"/d/{one}.md", f"{one:064d}")
            for one in ids
        ]

    def search(self, spec: SearchSpec, job: Job = NULL_JOB) -> SearchReport:
        wanted = {token.key for token in tokenize(spec.query)} - STOP_WORDS
        found: list[PassageHit] = []
        for number, text in self.texts.items():
            shared = len(wanted & {token.key for token in tokenize(text)})
            found.append(
                hit(text).model_copy(
                    update={
                        "passage_id": number,
                        "path": f"/d/{number}.md",
                        "score": shared,
                        "cosine": 0.1 * shared,
                    }
                )
            )
        found.sort(key=lambda one: -one.score)
        return SearchReport(passages=found[: spec.top], milliseconds=1.0)


class Writer:
    """Stands for a model that does well: no model small enough for a test does.

    `poor`: of so many passages only the first gives anything but nonsense.
    """

    pid = None

    def __init__(self, poor: int = 1) -> None:
        self.poor = poor
        self.asked = 0
        self.stop_after: int | None = None
        self.cancelled: CallbackJob | None = None

    @contextmanager
    def using(self, card: object, job: Job = NULL_JOB) -> Iterator[Writer]:
        yield self

    def generate(self, task: Task, job: Job, purpose: str) -> Generated:
        assert purpose == "batch"
        assert task.grammar
        assert self.asked != self.stop_after, "the machine went down"
        self.asked += 1
        if self.cancelled is not None and self.asked == 7:
            self.cancelled.cancel()
        quote = json.loads(task.grammar.split("quote ::= ")[1].split("\n")[0])
        quote = json.loads(quote)
        place = quote.split()[4]
        made = {
            "quote": quote,
            "question": f"How many gulls does the keeper of lighthouse {place} count?",
            "answer": quote.split()[6],
        }
        if self.asked % self.poor:
            made["question"] = "What is the answer to the question?"
        return Generated(
            text=json.dumps(made),
            ending="end",
            prompt_tokens=1,
            reused_tokens=0,
            generated_tokens=1,
            first_token_ms=1.0,
            total_ms=1.0,
        )


@pytest.fixture
def idle() -> Iterator[Idle]:
    one = Idle()
    yield one
    one.close()


class Place:
    """All that making needs, and what came of it."""

    def __init__(self, home: Home, idle: Idle, tiny_gguf: Path) -> None:
        self.home, self.idle = home, idle
        self.card = card_of(tiny_gguf)
        self.kept: list[Made] = []

    def make(
        self, writer: Any, shore: Shore, spec: MakeExamplesSpec = SPEC, job: Job = NULL_JOB
    ) -> Made:
        means = Means(
            self.home,
            cast(Generator, writer),
            shore.search,
            shore.draw,
            shore.drawn,
            CoreLease(self.home),
            self.idle,
        )
        view = LibraryView.model_validate(
            {
                "id": "shore",
                "name": "Shore",
                "roots": [],
                "files": 1,
                "skipped": 0,
                "waiting": 0,
                "passages": 1,
                "size_bytes": 1,
                "state": "ready",
                "embedder": "e",
                "updated_at": "",
            }
        )
        return make_examples(means, view, self.card, spec, job, self.kept.append)


@pytest.fixture
def place(home: Home, idle: Idle, tiny_gguf: Path) -> Place:
    return Place(home, idle, tiny_gguf)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = tuple(f"Who won the {n}th game of chess in Zurich?" for n in range(4))
    monkeypatch.setattr(making, "questions_from_elsewhere", lambda: questions)


def test_answerable_and_unanswerable_rows(place: Place) -> None:
    shore = Shore([text_of(n) for n in range(30)])
    said: list[Any] = []
    job = CallbackJob(None, lambda kind, data: said.append((kind, data)))
    made = place.make(Writer(), shore, job=job)
    answered = [one for one in made.examples if one.source["answerable"]]
    refused = [one for one in made.examples if not one.source["answerable"]]
    assert (len(answered), len(refused), made.unanswerable) == (20, 6, 6)
    for one in answered:
        assert one.source["quote"] in one.context
        assert one.output in one.context
        assert one.group == one.source["path"]
        assert len(one.source["sha256"]) == 64
    assert len({one.group for one in answered}) == 20
    for one in refused:
        assert one.output == REFUSAL
        assert says_nothing(one.output)
    same = [one for one in refused if one.source["unanswerable"] == "without"]
    by_question = {one.input: one for one in answered}
    assert len(same) == 3
    for one in same:
        right = by_question[one.input]
        assert right.output not in one.context
        assert one.context != right.context
        assert one.group == right.group
    assert [one.id for one in made.examples] == [str(n) for n in range(1, 27)]
    assert said[0][0] == "sample"
    assert said[0][1]["sentence"] == f"{SAMPLE} of {SAMPLE} passages gave a usable example."
    assert place.kept == [made]


def test_a_weak_model_is_told_so_after_the_sample_and_not_later(place: Place) -> None:
    shore = Shore([text_of(n) for n in range(200)])
    writer = Writer(poor=4)
    with pytest.raises(ModelUnavailable, match=r"^3 of 12 passages .* too weak: choose a larg"):
        place.make(writer, shore)
    assert writer.asked == SAMPLE
    assert place.kept == []
    spec = SPEC.model_copy(update={"anyway": True, "count": 10})
    made = place.make(writer, shore, spec)
    assert made.usable == 10
    assert made.flaws == {"question": 30}
    assert (made.tried, writer.asked) == (40, 40)
    assert made.sample is not None
    assert made.sample.weak


def test_a_kill_loses_the_passage_in_work_alone(place: Place) -> None:
    shore = Shore([text_of(n) for n in range(30)])
    whole = place.make(Writer(), shore)
    writer = Writer()
    for stop in (1, 5, 13, 14):
        writer.stop_after = stop
        with pytest.raises(AssertionError, match="went down"):
            place.make(writer, shore)
        assert writer.asked == stop
    writer.stop_after = None
    again = place.make(writer, shore)
    assert writer.asked == 20
    assert again.examples == whole.examples
    folder = place.home.datasets / "making"
    assert list(folder.iterdir()) == []


def test_a_cancel_keeps_what_was_made(place: Place) -> None:
    shore = Shore([text_of(n) for n in range(30)])
    writer = Writer()
    writer.cancelled = CallbackJob()
    with pytest.raises(Cancelled):
        place.make(writer, shore, job=writer.cancelled)
    assert writer.asked == 7
    assert len(place.make(writer, shore).examples) == 26
    assert writer.asked == 20


def test_questions_that_repeat_or_are_not_found_are_left_out(place: Place) -> None:
    twins = [text_of(1) for _ in range(12)] + [text_of(n) for n in range(2, 8)]
    spec = SPEC.model_copy(update={"anyway": True})
    made = place.make(Writer(), Shore(twins), spec)
    assert made.usable == 7
    assert made.flaws["duplicate"] + made.flaws["not found"] == 11
    assert len({one.input for one in made.examples if one.source["answerable"]}) == 7


def test_a_library_without_a_sentence_gives_nothing(place: Place) -> None:
    with pytest.raises(InvalidInput, match="whole sentence"):
        place.make(Writer(), Shore(["A heading", "1 | 2 | 3"]))


def test_a_real_model_that_writes_at_random_is_too_weak(
    place: Place, home: Home, tiny_gguf: Path
) -> None:
    generator = Generator(home, CoreLease(home))
    try:
        with pytest.raises(ModelUnavailable, match="0 of 3 passages gave a usable example"):
            place.make(generator, Shore([text_of(n) for n in range(3)]))
    finally:
        generator.close()
