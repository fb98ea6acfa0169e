"""Make ledger and tables agree after a kill, a power cut or a repaired table."""

from __future__ import annotations

import numpy as np

from engine.library.tables import Tables
from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger


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
    counts = np.array(ledger.stored_counts(library_id), np.int64).reshape(-1, 3)
    stored = np.union1d(
        np.unique(passage_ids // PASSAGES_PER_CONTENT),
        np.unique(vector_ids // PASSAGES_PER_CONTENT),
    )
    dead = np.setdiff1d(stored, counts[:, 0])
    if dead.size:
        tables.delete_contents([int(content_id) for content_id in dead])
    first, stop = _ranges(passage_ids, counts[:, 0])
    lost = counts[stop - first != counts[:, 1], 0]
    if lost.size:
        ledger.mark_stale([int(content_id) for content_id in lost])
    _reconcile_vectors(counts, vector_ids, ledger, tables)


def _ranges(sorted_ids: np.ndarray, contents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the rows of each content begin and end among `sorted_ids`."""
    base = contents * PASSAGES_PER_CONTENT
    return (
        np.searchsorted(sorted_ids, base),
        np.searchsorted(sorted_ids, base + PASSAGES_PER_CONTENT),
    )


def _reconcile_vectors(
    counts: np.ndarray, vector_ids: np.ndarray, ledger: Ledger, tables: Tables
) -> None:
    """The vectors of a content must be its passages 0 … embedded-1, each once."""
    corrected: list[tuple[int, int]] = []
    superfluous: list[int] = []
    starts, stops = _ranges(vector_ids, counts[:, 0])
    # Sorted and each once, the last of n vectors has ordinal n-1: then all is well.
    sizes = stops - starts
    last = np.where(sizes > 0, vector_ids[stops - 1] if vector_ids.size else 0, -1)
    ordinals_end = np.where(sizes > 0, last - counts[:, 0] * PASSAGES_PER_CONTENT, -1)
    distinct = _distinct(vector_ids, starts, stops)
    sound_all = (ordinals_end == sizes - 1) & (distinct == sizes) & (sizes == counts[:, 2])
    for row in np.flatnonzero(~sound_all):
        content_id, _, embedded = (int(value) for value in counts[row])
        ordinals = vector_ids[starts[row] : stops[row]] - content_id * PASSAGES_PER_CONTENT
        off = np.flatnonzero(ordinals != np.arange(ordinals.size))
        sound = int(off[0]) if off.size else int(ordinals.size)
        if off.size:
            # At the first doubled id the one before it is doubled too: redo both.
            while sound and sound < ordinals.size and ordinals[sound] == ordinals[sound - 1]:
                sound -= 1
            superfluous.extend(
                int(content_id * PASSAGES_PER_CONTENT + ordinal)
                for ordinal in np.unique(ordinals[sound:])
            )
        if sound != embedded:
            corrected.append((content_id, sound))
    if superfluous:
        tables.delete_vectors(superfluous)
    if corrected:
        ledger.commit_embedded(corrected)


def _distinct(sorted_ids: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """How many different ids lie in each range."""
    new = np.ones(sorted_ids.size, np.int64)
    new[1:] = sorted_ids[1:] != sorted_ids[:-1]
    before = np.concatenate([[0], np.cumsum(new)])
    return before[stops] - before[starts]
