"""What libraries hold, apart from search: their files, one read in order, and counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from engine.errors import InvalidInput, StorageDamaged
from engine.library.filtering import condition
from engine.library.records import Records
from engine.library.searching import Opened
from engine.store.ledger import FileCondition, Ledger, LibraryRecord
from engine.work.api.reading import (
    CountReport,
    CountSpec,
    DocumentText,
    FilesSpec,
    HeldDocument,
)
from engine.work.jobs import NULL_JOB, Job

if TYPE_CHECKING:
    from engine.library.drawing import DrawnPassage
    from engine.library.known_items import KnownItem

_R = TypeVar("_R")


class Holdings:
    """Looks into libraries without ranking anything. Thread-safe.

    Args:
        ledger: says what counts.
        records: finds libraries.
        tables: where passages are.
    """

    def __init__(self, ledger: Ledger, records: Records, tables: Opened) -> None:
        self._ledger = ledger
        self._records = records
        self._tables = tables

    def files(self, spec: FilesSpec) -> list[HeldDocument]:
        """The files of a scope that were read, each path once.

        Raises:
            InvalidInput: there is no such library, or the filter says nothing.
        """
        from engine.library.counting import document

        wanted = condition(spec.filter) or FileCondition()
        found: dict[bytes, HeldDocument] = {}
        for record in self._named(spec.libraries):
            for held in self._ledger.matching_files(record.library_id, wanted):
                found.setdefault(held.path, document(record.library_id, held))
        return list(found.values())

    def read(self, library: str, file_id: int, most: int) -> DocumentText:
        """The first `most` passages of a file in order.

        Raises:
            InvalidInput: there is no such library, or the file is no longer in it.
            LibraryOutdated: it was made with another embedder or reader version.
            StorageDamaged: its tables cannot be read.
        """
        from engine.library.counting import document
        from engine.library.passages import in_order

        record = self._records.record(library)
        self._records.require_current(record)
        one = FileCondition(file_ids=(file_id,))
        held = next(iter(self._ledger.matching_files(record.library_id, one)), None)
        if held is None:
            raise InvalidInput("This file is no longer in the library.", hint="Ask again.")
        passages = self._sound(
            [record],
            lambda: in_order(self._tables.get(record), record.library_id, held, most),
        )
        return DocumentText(
            file=document(record.library_id, held),
            passages=passages,
            missing=min(most, held.passages) - len(passages),
        )

    def count(self, spec: CountSpec, job: Job = NULL_JOB) -> CountReport:
        """Count over some libraries; of several, one that has to be rebuilt is left out.

        Raises:
            InvalidInput: there is no such library, or the filter says nothing.
            LibraryOutdated: none of them was made with this version.
            StorageDamaged: the tables cannot be read.
            Cancelled: `job` was cancelled.
        """
        from engine.library.candidates import Source
        from engine.library.counting import Mentions

        asked = self._named(spec.libraries)
        current = [record for record in asked if self._records.current(record)]
        if not current:
            self._records.require_current(asked[0])
        sources = [
            Source(record.library_id, record.name, self._tables.get(record))
            for record in current
        ]
        report = self._sound(current, lambda: Mentions(sources, self._ledger).count(spec, job))
        report.left_out = [record.name for record in asked if record not in current]
        return report

    def known_items(self, library: str, most: int) -> list[KnownItem]:
        """Questions whose passage is known, from as many documents as there are.

        Raises:
            InvalidInput: there is no such library.
            LibraryOutdated: it was made with another embedder or reader version.
            StorageDamaged: its tables cannot be read.
        """
        from engine.library.known_items import make_known_items

        record = self._records.record(library)
        self._records.require_current(record)

        def make() -> list[KnownItem]:
            tables = self._tables.get(record)
            return make_known_items(self._ledger, tables, record.library_id, most)

        return self._sound([record], make)

    def draw(self, library: str, most: int, seed: int) -> list[int]:
        """Ids of passages drawn by lot, of every document in turn; see `drawing.draw`.

        Raises:
            InvalidInput: there is no such library.
            LibraryOutdated: it was made with another embedder or reader version.
        """
        from engine.library.drawing import draw

        record = self._records.record(library)
        self._records.require_current(record)
        counts = self._ledger.stored_counts(record.library_id)
        return draw(((content, passages) for content, passages, _ in counts), most, seed)

    def drawn(self, library: str, passage_ids: Sequence[int]) -> list[DrawnPassage]:
        """Passages by their ids, in that order; those that are gone are left out.

        Raises:
            InvalidInput: there is no such library.
            StorageDamaged: its tables cannot be read.
        """
        from engine.files import show_path
        from engine.library.drawing import DrawnPassage

        record = self._records.record(library)
        rows = self._sound([record], lambda: self._tables.get(record).fetch(passage_ids))
        found: list[DrawnPassage] = []
        for number in passage_ids:
            row = rows.get(number)
            held = self._ledger.files_of(row.content_id) if row is not None else []
            if row is None or not held:
                continue
            found.append(
                DrawnPassage(
                    passage_id=number,
                    text=row.text,
                    header=row.header,
                    heading=row.heading,
                    page=row.page,
                    path=show_path(held[0].path),
                    sha256=held[0].sha256,
                )
            )
        return found

    def keys(self, texts: Sequence[str]) -> list[list[str]]:
        """The words of each text as the full-text index has them."""
        from engine.library.analysis import analyse

        return [[word.key for word in words] for words in analyse(texts)]

    def _named(self, libraries: Sequence[str]) -> list[LibraryRecord]:
        named = [self._records.record(ref) for ref in libraries]
        return list({record.library_id: record for record in named}.values())

    def _sound(self, records: Sequence[LibraryRecord], look: Callable[[], _R]) -> _R:
        """What `look` gives, if need be after tables were repaired."""
        try:
            return look()
        except StorageDamaged:
            repaired = [self._opens(record) for record in records]
            if not all(repaired):
                raise
            return look()

    def _opens(self, record: LibraryRecord) -> bool:
        """True when the library's tables open, if need be after a repair."""
        try:
            self._tables.get(record).check()
        except StorageDamaged:
            return self._tables.repair(record)
        return True
