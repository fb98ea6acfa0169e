"""What the ledger's rows are as Python objects, and how each is made of a SQLite row."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass

PASSAGES_PER_CONTENT = 1 << 20
"""passage_id = content_id * PASSAGES_PER_CONTENT + ordinal."""


@dataclass(frozen=True)
class LibraryRecord:
    """One library, what its passages were made with, and how it stands with the disk.

    See 0100_libraries.sql and 0110_following.sql.
    """

    library_id: str
    name: str
    embedder: str
    reader_version: int
    format: int
    generation: int
    created_at: str
    updated_at: str
    paused: int
    pauses: int
    agreed_at: str
    following: str
    following_reason: str
    settled: int


@dataclass(frozen=True)
class KnownFile:
    """A file as the ledger has it. `state` is its content's; "" while it has none.

    `stale` content still serves search but has to be read anew.
    """

    file_id: int
    path: bytes
    size_bytes: int
    mtime_ns: int
    reason: str
    content_id: int | None
    state: str
    content_reason: str
    stale: bool
    sha256: str = ""
    """Of the content; "" when it is stale."""


@dataclass(frozen=True)
class SeenFile:
    """A file as a scan found it; a `reason` means it is skipped without being read."""

    path: bytes
    size_bytes: int
    mtime_ns: int
    reason: str = ""


@dataclass(frozen=True)
class Content:
    """What equal files contain. See 0100_libraries.sql for `state`."""

    content_id: int
    state: str
    reason: str
    title: str
    kind: str
    pages: int
    passages: int
    embedded: int


@dataclass(frozen=True)
class ReadContent:
    """What reading gave for one content: passages stored, or the reason there are none."""

    content_id: int
    files: tuple[SeenFile, ...]
    reason: str = ""
    title: str = ""
    kind: str = ""
    pages: int = 0
    passages: int = 0
    scan_pages: int = 0
    """Pages that only OCR can read and that it has not read."""
    scan_due: bool = False
    """It is going to: a file without other text waits for it."""


@dataclass(frozen=True)
class LiveContent:
    """A content that counts for search, with the file that stands for it."""

    content: Content
    file_id: int
    path: bytes
    shown: str


@dataclass(frozen=True)
class Totals:
    """Counts over one library; `pending` passages have no vector yet."""

    files: int
    skipped: int
    waiting: int
    passages: int
    pending: int


def covers(root: bytes, path: bytes) -> bool:
    """True when `path` is `root` or lies below it. Both absolute, without links."""
    sep = os.fsencode(os.sep)
    return path == root or path.startswith(root.rstrip(sep) + sep)


def range_below(folder: bytes) -> tuple[bytes, bytes]:
    """[first, stop) of all paths below `folder`, as bytes compare."""
    prefix = folder.rstrip(os.fsencode(os.sep)) + os.fsencode(os.sep)
    return prefix, prefix[:-1] + bytes([prefix[-1] + 1])


def storable(text: str) -> str:
    """Text SQLite can hold: lone surrogates are escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def library_of(row: sqlite3.Row) -> LibraryRecord:
    """The library in a row of `libraries`."""
    return LibraryRecord(**{key: row[key] for key in LibraryRecord.__dataclass_fields__})


def content_of(row: sqlite3.Row) -> Content:
    """The content in a row of `contents`."""
    return Content(**{key: row[key] for key in Content.__dataclass_fields__})


def known_of(row: sqlite3.Row) -> KnownFile:
    """The file in a row of `files` joined with its content."""
    return KnownFile(
        file_id=row["file_id"],
        path=bytes(row["path"]),
        size_bytes=row["size_bytes"],
        mtime_ns=row["mtime_ns"],
        reason=row["reason"],
        content_id=row["content_id"],
        state=row["state"] or "",
        content_reason=row["content_reason"] or "",
        stale=row["content_id"] is not None and row["sha256"] is None,
        sha256=row["sha256"] or "",
    )
