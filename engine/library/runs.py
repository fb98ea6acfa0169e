"""Runs as they are begun: with the writer's lock, a job that heeds a pause, a report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import Cancelled
from engine.library.opening import OpenTables
from engine.library.writing import WriterLock
from engine.paths import Home
from engine.settings import load_settings
from engine.store.db import utc_now
from engine.store.ledger import Ledger, LibraryRecord
from engine.work.api import IndexReport, ScanChoice
from engine.work.jobs import Job

if TYPE_CHECKING:  # these load Arrow
    from engine.documents.pool import ReaderPool
    from engine.documents.scanner import Scanner
    from engine.library.embedding import Embedder
    from engine.library.indexing import IndexRun

_LOOK_S = 0.3


class Yielded(Cancelled):
    """A run that follows the disk stopped because somebody asked for another one."""


@dataclass(frozen=True)
class RunEnd:
    """How a run ended that ended well, beside what its report says."""

    report: IndexReport
    began_at: str
    lost: dict[bytes, str] = field(default_factory=dict[bytes, str])
    restless: list[bytes] = field(default_factory=list[bytes])
    touched: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def agrees(self) -> bool:
        """True when what the run looked at is as the disk was when it began."""
        return not self.lost and not self.restless


class Runs:
    """Begins runs.

    Args:
        home: the user's data folder.
        ledger, tables: where everything goes.
        readers, embedder, scanner: who reads, who embeds, who reads scanned pages.
    """

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        tables: OpenTables,
        readers: ReaderPool,
        embedder: Embedder,
        scanner: Scanner | None = None,
    ) -> None:
        self._home = home
        self._ledger = ledger
        self._tables = tables
        self._readers = readers
        self._embedder = embedder
        self._scanner = scanner

    def lock(self, record: LibraryRecord) -> WriterLock:
        """The locks of a library's writers."""
        return WriterLock(self._home.locks, record.library_id, record.name)

    @contextmanager
    def asked(self, record: LibraryRecord, job: Job) -> Generator[Job]:
        """The writer's lock for a run somebody asked for; gives the job to run it with.

        Raises:
            LibraryBusy: another such run goes on.
        """
        with self.lock(record).asked(job):
            yield _RunJob(job, self._ledger, record, None)

    @contextmanager
    def followed(self, record: LibraryRecord, job: Job) -> Generator[Job]:
        """The same for a run a change on the disk began; waits as long as it takes."""
        lock = self.lock(record)
        with lock.followed(job):
            yield _RunJob(job, self._ledger, record, lock)

    def run(
        self,
        record: LibraryRecord,
        job: Job,
        work: Callable[[IndexRun], None],
        scans: ScanChoice = "settings",
        news: Callable[[], Iterable[bytes]] = tuple,
    ) -> RunEnd:
        """Let `work` drive one run; the lock is held and `job` came with it.

        Raises:
            as `IndexRun.run`.
        """
        from engine.library.indexing import IndexRun
        from engine.library.scans import ScanReading

        job.emit("library", {"id": record.library_id, "name": record.name})
        start, began_at = time.monotonic(), utc_now()
        self._tables.require_readable(record)
        run = IndexRun(
            record.library_id,
            self._ledger,
            self._tables.get(record),
            self._readers,
            self._embedder,
            os.path.realpath(os.fsencode(self._home.root)),
            job,
            ScanReading(
                record.library_id,
                self._ledger,
                self._scanner,
                self._home.scans,
                scans,
                load_settings(self._home).scan_seconds_per_file,
                job,
            ),
            news,
        )
        try:
            work(run)
        finally:
            job.emit("stored", {"passages": run.passages})
        seconds = time.monotonic() - start
        report = IndexReport(
            library=record.name,
            library_id=record.library_id,
            files=run.counts,
            passages=run.passages,
            seconds=seconds,
            passages_per_second=run.passages / seconds if seconds > 0 else 0.0,
        )
        return RunEnd(report, began_at, run.lost, run.restless, run.touched)


class _RunJob:
    """Passes everything on; stops when the user pauses the library, in whatever process.

    Only a pause that comes now counts: what is asked for while a library is paused is done.

    Args:
        job: whom to tell, and who may cancel.
        ledger, record: where a pause is noted.
        yielding: given for a run that lets those go first who were asked.
    """

    def __init__(
        self, job: Job, ledger: Ledger, record: LibraryRecord, yielding: WriterLock | None
    ) -> None:
        self._job = job
        self._ledger = ledger
        self._record = record
        self._yielding = yielding
        self._pauses = ledger.pauses(record.library_id)
        self._looked = 0.0

    def progress(self, done: float, total: float, note: str = "") -> None:
        self._job.progress(done, total, note)

    def emit(self, kind: str, data: object) -> None:
        self._job.emit(kind, data)

    def checkpoint(self) -> None:
        self._job.checkpoint()
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        if self._ledger.pauses(self._record.library_id) != self._pauses:
            raise Cancelled(
                f"Indexing {self._record.name!r} was paused. What was read is kept.",
                hint="Resume it to go on.",
            )
        if self._yielding is not None and self._yielding.wanted():
            raise Yielded("Somebody asked for another run; this one goes on afterwards.")
