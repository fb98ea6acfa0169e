"""All libraries of a home: the one door to index, search, list and remove."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from engine.documents.types import READER_VERSION
from engine.errors import Cancelled, InvalidInput
from engine.files import show_path
from engine.library.holdings import Holdings
from engine.library.opening import OpenTables
from engine.library.records import Records, folder_named, raw_path
from engine.library.reranking import Reranker
from engine.library.runs import RunEnd, Runs
from engine.library.searching import Searches
from engine.library.views import file_row, library_view
from engine.library.weighing import Weighing
from engine.library.writing import WriterLock
from engine.paths import Home
from engine.store.db import Store
from engine.store.ledger import Ledger, LibraryRecord
from engine.work.api import (
    FilesPage,
    FilesSpec,
    IndexReport,
    IndexSpec,
    LibraryFacets,
    LibraryView,
    MeasureRerankerSpec,
    RerankerMeasurement,
    RetrySpec,
    SearchReport,
    SearchSpec,
)
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease

if TYPE_CHECKING:  # these load Arrow, which a list of libraries does not need
    from engine.documents.pool import ReaderPool
    from engine.documents.scanner import Scanner
    from engine.library.embedding import Embedder
    from engine.library.indexing import IndexRun


class Libraries:
    """Index, search, list, remove. Safe to share between threads and processes.

    Args:
        home: the user's data folder.
        store: its database.
        readers: who reads files.
        embedder: who turns text into vectors.
        lease: who may use the cores; the embedder goes through it.
        scanner: who reads pages that are pictures; None: they are left.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        readers: ReaderPool,
        embedder: Embedder,
        lease: CoreLease,
        scanner: Scanner | None = None,
    ) -> None:
        self.home = home
        self._embedder = embedder
        self._lease = lease
        self._ledger = Ledger(store)
        self._records = Records(self._ledger, embedder.info.id)
        self._tables = OpenTables(home, embedder.info.dimensions)
        self._weighing = Weighing()
        self._runs = Runs(home, self._ledger, self._tables, readers, embedder, scanner)
        self._scanner = scanner
        self.reranker = Reranker(home, store, embedder)
        """The cross-encoder of the user's own, if one is set."""
        self._searches = Searches(self._ledger, self._tables, embedder, self.reranker)
        self.holdings = Holdings(self._ledger, self._records, self._tables)

    # --- what there is ----------------------------------------------------------------

    def list(self) -> list[LibraryView]:
        """All libraries by name."""
        return [self._view(record) for record in self._ledger.libraries()]

    def find(self, ref: str) -> LibraryView:
        """The library with this id or name.

        Raises:
            InvalidInput: there is none; the hint names those there are.
        """
        return self._view(self._records.record(ref))

    def files(self, spec: FilesSpec) -> FilesPage:
        """A page of a library's files.

        Raises:
            InvalidInput: there is no such library.
        """
        record = self._records.record(spec.library)
        total, rows = self._ledger.page_of_files(
            record.library_id,
            spec.state,
            spec.match,
            spec.offset,
            spec.limit,
            spec.sort,
            spec.descending,
        )
        page_s = self._scanner.page_seconds() if self._scanner is not None else 0.0
        return FilesPage(total=total, rows=[file_row(row, page_s) for row in rows])

    def file_path(self, library: str, file_id: int) -> bytes:
        """Where a file is.

        Raises:
            InvalidInput: the library or the file is unknown.
        """
        return self._records.file(library, file_id).path

    def file_hash(self, library: str, file_id: int) -> str:
        """SHA-256 of what was indexed of a file; "" when that has to be read anew.

        Raises:
            InvalidInput: the library or the file is unknown.
        """
        return self._records.file(library, file_id).sha256

    def file_changed(self, library: str, file_id: int) -> bool:
        """True when the file differs, by size or time, from what was indexed.

        Raises:
            InvalidInput: the library or the file is unknown.
        """
        known = self._records.file(library, file_id)
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
        root = folder_named(spec.folder)
        record = self._records.library_for(spec.library, root)
        with self._runs.asked(record, job) as running:
            self._records.require_current(record)
            self._ledger.add_root(record.library_id, root)
            end = self._runs.run(record, running, lambda run: run.run([root]), spec.scans)
            self._note_agreement(record, end, [root])
            if root in end.lost:
                raise InvalidInput(
                    end.lost[root],
                    hint="Check that its disk is there, or take the folder out of the library.",
                )
            return end.report

    def reindex(self, ref: str, job: Job = NULL_JOB) -> IndexReport:
        """Look through all of a library's folders again; rebuild it when that is needed.

        Files that could not be read get another chance. A library of an older reader version
        is read anew document by document while the old passages still serve; one with
        another embedder, or damaged, starts afresh. What was read of a folder that cannot be
        reached now is kept.

        Raises:
            InvalidInput: there is no such library.
            LibraryBusy and others: as `index`.
        """
        record = self._records.record(ref)
        with self._runs.asked(record, job) as running:
            damaged = record.library_id in self._tables.damaged
            damaged = damaged or not self._tables.readable(record)
            same_vectors = (record.embedder, record.format) == self._records.made_with()
            if damaged or not same_vectors or record.reader_version != READER_VERSION:
                embedder, format_version = self._records.made_with()
                self._ledger.renew(
                    record.library_id,
                    embedder,
                    READER_VERSION,
                    format_version,
                    forget=damaged or not same_vectors,
                )
                record = self._records.record(record.library_id)
                self._tables.damaged.discard(record.library_id)
                self._tables.drop_old(record)
            self._ledger.retry_unreadable(record.library_id)
            return self._run_all(record, running).report

    def retry(self, spec: RetrySpec, job: Job = NULL_JOB) -> IndexReport:
        """Read some files again, with those that have the same bytes; all others stay.

        Raises:
            InvalidInput: there is no such library, or none of these files is in it.
            LibraryBusy and others: as `index`.
        """
        record = self._records.record(spec.library)
        with self._runs.asked(record, job) as running:
            self._records.require_current(record)
            files = self._ledger.with_equals(record.library_id, spec.file_ids)
            if not files:
                raise InvalidInput("This file is no longer in the library.")

            def work(run: IndexRun) -> None:
                run.read_again(files)

            return self._runs.run(record, running, work, spec.scans).report

    def follow_up(
        self,
        ref: str,
        paths: Iterable[bytes] | None,
        job: Job,
        news: Callable[[], Iterable[bytes]] = tuple,
    ) -> RunEnd:
        """Bring changed paths up to date, or with None everything, when the disk says so.

        Waits for other runs and lets go when one is asked for.

        Args:
            news: gives the paths that changed since; asked while the run goes on.

        Raises:
            Yielded: somebody asked for another run; go on after it.
            LibraryOutdated, others: as `index`.
        """
        record = self._records.record(ref)
        with self._runs.followed(record, job) as running:
            record = self._records.record(ref)
            self._records.require_current(record)
            if record.paused:
                raise Cancelled("The library is paused.")
            if paths is None:
                return self._run_all(record, running, news)
            return self._runs.run(record, running, lambda run: run.update(paths), news=news)

    def _run_all(
        self,
        record: LibraryRecord,
        running: Job,
        news: Callable[[], Iterable[bytes]] = tuple,
    ) -> RunEnd:
        roots = self._ledger.roots(record.library_id)
        end = self._runs.run(record, running, lambda run: run.run(roots), news=news)
        self._note_agreement(record, end, roots)
        return end

    def _note_agreement(self, record: LibraryRecord, end: RunEnd, roots: list[bytes]) -> None:
        """A run that looked at all folders and reached all: so things were as it began."""
        if end.agrees and set(self._ledger.roots(record.library_id)) <= set(roots):
            self._ledger.note_agreed(record.library_id, end.began_at)

    # --- search -----------------------------------------------------------------------

    def search(self, spec: SearchSpec, job: Job = NULL_JOB) -> SearchReport:
        """The best passages for a question; by words alone, with a notice, if need be.

        Of several libraries, one that cannot be searched now is left out with a notice.

        Raises:
            InvalidInput: there is no such library, or the filter says nothing.
            LibraryOutdated: it was made with another embedder or reader version.
            StorageDamaged: its tables cannot be read.
            Cancelled: `job` was cancelled.
        """
        named = [self._records.record(ref) for ref in (spec.library, *spec.libraries)]
        asked = list({record.library_id: record for record in named}.values())
        current = [record for record in asked if self._records.current(record)]
        if not current:
            self._records.require_current(asked[0])
        return self._searches.find(asked, current, spec, job)

    def measure_reranker(
        self, spec: MeasureRerankerSpec, job: Job = NULL_JOB
    ) -> RerankerMeasurement:
        """Search a library with and without the reranker that is set, and remember the end.

        A measured gain switches it on.

        Raises:
            InvalidInput: there is no such library, nothing to ask in it, or no reranker.
            LibraryOutdated, StorageDamaged: the library cannot be searched.
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: the reranker failed.
            Cancelled: `job` was cancelled; nothing is remembered.
        """
        from engine.library.known_items import make_known_items
        from engine.library.measuring import measure_reranker

        record = self._records.record(spec.library)
        self._records.require_current(record)
        job.progress(0, spec.questions, "Loading the reranker")
        info = self.reranker.load(job)
        items = make_known_items(
            self._ledger, self._tables.get(record), record.library_id, spec.questions
        )

        def let_pass() -> None:
            with self._lease.hold("batch", job):
                pass

        measured = measure_reranker(record.name, items, self.search, let_pass, job)
        self.reranker.keep(info, measured)
        return measured

    def facets(self, ref: str) -> LibraryFacets:
        """What a library can be filtered by.

        Raises:
            InvalidInput: there is no such library.
        """
        from engine.library.facets import count_facets

        record = self._records.record(ref)
        return count_facets(
            self._ledger.live_files(record.library_id), self._ledger.roots(record.library_id)
        )

    # --- what followers need ----------------------------------------------------------

    @property
    def ledger(self) -> Ledger:
        """Where it is noted how a library stands with the disk."""
        return self._ledger

    def writer_lock(self, library_id: str) -> WriterLock:
        """The locks of a library.

        Raises:
            InvalidInput: there is no such library.
        """
        return self._runs.lock(self._records.record(library_id))

    def find_name(self, library_id: str) -> str:
        """What the library is called now.

        Raises:
            InvalidInput: there is no such library.
        """
        return self._records.record(library_id).name

    def left_to_others(self, library_id: str) -> bool:
        """True when another process follows the library."""
        return self.writer_lock(library_id).is_followed()

    def tidy(self, ref: str, job: Job) -> None:
        """Delete what no file has any more; a run over single paths leaves it.

        Raises:
            Yielded: somebody asked for a run.
            StorageDamaged, StorageFull: the tables cannot be written.
        """
        record = self._records.record(ref)
        from engine.library.reconciling import reconcile

        with self._runs.followed(record, job):
            self._tables.require_readable(record)
            reconcile(record.library_id, self._ledger, self._tables.get(record))

    # --- change -----------------------------------------------------------------------

    def pause(self, ref: str) -> None:
        """Stop a library's run, in whatever process, and do not follow it for now.

        Raises:
            InvalidInput: there is no such library.
        """
        self._ledger.pause(self._records.record(ref).library_id)

    def resume(self, ref: str) -> None:
        """Let a paused library be followed again.

        Raises:
            InvalidInput: there is no such library.
        """
        self._ledger.resume(self._records.record(ref).library_id)

    def rename(self, ref: str, name: str) -> LibraryView:
        """Give a library another name.

        Raises:
            InvalidInput: there is no such library, or another one has this name.
        """
        record = self._records.record(ref)
        if not name.strip():
            raise InvalidInput("A library needs a name.", hint="Give it one.")
        self._ledger.rename(record.library_id, name.strip())
        return self.find(record.library_id)

    def remove_root(self, ref: str, folder: str) -> LibraryView:
        """Take a folder out of a library; the documents are not touched.

        Args:
            folder: as the library's view shows it, or any other way to name it.

        Raises:
            InvalidInput: there is no such library, or it does not cover this folder.
            LibraryBusy: it is being written to.
        """
        record = self._records.record(ref)
        roots = self._ledger.roots(record.library_id)
        named = [root for root in roots if show_path(root) == folder]
        named += [root for root in roots if root == os.path.realpath(raw_path(folder))]
        if not named:
            raise InvalidInput(
                f"The library {record.name!r} has no folder {show_path(raw_path(folder))!r}.",
                hint=f"It has: {', '.join(map(show_path, roots))}." if roots else "",
            )
        from engine.library.reconciling import reconcile

        with self._runs.asked(record, NULL_JOB):
            self._ledger.remove_root(record.library_id, named[0])
            if self._tables.readable(record):
                reconcile(record.library_id, self._ledger, self._tables.get(record))
        return self.find(record.library_id)

    def remove(self, ref: str) -> None:
        """Forget a library and delete its index. The documents are not touched.

        Raises:
            InvalidInput: there is no such library.
            LibraryBusy: it is being written to.
        """
        record = self._records.record(ref)
        with self._runs.asked(record, NULL_JOB):
            self._ledger.remove(record.library_id)
            self._tables.drop(record)

    def close(self) -> None:
        """Let go of open files."""
        self._tables.close()

    # --- parts ------------------------------------------------------------------------

    def _view(self, record: LibraryRecord) -> LibraryView:
        view = library_view(self.home, self._ledger, record)
        if view.state == "indexing":
            return view
        if record.library_id in self._tables.damaged:
            view.state = "damaged"
        elif not self._records.current(record):
            view.state = "outdated"
        return view
