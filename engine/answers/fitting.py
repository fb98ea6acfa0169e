"""What the model reads: passages and earlier turns as far as its context has room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.answers import budget
from engine.answers.focus import focus
from engine.answers.generation import Mode, Prompt
from engine.answers.generator import Generator
from engine.answers.orders import readable
from engine.answers.prompts import Exchange, Wording, build_prompt, wording
from engine.errors import InvalidInput
from engine.work.api import ModelCard, PassageHit
from engine.work.jobs import Job

_SAFETY_TOKENS = 16


@dataclass(frozen=True)
class Context:
    """What the model reads: the prompts, and the passages as far as they are in them.

    One prompt, or in modes that read passages apart one for each passage shown.
    """

    prompts: list[Prompt]
    shown: list[PassageHit]
    notice: str


def in_earlier_order(
    passages: Sequence[PassageHit], earlier: Sequence[int], count: int
) -> list[PassageHit]:
    """The first `count` passages with those read before first, in the order they were read.

    What a prompt has in common with the one before it is not computed again.

    Args:
        passages: best first; which of them are read does not change.
        earlier: ids of the passages that the turn before read.
        count: how many the model reads.
    """
    place = {passage: n for n, passage in enumerate(earlier)}
    read = sorted(passages[:count], key=lambda hit: place.get(hit.passage_id, len(place)))
    return [*read, *passages[count:]]


def passage_text(hit: PassageHit) -> str:
    """A passage as a model reads it: under its table's header row, without orders in it."""
    header, text = readable(hit.header)[0].strip(), readable(hit.text)[0]
    return f"{header}\n{text}" if header else text


def words_for(card: ModelCard, mode: Mode, preset: str = "", tuned: bool = False) -> Wording:
    """How a model is asked.

    The smallest models look things up where the words of a question stand, and do worse with
    any other instruction; those above are told to answer shortly. One that was tuned is asked
    as its examples were worded.

    Args:
        card: the model.
        mode: how passages are read.
        preset: the system prompt the user chose; "" for the plain one.
        tuned: it answers with an adapter.
    """
    plain = tuned or card.parameters < budget.SMALLEST_PARAMETERS
    name = "none" if mode == "none" else "passages" if plain else "passages-exact"
    return replace(wording(name), preset=preset)


def passage_prompt(
    card: ModelCard, hit: PassageHit, preset: str, tuned: bool = False
) -> Prompt:
    """A prompt whose kept part is that of every question about this passage read by itself.

    Args:
        card: the model that reads it.
        hit: the passage.
        preset: the system prompt the user chose; "" for the plain one.
        tuned: it reads it with an adapter.
    """
    words = words_for(card, "joint", preset, tuned)
    bind = not budget.repeated_characters(card)
    return build_prompt(words, "", [passage_text(hit)], bind=bind)


class Fitting:
    """Fits one question's material into the context of the loaded model.

    Args:
        model: the loaded model, which counts tokens.
        card: what is known of it.
        mode: how passages are read.
        words: how it is asked.
        limit: tokens the answer may take.
        job: can cancel the counting.
    """

    def __init__(
        self,
        model: Generator,
        card: ModelCard,
        mode: Mode,
        words: Wording,
        limit: int,
        job: Job,
    ) -> None:
        self._model = model
        self._card = card
        self._apart = mode in ("token", "sequence")
        self._words = words
        self._limit = limit
        self._job = job

    def fit(
        self,
        question: str,
        about: str,
        passages: Sequence[PassageHit],
        history: Sequence[Exchange],
    ) -> Context:
        """Fit passages and earlier turns into the context; the question is never cut.

        Args:
            question: as the model reads it.
            about: what the sentences that matter are chosen by.
            passages: best first.
            history: earlier turns, oldest first.

        Raises:
            InvalidInput: the question leaves no room for any passage.
        """
        kept = self._fit_history(question, history)
        alone = build_prompt(self._words, question, (), kept)
        prompts = len(passages) if self._apart else 1
        base = self._model.prompt_tokens(alone, self._job) + self._limit + _SAFETY_TOKENS
        room = self._card.context_used - prompts * base
        headers = [hit.header for hit in passages if hit.header]
        if headers:
            room -= sum(self._model.count_tokens(headers, self._job))
        trimmed = self._trim(passages, room)
        shown = [
            hit.model_copy(update={"text": text})
            for hit, text in zip(passages, trimmed, strict=True)
            if text
        ]
        read = [passage_text(hit) for hit in shown]
        groups = [[one] for one in read] if self._apart else [read]
        cut = sum(1 for hit, part in zip(passages, trimmed, strict=True) if hit.text != part)
        notice = f"{cut} of {len(passages)} passages were shortened to fit." if cut else ""
        if any(readable(hit.text)[1] for hit in shown):
            notice += " Text that gives orders to the model was left out."
        return Context(
            [self._prompt(question, about, group, kept) for group in groups],
            shown,
            notice.strip(),
        )

    def _prompt(
        self, question: str, about: str, read: list[str], history: Sequence[Exchange]
    ) -> Prompt:
        again = self._repeated(read, about)
        bind = not budget.repeated_characters(self._card)
        return build_prompt(
            self._words, question, [*read, *again], history, kept=len(read), bind=bind
        )

    def _trim(self, passages: Sequence[PassageHit], room: int) -> list[str]:
        texts = [hit.text for hit in passages]
        trimmed = budget.trim(
            texts, room, lambda some: self._model.count_tokens(some, self._job)
        )
        if passages and not any(trimmed):
            raise InvalidInput(
                f"The question leaves no room for any passage in the "
                f"{self._card.context_used} tokens this model reads.",
                hint="Ask a shorter question, or set a larger context in the settings.",
            )
        return trimmed

    def _repeated(self, read: list[str], about: str) -> list[str]:
        """For the smallest models, the sentences that matter once more at the end."""
        characters = budget.repeated_characters(self._card)
        if not characters:
            return []
        few = min(characters, sum(map(len, read)) // 2)
        best = [text for text in focus(read, about, few) if text]
        return best if best != read else []

    def _fit_history(self, question: str, history: Sequence[Exchange]) -> list[Exchange]:
        """As many of the latest turns as fit into their share of the context."""
        alone = self._model.prompt_tokens(build_prompt(self._words, question), self._job)
        share = int(self._card.context_used * budget.HISTORY_SHARE)
        for first in range(len(history)):
            kept = list(history[first:])
            prompt = build_prompt(self._words, question, (), kept)
            if self._model.prompt_tokens(prompt, self._job) - alone <= share:
                return kept
        return []
