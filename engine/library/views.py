"""Libraries and their files as they are shown."""

from __future__ import annotations

import datetime
import os
import sqlite3
from typing import Literal

from engine.files import folder_size_bytes, show_path
from engine.library.writing import WriterLock
from engine.paths import Home
from engine.settings import load_settings
from engine.store.ledger import Ledger, LibraryRecord
from engine.work.api import FileRow, LibraryView

Standing = Literal["live", "scanning", "paused", "lost", "off"]
_STANDINGS: dict[str, Standing] = {"live": "live", "scanning": "scanning", "lost": "lost"}


def library_view(home: Home, ledger: Ledger, record: LibraryRecord) -> LibraryView:
    """One library with its counts; `state` is "ready", "indexing" or "empty"."""
    totals = ledger.totals(record.library_id)
    lock = WriterLock(home.locks, record.library_id, record.name)
    following, reason = standing(home, record, lock)
    view = LibraryView(
        id=record.library_id,
        name=record.name,
        roots=[show_path(root) for root in ledger.roots(record.library_id)],
        files=totals.files,
        skipped=totals.skipped,
        waiting=totals.waiting,
        passages=totals.passages,
        size_bytes=folder_size_bytes(home.library(record.library_id)),
        state="ready" if totals.files else "empty",
        embedder=record.embedder,
        updated_at=record.updated_at,
        pending_passages=totals.pending,
        agreed_at=record.agreed_at,
        following=following,
        following_reason=reason,
    )
    if lock.held():
        view.state = "indexing"
    return view


def standing(home: Home, record: LibraryRecord, lock: WriterLock) -> tuple[Standing, str]:
    """How changes of the library's folders are noticed now, and why not at once if so.

    What the ledger has of it counts only while the process that wrote it still follows.
    """
    if record.paused:
        return "paused", "Paused: changes are not noticed until you resume it."
    if lock.is_followed():
        return _STANDINGS.get(record.following, "off"), record.following_reason
    if not load_settings(home).follow:
        return "off", "Following folders is turned off in the settings."
    return "off", "No window is open; the next start looks for changes."


def file_row(row: sqlite3.Row, scan_page_s: float) -> FileRow:
    """One file of a list; `row` as `Ledger.page_of_files` gives it.

    Args:
        scan_page_s: seconds that OCR takes for a page on this machine.
    """
    scan_pages = row["scan_pages"] or 0
    return FileRow(
        file_id=row["file_id"],
        path=row["shown"],
        name=show_path(os.path.basename(bytes(row["path"]))),
        kind=row["kind"] or "",
        state=row["state"],
        reason=row["reason"] or row["content_reason"] or "",
        size_bytes=row["size_bytes"],
        modified_at=iso(row["mtime_ns"]),
        pages=row["pages"] or 0,
        passages=row["passages"] or 0,
        title=row["title"] or "",
        scan_pages=scan_pages,
        scan_seconds=round(scan_pages * scan_page_s, 1),
    )


def iso(mtime_ns: int) -> str:
    """A file's time as views have it; empty for one no calendar has."""
    try:
        when = datetime.datetime.fromtimestamp(mtime_ns / 1e9, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
