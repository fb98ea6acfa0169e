"""Libraries, their files, indexing and following."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.base import View

FileState = Literal["indexed", "read", "waiting", "skipped"]
"""indexed: searchable by words and meaning; read: by words only, vectors follow;
waiting: seen, not read yet; skipped: not readable, see `reason`."""


class SkippedFile(View):
    """A file that could not be read, and why, in one plain sentence."""

    path: str
    reason: str


class FileCounts(View):
    """Every regular file under the roots stands in exactly one of the first three."""

    indexed: int = 0
    unchanged: int = 0
    skipped: list[SkippedFile] = Field(default_factory=list[SkippedFile])
    removed: int = 0
    duplicates: int = 0


ScanChoice = Literal["settings", "none", "all"]
"""Which scanned pages and pictures are read by OCR: those within the cost a file that the
settings state, none, or all."""


class IndexSpec(View):
    """Index `folder` into `library` (a name or id; default: one named after the folder)."""

    folder: str
    library: str | None = None
    scans: ScanChoice = "settings"


class IndexReport(View):
    """How an indexing run ended. `passages` counts the passages written in this run."""

    library: str
    library_id: str
    files: FileCounts
    passages: int
    seconds: float
    passages_per_second: float


class LibraryView(View):
    """One library as shown in a list. `state` says what the user can do with it."""

    id: str
    name: str
    roots: list[str]
    files: int
    skipped: int
    waiting: int
    passages: int
    size_bytes: int
    state: Literal["ready", "indexing", "outdated", "damaged", "empty"]
    embedder: str
    updated_at: str
    """UTC, ISO 8601; empty when never indexed."""
    pending_passages: int = 0
    """Passages found by their words only so far: their vectors are still to come."""
    agreed_at: str = ""
    """When all its folders were last known to agree with the index; UTC, ISO 8601."""
    following: Literal["live", "scanning", "paused", "lost", "off"] = "off"
    """How changes on the disk are noticed. live: at once; scanning: by looking through the
    folders every few minutes; paused: by the user; lost: a folder cannot be reached;
    off: no window is open, the next start looks."""
    following_reason: str = ""
    """One plain sentence for anything but live, e.g. why it scans or which folder is lost."""


class RenameLibrarySpec(View):
    """Give a library another name; names are unique, whatever their case."""

    library: str
    name: str


class RootSpec(View):
    """One folder of a library, as its `roots` show it."""

    library: str
    folder: str


class RetrySpec(View):
    """Read these files again now; `scans` "all" reads scanned pages whatever they cost."""

    library: str
    file_ids: list[int]
    scans: ScanChoice = "settings"


class Counted(View):
    """A value to filter by, and how many files have it."""

    value: str
    files: int


class LibraryFacets(View):
    """What a library can be filtered by: kinds, folders (two levels), oldest and newest."""

    types: list[Counted]
    folders: list[Counted]
    oldest: str
    newest: str


class IndexingEvent(View):
    """Progress of an indexing run that nobody asked for: a change on the disk was noticed."""

    library_id: str
    name: str
    done: float = 0.0
    total: float = 0.0
    note: str = ""
    eta_s: float | None = None
    ended: bool = False
    report: IndexReport | None = None
    """How it ended, when it ended well."""
    message: str = ""
    """One sentence when it did not."""


class FileRow(View):
    """One file of a library."""

    file_id: int
    path: str
    name: str
    kind: str
    state: FileState
    reason: str = ""
    size_bytes: int
    modified_at: str
    pages: int = 0
    passages: int = 0
    title: str = ""
    scan_pages: int = 0
    """Pages that could be read by OCR if the user asks for it; 0 when there are none."""
    scan_seconds: float = 0.0
    """About how long that would take on this machine."""


class FilesSpec(View):
    """Page through a library's files; `match` filters on the shown path, case-insensitively."""

    library: str
    offset: int = 0
    limit: int = 200
    state: FileState | None = None
    match: str = ""
    sort: Literal["name", "kind", "modified", "size", "state"] = "name"
    descending: bool = False


class FilesPage(View):
    """`total` counts all rows that match, not only those returned."""

    total: int
    rows: list[FileRow]


class LibraryRef(View):
    """A library by name or id."""

    library: str


class LibraryList(View):
    libraries: list[LibraryView]
