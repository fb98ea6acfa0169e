"""All libraries of a home: the one door to index, search, list and remove."""

from __future__ import annotations

import datetime
import os
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from engine.documents.types import READER_VERSION
from engine.errors import (
    InvalidInput,
    LibraryBusy,
    LibraryOutdated,
    StorageDamaged,
)
from engine.files import folder_size_bytes, show_path
from engine.paths import Home
from engine.store.db import Store
from engine.store.ledger import KnownFile, Ledger, LibraryRecord
from engine.work.api import (
    FileRow,
    FilesPage,
    FilesSpec,
    IndexReport,
    IndexSpec,
    LibraryView,
    SearchReport,
    SearchSpec,
)
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease

if TYPE_CHECKING:  # these load Arrow, which a list of libraries does not need
    from engine.documents.pool import ReaderPool
    from engine.library.embedding import Embedder
    from engine.library.tables import Tables

FORMAT_VERSION = 1
"""Bumped when the tables' columns, or what is embedded of a passage, change."""
_LOCK_WAIT_S = 2.0
_EMPTY_NAME = "Documents"


class Libraries:
    """Index, search, list, remove. Safe to share between threads and processes.

    Args:
        home: the user's data folder.
        store: its database.
        readers: who reads files.
        embedder: who turns text into vectors.
        lease: who may use the cores; the embedder goes through it.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        readers: ReaderPool,
        embedder: Embedder,
        lease: CoreLease,
    ) -> None:
        self._home = home
        self._readers = readers
        self._embedder = embedder
        self._lease = lease
        self._ledger = Ledger(store)
        self._tables: dict[tuple[str, int], Tables] = {}
        self._damaged: set[str] = set()

    # --- what there is ----------------------------------------------------------------

    def list(self) -> list[LibraryView]:
        """All libraries by name."""
        return [self._view(record) for record in self._ledger.libraries()]

    def find(self, ref: str) -> LibraryView:
        """The library with this id or name.

        Raises:
            InvalidInput: there is none; the hint names those there are.
        """
        return self._view(self._record(ref))

    def files(self, spec: FilesSpec) -> FilesPage:
        """A page of a library's files.

        Raises:
            InvalidInput: there is no such library.
        """
        record = self._record(spec.library)
        total, rows = self._ledger.page_of_files(
            record.library_id, spec.state, spec.match, spec.offset, spec.limit
        )
        return FilesPage(
            total=total,
            rows=[
                FileRow(
                    file_id=row["file_id"],
                    path=row["shown"],
                    name=show_path(os.path.basename(bytes(row["path"]))),
                    kind=row["kind"] or "",
                    state=row["state"],
                    reason=row["reason"] or row["content_reason"] or "",
                    size_bytes=row["size_bytes"],
                    modified_at=_iso(row["mtime_ns"]),
                    pages=row["pages"] or 0,
                    passages=row["passages"] or 0,
                    title=row["title"] or "",
                )
                for row in rows
            ],
        )

    def file_path(self, library: str, file_id: int) -> bytes:
        """Where a file is.

        Raises:
            InvalidInput: the library or the file is unknown.
        """
        return self._file(library, file_id).path

    def file_changed(self, library: str, file_id: int) -> bool:
        """True when the file differs, by size or time, from what was indexed.

        Raises:
            InvalidInput: the library or the file is unknown.
        """
        known = self._file(library, file_id)
        try:
            now = os.lstat(known.path)
        except OSError:
            return True
        return (now.st_size, now.st_mtime_ns) != (known.size_bytes, known.mtime_ns)

    # --- index ------------------------------------------------------------------------

    def index(self, spec: IndexSpec, job: Job = NULL_JOB) -> IndexReport:
        """Bring a folder into a library; only what changed is read.

        Raises:
            InvalidInput: there is no such folder.
            LibraryBusy: another process writes to this library.
            LibraryOutdated: it was made with another embedder or reader; `reindex` rebuilds.
            Cancelled, ModelUnavailable, WorkerCrashed, StorageFull, StorageDamaged: see
                `IndexRun.run`; what was done is kept.
        """
        root = _folder(spec.folder)
        record = self._library_for(spec.library, root)
        with self._writing(record):
            self._require_current(record)
            self._ledger.add_root(record.library_id, root)
            return self._run(record, [root], job)

    def reindex(self, ref: str, job: Job = NULL_JOB) -> IndexReport:
        """Look through all of a library's folders again; rebuild it when that is needed.

        Files that could not be read get another chance. A library of an older reader version
        is read anew document by document while the old passages still serve; one with
        another embedder, or damaged, starts afresh.

        Raises:
            InvalidInput: there is no such library.
            LibraryBusy and others: as `index`.
        """
        record = self._record(ref)
        with self._writing(record):
            damaged = record.library_id in self._damaged or not self._readable(record)
            same_vectors = (record.embedder, record.format) == self._made_with()
            if damaged or not same_vectors or record.reader_version != READER_VERSION:
                embedder, format_version = self._made_with()
                self._ledger.renew(
                    record.library_id,
                    embedder,
                    READER_VERSION,
                    format_version,
                    forget=damaged or not same_vectors,
                )
                record = self._record(record.library_id)
                self._damaged.discard(record.library_id)
                self._remove_old_generations(record)
            self._ledger.retry_unreadable(record.library_id)
            return self._run(record, self._ledger.roots(record.library_id), job)

    def _run(self, record: LibraryRecord, roots: list[bytes], job: Job) -> IndexReport:
        from engine.library.indexing import IndexRun

        job.emit("library", {"id": record.library_id, "name": record.name})
        start = time.monotonic()
        run = IndexRun(
            record.library_id,
            self._ledger,
            self._open(record),
            self._readers,
            self._embedder,
            os.path.realpath(os.fsencode(self._home.root)),
            job,
        )
        try:
            self._repairing(record, lambda: run.run(roots))
        finally:
            job.emit("stored", {"passages": run.passages})
        seconds = time.monotonic() - start
        return IndexReport(
            library=record.name,
            library_id=record.library_id,
            files=run.counts,
            passages=run.passages,
            seconds=seconds,
            passages_per_second=run.passages / seconds if seconds > 0 else 0.0,
        )

    # --- search -----------------------------------------------------------------------

    def search(self, spec: SearchSpec, job: Job = NULL_JOB) -> SearchReport:
        """The best passages for a question; by words alone, with a notice, if need be.

        Raises:
            InvalidInput: there is no such library.
            LibraryOutdated: it was made with another embedder or reader version.
            StorageDamaged: its tables cannot be read.
            Cancelled: `job` was cancelled.
        """
        from engine.library.search import Search

        start = time.perf_counter()
        record = self._record(spec.library)
        self._require_current(record)
        search = Search(record.library_id, self._ledger, self._open(record), self._embedder)
        try:
            hits, notice = search.find(spec, job)
        except StorageDamaged:
            if not self._repair(record):
                raise
            hits, notice = search.find(spec, job)
        self._damaged.discard(record.library_id)
        milliseconds = (time.perf_counter() - start) * 1000
        return SearchReport(passages=hits, milliseconds=milliseconds, notice=notice)

    def remove(self, ref: str) -> None:
        """Forget a library and delete its index. The documents are not touched.

        Raises:
            InvalidInput: there is no such library.
            LibraryBusy: it is being written to.
        """
        record = self._record(ref)
        with self._writing(record):
            self._ledger.remove(record.library_id)
            self._tables.pop((record.library_id, record.generation), None)
            shutil.rmtree(self._home.library(record.library_id), ignore_errors=True)

    def close(self) -> None:
        """Let go of open files."""
        for tables in self._tables.values():
            tables.close()
        self._tables.clear()

    # --- parts ------------------------------------------------------------------------

    def _record(self, ref: str) -> LibraryRecord:
        found = self._ledger.find(ref)
        if found is not None:
            return found
        names = ", ".join(record.name for record in self._ledger.libraries())
        raise InvalidInput(
            f"There is no library {ref!r}.",
            hint=f"There is: {names}." if names else "Index a folder first.",
        )

    def _file(self, library: str, file_id: int) -> KnownFile:
        known = self._ledger.file(self._record(library).library_id, file_id)
        if known is None:
            raise InvalidInput("This file is no longer in the library.", hint="Search again.")
        return known

    def _view(self, record: LibraryRecord) -> LibraryView:
        totals = self._ledger.totals(record.library_id)
        view = LibraryView(
            id=record.library_id,
            name=record.name,
            roots=[show_path(root) for root in self._ledger.roots(record.library_id)],
            files=totals.files,
            skipped=totals.skipped,
            waiting=totals.waiting,
            passages=totals.passages,
            size_bytes=folder_size_bytes(self._home.library(record.library_id)),
            state="ready" if totals.files else "empty",
            embedder=record.embedder,
            updated_at=record.updated_at,
        )
        if self._locked(record):
            view.state = "indexing"
        elif record.library_id in self._damaged:
            view.state = "damaged"
        elif not self._current(record):
            view.state = "outdated"
        return view

    def _library_for(self, ref: str | None, root: bytes) -> LibraryRecord:
        """The library named, made when new; without a name, the one with just this root."""
        embedder, format_version = self._made_with()
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

    def _made_with(self) -> tuple[str, int]:
        return self._embedder.info.id, FORMAT_VERSION

    def _current(self, record: LibraryRecord) -> bool:
        made_with = (record.embedder, record.format, record.reader_version)
        return made_with == (*self._made_with(), READER_VERSION)

    def _require_current(self, record: LibraryRecord) -> None:
        if not self._current(record):
            raise LibraryOutdated(
                f"The library {record.name!r} was made by another version of Whetstone.",
                hint="Rebuild it: it is read again from your documents.",
                details=f"{record}; now {self._made_with()}, reader {READER_VERSION}",
            )

    def _open(self, record: LibraryRecord) -> Tables:
        from engine.library.tables import Tables

        key = (record.library_id, record.generation)
        if key not in self._tables:
            self._tables[key] = Tables(self._folder(record), self._embedder.info.dimensions)
        return self._tables[key]

    def _folder(self, record: LibraryRecord) -> Path:
        return self._home.library(record.library_id) / str(record.generation)

    def _remove_old_generations(self, record: LibraryRecord) -> None:
        for key in [key for key in self._tables if key[0] == record.library_id]:
            if key[1] != record.generation:
                self._tables.pop(key).close()
        for folder in self._home.library(record.library_id).glob("*"):
            if folder.name != str(record.generation):
                shutil.rmtree(folder, ignore_errors=True)

    def _readable(self, record: LibraryRecord) -> bool:
        """True when both tables can be read, if need be after a repair."""
        tables = self._open(record)
        try:
            tables.check()
        except StorageDamaged:
            return tables.repair()
        return True

    def _repairing(self, record: LibraryRecord, work: Callable[[], None]) -> None:
        """Run `work` with tables known to open; the writer's lock is held."""
        if not self._readable(record):
            self._damaged.add(record.library_id)
            raise StorageDamaged(
                f"The index of {record.name!r} is damaged. Your documents are not affected.",
                hint="Rebuild the library.",
            )
        work()

    def _repair(self, record: LibraryRecord) -> bool:
        """Try to repair for a search; False when it failed or someone else is writing."""
        self._damaged.add(record.library_id)
        try:
            with self._writing(record):
                return self._open(record).repair()
        except LibraryBusy:
            return False

    @contextmanager
    def _writing(self, record: LibraryRecord) -> Generator[None]:
        lock = self._lock(record)
        try:
            lock.acquire(timeout=_LOCK_WAIT_S)
        except Timeout as error:
            raise LibraryBusy(
                f"The library {record.name!r} is being indexed already.",
                hint="Wait until that has finished.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _locked(self, record: LibraryRecord) -> bool:
        lock = self._lock(record)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def _lock(self, record: LibraryRecord) -> FileLock:
        # Not a singleton: two threads of one process exclude each other as well.
        return FileLock(
            self._home.locks / f"library-{record.library_id}.lock", is_singleton=False
        )


def _folder(text: str) -> bytes:
    """The folder without links, absolute.

    Raises:
        InvalidInput: it does not exist or is not a folder.
    """
    raw = os.fsencode(os.path.expanduser(text))
    try:
        root = os.path.realpath(raw)
        if os.path.isdir(root):
            return root
    except (OSError, ValueError):
        pass
    raise InvalidInput(
        f"There is no folder {show_path(raw)!r}.", hint="Check the name and try again."
    )


def _iso(mtime_ns: int) -> str:
    try:
        when = datetime.datetime.fromtimestamp(mtime_ns / 1e9, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
