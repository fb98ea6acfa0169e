"""How many passages, and how much of each, a model gets to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.answers.generation import Mode
from engine.answers.sentences import cut_to
from engine.work.api import ModelCard

PASSAGES_BY_PARAMETERS = ((1_000_000_000, 1), (3_000_000_000, 3), (8_000_000_000, 5))
"""(parameters below, passages): more passages make a small model worse."""
PASSAGES_APART = 4
"""Passages read each by itself: a wrong one among them costs time, hardly correctness."""
SOURCES_SHOWN = 4
"""Sources a person is shown at least, whatever the model reads of them."""
SMALLEST_PARAMETERS = 300_000_000
"""Models below this size look things up rather than do what they are told."""
REPEAT_CHARACTERS = 100
"""So much the smallest models read a second time, last: the sentences that matter."""
MOST_PASSAGES = 8
MOST_ANSWER_SHARE = 0.5
HISTORY_SHARE = 0.25
HISTORY_TURNS = 2
HISTORY_PARAMETERS = 1_000_000_000
"""Models below this size read no earlier turns beside passages: they answer no better with
them, and have two thirds more to read before the first word (docs/adr/0016)."""
_SEAM_TOKENS = 12
"""Room for a passage's number and the seams around it."""


def passages_for(card: ModelCard, mode: Mode) -> int:
    """How many passages this model is to read in this mode when nobody said."""
    if mode != "joint":
        return PASSAGES_APART
    for below, count in PASSAGES_BY_PARAMETERS:
        if card.parameters < below:
            return count
    return MOST_PASSAGES


def repeated_characters(card: ModelCard) -> int:
    """How much of its passages this model is to read a second time."""
    return REPEAT_CHARACTERS if card.parameters < SMALLEST_PARAMETERS else 0


def history_turns(card: ModelCard, mode: Mode) -> int:
    """How many earlier turns this model is to read, beside passages or without.

    Passages read apart come without: every one of them would have to be computed again.
    """
    if mode == "none":
        return HISTORY_TURNS
    return HISTORY_TURNS if mode == "joint" and card.parameters >= HISTORY_PARAMETERS else 0


def answer_tokens(context: int, max_tokens: int, prompts: int = 1) -> int:
    """Tokens the answer may take: what was asked for, at most half of the context.

    Written after several prompts at once, it takes its room in each.
    """
    return max(1, min(max_tokens, int(context * MOST_ANSWER_SHARE) // max(prompts, 1)))


def fair_shares(sizes: Sequence[int], budget: int) -> list[int]:
    """Share `budget` so that small ones get all they need and the rest the same each.

    The sum never exceeds max(budget, 0), and no share exceeds its size.
    """
    shares = [0] * len(sizes)
    left, waiting = max(budget, 0), len(sizes)
    for at in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        shares[at] = min(sizes[at], left // waiting)
        left -= shares[at]
        waiting -= 1
    return shares


def trim(
    texts: Sequence[str], budget: int, count: Callable[[Sequence[str]], list[int]]
) -> list[str]:
    """Cut `texts` at sentence ends so that together they take at most `budget` tokens.

    Args:
        texts: passages, best first.
        budget: tokens for all of them.
        count: tokens of each text.

    A text that gets no room comes back empty.
    """
    sizes = [size + _SEAM_TOKENS for size in count(texts)]
    shares = fair_shares(sizes, budget)
    cut: list[str] = []
    for text, size, share in zip(texts, sizes, shares, strict=True):
        if share >= size:
            cut.append(text)
            continue
        room = share - _SEAM_TOKENS
        part = cut_to(text, int(len(text) * max(room, 0) / size))
        while part and count([part])[0] > room:
            part = cut_to(text, int(len(part) * 0.85))
        cut.append(part)
    return cut
