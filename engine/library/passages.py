"""Stored passages as a person is shown them, and one file's passages in order."""

from __future__ import annotations

from engine.library.rows import PassageRow
from engine.library.tables import Tables
from engine.store.ledger import PASSAGES_PER_CONTENT, HeldFile
from engine.work.api import PassageHit, Ranks


def passage_hit(row: PassageRow, library: str, held: HeldFile) -> PassageHit:
    """A passage of a file that no search ranked."""
    return PassageHit(
        passage_id=row.passage_id,
        file_id=held.file_id,
        path=held.shown,
        title=held.title,
        heading=row.heading,
        page=row.page,
        text=row.text,
        start=row.start,
        end=row.end,
        score=0.0,
        ranks=Ranks(),
        library=library,
        place=row.place,
        header=row.header,
    )


def in_order(tables: Tables, library: str, held: HeldFile, most: int) -> list[PassageHit]:
    """The first `most` passages of a file, in the order of its text.

    Raises:
        StorageDamaged: the tables cannot be read.
    """
    first = held.content_id * PASSAGES_PER_CONTENT
    rows = tables.fetch_range(first, first + max(0, min(most, held.passages)))
    return [passage_hit(rows[number], library, held) for number in sorted(rows)]
