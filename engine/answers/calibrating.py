"""When an answer is refused, measured in one library: on questions it answers and others.

Questions are made from the library's own passages, by the model where it can and else of a
passage's own words, and searched for just as a person's are. What a library does not answer
are the same questions without the document they were made from, and questions from elsewhere.
The rule that ships is then fitted to how far these lie apart here (`engine.answers.platt`).

One question is one step, and what it gave is kept at once: whatever ends a calibration, the
next one goes on there. Only numbers are kept, no text of the library.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.answers import budget, modes, platt, refusing
from engine.answers.generation import Task
from engine.answers.generator import Generator
from engine.answers.orders import readable
from engine.answers.prompts import build_prompt, wording
from engine.answers.refusing import Rule, Signals, can_tell, log_odds, look, measured_as
from engine.answers.scope import Scope
from engine.answers.words import STOP_WORDS, tokenize
from engine.errors import Cancelled, InvalidInput, ModelUnavailable
from engine.library.known_items import KnownItem
from engine.models.registry import ModelRegistry
from engine.paths import resources_dir
from engine.settings import load_settings
from engine.store import measurements
from engine.store.db import Store, utc_now
from engine.store.ledger import PASSAGES_PER_CONTENT
from engine.work.api import (
    CalibrateSpec,
    CalibrationReport,
    LibraryView,
    ModelCard,
    PassageHit,
    SearchReport,
    SearchSpec,
)
from engine.work.idle import Idle
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease

QUESTIONS = 32
QUESTION_TOKENS = 32
FOUND_AMONG = 4
"""A question counts as answered by its passage only when that is among the first so many."""
FEWEST_SHARED = 2
"""Words that a question written by a model has in common with its passage."""
SUSPICIOUS_COSINE = 0.5
"""A question from elsewhere this near to a passage may be answered by it."""
GROWN = 1 / 3
"""A library that gained or lost this part of its passages is measured again."""
_MORE = 40
"""Passages that are looked through for those of other documents."""
_QUESTION = re.compile(r"[^?？]*[?？]")
_BEFORE = re.compile(r"^(?:\W|\d)*(?:question\b[\s\d]*:)?[\s\"'“*]*", re.IGNORECASE)


@functools.cache
def questions_from_elsewhere() -> tuple[str, ...]:
    """Everyday and encyclopaedic questions of every kind."""
    path = resources_dir() / "prompts" / "elsewhere.toml"
    return tuple(tomllib.loads(path.read_text("utf-8"))["questions"])


@dataclass(frozen=True)
class Tools:
    """What a calibration works with.

    Attributes:
        store: remembers what was measured.
        generator: writes questions.
        search: finds passages.
        view: a library by name or id.
        known_items: questions made of passages' own words, up to a number.
        lease: every search lets whoever has a question of his own go first.
    """

    store: Store
    generator: Generator
    search: Callable[[SearchSpec, Job], SearchReport]
    view: Callable[[str], LibraryView]
    known_items: Callable[[str, int], Sequence[KnownItem]]
    lease: CoreLease


class Calibrator:
    """Calibrates refusals in any library, with any model. Thread-safe.

    Args:
        tools: what it works with.
        models: which models there are.
        idle: lets questions go before every step.
    """

    def __init__(self, tools: Tools, models: ModelRegistry, idle: Idle) -> None:
        self._tools = tools
        self._models = models
        self._idle = idle

    def calibrate(self, spec: CalibrateSpec, job: Job = NULL_JOB) -> CalibrationReport:
        """Measure a library now, and remember the rule.

        Raises:
            InvalidInput: there is no such library or model, or no question can be made.
            LibraryOutdated, StorageDamaged: the library cannot be searched.
            ModelUnavailable: the model cannot be run, or the search by meaning does not work.
            NotEnoughMemory, WorkerCrashed: a model cannot be run.
            Cancelled: `job` was cancelled; what was measured so far is kept for the next time.
        """
        view, card = self._tools.view(spec.library), self._models.find(spec.model)
        job.progress(0, 0, f"Loading {card.name}")
        self._tools.generator.load(card, job)
        one = Calibration(self._tools, view, card, spec.questions)
        while not one.complete:
            job.progress(one.done, one.total, "Asking questions of the library")
            self._idle.take_step(one.step, job)
        job.progress(one.total, one.total, "Asking questions of the library")
        return one.finish()

    def due(self, view: LibraryView, card: ModelCard) -> bool:
        """Whether a library was never measured with a model, or has changed since."""
        kept: Any = measurements.recall(self._tools.store, measured_as(view.id, card.id))
        return kept is None or not _still_holds(kept, view, card)

    def begin(self, view: LibraryView, card: ModelCard) -> Calibration:
        """A calibration to be done step by step; errors as `calibrate`."""
        return Calibration(self._tools, view, card, QUESTIONS)


class Calibration:
    """One calibration under way; it goes on where an earlier one of its kind ended.

    Args:
        tools: what it works with.
        view: the library.
        card: the model.
        questions: made at most.

    Raises:
        InvalidInput: no question can be made from this library.
        LibraryOutdated, StorageDamaged: it cannot be searched.
    """

    def __init__(
        self, tools: Tools, view: LibraryView, card: ModelCard, questions: int
    ) -> None:
        self._tools = tools
        self._view = view
        self._card = card
        self._elsewhere = questions_from_elsewhere()
        chosen = load_settings(tools.store.home).passages
        read = modes.choose(Scope("auto", [view.id]), card, chosen).passages
        self._shown = max(read, budget.SOURCES_SHOWN)
        self._items = tools.known_items(view.id, questions)
        if not self._items:
            raise InvalidInput(
                "No question can be made from this library.",
                hint="Choose a library with more text, or index this one first.",
            )
        self._begun = f"{measured_as(view.id, card.id)}/begun"
        kept: Any = measurements.recall(tools.store, self._begun)
        self._so_far: dict[str, Any] = {**_mark(view, card), "made": {}, "elsewhere": {}}
        if kept is not None and _still_holds(kept, view, card):
            self._so_far = kept

    @property
    def total(self) -> int:
        """Steps altogether."""
        return len(self._items) + len(self._elsewhere)

    @property
    def done(self) -> int:
        """Steps that are done."""
        return self.total - len(self._made_left()) - len(self._elsewhere_left())

    @property
    def complete(self) -> bool:
        """True when nothing is left to ask."""
        return self.done == self.total

    def step(self, job: Job) -> None:
        """Ask one question, and keep what came of it.

        Raises:
            ModelUnavailable: the search by meaning does not work now.
            Cancelled: `job` was cancelled; this step is to be done again.
            WorkerCrashed, NotEnoughMemory, StorageDamaged, StorageFull: as they say.
        """
        made, elsewhere = self._made_left(), self._elsewhere_left()
        if made:
            self._so_far["made"][str(made[0].passage_id)] = self._ask_made(made[0], job)
        elif elsewhere:
            found = self._found(elsewhere[0], self._shown, job)
            signals = look(elsewhere[0], found, None)
            counts = signals.cosine < SUSPICIOUS_COSINE
            self._so_far["elsewhere"][elsewhere[0]] = signals.values() if counts else None
        job.checkpoint()
        measurements.remember(self._tools.store, self._begun, self._so_far)

    def finish(self) -> CalibrationReport:
        """Fit the rule and remember it.

        Raises:
            StorageFull, StorageDamaged: it could not be written.
        """
        odds = self._odds()
        fitted, usual = platt.fit(odds), Rule()
        rule, others = fitted.rule, odds.others()
        report = CalibrationReport(
            library=self._view.name,
            model=self._card.id,
            kept="measured" if fitted.measured else "shipped",
            reason=fitted.reason,
            made=len(odds.made),
            written=odds.written,
            without=len(odds.without),
            elsewhere=len(odds.elsewhere),
            auc=platt.separation(odds),
            loss_before=fitted.loss_before,
            loss_after=fitted.loss_after,
            made_refused_before=platt.refused(odds.made, usual),
            made_refused_after=platt.refused(odds.made, rule),
            others_refused_before=platt.refused(others, usual),
            others_refused_after=platt.refused(others, rule),
            threshold=rule.threshold,
            measured_at=utc_now(),
        )
        kept = {
            **_mark(self._view, self._card),
            "each": rule.weights.each,
            "bias": rule.weights.bias,
            "threshold": rule.threshold,
            "report": report.model_dump(),
        }
        name = measured_as(self._view.id, self._card.id)
        measurements.remember(self._tools.store, name, kept)
        measurements.forget(self._tools.store, self._begun)
        return report

    # --- one question -----------------------------------------------------------------

    def _made_left(self) -> list[KnownItem]:
        made = self._so_far["made"]
        return [item for item in self._items if str(item.passage_id) not in made]

    def _elsewhere_left(self) -> list[str]:
        asked = self._so_far["elsewhere"]
        return [question for question in self._elsewhere if question not in asked]

    def _ask_made(self, item: KnownItem, job: Job) -> dict[str, Any] | None:
        """Signals of a question about a passage, with its document and without.

        None: of no use, because search does not find the passage.
        """
        written = self._written(item.text, job)
        for question in filter(None, (written, item.query)):
            found = self._found(question, self._shown, job)
            rank = item.rank([hit.text for hit in found])
            if rank is None or rank > FOUND_AMONG:
                continue
            content = item.passage_id // PASSAGES_PER_CONTENT
            others = [
                hit
                for hit in self._found(question, _MORE, job)
                if hit.passage_id // PASSAGES_PER_CONTENT != content
            ][: self._shown]
            return {
                "written": question == written,
                "with": look(question, found, None).values(),
                "without": look(question, others, None).values() if others else None,
            }
        return None

    def _written(self, text: str, job: Job) -> str:
        """A question about a passage by the model; "" where it writes none."""
        prompt = build_prompt(wording("question"), "", [readable(text)[0]], kept=0)
        task = Task(mode="none", prompts=[prompt], max_tokens=QUESTION_TOKENS)
        with self._tools.generator.using(self._card, job) as model:
            try:
                made = model.generate(task, job, purpose="batch")
            except InvalidInput:  # longer than this model's context
                return ""
        if made.ending == "stopped":
            raise Cancelled()
        return question_in(made.text, text)

    def _found(self, question: str, top: int, job: Job) -> list[PassageHit]:
        with self._tools.lease.hold("batch", job):
            pass
        report = self._tools.search(
            SearchSpec(query=question, library=self._view.id, top=top), job
        )
        if not can_tell(report.passages):
            raise ModelUnavailable(
                f"Only words are searched for now, which says too little. {report.notice}",
                hint="Try again once this library can be searched by meaning.",
            )
        return report.passages

    def _odds(self) -> platt.Odds:
        made = [row for row in self._so_far["made"].values() if row is not None]
        asked = self._so_far["elsewhere"].values()
        return platt.Odds(
            made=[_odds_of(row["with"]) for row in made],
            without=[_odds_of(row["without"]) for row in made if row["without"] is not None],
            elsewhere=[_odds_of(signals) for signals in asked if signals is not None],
            written=sum(1 for row in made if row["written"]),
        )


def question_in(made: str, text: str) -> str:
    """The first question in what a model wrote, if it is about `text`; else "".

    It has to end in a question mark and to share some words that say something with the text.
    """
    lines = made.strip().splitlines()
    found = _QUESTION.match(_BEFORE.sub("", lines[0])) if lines else None
    if found is None:
        return ""
    question = found.group().strip()
    return question if len(_keys(question) & _keys(text)) >= FEWEST_SHARED else ""


def _keys(text: str) -> set[str]:
    return {token.key for token in tokenize(text)} - STOP_WORDS


def _odds_of(values: Sequence[float]) -> float:
    return log_odds(Signals(*values))


def _mark(view: LibraryView, card: ModelCard) -> dict[str, Any]:
    """What a measurement holds for."""
    return {
        "model": card.sha256,
        "embedder": view.embedder,
        "passages": view.passages,
        "agreed_at": view.agreed_at,
        "shipped": refusing.shipped(),
    }


def _still_holds(kept: dict[str, Any], view: LibraryView, card: ModelCard) -> bool:
    """Whether a library and a model are nearly what they were."""
    now = _mark(view, card)
    same = all(kept.get(key) == now[key] for key in ("model", "embedder", "shipped"))
    passages = int(kept.get("passages", 0))
    return same and abs(view.passages - passages) <= GROWN * passages
