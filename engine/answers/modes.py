"""Which way of reading passages answers a question, and why."""

from __future__ import annotations

from dataclasses import dataclass

from engine.answers import budget
from engine.answers.generation import Mode
from engine.answers.scope import Scope
from engine.work.api import ModelCard

APART_PARAMETERS = 2_000_000_000
"""Models below this size read passages apart: measured, see docs/answer-modes.md."""
SINGLE_PARAMETERS = 300_000_000
"""Models below this size write worse from several passages, read together or apart."""


@dataclass(frozen=True)
class Choice:
    """A mode, the passages the model reads in it, and why the engine chose it ("" if asked)."""

    mode: Mode
    passages: int
    reason: str = ""


def choose(scope: Scope, card: ModelCard, passages: int | None = None) -> Choice:
    """The mode for one question.

    Args:
        scope: what is asked of; its mode may be "auto".
        card: the model.
        passages: how many it is to read; None or 0 leaves that to the engine.
    """
    if scope.mode == "none":
        return Choice("none", 0)
    if scope.mode != "auto":
        return Choice(scope.mode, passages or budget.passages_for(card, scope.mode))
    if card.parameters < SINGLE_PARAMETERS and (passages or 1) == 1:
        return Choice("joint", 1, "a model this small answers best so")
    if card.parameters < APART_PARAMETERS:
        count = passages or budget.passages_for(card, "token")
        reason = "a model of this size answers better so"
        return Choice("token", count, reason)
    count = passages or budget.passages_for(card, "joint")
    return Choice("joint", count, "a model of this size reads several passages well together")
