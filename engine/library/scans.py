"""Scanned pages in an indexing run: which are read by OCR, when, and what becomes of them.

A file whose pages are pictures is stored first with whatever text it has. When all ordinary
files are through, its pages are read one at a time, each kept as soon as it is read; then the
file is read once more, whole. A run that ends in between loses at most the page in work.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.documents.formats import PICTURE
from engine.documents.scanner import Scanner
from engine.documents.scans import Scan, load_scan, store_scan
from engine.errors import InvalidInput, ModelUnavailable, WorkerCrashed
from engine.library.reading import Fresh
from engine.store.ledger import KnownFile, Ledger
from engine.work.api import ScanChoice
from engine.work.jobs import Job

FIRST = "It is read after all other files."


@dataclass(order=True)
class _Due:
    """A content whose pages are to be read: fewest pages first, then as they came."""

    pages: int
    content_id: int
    sha256: str = field(compare=False)
    unread: list[int] = field(compare=False)


class ScanReading:
    """The scans of one run.

    Args:
        library_id, ledger: whose contents.
        scanner: reads pages; None: nobody does.
        folder: where what was found on pages is kept.
        choice: which scans are read, as the run was asked.
        allowance_s: what one file may cost under the choice "settings".
        job: asked to stop, and told nothing: the run tells.
    """

    def __init__(
        self,
        library_id: str,
        ledger: Ledger,
        scanner: Scanner | None,
        folder: Path,
        choice: ScanChoice,
        allowance_s: float,
        job: Job,
    ) -> None:
        self._library_id = library_id
        self._ledger = ledger
        self._scanner = scanner
        self._folder = folder
        self._choice: ScanChoice = choice
        self._allowance_s = allowance_s
        self._job = job
        self._due: list[_Due] = []
        self._held: set[int] = set()
        self._broken = ""
        self.pages_read = 0

    @property
    def due(self) -> bool:
        """True while a step is to be taken."""
        return bool(self._due)

    @property
    def pages_left(self) -> int:
        """Pages still to be read in this run."""
        return sum(len(due.unread) for due in self._due)

    def holds(self, content_id: int) -> bool:
        """True for a content whose pages this run is going to read."""
        return content_id in self._held

    def reconsider(self) -> None:
        """Have contents looked into again whose pages were left, and can be read now."""
        fitting = [
            content_id
            for content_id, pages in self._ledger.scans_left(self._library_id)
            if self._wanted(pages)
        ]
        self._ledger.mark_stale(fitting)

    def forgive(self, files: Iterable[KnownFile]) -> None:
        """Let pages of these files be tried again that could not be read."""
        for sha256 in {file.sha256 for file in files if file.sha256}:
            path = self._folder / f"{sha256}.json"
            scan = load_scan(path)
            good = {number: page for number, page in scan.pages.items() if not page.note}
            if len(good) < len(scan.pages):
                store_scan(path, Scan(good))

    def judge(self, item: Fresh) -> Fresh:
        """What was read, with the reason when it is nothing, and whether OCR comes next."""
        document = item.document
        if document is None or not document.unread:
            return item
        pages = len(document.unread)
        due = self._wanted(pages)
        judged = replace(item, scan_pages=pages, scan_due=due)
        if document.passages:
            return judged
        what = scan_words(document.kind, pages)
        reason = f"{what} {FIRST}" if due else self._broken or self._refusal(what, pages)
        return replace(judged, reason=reason)

    def add(self, content_id: int, item: Fresh) -> None:
        """Read the pages of a content, judged to be due, later in this run."""
        unread = list(item.document.unread) if item.document else []
        self._held.add(content_id)
        heapq.heappush(self._due, _Due(len(unread), content_id, item.sha256, unread))

    def step(self) -> list[KnownFile]:
        """Read one page; the files of its content once that was the last.

        Raises:
            Cancelled: the job was cancelled; pages read before are kept.
            StorageFull: what was found cannot be kept.
        """
        due = self._due[0]
        files = self._ledger.files_of(due.content_id)
        if files and due.unread and not self._broken:
            self._read_page(files, due)
        if files and due.unread and not self._broken:
            return []
        heapq.heappop(self._due)
        self._held.discard(due.content_id)
        return files

    def _read_page(self, files: list[KnownFile], due: _Due) -> None:
        assert self._scanner is not None
        path = self._folder / f"{due.sha256}.json"
        scan = load_scan(path)
        number = due.unread[0]
        if number not in scan.pages:
            try:
                page = self._scanner.read_page(files[0].path, due.sha256, number, self._job)
            except InvalidInput:
                due.unread.clear()  # the file is another one by now: it is read again
                return
            except (ModelUnavailable, WorkerCrashed) as error:
                self._broken = error.message
                return
            store_scan(path, Scan({**scan.pages, number: page}))
        due.unread.pop(0)
        self.pages_read += 1

    def _wanted(self, pages: int) -> bool:
        if self._scanner is None or self._broken or self._choice == "none":
            return False
        return self._choice == "all" or self._cost_s(pages) <= self._allowance_s

    def _cost_s(self, pages: int) -> float:
        return pages * self._scanner.page_seconds() if self._scanner is not None else 0.0

    def _refusal(self, what: str, pages: int) -> str:
        took = f" Reading it takes {duration_words(self._cost_s(pages))}." if pages else ""
        return f"{what}{took} Choose “Read the scanned pages” to have it read."


def scan_words(kind: str, pages: int) -> str:
    """What a file is that holds no text yet."""
    if kind == PICTURE.kind:
        return "A picture." if pages == 1 else f"A picture of {pages} pages."
    return "A scan of one page." if pages == 1 else f"A scan of {pages} pages."


def duration_words(seconds: float) -> str:
    """About how long that is, for a person."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 90:
        return f"about {round(seconds)} seconds"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minutes"
    return f"about {round(minutes / 60)} hours"
