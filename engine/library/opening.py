"""The tables of libraries, opened once, checked and repaired when need be."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LibraryBusy, StorageDamaged
from engine.library.writing import WriterLock
from engine.paths import Home
from engine.store.ledger import LibraryRecord

if TYPE_CHECKING:  # loads Arrow, which a list of libraries does not need
    from engine.library.tables import Tables


class OpenTables:
    """Keeps the tables of every library in use open.

    Args:
        home: where they lie.
        dimensions: length of their vectors.
    """

    def __init__(self, home: Home, dimensions: int) -> None:
        self._home = home
        self._dimensions = dimensions
        self._open: dict[tuple[str, int], Tables] = {}
        self.damaged: set[str] = set()
        """Libraries whose tables could not be read when last tried."""

    def get(self, record: LibraryRecord) -> Tables:
        """The tables of the library's present generation."""
        from engine.library.tables import Tables

        key = (record.library_id, record.generation)
        if key not in self._open:
            self._open[key] = Tables(self._folder(record), self._dimensions)
        return self._open[key]

    def readable(self, record: LibraryRecord) -> bool:
        """True when both tables can be read, if need be after a repair; hold the lock."""
        tables = self.get(record)
        try:
            tables.check()
        except StorageDamaged:
            return tables.repair()
        return True

    def require_readable(self, record: LibraryRecord) -> None:
        """Make sure of it before writing; hold the lock.

        Raises:
            StorageDamaged: they cannot be repaired.
        """
        if not self.readable(record):
            self.damaged.add(record.library_id)
            raise StorageDamaged(
                f"The index of {record.name!r} is damaged. Your documents are not affected.",
                hint="Rebuild the library.",
            )

    def repair(self, record: LibraryRecord) -> bool:
        """Try to repair for a search; False when it failed or someone else is writing."""
        self.damaged.add(record.library_id)
        lock = WriterLock(self._home.locks, record.library_id, record.name)
        try:
            with lock.asked():
                return self.get(record).repair()
        except LibraryBusy:
            return False

    def drop_old(self, record: LibraryRecord) -> None:
        """Delete the tables of earlier generations."""
        for key in [key for key in self._open if key[0] == record.library_id]:
            if key[1] != record.generation:
                self._open.pop(key).close()
        for folder in self._home.library(record.library_id).glob("*"):
            if folder.name != str(record.generation):
                shutil.rmtree(folder, ignore_errors=True)

    def drop(self, record: LibraryRecord) -> None:
        """Delete all that is stored of a library."""
        self._open.pop((record.library_id, record.generation), None)
        self.damaged.discard(record.library_id)
        shutil.rmtree(self._home.library(record.library_id), ignore_errors=True)

    def close(self) -> None:
        """Let go of open files."""
        for tables in self._open.values():
            tables.close()
        self._open.clear()

    def _folder(self, record: LibraryRecord) -> Path:
        return self._home.library(record.library_id) / str(record.generation)
