"""One question from beginning to end: retrieve, prompt, generate, cite, remember."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.answers import budget
from engine.answers.citations import Cited, cite
from engine.answers.focus import focus
from engine.answers.generation import Generated, Prompt
from engine.answers.generator import Generator
from engine.answers.orders import readable
from engine.answers.prompts import Exchange, Wording, build_prompt, wording
from engine.answers.refusals import NOTHING_FOUND, says_nothing
from engine.errors import InvalidInput
from engine.models.registry import ModelRegistry
from engine.settings import load_settings
from engine.store import conversations
from engine.store.db import Store
from engine.work.api import (
    AnswerReport,
    AskSpec,
    ModelCard,
    PassageHit,
    SearchReport,
    SearchSpec,
    Timings,
    Tokens,
)
from engine.work.jobs import NULL_JOB, Job

MAX_QUESTION_CHARACTERS = 20_000
UNSUPPORTED = "No sentence of the documents read supports this answer: take it as a guess."
_SAFETY_TOKENS = 16

Search = Callable[[SearchSpec, Job], SearchReport]


@dataclass
class _Clock:
    """Milliseconds since the question was received; the time a model loads is left out."""

    start: float = field(default_factory=time.monotonic)
    loading_s: float = 0.0
    retrieved_ms: float = 0.0
    first_token_ms: float = 0.0

    def ms(self) -> float:
        return (time.monotonic() - self.start - self.loading_s) * 1000

    def token(self) -> None:
        if self.first_token_ms == 0.0:
            self.first_token_ms = self.ms()


@dataclass(frozen=True)
class _Context:
    """What the model reads: the prompt, and the passages as far as they are in it."""

    prompt: Prompt
    shown: list[PassageHit]
    notice: str


class Answerer:
    """Answers questions from libraries with the models at hand. Thread-safe.

    Args:
        store: keeps the conversations.
        models: which models there are.
        generator: writes the answers.
        search: finds passages.
    """

    def __init__(
        self, store: Store, models: ModelRegistry, generator: Generator, search: Search
    ) -> None:
        self._store = store
        self._models = models
        self._generator = generator
        self._search = search

    def ask(self, spec: AskSpec, job: Job = NULL_JOB) -> AnswerReport:
        """Answer one question; events as listed in `engine.work.api`.

        A cancel before the first word raises; after it, the answer ends with what there is
        and `stopped` is set.

        Raises:
            InvalidInput: an empty question, an unknown library, model or conversation.
            ModelUnavailable, NotEnoughMemory: the model cannot be run.
            WorkerCrashed: a process died; `details` hold the part of the answer there was.
            Cancelled: stopped before the first word.
        """
        clock = _Clock()
        mode = _mode(spec)
        card = self._models.find(spec.model)
        history = self._history(spec)
        passages, notice = self._retrieve(spec, mode, self._reads(spec, card), job)
        clock.retrieved_ms = clock.ms()
        job.emit("sources", {"passages": [hit.model_dump() for hit in passages]})
        if mode != "none" and not passages:
            report = _nothing_found(spec, card, clock, notice)
        else:
            report = self._answer(spec, card, mode, passages, history, notice, clock, job)
        if spec.conversation != "":
            report.conversation = conversations.append(
                self._store, spec.conversation, spec.library or "", report
            )
        return report

    def _history(self, spec: AskSpec) -> list[Exchange]:
        """Earlier turns of the conversation that is continued, oldest first."""
        if not spec.conversation:
            return []
        turns = conversations.last_turns(self._store, spec.conversation, budget.HISTORY_TURNS)
        return [
            Exchange(turn.question, " ".join(s.text for s in turn.sentences) or turn.answer)
            for turn in turns
            if not turn.refused
        ]

    def _reads(self, spec: AskSpec, card: ModelCard) -> int:
        """How many passages the model reads."""
        set_by_user = spec.top or load_settings(self._store.home).passages
        return set_by_user or budget.passages_for(card)

    def _retrieve(
        self, spec: AskSpec, mode: str, reads: int, job: Job
    ) -> tuple[list[PassageHit], str]:
        """The sources: what the model reads, and for the person a few more to look into."""
        if mode == "none" or spec.library is None:
            return [], ""
        top = spec.top or max(reads, budget.SOURCES_SHOWN)
        query = SearchSpec(query=spec.question, library=spec.library, top=top)
        found = self._search(query, job)
        return found.passages, found.notice

    def _answer(
        self,
        spec: AskSpec,
        card: ModelCard,
        mode: str,
        passages: list[PassageHit],
        history: list[Exchange],
        notice: str,
        clock: _Clock,
        job: Job,
    ) -> AnswerReport:
        loading_from = time.monotonic()

        def on_loading() -> None:
            job.emit("loading", {"model": card.name})

        def on_token(text: str) -> None:
            clock.token()
            job.emit("token", {"text": text})

        with self._generator.using(card, job, on_loading) as model:
            clock.loading_s = time.monotonic() - loading_from
            limit = budget.answer_tokens(card.context_used, spec.max_tokens)
            read = passages[: self._reads(spec, card)]
            context = self._fit(model, card, mode, spec.question, read, history, limit, job)
            made = model.generate(context.prompt, limit, job=job, on_token=on_token)
        clock.token()  # an empty answer has its first token at its end
        cited = cite(made.text, spec.question, context.shown)
        notices = [notice, context.notice, _ending_notice(made, limit)]
        claims = mode != "none" and made.text.strip() and not says_nothing(made.text)
        if claims and not cited.citations:
            notices.append(UNSUPPORTED)
        return _report(spec, card, mode, made, cited, passages, clock, notices)

    def _fit(
        self,
        model: Generator,
        card: ModelCard,
        mode: str,
        question: str,
        passages: Sequence[PassageHit],
        history: Sequence[Exchange],
        limit: int,
        job: Job,
    ) -> _Context:
        """Fit passages and earlier turns into the context; the question is never cut."""
        words = wording("none" if mode == "none" else "joint")
        room = card.context_used - limit - _SAFETY_TOKENS
        kept = self._fit_history(model, words, question, history, card.context_used, job)
        room -= model.prompt_tokens(build_prompt(words, question, (), kept), job)
        texts = [hit.text for hit in passages]
        trimmed = budget.trim(texts, room, lambda some: model.count_tokens(some, job))
        shown = [
            hit.model_copy(update={"text": text})
            for hit, text in zip(passages, trimmed, strict=True)
        ]
        if passages and not any(trimmed):
            raise InvalidInput(
                f"The question leaves no room for any passage in the {card.context_used} "
                "tokens this model reads.",
                hint="Ask a shorter question, or set a larger context in the settings.",
            )
        cleaned = [readable(text) for text in trimmed if text]
        read = [text for text, _ in cleaned]
        if characters := budget.repeated_characters(card):
            few = min(characters, sum(map(len, read)) // 2)
            best = [text for text in focus(read, question, few) if text]
            read += best if best != read else []
        prompt = build_prompt(words, question, read, kept)
        cut = sum(1 for text, part in zip(texts, trimmed, strict=True) if text != part)
        notice = f"{cut} of {len(texts)} passages were shortened to fit." if cut else ""
        if any(orders for _, orders in cleaned):
            notice += " Text that gives orders to the model was left out."
        return _Context(prompt, [hit for hit in shown if hit.text], notice.strip())

    def _fit_history(
        self,
        model: Generator,
        words: Wording,
        question: str,
        history: Sequence[Exchange],
        context: int,
        job: Job,
    ) -> list[Exchange]:
        """As many of the latest turns as fit into their share of the context."""
        alone = model.prompt_tokens(build_prompt(words, question), job)
        for first in range(len(history)):
            kept = list(history[first:])
            tokens = model.prompt_tokens(build_prompt(words, question, (), kept), job)
            if tokens - alone <= int(context * budget.HISTORY_SHARE):
                return kept
        return []


def _mode(spec: AskSpec) -> str:
    """The mode to use, once the question is known to be one.

    Raises:
        InvalidInput: no question, or no library to answer from.
    """
    if not spec.question.strip():
        raise InvalidInput("The question is empty.", hint="Type a question.")
    if len(spec.question) > MAX_QUESTION_CHARACTERS:
        raise InvalidInput(
            f"The question has {len(spec.question)} characters; "
            f"{MAX_QUESTION_CHARACTERS} are allowed.",
            hint="Ask a shorter question.",
        )
    if spec.adapter not in (None, "none"):
        raise InvalidInput(f"There is no adapter {spec.adapter!r}.", hint="Use none.")
    if spec.top is not None and not 1 <= spec.top <= 50:
        raise InvalidInput("The number of passages must be from 1 to 50.")
    if spec.max_tokens < 1:
        raise InvalidInput("An answer needs at least one token.")
    if spec.mode == "joint" and spec.library is None:
        raise InvalidInput("Mode joint needs a library.", hint="Name one, or use mode none.")
    if spec.mode == "none" or spec.library is None:
        return "none"
    return "joint"


def _nothing_found(spec: AskSpec, card: ModelCard, clock: _Clock, notice: str) -> AnswerReport:
    """Nothing was retrieved: say so, and do not let the model invent."""
    return AnswerReport(
        question=spec.question,
        answer=NOTHING_FOUND,
        refused=True,
        citations=[],
        sentences=[],
        passages=[],
        mode="joint",
        model=card.id,
        timings=Timings(
            retrieve_ms=clock.retrieved_ms, first_token_ms=clock.ms(), total_ms=clock.ms()
        ),
        tokens=Tokens(prompt=0, generated=0),
        notice=notice,
    )


def _ending_notice(made: Generated, limit: int) -> str:
    if made.ending == "length":
        return f"The answer was cut after {limit} tokens."
    if made.ending == "loop":
        return "The model began to repeat itself and was stopped."
    return ""


def _report(
    spec: AskSpec,
    card: ModelCard,
    mode: str,
    made: Generated,
    cited: Cited,
    passages: list[PassageHit],
    clock: _Clock,
    notices: list[str],
) -> AnswerReport:
    writing_s = (made.total_ms - made.first_token_ms) / 1000
    speed = (made.generated_tokens - 1) / writing_s if made.generated_tokens > 1 else 0.0
    # A sentence the passages support is an answer, whatever else the model says it lacks.
    refused = mode != "none" and not cited.citations and says_nothing(made.text)
    refused = refused and made.ending != "stopped"
    return AnswerReport(
        question=spec.question,
        answer=cited.text,
        refused=refused,
        stopped=made.ending == "stopped",
        citations=cited.citations,
        sentences=cited.sentences,
        passages=passages,
        mode=mode,
        model=card.id,
        timings=Timings(
            retrieve_ms=round(clock.retrieved_ms, 2),
            first_token_ms=round(clock.first_token_ms, 2),
            total_ms=round(clock.ms(), 2),
        ),
        tokens=Tokens(prompt=made.prompt_tokens, generated=made.generated_tokens),
        tokens_per_second=round(speed, 2),
        notice=" ".join(notice for notice in notices if notice),
    )
