"""Search over libraries by their records: those that cannot be searched are left out."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from engine.errors import StorageDamaged
from engine.library.pairs import PairCounter
from engine.library.weighing import Weighing
from engine.store.ledger import Ledger, LibraryRecord
from engine.work.api import SearchReport, SearchSpec
from engine.work.jobs import Job

if TYPE_CHECKING:  # these load Arrow, which a list of libraries does not need
    from engine.library.embedding import Embedder
    from engine.library.reranking import Reranker
    from engine.library.tables import Tables


class Opened(Protocol):
    """The tables of libraries, as `engine.library.opening.OpenTables` keeps them."""

    damaged: set[str]

    def get(self, record: LibraryRecord) -> Tables: ...

    def repair(self, record: LibraryRecord) -> bool: ...


class Searches:
    """Searches any libraries of a home. Thread-safe.

    Args:
        ledger: says which passages count.
        tables: where they are.
        embedder: turns a question into a vector.
        reranker: looks at the first candidates again, if it is on.
    """

    def __init__(
        self,
        ledger: Ledger,
        tables: Opened,
        embedder: Embedder,
        reranker: Reranker | None = None,
    ) -> None:
        self._ledger = ledger
        self._tables = tables
        self._embedder = embedder
        self._reranker = reranker
        self._weighing = Weighing()
        self._pairs = PairCounter()

    def find(
        self,
        asked: Sequence[LibraryRecord],
        current: Sequence[LibraryRecord],
        spec: SearchSpec,
        job: Job,
    ) -> SearchReport:
        """Search those of the libraries `asked` for that are `current`, the main one first.

        One that is damaged and cannot be repaired is left out, too; a notice names it.

        Raises:
            InvalidInput: the filter says nothing.
            StorageDamaged: none of them can be read.
            Cancelled: `job` was cancelled.
        """
        # The first search of a process loads LanceDB: those seconds are not the search's.
        importlib.import_module("engine.library.search")
        start = time.perf_counter()
        searched = list(current)
        try:
            report = self._find(searched, spec, job)
        except StorageDamaged:
            searched = [record for record in current if self._sound(record)]
            if not searched:
                raise
            report = self._find(searched, spec, job)
        self._tables.damaged -= {record.library_id for record in searched}
        left_out = [record.name for record in asked if record not in searched]
        if left_out:
            notice = f"Not searched, because it has to be rebuilt: {', '.join(left_out)}."
            report.notice = f"{report.notice} {notice}".strip()
        report.milliseconds = (time.perf_counter() - start) * 1000
        return report

    def _find(
        self, records: Sequence[LibraryRecord], spec: SearchSpec, job: Job
    ) -> SearchReport:
        from engine.library.candidates import Source
        from engine.library.search import Search

        sources = [
            Source(record.library_id, record.name, self._tables.get(record))
            for record in records
        ]
        search = Search(
            sources, self._ledger, self._embedder, self._weighing, self._pairs, self._reranker
        )
        return search.find(spec, job)

    def _sound(self, record: LibraryRecord) -> bool:
        """True when the library's tables open, if need be after a repair."""
        try:
            self._tables.get(record).check()
        except StorageDamaged:
            return self._tables.repair(record)
        return True
