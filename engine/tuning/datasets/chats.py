"""Conversations as examples: one for each answer, after the turns before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.tuning.datasets.types import Said

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
}
_MAX_TURNS = 1_000


class NotAConversation(ValueError):
    """The messages cannot be told apart; says why."""


@dataclass(frozen=True)
class Answered:
    """One answer of a conversation and what stood before it."""

    question: str
    answer: str
    system: str
    history: tuple[Said, ...]


def answers_of(messages: Sequence[Any]) -> list[Answered]:
    """Every answer of a conversation, in order.

    `messages` are {"role", "content"} (chat) or {"from", "value"} (ShareGPT).

    Raises:
        NotAConversation: a turn is neither the system's, a user's nor an assistant's.
    """
    if len(messages) > _MAX_TURNS:
        raise NotAConversation(f"It has more than {_MAX_TURNS:,} turns.")
    found: list[Answered] = []
    history: list[Said] = []
    system = ""
    asked: list[str] = []
    for message in messages:
        role, text = _turn(message)
        if role == "system":
            system = f"{system}\n\n{text}".strip()
        elif role == "user":
            asked.append(text)
        elif asked:
            question = "\n\n".join(asked)
            if text:
                found.append(Answered(question, text, system, tuple(history)))
            history.append(Said(question=question, answer=text))
            asked = []
    return found


def _turn(message: Any) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise NotAConversation("A turn is no object with a role and a text.")
    turn = cast("dict[str, Any]", message)
    said = str(turn.get("role", turn.get("from", ""))).strip().casefold()
    if said not in _ROLES:
        raise NotAConversation(
            f"A turn is by {said[:40]!r}, which is nobody a model learns from."
        )
    return _ROLES[said], _text(turn.get("content", turn.get("value"))).strip()


def _text(content: Any) -> str:
    """The text of a turn; of one in parts, those that are text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [
            cast("dict[str, Any]", part).get("text")
            for part in cast("list[Any]", content)
            if isinstance(part, dict)
        ]
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""
