"""One library's part in a search: what counts there, and its best passages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from engine.library.rows import NOTHING_RANKED, Ids, Ranking, Vectors
from engine.library.tables import Tables
from engine.store.ledger import PASSAGES_PER_CONTENT, FileCondition, Ledger, LiveContent

Found = Callable[[], Ranking]
"""Waits for a ranking that was begun elsewhere. SQLite is only asked by who calls it."""
_EVERY_FILE = FileCondition()
_WIDEN = 4
_SPARE = 1.5
"""How many more candidates than a filter should leave are asked for at first."""
_SCAN_OVER_LIST = 30
"""A list of n ids costs LanceDB about n · 10 µs; finding the wanted 100 among N passages of
which n count means ranking about 150 · N / n of them, at 2 µs each. They meet at n² = 30 N."""


@dataclass(frozen=True)
class Source:
    """A library to search: its id, its name for sentences, its tables."""

    library_id: str
    name: str
    tables: Tables


class Counted:
    """Contents that count, and so the passages that do.

    Args:
        contents: (content_id, passages) of each.
    """

    def __init__(self, contents: Iterable[tuple[int, int]]) -> None:
        pairs = np.array(sorted(contents), np.int64).reshape(-1, 2)
        self._contents, self._lengths = pairs[:, 0], pairs[:, 1]
        self.contents = len(pairs)
        self.passages = int(self._lengths.sum())

    def ids(self) -> Ids:
        """Ids of all their passages, shape (passages,)."""
        starts = np.cumsum(self._lengths) - self._lengths
        ordinals = np.arange(self.passages) - np.repeat(starts, self._lengths)
        return np.repeat(self._contents * PASSAGES_PER_CONTENT, self._lengths) + ordinals

    def of(self, found: Ranking) -> Ranking:
        """Those of `found` that count, each once: a torn write may have left a row twice."""
        if not self.contents:
            return NOTHING_RANKED
        content, ordinal = np.divmod(found.ids, PASSAGES_PER_CONTENT)
        place = np.minimum(np.searchsorted(self._contents, content), self.contents - 1)
        counts = (self._contents[place] == content) & (ordinal < self._lengths[place])
        first = np.zeros(len(found.ids), bool)
        first[np.unique(found.ids, return_index=True)[1]] = True
        return Ranking(found.ids[counts & first], found.scores[counts & first])


class Scope:
    """What counts in one library for one search.

    Args:
        source: the library.
        ledger: says which passages count.
        condition: which files do; None for all.

    Every method raises StorageDamaged when the tables or the ledger cannot be read.
    """

    def __init__(self, source: Source, ledger: Ledger, condition: FileCondition | None) -> None:
        self.source = source
        self._ledger = ledger
        self._condition = condition or _EVERY_FILE
        self._stored: tuple[int, int] | None = None
        self.allowed: Counted | None = None
        """What a filter lets through; None without one."""
        if condition is not None:
            self.allowed = Counted(ledger.matching_contents(source.library_id, condition))

    @property
    def stored(self) -> tuple[int, int]:
        """Contents and passages of the library, whatever the filter."""
        if self._stored is None:
            self._stored = self._ledger.searchable(self.source.library_id)
        return self._stored

    @property
    def empty(self) -> bool:
        """True when a filter lets nothing through."""
        return self.allowed is not None and not self.allowed.passages

    def dense(self, vector: Vectors, wanted: int, pool: Executor) -> Found:
        """The nearest `wanted` passages that count; exact when there is a filter."""
        tables = self.source.tables

        def nearest(count: int, among: Ids | None) -> Ranking:
            if self.allowed is None or among is not None:
                return tables.dense(vector, count, among)
            return tables.dense_exactly(vector, count)

        return self._best(nearest, wanted, pool)

    def keyword(self, parts: list[tuple[str, float]], wanted: int, pool: Executor) -> Found:
        """The `wanted` passages that count and hold most of the weighted words."""

        def with_most(count: int, among: Ids | None) -> Ranking:
            return self.source.tables.keyword(parts, count, among)

        return self._best(with_most, wanted, pool)

    def holding(self, texts: list[str]) -> Ranking:
        """Every passage that counts and holds all words of one of `texts`."""
        return self._counted(self.source.tables.holding(texts))

    def live(self, content_ids: Iterable[int]) -> dict[int, LiveContent]:
        """These contents, each with the first file that passes the filter."""
        return self._ledger.matching_live(self.source.library_id, self._condition, content_ids)

    def _best(
        self, rank: Callable[[int, Ids | None], Ranking], wanted: int, pool: Executor
    ) -> Found:
        """The first `wanted` of a ranking that count; `pool` has begun to rank on return.

        A few allowed passages are named to LanceDB; of many, enough are ranked first and
        looked at afterwards, more of them as long as too few count.
        """
        among: Ids | None = None
        count = wanted
        if self.allowed is not None:
            if self.empty:
                return lambda: NOTHING_RANKED
            stored = max(self.stored[1], self.allowed.passages)
            if self.allowed.passages**2 <= _SCAN_OVER_LIST * stored:
                among = self.allowed.ids()
            else:
                count = int(_SPARE * wanted * stored / self.allowed.passages) + 1
        begun = pool.submit(rank, count, among)

        def found() -> Ranking:
            ranked, asked = begun.result(), count
            while True:
                kept = self._counted(ranked)
                if len(kept.ids) >= wanted or len(ranked.ids) < asked:
                    return Ranking(kept.ids[:wanted], kept.scores[:wanted])
                asked *= _WIDEN
                ranked = rank(asked, among)

        return found

    def _counted(self, found: Ranking) -> Ranking:
        if self.allowed is not None:
            return self.allowed.of(found)
        here = self._ledger.matching_contents(
            self.source.library_id, _EVERY_FILE, found.contents()
        )
        return Counted(here).of(found)
