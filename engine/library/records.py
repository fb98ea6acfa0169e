"""Which libraries there are, how they are named, and whether this version made them."""

from __future__ import annotations

import os

from engine.documents.types import READER_VERSION
from engine.errors import InvalidInput, LibraryOutdated
from engine.files import show_path
from engine.store.ledger import KnownFile, Ledger, LibraryRecord

FORMAT_VERSION = 2
"""Bumped when the tables' columns, or what is embedded of a passage, change."""
_EMPTY_NAME = "Documents"


class Records:
    """Looks libraries up and makes new ones.

    Args:
        ledger: where they are kept.
        embedder: id of the embedder in use.
    """

    def __init__(self, ledger: Ledger, embedder: str) -> None:
        self._ledger = ledger
        self._embedder = embedder

    def record(self, ref: str) -> LibraryRecord:
        """The library with this id or name.

        Raises:
            InvalidInput: there is none; the hint names those there are.
        """
        found = self._ledger.find(ref)
        if found is not None:
            return found
        names = ", ".join(record.name for record in self._ledger.libraries())
        raise InvalidInput(
            f"There is no library {ref!r}.",
            hint=f"There is: {names}." if names else "Index a folder first.",
        )

    def file(self, library: str, file_id: int) -> KnownFile:
        """One file of a library.

        Raises:
            InvalidInput: the library or the file is unknown.
        """
        known = self._ledger.file(self.record(library).library_id, file_id)
        if known is None:
            raise InvalidInput("This file is no longer in the library.", hint="Search again.")
        return known

    def library_for(self, ref: str | None, root: bytes) -> LibraryRecord:
        """The library named, made when new; without a name, the one with just this root.

        Raises:
            InvalidInput: the name is empty.
        """
        embedder, format_version = self.made_with()
        if ref is None:
            for record in self._ledger.libraries():
                if root in self._ledger.roots(record.library_id):
                    return record
            ref = self._free_name(show_path(os.path.basename(root)) or _EMPTY_NAME)
        if not ref.strip():
            raise InvalidInput("A library needs a name.", hint="Give it one.")
        return self._ledger.find(ref) or self._ledger.create(
            ref.strip(), embedder, READER_VERSION, format_version
        )

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 2
        while self._ledger.find(name) is not None:
            name, number = f"{wanted} {number}", number + 1
        return name

    def made_with(self) -> tuple[str, int]:
        """The embedder and the format that new libraries are made with."""
        return self._embedder, FORMAT_VERSION

    def current(self, record: LibraryRecord) -> bool:
        """True when it was made with what this version makes libraries with."""
        made_with = (record.embedder, record.format, record.reader_version)
        return made_with == (*self.made_with(), READER_VERSION)

    def require_current(self, record: LibraryRecord) -> None:
        """Refuse a library of another version.

        Raises:
            LibraryOutdated: it is one.
        """
        if not self.current(record):
            raise LibraryOutdated(
                f"The library {record.name!r} was made by another version of Whetstone.",
                hint="Rebuild it: it is read again from your documents.",
                details=f"{record}; now {self.made_with()}, reader {READER_VERSION}",
            )


def folder_named(text: str) -> bytes:
    """The folder without links, absolute.

    Raises:
        InvalidInput: it does not exist or is not a folder.
    """
    raw = raw_path(text)
    try:
        root = os.path.realpath(raw)
        if os.path.isdir(root):
            return root
    except (OSError, ValueError):
        pass
    raise InvalidInput(
        f"There is no folder {show_path(raw)!r}.", hint="Check the name and try again."
    )


def raw_path(text: str) -> bytes:
    """A path as a person writes it, with ~ for the home, as bytes."""
    return os.fsencode(os.path.expanduser(text))
