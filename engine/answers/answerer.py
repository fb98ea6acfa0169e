"""One question from beginning to end: scope, retrieve, prompt, generate, cite, remember."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from engine.answers import budget, followups, modes, presets
from engine.answers.attribution import Attribution
from engine.answers.citations import cite
from engine.answers.fitting import Context, Fitting, in_earlier_order, passage_prompt, words_for
from engine.answers.generation import Generated, Prompt, Task
from engine.answers.generator import Generator
from engine.answers.preparing import MOST_WAITING, Preparing
from engine.answers.prior import log_prior
from engine.answers.prompts import Exchange
from engine.answers.refusing import Judgement, calibrated, can_tell, look
from engine.answers.reporting import Asked, Clock, ending_notice, nothing_found, report
from engine.answers.routing import Holdings, Routing
from engine.answers.scope import Scope, resolve
from engine.answers.tuned import AdapterChooser, NoAdapters
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

HOT_TURNS = 8
"""So many of the latest answers say which passages are hot."""
DRAWING_TEMPERATURE = 0.7
"""With a seed: enough for other words, not enough for another answer."""

Search = Callable[[SearchSpec, Job], SearchReport]


@dataclass(frozen=True)
class _Turn:
    """An earlier question and its answer without marks; `supported`: by a passage.

    `sources` are the ids of the passages that were found for it, those read first.
    """

    question: str
    answer: str
    supported: bool
    refused: bool = False
    sources: tuple[int, ...] = ()


class Answerer:
    """Answers questions from libraries with the models at hand. Thread-safe.

    Args:
        store: keeps the conversations.
        models: which models there are.
        generator: writes the answers.
        search: finds passages.
        holdings: counts over libraries and reads files in order; None: every question is
            searched for.
        preparing: computes passages ahead while nobody asks; None: nothing is prepared.
        adapters: knows the adapters; None: there are none.
    """

    def __init__(
        self,
        store: Store,
        models: ModelRegistry,
        generator: Generator,
        search: Search,
        holdings: Holdings | None = None,
        preparing: Preparing | None = None,
        adapters: AdapterChooser | None = None,
    ) -> None:
        self._store = store
        self._models = models
        self._generator = generator
        self._search = search
        self._routing = Routing(generator, holdings) if holdings is not None else None
        self._preparing = preparing
        self._adapters = NoAdapters() if adapters is None else adapters

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
        with self._preparing.paused() if self._preparing is not None else nullcontext():
            return self._ask(spec, job)

    def prepare_recent(self, card: ModelCard) -> None:
        """Have the passages that recent answers were written from ready for this model."""
        if self._preparing is None:
            return
        default = AskSpec(question="", model=card.id)
        _, adapters = self._adapters.choose(default, lambda ref: card)
        known = {preset.id: preset.system for preset in presets.list_all(self._store)}
        prompts: dict[tuple[int, str], Prompt] = {}
        for turn in conversations.latest(self._store, HOT_TURNS):
            for hit in turn.passages[: budget.PASSAGES_APART]:
                system = known.get(turn.preset, "")
                made = passage_prompt(card, hit, system, tuned=bool(adapters.uses))
                prompts.setdefault((hit.passage_id, system), made)
        self._preparing.suggest(card, list(prompts.values())[:MOST_WAITING], adapters.uses)

    def _ask(self, spec: AskSpec, job: Job) -> AnswerReport:
        clock, asked_at = Clock(), utc_now()
        scope = resolve(self._store, spec)
        card, adapters = self._adapters.choose(spec, self._models.find)
        turns = self._turns(spec)
        # Half a character cannot be stored or searched for.
        question = spec.question.encode("utf-8", "replace").decode()
        top = spec.top or load_settings(self._store.home).passages
        choice = modes.choose(scope, card, top)
        asked = Asked(question, question, scope, card, choice, asked_at, adapters)
        made = self._routed(spec, asked, clock, job)
        if made is None:
            if _rewrites(spec, scope):
                asked = replace(asked, standalone=_standalone(question, turns))
            made = self._searched(spec, asked, turns, clock, job)
        if spec.conversation == "":
            return made
        return conversations.append(self._store, spec.conversation, made, spec.replaces)

    def _routed(
        self, spec: AskSpec, asked: Asked, clock: Clock, job: Job
    ) -> AnswerReport | None:
        """The answer to a question that no search can answer; None for all others."""
        if self._routing is None or asked.scope.mode != "auto":
            return None
        return self._routing.answer(asked, spec.max_tokens, clock, job)

    def _searched(
        self, spec: AskSpec, asked: Asked, turns: Sequence[_Turn], clock: Clock, job: Job
    ) -> AnswerReport:
        """The answer from the best passages, or from the model alone."""
        if asked.rewritten:
            job.emit("rewritten", {"question": asked.rewritten})
        passages, notice = self._retrieve(spec, asked, job)
        choice = asked.choice
        if turns and budget.history_turns(asked.card, choice.mode):
            passages = in_earlier_order(passages, turns[-1].sources, choice.passages)
        clock.retrieved()
        job.emit("sources", {"passages": [hit.model_dump() for hit in passages]})
        if asked.scope.mode != "none" and not passages:
            return nothing_found(asked, clock, notice)
        return self._answer(spec, asked, passages, turns, notice, clock, job)

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
                tuple(hit.passage_id for hit in turn.passages),
            )
            for turn in kept
        ]

    def _retrieve(self, spec: AskSpec, asked: Asked, job: Job) -> tuple[list[PassageHit], str]:
        """The sources: what the model reads, and for the person a few more to look into."""
        if asked.scope.mode == "none":
            return [], ""
        first, *others = asked.scope.libraries
        query = SearchSpec(
            query=asked.query,
            library=first,
            libraries=others,
            top=spec.top or max(asked.choice.passages, budget.SOURCES_SHOWN),
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
        card, scope, mode = asked.card, asked.scope, asked.choice.mode
        about = followups.subject(asked.question, asked.standalone)
        read = passages[: asked.choice.passages]
        count = budget.history_turns(card, mode)
        history = _history(turns, count)

        def on_loading() -> None:
            job.emit("loading", {"model": card.name})

        def on_token(text: str, weights: list[float]) -> None:
            clock.token()
            job.emit("token", {"text": text, **({"weights": weights} if weights else {})})

        with self._generator.using(card, job, on_loading) as model:
            clock.loading_s = time.monotonic() - loading_from
            prompts = len(read) if mode in ("token", "sequence") else 1
            limit = budget.answer_tokens(card.context_used, spec.max_tokens, prompts)
            system = scope.preset.system if scope.preset is not None else ""
            room = limit + asked.adapters.tokens
            if mode == "none" and asked.adapters.prompt is not None:
                context = Context([asked.adapters.prompt(asked.question)], [], "")
            else:
                words = words_for(card, mode, system, tuned=bool(asked.adapters.uses))
                context = Fitting(model, card, mode, words, room, job).fit(
                    # Without the turns before it, a question without words of its own is none.
                    asked.question if history else about,
                    about,
                    read,
                    history,
                )
            made = model.generate(
                Task(
                    mode=mode,
                    prompts=context.prompts,
                    adapters=asked.adapters.uses,
                    prior=log_prior(context.shown) if mode in ("token", "sequence") else [],
                    max_tokens=limit,
                    temperature=0.0 if spec.seed is None else DRAWING_TEMPERATURE,
                    seed=spec.seed or 0,
                ),
                job,
                on_token,
            )
        clock.token()  # an empty answer has its first token at its end
        cited = cite(made.text, about, context.shown, Attribution(made))
        notices = [
            notice,
            asked.adapters.notice,
            context.notice,
            ending_notice(made, limit),
        ]
        judgement = self._judge(spec, asked, passages, made)
        return report(asked, made, cited, passages, clock, notices, judgement)

    def _judge(
        self, spec: AskSpec, asked: Asked, passages: Sequence[PassageHit], made: Generated
    ) -> Judgement | None:
        """Whether the documents hold the answer; None where that cannot be told."""
        if asked.choice.mode == "none" or not can_tell(passages):
            return None
        # What was measured of the model alone says nothing of it with an adapter.
        who = " ".join(filter(None, (asked.card.id, asked.adapters.label)))
        rule = calibrated(self._store, asked.scope.libraries, who)
        judged = rule.judge(look(asked.standalone, passages, made))
        wanted = load_settings(self._store.home).refuse if spec.refuse is None else spec.refuse
        return judged if wanted else replace(judged, refuse=False)


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
