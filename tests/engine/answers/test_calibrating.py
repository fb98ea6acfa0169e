"""Refusals calibrated with a tiny model in its process; the search is over given passages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.answers import calibrating, refusing
from engine.answers.calibrating import (
    Calibrator,
    Tools,
    question_in,
    questions_from_elsewhere,
)
from engine.answers.calibrating_idle import IdleCalibrating
from engine.answers.generator import Generator
from engine.answers.refusing import Rule, calibrated, measured_as
from engine.answers.words import STOP_WORDS, tokenize
from engine.errors import Cancelled, InvalidInput, ModelUnavailable
from engine.library.known_items import KnownItem
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store import measurements
from engine.store.db import Store
from engine.store.ledger import PASSAGES_PER_CONTENT
from engine.work.api import (
    CalibrateSpec,
    LibraryView,
    PassageHit,
    SearchReport,
    SearchSpec,
)
from engine.work.idle import Idle
from engine.work.jobs import NULL_JOB, CallbackJob, Job
from engine.work.lease import CoreLease
from tests.engine.answers.conftest import hit

PATIENCE_S = 60.0
TOPICS = [
    "anchor",
    "barge",
    "cable",
    "dredger",
    "estuary",
    "ferry",
    "gangway",
    "harbour",
    "island",
    "jetty",
    "keel",
    "lagoon",
    "mast",
    "narrows",
    "oar",
    "pier",
    "quay",
    "rudder",
    "sail",
    "tide",
]
ELSEWHERE = tuple(f"Who won the {n}th game of chess in Zurich?" for n in range(13))


def passage(n: int) -> PassageHit:
    text = f"The {TOPICS[n]} keeper {TOPICS[n]}er writes {TOPICS[n]}book each week."
    number = (n + 1) * PASSAGES_PER_CONTENT
    return hit(text, n + 1).model_copy(update={"passage_id": number, "title": ""})


@dataclass
class Shore:
    """A library of twenty documents, searched by shared words alone."""

    passages: list[PassageHit] = field(default_factory=lambda: [passage(n) for n in range(20)])
    searches: int = 0
    by_meaning: bool = True
    state: str = "ready"
    size: int = 20
    before: Callable[[Job], None] = lambda job: None

    def search(self, spec: SearchSpec, job: Job = NULL_JOB) -> SearchReport:
        self.searches += 1
        self.before(job)
        wanted = {token.key for token in tokenize(spec.query)} - STOP_WORDS
        found: list[PassageHit] = []
        for one in self.passages:
            shared = len(wanted & {token.key for token in tokenize(one.text)})
            cosine = 0.05 + 0.15 * shared if self.by_meaning else None
            found.append(one.model_copy(update={"cosine": cosine, "bm25": 1.0 * shared}))
        found.sort(key=lambda one: -(one.bm25 or 0))
        return SearchReport(passages=found[: spec.top], milliseconds=1.0)

    def view(self, ref: str) -> LibraryView:
        if ref not in ("shore", "Shore"):
            raise InvalidInput("There is no such library.")
        return LibraryView.model_validate(
            {
                "id": "shore",
                "name": "Shore",
                "roots": [],
                "files": self.size,
                "skipped": 0,
                "waiting": 0,
                "passages": self.size,
                "size_bytes": 1,
                "state": self.state,
                "embedder": "e",
                "updated_at": "",
            }
        )

    def known_items(self, library: str, most: int) -> Sequence[KnownItem]:
        return [
            KnownItem(f"{TOPICS[n]} {TOPICS[n]}book", one.text, one.passage_id, one.text)
            for n, one in enumerate(self.passages[:most])
        ]


@pytest.fixture
def shore() -> Shore:
    return Shore()


@pytest.fixture
def idle() -> Iterator[Idle]:
    one = Idle()
    yield one
    one.close()


@pytest.fixture
def kept(home: Home) -> Iterator[Store]:
    one = Store(home)
    yield one
    one.close()


@pytest.fixture
def chain(kept: Store, home: Home, chain_gguf: Path) -> ModelRegistry:
    """The model at hand always says the same, which is no question."""
    registry = ModelRegistry(home, kept)
    registry.add(chain_gguf)
    registry.set_default("chain")
    return registry


@pytest.fixture
def calibrator(
    kept: Store,
    chain: ModelRegistry,
    generator: Generator,
    home: Home,
    shore: Shore,
    idle: Idle,
    monkeypatch: pytest.MonkeyPatch,
) -> Calibrator:
    monkeypatch.setattr(calibrating, "questions_from_elsewhere", lambda: ELSEWHERE)
    lease = CoreLease(home)
    tools = Tools(kept, generator, shore.search, shore.view, shore.known_items, lease)
    return Calibrator(tools, chain, idle)


SPEC = CalibrateSpec(library="Shore", questions=20)


def test_a_question_is_taken_from_what_the_model_wrote_or_there_is_none() -> None:
    text = "Ingrid keeps the night watch at Harrow Point."
    assert question_in("Who keeps the night watch?", text) == "Who keeps the night watch?"
    assert question_in("1. Question: Who keeps the watch? Ingrid.", text).endswith("watch?")
    assert question_in("“Who keeps the watch?”", text) == "Who keeps the watch?"
    for useless in ("", "Ingrid keeps the watch.", "Who is the keeper?", "\n\nIngrid"):
        assert question_in(useless, text) == ""


def test_the_questions_from_elsewhere_are_many_and_differ() -> None:
    questions = questions_from_elsewhere()
    assert len(set(questions)) == len(questions) >= 75
    assert all(question.endswith("?") for question in questions)


def test_a_library_is_measured_and_its_rule_remembered(
    calibrator: Calibrator, kept: Store, shore: Shore, generator: Generator
) -> None:
    report = calibrator.calibrate(SPEC)
    assert (report.library, report.model, report.kept) == ("Shore", "chain", "measured")
    assert (report.made, report.written, report.without) == (20, 0, 20)
    assert report.elsewhere == len(ELSEWHERE)
    assert report.auc == 1.0
    assert report.loss_after < report.loss_before
    assert report.made_refused_after <= 0.12
    rule = calibrated(kept, ["shore"], "chain")
    assert rule != Rule()
    assert rule.threshold == report.threshold
    assert not calibrator.due(shore.view("shore"), calibrator._models.find(None))  # pyright: ignore[reportPrivateUsage]


def test_it_is_due_again_when_the_library_grew_by_more_than_a_third_or_the_model_changed(
    calibrator: Calibrator, shore: Shore, chain: ModelRegistry
) -> None:
    card = chain.find(None)
    assert calibrator.due(shore.view("shore"), card)
    calibrator.calibrate(SPEC)
    for size, due in ((26, False), (27, True), (14, False), (13, True)):
        shore.size = size
        assert calibrator.due(shore.view("shore"), card) is due, size
    shore.size = 20
    assert calibrator.due(shore.view("shore"), card.model_copy(update={"sha256": "f" * 64}))
    assert calibrator.due(shore.view("shore"), card.model_copy(update={"id": "other"}))


def test_with_few_questions_the_shipped_rule_is_kept_and_remembered_as_measured(
    calibrator: Calibrator, kept: Store, shore: Shore, chain: ModelRegistry
) -> None:
    report = calibrator.calibrate(CalibrateSpec(library="shore", questions=6))
    assert (report.kept, report.made) == ("shipped", 6)
    assert "Too few" in report.reason
    assert calibrated(kept, ["shore"], "chain") == Rule()
    assert not calibrator.due(shore.view("shore"), chain.find(None))


def test_what_was_asked_before_a_cancel_is_not_asked_again(
    calibrator: Calibrator, shore: Shore
) -> None:
    job = CallbackJob()

    def stop(running: Job) -> None:
        if shore.searches > 10:
            job.cancel()
        running.checkpoint()

    shore.before = stop
    with pytest.raises(Cancelled):
        calibrator.calibrate(SPEC, job)
    asked = shore.searches
    shore.before = lambda running: None
    report = calibrator.calibrate(SPEC)
    assert report.made == 20
    # Two searches a question made and one from elsewhere; only the last was begun twice.
    assert shore.searches == 2 * 20 + len(ELSEWHERE) + 1
    assert asked > 8


def test_a_search_by_words_alone_measures_nothing(
    calibrator: Calibrator, shore: Shore, kept: Store
) -> None:
    shore.by_meaning = False
    with pytest.raises(ModelUnavailable, match="Only words"):
        calibrator.calibrate(SPEC)
    assert measurements.recall(kept, measured_as("shore", "chain")) is None


def test_only_numbers_are_kept_and_all_goes_with_the_library(
    calibrator: Calibrator, shore: Shore, kept: Store, chain: ModelRegistry
) -> None:
    one = calibrator.begin(shore.view("shore"), chain.find(None))
    one.step(NULL_JOB)
    begun = measurements.recall(kept, f"{measured_as('shore', 'chain')}/begun")
    assert begun is not None
    assert "anchor" not in str(begun)
    refusing.forget(kept, "shore")
    assert measurements.recall(kept, f"{measured_as('shore', 'chain')}/begun") is None


# --- when the machine is idle -------------------------------------------------------------


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


@pytest.fixture
def idly(
    calibrator: Calibrator,
    shore: Shore,
    chain: ModelRegistry,
    generator: Generator,
    kept: Store,
    idle: Idle,
) -> IdleCalibrating:
    generator.load(chain.find(None))
    return IdleCalibrating(calibrator, shore.view, chain, generator, kept, idle, idle_s=0.5)


def test_a_question_interrupts_it_at_once_and_it_goes_on_afterwards(
    idly: IdleCalibrating, shore: Shore, kept: Store, idle: Idle, generator: Generator
) -> None:
    inside = threading.Event()

    def hang(job: Job) -> None:
        if shore.searches == 8:
            inside.set()
            while True:
                job.checkpoint()
                time.sleep(0.005)

    shore.before = hang
    with idle.paused():
        idly.suggest(["shore"])
        time.sleep(0.4)
        assert shore.searches == 0
    assert shore.searches == 0  # half a second has to pass first
    assert inside.wait(PATIENCE_S)
    with idle.paused():
        # A question gets the model while the step that hung is given up.
        with generator.using(idly._models.find(None)):  # pyright: ignore[reportPrivateUsage]
            assert idly.waiting()
        assert calibrated(kept, ["shore"], "chain") == Rule()
    until(lambda: not idly.waiting())
    assert calibrated(kept, ["shore"], "chain") != Rule()
    assert shore.searches <= 2 * 20 + len(ELSEWHERE) + 2


def test_what_is_done_is_not_done_again_and_a_busy_library_is_left(
    idly: IdleCalibrating, shore: Shore, idle: Idle
) -> None:
    shore.state = "indexing"
    idly.suggest(["shore", "gone"])
    until(lambda: not idly.waiting())
    assert shore.searches == 0
    shore.state = "ready"
    idly.suggest(["shore"])
    until(lambda: not idly.waiting())
    asked = shore.searches
    assert asked > 0
    idly.suggest(["shore"])
    until(lambda: not idly.waiting())
    assert shore.searches == asked


def test_a_model_that_is_not_loaded_is_not_loaded_for_it(
    idly: IdleCalibrating, shore: Shore, generator: Generator
) -> None:
    generator.close()
    idly.suggest(["shore"])
    until(lambda: not idly.waiting())
    assert (shore.searches, generator.pid) == (0, None)


def test_a_search_that_fails_ends_it_quietly(idly: IdleCalibrating, shore: Shore) -> None:
    shore.by_meaning = False
    idly.suggest(["shore"])
    until(lambda: not idly.waiting())
    assert shore.searches == 1
