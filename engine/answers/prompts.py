"""Prompts: instructions, passages, earlier turns and the question, put together as parts."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from engine.answers.generation import Part, Prompt, Turn
from engine.paths import resources_dir

_FIELD = re.compile(r"\{(passages|question|n|text)\}")


@dataclass(frozen=True)
class Wording:
    """The texts of one kind of prompt, from `resources/prompts`."""

    version: int
    system: str
    passage: str
    between: str
    user: str
    plain: str
    plain_stops: tuple[str, ...]
    preset: str = ""
    """The user's own system prompt, in place of `system`."""


@dataclass(frozen=True)
class Exchange:
    """An earlier question of the conversation and its answer."""

    question: str
    answer: str


@functools.cache
def wording(name: str) -> Wording:
    """The prompt `name` ("joint" or "none")."""
    data = tomllib.loads((resources_dir() / "prompts" / f"{name}.toml").read_text("utf-8"))
    return Wording(
        version=data["version"],
        system=data["system"],
        passage=data["passage"],
        between=data["between"],
        user=data["user"],
        plain=data["plain"],
        plain_stops=tuple(data["plain_stops"]),
    )


def build_prompt(
    words: Wording,
    question: str,
    passages: Sequence[str] = (),
    history: Sequence[Exchange] = (),
    kept: int | None = None,
    bind: bool = True,
) -> Prompt:
    """The prompt for `question` over `passages`, after the turns in `history`.

    The passages stand before the first earlier question: so a follow-up that reads the same
    ones begins as the question before it did, and is not computed again up to its last turn.
    Every question is worded as it was when it was the last one, for the same reason.

    The first `kept` passages (default: all) are marked as worth keeping; the others belong
    to this question and stand beside it. What leads from the last passage to the question is
    the same for every question and, with `bind`, kept with it: less to compute when one is
    asked. Whoever may put other passages in between asks for it never, so that what was kept
    for one question is found for the next.

    Questions, answers, passages and presets are untrusted parts; only a base model's own
    plain wording is trusted beside the chat template.
    """
    system = Part(text=words.preset) if words.preset else Part(text=words.system, trusted=True)
    turns = [Turn(role="system", content=[system])]
    plain: list[Part] = []
    if words.preset:
        plain += [Part(text=words.preset), Part(text="\n\n", trusted=True)]
    first = len(passages) if kept is None or not history else kept
    listed = _list_passages(words, passages[:first], first if kept is None else kept)
    bound = bind and bool(listed) and listed[-1].kept
    for turn in history:
        answer = Part(text=turn.answer, turn=True)
        turns.append(Turn(role="user", content=_fill(words.user, turn.question, listed, bound)))
        turns.append(Turn(role="assistant", content=[answer]))
        plain += _fill(words.plain, turn.question, listed, bound)
        plain += [Part(text=" "), answer, Part(text="\n\n", trusted=True)]
        listed, bound = _list_passages(words, passages[first:], 0), False
    turns.append(Turn(role="user", content=_fill(words.user, question, listed, bound)))
    plain += _fill(words.plain, question, listed, bound)
    return Prompt(turns=turns, plain=plain, plain_stops=list(words.plain_stops))


def _list_passages(words: Wording, passages: Sequence[str], kept: int) -> list[Part]:
    parts: list[Part] = []
    for n, text in enumerate(passages, 1):
        if parts:
            parts.append(Part(text=words.between, trusted=True))
        for piece in _FIELD.split(words.passage):
            if piece == "n":
                parts.append(Part(text=str(n), trusted=True))
            elif piece == "text":
                parts.append(Part(text=text.strip(), kept=n <= kept))
            elif piece:
                parts.append(Part(text=piece, trusted=True))
    return parts


def _fill(form: str, question: str, passages: list[Part], bound: bool) -> list[Part]:
    """`form` with its fields filled in; the text around missing passages goes with them.

    `bound`: what follows the passages belongs to the last of them.
    """
    if not passages:
        form = form.replace("{passages}\n\n", "").replace("{passages}", "")
    parts: list[Part] = []
    for piece in _FIELD.split(form):
        if piece == "question":
            parts.append(Part(text=question.strip()))
        elif piece == "passages":
            parts.extend(passages)
        elif piece:
            after = bool(parts) and parts[-1].kept
            parts.append(Part(text=piece, trusted=True, bound=bound and after))
    return _joined(parts)


def _joined(parts: list[Part]) -> list[Part]:
    """Neighbours of one kind as one part: fewer seams for the tokenizer."""
    joined: list[Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        alone = part.kept or part.bound or (before and (before.kept or before.bound))
        if before and before.trusted == part.trusted and not alone:
            joined[-1] = Part(text=before.text + part.text, trusted=part.trusted)
        else:
            joined.append(part)
    return joined
