"""One indexing run: look, read what is new, store passages, then vectors, then tidy up.

What is done is committed as it goes, so a run that is cancelled, fails or is killed keeps it
and the next run goes on from there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.documents.pool import ReaderPool
from engine.files import show_path
from engine.library.embedding import Embedder
from engine.library.filling import Filling
from engine.library.looking import Gone, Look, Looking
from engine.library.reading import (
    Candidate,
    Fresh,
    Outcome,
    Reading,
    Recognised,
    Refused,
    Vanished,
)
from engine.library.reconciling import reconcile
from engine.library.scans import ScanReading
from engine.library.storing import passage_rows, read_content
from engine.library.tables import Tables
from engine.store.ledger import (
    KnownFile,
    Ledger,
    SeenFile,
    covers,
)
from engine.work.api import FileCounts, SkippedFile
from engine.work.jobs import Job

STORE_PASSAGES = 512
STORE_S = 1.0
FIRST_STORE_S = 0.2
"""Read documents are stored together once there are this many passages or seconds; the first
ones sooner, because someone who has just pointed at a folder waits to see something."""
READ_THREADS = 2
_TEND_S = 10.0
_TOUCHED = 50
_MANY_PASSAGES = 2000
_PASSAGES_PER_SCAN = 3
"""A guess for the progress while a page waits to be read."""


@dataclass
class _Progress:
    """Work left, in passages: what is not read yet is estimated from its bytes."""

    bytes_left: int = 0
    bytes_read: int = 0
    passages: int = 0

    def total(self) -> float:
        """Passages this run will have embedded at its end, as far as can be told now."""
        per_byte = self.passages / self.bytes_read if self.bytes_read else 1 / 1000
        return self.passages + self.bytes_left * per_byte


class IndexRun:
    """The state of one run over one library. Use once; hold the writer's lock.

    Args:
        library_id: which library.
        ledger, tables: where everything goes.
        readers, embedder: who reads and who embeds.
        leave_out: our own data folder, never indexed.
        job: told of progress and, by the event "stored", that more can be found now.
        scans: the scanned pages, read by OCR after all else.
        news: asked now and then for paths that changed meanwhile; they are taken in first.
    """

    def __init__(
        self,
        library_id: str,
        ledger: Ledger,
        tables: Tables,
        readers: ReaderPool,
        embedder: Embedder,
        leave_out: bytes,
        job: Job,
        scans: ScanReading,
        news: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        self._library_id = library_id
        self._ledger = ledger
        self._tables = tables
        self._job = job
        self._scans = scans
        self._news = news
        self._roots = ledger.roots(library_id)
        self._looking = Looking(library_id, ledger, leave_out, job)
        self._reading = Reading(library_id, ledger, readers, job, READ_THREADS)
        self._filling = Filling(ledger, tables, embedder, job)
        self._progress = _Progress()
        self._left = 0  # candidates without an outcome yet
        self._gone: list[Gone] = []
        self._present: set[int] = set()  # contents some file of this run has
        self._small = False  # a run over what changed, not over everything
        self._counted: set[bytes] = set()
        self._renewed: list[bytes] = []  # paths taken from the news
        self._batch: list[Fresh] = []
        self._batch_since = 0.0
        self._stored_once = False
        self._tended = 0.0
        self.counts = FileCounts()
        self.lost: dict[bytes, str] = {}
        """Roots that could not be reached, each with a sentence; their index is kept."""
        self.restless: list[bytes] = []
        """Files that kept changing while they were read: worth another look soon."""
        self.touched: list[tuple[str, str]] = []
        """("read" | "recognised" | "removed", shown path) of the first files that changed."""

    @property
    def passages(self) -> int:
        """Passages whose vectors were stored in this run."""
        return self._filling.embedded

    def run(self, roots: Sequence[bytes]) -> None:
        """Bring everything under `roots` up to date.

        Raises:
            Cancelled: the job was cancelled; what was done is kept.
            ModelUnavailable, WorkerCrashed, NotEnoughMemory: the embedder failed; all files
                were read and can be found by their words.
            StorageFull, StorageDamaged: storing failed; what was committed is kept.
        """
        self._job.progress(0, 0, "Looking at the folder")
        self._ledger.note_settled(self._library_id, False)
        reconcile(self._library_id, self._ledger, self._tables)
        self._scans.reconsider()
        self._take_look(self._looking.at_roots(roots))
        self._work()
        self._tidy(thoroughly=True)

    def update(self, paths: Iterable[bytes]) -> None:
        """Bring only these paths up to date: files, folders, places where something was.

        Contents that no file has any more are kept until the next whole run, so that a file
        that comes back elsewhere is recognised.

        Raises:
            as `run`.
        """
        self._begin_small()
        self._take_look(self._looking.at_paths(self._roots, paths))
        self._work()
        self._tidy(thoroughly=False)

    def read_again(self, files: Sequence[KnownFile]) -> None:
        """Read these files anew, even those whose bytes are known; all others stay.

        Raises:
            as `run`.
        """
        self._begin_small()
        self._scans.forgive(files)
        self._queue_again(files)
        self._work()
        self._tidy(thoroughly=False)

    def _queue_again(self, files: Sequence[KnownFile]) -> None:
        contents = {file.content_id for file in files if file.content_id is not None}
        self._ledger.mark_stale(sorted(contents))
        known = self._ledger.known_at(self._library_id, [file.path for file in files])
        candidates = [
            Candidate(SeenFile(path, file.size_bytes, file.mtime_ns), file)
            for path, file in known.items()
        ]
        self._take_look(Look(candidates=candidates))

    def _begin_small(self) -> None:
        """Ledger and tables agree, unless a run was cut off before."""
        self._small = True
        library = self._ledger.find(self._library_id)
        if library is None or not library.settled:
            reconcile(self._library_id, self._ledger, self._tables)
        self._ledger.note_settled(self._library_id, False)

    # --- the loop ---------------------------------------------------------------------

    def _work(self) -> None:
        """Read, store and embed until nothing is left, taking in what changes meanwhile."""
        self._filling.start()
        try:
            for content_id, done, total in self._ledger.unfinished(self._library_id):
                self._queue(content_id, done, total, None)
            self._reading.start()
            while True:
                self._job.checkpoint()
                self._take_news()
                if self._left:
                    self._read_on()
                elif self._scans.due:
                    self._filling.gather(more_to_come=False)
                    self._queue_again(self._scans.step())
                    self._report("Reading scanned pages")
                elif self._filling.idle:
                    break
                else:
                    self._filling.gather(more_to_come=False)
                    time.sleep(0.02)
                    self._report("Understanding")
            self._filling.finish()
        finally:
            self._reading.stop()
            self._filling.stop()

    def _take_news(self) -> None:
        paths = list(self._news())
        if paths:
            self._renewed += paths
            self._take_look(self._looking.at_paths(self._roots, paths), first=True)

    def _take_look(self, look: Look, first: bool = False) -> None:
        """Count what a look found, queue what is to be read, forget what is gone.

        A file gone whose size a new one has may have moved: it is forgotten only when that
        one was read, so that it can be found all the time.
        """
        self.counts.unchanged += look.unchanged
        self.counts.skipped += look.skipped
        self._present |= look.present
        self.lost.update(look.lost)
        self._progress.bytes_left += sum(c.seen.size_bytes for c in look.candidates)
        self._left += len(look.candidates)
        if look.candidates:
            self._filling.gather(more_to_come=True)
            self._reading.add(look.candidates, first)
        sizes = {candidate.seen.size_bytes for candidate in look.candidates}
        self._drop([gone for gone in look.gone if gone.size_bytes not in sizes])
        self._gone += [gone for gone in look.gone if gone.size_bytes in sizes]

    def _drop(self, gone: Sequence[Gone]) -> None:
        self._ledger.drop_files([file.file_id for file in gone])
        self.counts.removed += sum(file.held for file in gone)
        for file in gone:
            if file.held:
                self._touch("removed", file.path)

    def _touch(self, what: str, path: bytes) -> None:
        if len(self.touched) < _TOUCHED:
            self.touched.append((what, show_path(path)))

    def _skip(self, path: bytes, reason: str) -> None:
        self.counts.skipped.append(SkippedFile(path=show_path(path), reason=reason))

    # --- read and store ---------------------------------------------------------------

    def _read_on(self) -> None:
        """Take one outcome, and store the batch when it is due."""
        outcome = self._reading.next(timeout_s=0.05)
        if outcome is not None:
            self._left -= self._take(outcome)
        if self._batch_due():
            self._left -= self._store()
        if not self._left:
            self._all_read()
        self._report("Reading")

    def _all_read(self) -> None:
        """Everything can be found by words now, however long the vectors take."""
        gone, self._gone = self._gone, []
        self._drop(gone)
        # Words that are not in their index yet are looked for one passage after the other.
        self._tables.tend_passages(final=self._progress.passages > _MANY_PASSAGES)

    def _take(self, outcome: Outcome) -> int:
        """Act on one outcome; how many candidates it ends now."""
        if isinstance(outcome, Fresh):
            if not self._batch:
                self._batch_since = time.monotonic()
            self._batch.append(self._scans.judge(outcome))
            return 0
        if isinstance(outcome, Refused):
            self._skip(outcome.seen.path, outcome.seen.reason)
            self._ledger.see(self._library_id, [outcome.seen])
            self._progress.bytes_left -= outcome.seen.size_bytes
            if outcome.restless:
                self.restless.append(outcome.seen.path)
            return 1
        if isinstance(outcome, Vanished):
            self._lose(outcome)
            return 1
        self._recognise(outcome)
        return 1

    def _lose(self, vanished: Vanished) -> None:
        """A file that was there a moment ago: deleted, or its disk is gone."""
        seen, known = vanished.candidate.seen, vanished.candidate.known
        self._progress.bytes_left -= seen.size_bytes
        root = self._looking.root_of(seen.path, self._roots)
        if vanished.away or not self._looking.reachable(root):
            self.lost[root] = f"The folder {show_path(root)} went away while it was read."
            return
        found = self._ledger.known_at(self._library_id, [seen.path]).get(seen.path)
        if found is not None:
            held = known is not None and known.content_id is not None
            self._drop([Gone(found.file_id, seen.path, seen.size_bytes, held)])

    def _recognise(self, found: Recognised) -> None:
        """A file with bytes the library has: touched, moved, or a duplicate."""
        seen, known, content = found.candidate.seen, found.candidate.known, found.content
        self._ledger.attach(self._library_id, content.content_id, [seen])
        self._progress.bytes_left -= seen.size_bytes
        if self._scans.holds(content.content_id):
            return  # counted when its pages are read
        if content.state == "unreadable":
            self._skip(seen.path, content.reason)
        elif known is not None and known.content_id == content.content_id:
            self.counts.unchanged += 1
        else:
            known_here = content.content_id in self._present
            self._count_one("recognised", seen.path, known_here)
        self._present.add(content.content_id)

    def _batch_due(self) -> bool:
        if not self._batch:
            return False
        waited_s = time.monotonic() - self._batch_since
        if len(self._batch) == self._left or waited_s >= STORE_S:
            return True
        if not self._stored_once and waited_s >= FIRST_STORE_S:
            return True
        passages = sum(len(item.document.passages) for item in self._batch if item.document)
        return passages >= STORE_PASSAGES

    def _store(self) -> int:
        """Store the batch's passages, commit them, hand them on; candidates ended by it."""
        batch, self._batch = self._batch, []
        self._stored_once = True
        ids = self._ledger.open_contents(self._library_id, [item.sha256 for item in batch])
        rows = {
            content_id: passage_rows(content_id, item)
            for content_id, item in zip(ids, batch, strict=True)
        }
        self._tables.add_passages([row for part in rows.values() for row in part])
        with self._reading.settling(batch) as files:
            self._ledger.commit_read(
                self._library_id,
                [
                    read_content(content_id, item, self._current(files[item.sha256]))
                    for content_id, item in zip(ids, batch, strict=True)
                ],
            )
        for content_id, item in zip(ids, batch, strict=True):
            self._present.add(content_id)
            if item.scan_due:
                self._scans.add(content_id, item)
            self._count(item, files[item.sha256])
            self._progress.bytes_read += files[item.sha256][0].seen.size_bytes
            texts = [row.search for row in rows[content_id]]
            self._queue(content_id, 0, len(texts), texts, self._urgent(item))
        self._tend()
        self._job.emit("stored", {"passages": self._progress.passages})
        return sum(map(len, files.values()))

    def _current(self, files: list[Candidate]) -> list[Candidate]:
        """Those that did not change, as the news told, after they were read.

        What came of the change must not be overwritten by what was read before it.
        """
        if not self._renewed:
            return files
        return [candidate for candidate in files if not self._superseded(candidate.seen)]

    def _superseded(self, seen: SeenFile) -> bool:
        if not any(covers(path, seen.path) for path in self._renewed):
            return False
        try:
            now = os.lstat(seen.path)
        except OSError:
            return True
        return (now.st_size, now.st_mtime_ns) != (seen.size_bytes, seen.mtime_ns)

    def _count(self, item: Fresh, files: list[Candidate]) -> None:
        for number, candidate in enumerate(files):
            self._progress.bytes_left -= candidate.seen.size_bytes
            if item.scan_due:
                continue  # counted when its pages are read
            if item.reason:
                self._skip(candidate.seen.path, item.reason)
            else:
                self._count_one("read", candidate.seen.path, number > 0)

    def _count_one(self, what: str, path: bytes, duplicate: bool) -> None:
        """A file counts once, however often it changed while the run went on."""
        if path not in self._counted:
            self._counted.add(path)
            self.counts.indexed += 1
            self.counts.duplicates += duplicate
            self._touch(what, path)

    def _queue(
        self,
        content_id: int,
        done: int,
        total: int,
        texts: list[str] | None,
        first: bool = False,
    ) -> None:
        self._progress.passages += total - done
        self._filling.add(content_id, done, total, texts, first)

    def _urgent(self, item: Fresh) -> bool:
        """True for what changed just now: its vectors go before those that wait."""
        return self._small or any(covers(path, item.path) for path in self._renewed)

    def _tend(self) -> None:
        if time.monotonic() - self._tended >= _TEND_S:
            self._tables.tend_passages(final=False)
            self._tended = time.monotonic()

    # --- the end ----------------------------------------------------------------------

    def _tidy(self, thoroughly: bool) -> None:
        if thoroughly:
            self._job.progress(self.passages, self.passages, "Tidying up")
            reconcile(self._library_id, self._ledger, self._tables)
            self._tables.tend_passages(final=True)
            self._tables.tend_vectors(final=True)
        self._ledger.note_settled(self._library_id, True)
        self._ledger.touch(self._library_id)

    def _report(self, note: str) -> None:
        done = self._filling.embedded
        # Until tidying is over there is a little left, so that 100 % means finished.
        total = self._progress.total() + _PASSAGES_PER_SCAN * self._scans.pages_left
        self._job.progress(done, max(total, done) + 1, note)
