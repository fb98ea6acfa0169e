"""What goes into the tables of a library and comes out of them, without LanceDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.store.ledger import PASSAGES_PER_CONTENT

Ids = np.ndarray[Any, np.dtype[np.int64]]
Vectors = np.ndarray[Any, np.dtype[np.float32]]
Scores = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Ranking:
    """Passages best first: their ids and a score each, both of shape (n,)."""

    ids: Ids
    scores: Scores

    def pairs(self) -> list[tuple[int, float]]:
        """(id, score) of each."""
        return list(zip(self.ids.tolist(), self.scores.tolist(), strict=True))

    def contents(self) -> list[int]:
        """Ids of the contents they belong to, each once."""
        return np.unique(self.ids // PASSAGES_PER_CONTENT).tolist()


NOTHING_RANKED = Ranking(np.empty(0, np.int64), np.empty(0, np.float64))


@dataclass(frozen=True)
class PassageRow:
    """One stored passage. Offsets are code points of the document's text."""

    passage_id: int
    context: str
    text: str
    heading: str
    start: int
    end: int
    page: int | None
    gap: str | None = None
    """White space between the passage before and this one; None when it does not follow."""
    place: str = ""
    """Where it stands, for a person; "" when the page says it."""
    header: str = ""
    """The header row of the table it begins within."""

    @property
    def search(self) -> str:
        """What is indexed and embedded: context and header row above the text."""
        return "\n".join(part for part in (self.context, self.header, self.text) if part)

    @property
    def ordinal(self) -> int:
        """Its place among its document's passages, from 0."""
        return self.passage_id % PASSAGES_PER_CONTENT

    @property
    def content_id(self) -> int:
        """The content it belongs to."""
        return self.passage_id // PASSAGES_PER_CONTENT
