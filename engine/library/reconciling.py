"""Make ledger and tables agree after a kill, a power cut or a repaired table."""

from __future__ import annotations

import numpy as np

from engine.library.tables import Tables
from engine.store.ledger import PASSAGES_PER_CONTENT, Content, Ledger


def reconcile(library_id: str, ledger: Ledger, tables: Tables) -> None:
    """Drop what the ledger does not vouch for; re-do or adopt what it lags behind on.

    - Rows of contents the ledger does not have are deleted.
    - A content whose passages are not all stored is marked to be read anew.
    - Vectors stored but not yet counted are counted; vectors counted but lost, or stored
      twice, are computed again.

    Call with the writer's lock held.

    Raises:
        StorageDamaged, StorageFull: see `Tables` and `Ledger`.
    """
    ledger.drop_unfinished(library_id)
    passage_ids = np.sort(tables.passage_ids())
    vector_ids = np.sort(tables.vector_ids())
    contents = ledger.stored_contents(library_id)
    alive = np.array([content.content_id for content in contents], np.int64)
    stored = np.union1d(
        np.unique(passage_ids // PASSAGES_PER_CONTENT),
        np.unique(vector_ids // PASSAGES_PER_CONTENT),
    )
    dead = np.setdiff1d(stored, alive)
    if dead.size:
        tables.delete_contents([int(content_id) for content_id in dead])
    lost = [content for content in contents if _count(passage_ids, content) != content.passages]
    if lost:
        ledger.mark_stale([content.content_id for content in lost])
    _reconcile_vectors(contents, vector_ids, ledger, tables)


def _count(sorted_ids: np.ndarray, content: Content) -> int:
    first, stop = _range(sorted_ids, content)
    return stop - first


def _range(sorted_ids: np.ndarray, content: Content) -> tuple[int, int]:
    base = content.content_id * PASSAGES_PER_CONTENT
    first, stop = np.searchsorted(sorted_ids, [base, base + PASSAGES_PER_CONTENT])
    return int(first), int(stop)


def _reconcile_vectors(
    contents: list[Content], vector_ids: np.ndarray, ledger: Ledger, tables: Tables
) -> None:
    """The vectors of a content must be its passages 0 … embedded-1, each once."""
    corrected: list[tuple[int, int]] = []
    superfluous: list[int] = []
    for content in contents:
        first, stop = _range(vector_ids, content)
        ordinals = vector_ids[first:stop] - content.content_id * PASSAGES_PER_CONTENT
        off = np.flatnonzero(ordinals != np.arange(ordinals.size))
        sound = int(off[0]) if off.size else int(ordinals.size)
        if off.size:
            # At the first doubled id the one before it is doubled too: redo both.
            while sound and sound < ordinals.size and ordinals[sound] == ordinals[sound - 1]:
                sound -= 1
            superfluous.extend(
                int(content.content_id * PASSAGES_PER_CONTENT + ordinal)
                for ordinal in np.unique(ordinals[sound:])
            )
        if sound != content.embedded:
            corrected.append((content.content_id, sound))
    if superfluous:
        tables.delete_vectors(superfluous)
    if corrected:
        ledger.commit_embedded(corrected)
