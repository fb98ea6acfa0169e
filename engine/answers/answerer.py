"""One question from beginning to end: scope, retrieve, prompt, generate, cite, remember."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.answers import budget, followups
from engine.answers.citations import cite
from engine.answers.fitting import Fitting
from engine.answers.generator import Generator
from engine.answers.prompts import Exchange
from engine.answers.reporting import Asked, Clock, ending_notice, nothing_found, report
from engine.answers.scope import Scope, resolve
from engine.models.registry import ModelRegistry
from engine.settings import load_settings
from engine.store import conversations
from engine.store.db import Store, utc_now
from engine.work.api import (
    AnswerReport,
    AskSpec,
    ModelCard,
    PassageHit,
    SearchReport,
    SearchSpec,
)
from engine.work.jobs import NULL_JOB, Job

DRAWING_TEMPERATURE = 0.7
"""With a seed: enough for other words, not enough for another answer."""

Search = Callable[[SearchSpec, Job], SearchReport]


@dataclass(frozen=True)
class _Turn:
    """An earlier question and its answer without marks; `supported`: by a passage."""

    question: str
    answer: str
    supported: bool
    refused: bool = False


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
        and `stopped` is set. Only a finished or stopped answer is kept: whatever goes wrong
        before leaves the conversation as it was, also when a turn was to be replaced.

        Raises:
            InvalidInput: an empty question, an unknown library, model, preset, conversation
                or turn.
            ModelUnavailable, NotEnoughMemory: the model cannot be run.
            WorkerCrashed: a process died; `details` hold the part of the answer there was.
            Cancelled: stopped before the first word.
        """
        clock, asked_at = Clock(), utc_now()
        scope = resolve(self._store, spec)
        card = self._models.find(spec.model)
        turns = self._turns(spec)
        # Half a character cannot be stored or searched for.
        question = spec.question.encode("utf-8", "replace").decode()
        standalone = _standalone(question, turns) if _rewrites(spec, scope) else question
        asked = Asked(question, standalone, scope, card, asked_at)
        if asked.rewritten:
            job.emit("rewritten", {"question": asked.rewritten})
        passages, notice = self._retrieve(spec, asked, job)
        clock.retrieved()
        job.emit("sources", {"passages": [hit.model_dump() for hit in passages]})
        if scope.mode != "none" and not passages:
            made = nothing_found(asked, clock, notice)
        else:
            made = self._answer(spec, asked, passages, turns, notice, clock, job)
        if spec.conversation == "":
            return made
        return conversations.append(self._store, spec.conversation, made, spec.replaces)

    def _turns(self, spec: AskSpec) -> list[_Turn]:
        """The latest turns before this one, oldest first."""
        count = max(budget.HISTORY_TURNS, followups.TURNS)
        if not spec.conversation:
            # What a question brings along is taken as said.
            return [_Turn(one.question, one.answer, True) for one in spec.history[-count:]]
        kept = conversations.last_turns(
            self._store, spec.conversation, count, before=spec.replaces
        )
        return [
            _Turn(
                turn.question,
                " ".join(s.text for s in turn.sentences) or turn.answer,
                bool(turn.citations),
                turn.refused,
            )
            for turn in kept
        ]

    def _reads(self, spec: AskSpec, card: ModelCard) -> int:
        """How many passages the model reads."""
        set_by_user = spec.top or load_settings(self._store.home).passages
        return set_by_user or budget.passages_for(card)

    def _retrieve(self, spec: AskSpec, asked: Asked, job: Job) -> tuple[list[PassageHit], str]:
        """The sources: what the model reads, and for the person a few more to look into."""
        if asked.scope.mode == "none":
            return [], ""
        first, *others = asked.scope.libraries
        query = SearchSpec(
            query=asked.query,
            library=first,
            libraries=others,
            top=spec.top or max(self._reads(spec, asked.card), budget.SOURCES_SHOWN),
            filter=asked.scope.filter,
        )
        found = self._search(query, job)
        return found.passages, found.notice

    def _answer(
        self,
        spec: AskSpec,
        asked: Asked,
        passages: list[PassageHit],
        turns: Sequence[_Turn],
        notice: str,
        clock: Clock,
        job: Job,
    ) -> AnswerReport:
        loading_from = time.monotonic()
        card, scope = asked.card, asked.scope
        about = followups.subject(asked.question, asked.standalone)
        count = budget.history_turns(card, scope.mode != "none")
        history = _history(turns, count)

        def on_loading() -> None:
            job.emit("loading", {"model": card.name})

        def on_token(text: str) -> None:
            clock.token()
            job.emit("token", {"text": text})

        with self._generator.using(card, job, on_loading) as model:
            clock.loading_s = time.monotonic() - loading_from
            limit = budget.answer_tokens(card.context_used, spec.max_tokens)
            system = scope.preset.system if scope.preset is not None else ""
            context = Fitting(model, card, scope.mode, system, limit, job).fit(
                # Without the turns before it, a question without words of its own is none.
                asked.question if history else about,
                about,
                passages[: self._reads(spec, card)],
                history,
            )
            made = model.generate(
                context.prompt,
                limit,
                temperature=0.0 if spec.seed is None else DRAWING_TEMPERATURE,
                seed=spec.seed or 0,
                job=job,
                on_token=on_token,
            )
        clock.token()  # an empty answer has its first token at its end
        cited = cite(made.text, about, context.shown)
        notices = [notice, context.notice, ending_notice(made, limit)]
        return report(asked, made, cited, passages, clock, notices)


def _rewrites(spec: AskSpec, scope: Scope) -> bool:
    return spec.rewrite and scope.mode != "none"


def _standalone(question: str, turns: Sequence[_Turn]) -> str:
    """The question as it is searched for."""
    # A refused question still names its subject; an unsupported answer may name anything.
    said = [Exchange(t.question, t.answer if t.supported else "") for t in turns]
    return followups.standalone(question, said)


def _history(turns: Sequence[_Turn], count: int) -> list[Exchange]:
    """The last `count` turns as the model reads them, oldest first."""
    return [
        Exchange(turn.question, turn.answer)
        for turn in turns[len(turns) - min(count, len(turns)) :]
        if not turn.refused
    ]
