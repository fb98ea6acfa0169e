"""Passages drawn by lot from a library, one of every document in turn."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from engine.store.ledger import PASSAGES_PER_CONTENT


@dataclass(frozen=True)
class DrawnPassage:
    """A passage and the document it stands in: its file as shown, and the hash of that."""

    passage_id: int
    text: str
    header: str
    heading: str
    page: int | None
    path: str
    sha256: str


def draw(contents: Iterable[tuple[int, int]], most: int, seed: int) -> list[int]:
    """Ids of up to `most` passages: one of every document, then another of each, and so on.

    What is drawn of a document and when depends on the document alone: one that comes or
    goes moves the others up or down, but does not change their order.

    Args:
        contents: documents by their content ids, and how many passages each has.
        most: passages wanted.
        seed: of the lots.
    """
    lots = sorted(
        (random.Random(f"{seed} {content}").random(), content, passages)
        for content, passages in contents
        if passages > 0
    )
    found: list[int] = []
    orders: dict[int, list[int]] = {}
    turn = 0
    while len(found) < most and lots:
        lots = [lot for lot in lots if lot[2] > turn]
        for _, content, passages in lots[: most - len(found)]:
            if content not in orders:
                order = list(range(passages))
                random.Random(f"{seed} {content} passages").shuffle(order)
                orders[content] = order[:most]
            found.append(content * PASSAGES_PER_CONTENT + orders[content][turn])
        turn += 1
    return found
