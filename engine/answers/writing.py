"""One answer from a loaded model: prompts in, pieces of text out, until its end or a stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.answers.candidates import Candidates
from engine.answers.contexts import Contexts
from engine.answers.drafts import Draft, pick
from engine.answers.generation import Alternative, Ending, Generated, Prompt, Task
from engine.answers.grammars import Grammar
from engine.answers.mixing import log_softmax, mix, normalized, posterior
from engine.answers.runtime import Runtime
from engine.answers.templates import STOP_TEXTS, ChatTemplate
from engine.answers.vocabulary import Segment, Tokens
from engine.errors import Cancelled, InvalidInput
from engine.work.jobs import Job


def prompt_segments(prompt: Prompt, template: ChatTemplate) -> list[Segment]:
    """The prompt in reading order.

    Raises:
        ModelUnavailable: the model's chat template cannot hold this conversation.
    """
    if template.used == "none":
        return [Segment(p.text, p.trusted, p.kept, p.bound, p.turn) for p in prompt.plain]
    segments: list[Segment] = []
    for slot in template.layout([turn.role for turn in prompt.turns]):
        if slot.message is None:
            segments.append(Segment(slot.text, True))
        else:
            content = prompt.turns[slot.message].content
            # The role's text is trusted as writing, but never as control tokens.
            segments.extend(
                Segment(part.text, False, part.kept, part.bound, part.turn) for part in content
            )
    return segments


def prompt_tokens(runtime: Runtime, template: ChatTemplate, prompt: Prompt) -> Tokens:
    """The prompt as the model reads it, after the soft prompt where one is in use."""
    tokens = runtime.vocabulary.prompt(prompt_segments(prompt, template))
    soft = runtime.soft_prompt
    if not soft:
        return tokens
    shift = len(soft)
    return Tokens(
        [*soft, *tokens.ids],
        [cut + shift for cut in tokens.cuts],
        frozenset(cut + shift for cut in tokens.brief),
    )


class Voice(Protocol):
    """What the next token is taken from."""

    def scores(self) -> NDArray[np.float32]:
        """Scores of every token to come next, (v,)."""
        ...

    def likelihoods(self, token: int) -> tuple[float, list[float]]:
        """Log-probability of `token` to come next: as it is chosen, and under each passage."""
        ...

    def take(self, token: int) -> None:
        """Go on after `token`."""
        ...


class OneVoice:
    """One prompt, read into sequence 0."""

    def __init__(self, runtime: Runtime, scores: NDArray[np.float32]) -> None:
        self._runtime = runtime
        self._scores = scores

    def scores(self) -> NDArray[np.float32]:
        """See `Voice`."""
        return self._scores

    def likelihoods(self, token: int) -> tuple[float, list[float]]:
        """See `Voice`; there are no passages apart."""
        return float(log_softmax(self._scores)[token]), []

    def take(self, token: int) -> None:
        """See `Voice`."""
        self._scores = self._runtime.compute({0: [token]})[0][-1]


class MixedVoices:
    """RAG-Token: passages 0 … k-1, each read into the sequence of its number, speak as one."""

    def __init__(
        self, runtime: Runtime, scores: NDArray[np.float32], prior: Sequence[float]
    ) -> None:
        self._runtime = runtime
        self._prior = normalized(np.asarray(prior, np.float64))
        self._conditionals = log_softmax(scores)
        self._mixed = mix(self._prior, self._conditionals)

    def scores(self) -> NDArray[np.float32]:
        """See `Voice`."""
        return self._mixed

    def likelihoods(self, token: int) -> tuple[float, list[float]]:
        """See `Voice`."""
        return float(self._mixed[token]), self._conditionals[:, token].tolist()

    def take(self, token: int) -> None:
        """See `Voice`."""
        rows = self._runtime.compute({seq: [token] for seq in range(len(self._prior))})
        self._conditionals = log_softmax(np.stack([row[-1] for row in rows.values()]))
        self._mixed = mix(self._prior, self._conditionals)


@dataclass(frozen=True)
class _Start:
    """Prompts that were read: scores of what comes next (k, v), tokens, tokens reused."""

    prompts: list[Tokens]
    scores: NDArray[np.float32]
    tokens: int
    reused: int


def write(
    runtime: Runtime, contexts: Contexts, template: ChatTemplate, task: Task, job: Job
) -> Generated:
    """Write an answer; each piece goes out as a "token" event as soon as it is certain.

    The event carries `text` and, in token mode, `weights`: what each passage had in it. A
    cancel ends the answer with what there is (ending "stopped").

    Raises:
        InvalidInput: the prompts do not fit, or the grammar is none or cannot be followed.
        ModelUnavailable: the model gives no usable numbers, or an adapter's file is gone.
        Cancelled: stopped before the first token.
    """
    begun = time.monotonic()
    if task.grammar and task.mode == "sequence":
        raise InvalidInput("Answers that are weighed as wholes cannot be held to a grammar.")
    contexts.use_adapters(task.adapters)
    start = _read(runtime, contexts, template, task, job)
    stops = STOP_TEXTS if template.used != "none" else task.prompts[0].plain_stops
    limit = min(task.max_tokens, runtime.room // len(start.prompts))
    first_at: list[float] = []

    def emit(text: str, under: Sequence[float]) -> None:
        if text:
            job.emit("token", {"text": text, **_weights(task, under)})

    def on_first() -> None:
        first_at.append(time.monotonic())

    alternatives: list[Alternative] = []
    if task.mode == "sequence":
        found = Candidates(runtime, stops, task, job).best(start.scores, limit)
        draft, alternatives = found.draft, found.alternatives
        on_first()
        emit(draft.text, ())
    else:
        voice = (
            MixedVoices(runtime, start.scores, task.prior)
            if task.mode == "token"
            else OneVoice(runtime, start.scores[0])
        )
        draft = Draft(runtime.vocabulary, stops)
        with _chooser(runtime, task) as choose:
            ending = _run(draft, voice, limit, choose, job, emit, on_first)
        emit(draft.finish(ending), ())
    return Generated(
        text=draft.text,
        ending=draft.ending or "end",
        prompt_tokens=start.tokens,
        reused_tokens=start.reused,
        generated_tokens=len(draft.written),
        first_token_ms=((first_at or [time.monotonic()])[0] - begun) * 1000,
        total_ms=(time.monotonic() - begun) * 1000,
        tokens=draft.written,
        prior=normalized(np.asarray(task.prior, np.float64)).tolist() if task.prior else [],
        alternatives=alternatives,
    )


def _read(
    runtime: Runtime, contexts: Contexts, template: ChatTemplate, task: Task, job: Job
) -> _Start:
    prompts = [prompt_tokens(runtime, template, one) for one in task.prompts]
    if task.mode != "none":
        read = contexts.read(prompts, job)
        return _Start(prompts, read.scores, read.tokens, read.reused)
    size = len(prompts[0].ids)
    if size + 1 >= runtime.context:
        raise InvalidInput(
            f"The question has {size} tokens; this model reads {runtime.context} at most.",
            hint="Ask a shorter question.",
        )
    reused = contexts.converse(prompts[0], job)
    return _Start(prompts, runtime.logits()[None], size, reused)


_Choose = Callable[[NDArray[np.float32]], int]
"""The next token, out of the scores of all of them."""


@contextmanager
def _chooser(runtime: Runtime, task: Task) -> Generator[_Choose]:
    """How a task's tokens are chosen."""
    chance = np.random.default_rng(task.seed)
    if not task.grammar:
        yield lambda scores: pick(scores, task.temperature, chance)
        return
    with Grammar(runtime.vocabulary, task.grammar) as grammar:
        yield lambda scores: grammar.choose(scores, task.temperature, chance)


def _run(
    draft: Draft,
    voice: Voice,
    limit: int,
    choose: _Choose,
    job: Job,
    emit: Callable[[str, Sequence[float]], None],
    on_first: Callable[[], None],
) -> Ending:
    """Write up to `limit` tokens; why it ended where the draft itself did not."""
    while len(draft.written) < limit:
        token = choose(voice.scores())
        if not draft.ids:
            on_first()
        own, under = voice.likelihoods(token)
        emit(draft.take(token, own, under), under)
        if draft.ending is not None:
            return draft.ending
        try:
            job.checkpoint()
        except Cancelled:
            return "stopped"
        if len(draft.written) < limit:
            voice.take(token)
    return "length"


def _weights(task: Task, under: Sequence[float]) -> dict[str, list[float]]:
    """For an event: what each passage had in a token, p(z | y_t)."""
    if not under:
        return {}
    prior = normalized(np.asarray(task.prior, np.float64))
    shares = np.exp(posterior(prior, [np.asarray(under)]))
    return {"weights": [round(float(share), 3) for share in shares]}


def count_tokens(runtime: Runtime, texts: Sequence[str]) -> list[int]:
    """Tokens of each text as untrusted text."""
    return [len(runtime.vocabulary.untrusted(text)) for text in texts]
