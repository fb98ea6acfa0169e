"""From a finished answer to the report a person sees, with its times and notices."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.answers import followups
from engine.answers.citations import Cited
from engine.answers.generation import Generated
from engine.answers.modes import Choice
from engine.answers.refusals import NOTHING_FOUND, NOTHING_IN_FILTER, says_nothing
from engine.answers.refusing import NOT_IN_THESE, Judgement
from engine.answers.scope import Scope
from engine.answers.tuned import AdapterChoice
from engine.work.api import AnswerReport, ModelCard, PassageHit, Timings, Tokens

UNSUPPORTED = "No sentence of the documents read supports this answer: take it as a guess."


@dataclass
class Clock:
    """Milliseconds since the question was received; the time a model loads is left out."""

    start: float = field(default_factory=time.monotonic)
    loading_s: float = 0.0
    retrieved_ms: float = 0.0
    first_token_ms: float = 0.0

    def ms(self) -> float:
        """Milliseconds so far."""
        return (time.monotonic() - self.start - self.loading_s) * 1000

    def retrieved(self) -> None:
        """The sources are there."""
        self.retrieved_ms = self.ms()

    def token(self) -> None:
        """A piece of the answer is there."""
        if self.first_token_ms == 0.0:
            self.first_token_ms = self.ms()

    def timings(self) -> Timings:
        """All of it, up to now."""
        return Timings(
            retrieve_ms=round(self.retrieved_ms, 2),
            first_token_ms=round(self.first_token_ms or self.ms(), 2),
            total_ms=round(self.ms(), 2),
        )


@dataclass(frozen=True)
class Asked:
    """One question on its way: as asked, as searched for, and what it is asked of.

    `asked_at` is UTC, ISO 8601.
    """

    question: str
    standalone: str
    scope: Scope
    card: ModelCard
    choice: Choice
    asked_at: str
    adapters: AdapterChoice = field(default_factory=AdapterChoice)

    @property
    def rewritten(self) -> str:
        """The question as searched for, where that is not the question as asked."""
        return "" if self.standalone == self.question else self.standalone

    @property
    def query(self) -> str:
        """The text the search is given."""
        return followups.query(self.question, self.standalone)


def nothing_found(asked: Asked, clock: Clock, notice: str) -> AnswerReport:
    """Nothing was retrieved: say so, and do not let the model invent."""
    filtered = not asked.scope.filter.empty()
    found = AnswerReport(
        question=asked.question,
        answer=NOTHING_IN_FILTER if filtered else NOTHING_FOUND,
        refused=True,
        citations=[],
        sentences=[],
        passages=[],
        mode=asked.choice.mode,
        mode_reason=asked.choice.reason,
        model=asked.card.id,
        timings=clock.timings(),
        tokens=Tokens(prompt=0, generated=0),
        notice=_joined([asked.scope.notice, notice]),
    )
    return place_report(found, asked)


def report(
    asked: Asked,
    made: Generated,
    cited: Cited,
    passages: list[PassageHit],
    clock: Clock,
    notices: Sequence[str],
    judgement: Judgement | None = None,
) -> AnswerReport:
    """The answer with its evidence, or that the documents do not hold one.

    Args:
        asked: the question.
        made: what the model wrote.
        cited: the same with its sources.
        passages: the sources shown to the person.
        clock: still running.
        notices: what was said on the way, "" among them.
        judgement: whether the documents hold the answer; None where that cannot be told.
    """
    writing_s = (made.total_ms - made.first_token_ms) / 1000
    speed = (made.generated_tokens - 1) / writing_s if made.generated_tokens > 1 else 0.0
    documents = asked.choice.mode != "none"
    # A sentence the passages support is an answer, whatever else the model says it lacks.
    silent = documents and not cited.citations and says_nothing(made.text)
    refused = (silent or (judgement is not None and judgement.refuse)) and (
        made.ending != "stopped"
    )
    if refused:
        cited = Cited(NOT_IN_THESE, [], [], [])
    guess = documents and made.text.strip() and not refused and not cited.citations
    finished = AnswerReport(
        question=asked.question,
        answer=cited.text,
        refused=refused,
        guess=made.text if refused else "",
        confidence=None if judgement is None else round(judgement.confidence, 3),
        stopped=made.ending == "stopped",
        citations=cited.citations,
        sentences=cited.sentences,
        words=cited.words,
        passages=passages,
        read=min(asked.choice.passages, len(passages)),
        mode=asked.choice.mode,
        mode_reason=asked.choice.reason,
        model=asked.card.id,
        adapter=asked.adapters.label or None,
        timings=clock.timings(),
        tokens=Tokens(
            prompt=made.prompt_tokens,
            generated=made.generated_tokens,
            reused=made.reused_tokens,
        ),
        tokens_per_second=round(speed, 2),
        notice=_joined([asked.scope.notice, *notices, UNSUPPORTED if guess else ""]),
    )
    return place_report(finished, asked)


def ending_notice(made: Generated, limit: int) -> str:
    """Why the answer ended, when that was not of its own accord."""
    if made.ending == "length":
        return f"The answer was cut after {limit} tokens."
    if made.ending == "loop":
        return "The model began to repeat itself and was stopped."
    return ""


def place_report(made: AnswerReport, asked: Asked) -> AnswerReport:
    """The report with what it was asked of."""
    scope = asked.scope
    made.asked_at, made.rewritten = asked.asked_at, asked.rewritten
    made.searched = asked.query if asked.rewritten else ""
    made.libraries, made.filter = scope.libraries, scope.filter
    made.preset = scope.preset.id if scope.preset is not None else ""
    return made


def _joined(notices: Sequence[str]) -> str:
    return " ".join(notice for notice in notices if notice)
