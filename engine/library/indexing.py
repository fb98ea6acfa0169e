"""One indexing run: scan, read what is new, store passages, then vectors, then tidy up.

What is done is committed as it goes, so a run that is cancelled, fails or is killed keeps it
and the next run goes on from there.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from engine.documents.pool import ReaderPool, classify
from engine.errors import InvalidInput, UnreadableDocument
from engine.files import show_path
from engine.library.embedding import Embedder
from engine.library.filling import Filling
from engine.library.reading import Candidate, Fresh, Outcome, Reading, Recognised, Refused
from engine.library.reconciling import reconcile
from engine.library.scanning import Found, scan
from engine.library.tables import PassageRow, Tables
from engine.store.ledger import (
    PASSAGES_PER_CONTENT,
    KnownFile,
    Ledger,
    ReadContent,
    SeenFile,
    covers,
)
from engine.work.api import FileCounts, SkippedFile
from engine.work.jobs import NULL_JOB, Job

STORE_PASSAGES = 512
STORE_S = 1.0
"""Read documents are stored together once there are this many passages or seconds."""
READ_THREADS = 2
_SEE_AT_ONCE = 500
_TEND_S = 10.0
_CONTEXT_CHARS = 120
"""About the 32 tokens the splitter leaves for it; the innermost heading says most."""


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
    """

    def __init__(
        self,
        library_id: str,
        ledger: Ledger,
        tables: Tables,
        readers: ReaderPool,
        embedder: Embedder,
        leave_out: bytes,
        job: Job = NULL_JOB,
    ) -> None:
        self._library_id = library_id
        self._ledger = ledger
        self._tables = tables
        self._leave_out = leave_out
        self._job = job
        self._reading = Reading(library_id, ledger, readers, job, READ_THREADS)
        self._filling = Filling(ledger, tables, embedder, job)
        self._progress = _Progress()
        self._known: dict[bytes, KnownFile] = {}
        self._kept: set[bytes] = set()
        self._present: set[int] = set()  # contents some file of this run has
        self._closed_folders: list[bytes] = []
        self._batch: list[Fresh] = []
        self._batch_since = 0.0
        self._tended = 0.0
        self.counts = FileCounts()

    @property
    def passages(self) -> int:
        """Passages whose vectors were stored in this run."""
        return self._filling.embedded

    def run(self, roots: list[bytes]) -> None:
        """Bring everything under `roots` up to date.

        Raises:
            InvalidInput: a root cannot be listed.
            Cancelled: the job was cancelled; what was done is kept.
            ModelUnavailable, WorkerCrashed, NotEnoughMemory: the embedder failed; all files
                were read and can be found by their words.
            StorageFull, StorageDamaged: storing failed; what was committed is kept.
        """
        self._job.progress(0, 0, "Looking at the folder")
        reconcile(self._library_id, self._ledger, self._tables)
        self._known = self._ledger.known_files(self._library_id)
        candidates = self._look(roots)
        self._filling.start()
        try:
            for content in self._ledger.stored_contents(self._library_id):
                self._queue(content.content_id, content.embedded, content.passages, None)
            self._read(candidates)
            self._filling.close()
            # From here on all can be found by words, however long the vectors take.
            self._tables.tend_passages(final=False)
            while not self._filling.wait(0.1):
                self._report("Understanding")
        finally:
            self._filling.close()
            self._reading.stop()
        self._drop_gone(roots)
        self._filling.check()
        self._tidy()

    # --- scan -------------------------------------------------------------------------

    def _look(self, roots: list[bytes]) -> list[Candidate]:
        """Sort every entry into unchanged, skipped, or to be looked into."""
        candidates: list[Candidate] = []
        news: list[SeenFile] = []
        for root in roots:
            try:
                for found in scan(root, self._leave_out, self._job):
                    if found.seen.path not in self._kept:
                        self._kept.add(found.seen.path)
                        self._sort_in(found, candidates, news)
                    if len(news) >= _SEE_AT_ONCE:
                        self._ledger.see(self._library_id, news)
                        news.clear()
            except OSError as error:
                raise InvalidInput(
                    f"The folder {show_path(root)} cannot be opened.",
                    hint="Check that it exists and that you may read it.",
                    details=str(error),
                ) from error
        self._ledger.see(self._library_id, news)
        self._progress.bytes_left = sum(c.seen.size_bytes for c in candidates)
        return candidates

    def _sort_in(self, found: Found, candidates: list[Candidate], news: list[SeenFile]) -> None:
        seen, known = found.seen, self._known.get(found.seen.path)
        reason = seen.reason or self._refusal(found)
        if reason:
            if found.stat is None:
                self._closed_folders.append(seen.path)
            self._skip(seen.path, reason)
            if known is None or known.reason != reason:
                news.append(SeenFile(seen.path, seen.size_bytes, seen.mtime_ns, reason))
            return
        same = known is not None and (known.size_bytes, known.mtime_ns) == (
            seen.size_bytes,
            seen.mtime_ns,
        )
        if same and known is not None and known.state and not known.stale:
            if known.state == "unreadable":
                self._skip(seen.path, known.content_reason)
            else:
                self.counts.unchanged += 1
                self._present.add(known.content_id or 0)
            return
        candidates.append(Candidate(seen, known))
        if known is None or known.reason:
            news.append(seen)

    def _refusal(self, found: Found) -> str:
        """Why the readers refuse this file unopened; "" when they do not."""
        if found.stat is None:
            return found.seen.reason
        try:
            kind = classify(found.seen.path, found.stat)
        except UnreadableDocument as error:
            return error.message
        return kind.message if isinstance(kind, UnreadableDocument) else ""

    def _skip(self, path: bytes, reason: str) -> None:
        self.counts.skipped.append(SkippedFile(path=show_path(path), reason=reason))

    # --- read and store ---------------------------------------------------------------

    def _read(self, candidates: list[Candidate]) -> None:
        left = len(candidates)
        self._reading.start(candidates)
        while left:
            self._job.checkpoint()
            outcome = self._reading.next(timeout_s=0.1)
            if outcome is not None:
                left -= self._take(outcome)
            if self._batch_due() or (self._batch and left == 0):
                left -= self._store()
            self._report("Reading")
        self._store()

    def _take(self, outcome: Outcome) -> int:
        """Act on one outcome; how many candidates it ends now."""
        if isinstance(outcome, Fresh):
            if not self._batch:
                self._batch_since = time.monotonic()
            self._batch.append(outcome)
            return 0
        if isinstance(outcome, Refused):
            self._skip(outcome.seen.path, outcome.seen.reason)
            self._ledger.see(self._library_id, [outcome.seen])
            self._progress.bytes_left -= outcome.seen.size_bytes
            return 1
        self._recognise(outcome)
        return 1

    def _recognise(self, found: Recognised) -> None:
        """A file with bytes the library has: touched, moved, or a duplicate."""
        seen, known, content = found.candidate.seen, found.candidate.known, found.content
        self._ledger.attach(self._library_id, content.content_id, [seen])
        self._progress.bytes_left -= seen.size_bytes
        if content.state == "unreadable":
            self._skip(seen.path, content.reason)
        elif known is not None and known.content_id == content.content_id:
            self.counts.unchanged += 1
        else:
            self.counts.indexed += 1
            self.counts.duplicates += content.content_id in self._present
        self._present.add(content.content_id)

    def _batch_due(self) -> bool:
        if not self._batch:
            return False
        passages = sum(len(item.document.passages) for item in self._batch if item.document)
        return passages >= STORE_PASSAGES or time.monotonic() - self._batch_since >= STORE_S

    def _store(self) -> int:
        """Store the batch's passages, commit them, hand them on; candidates ended by it."""
        batch, self._batch = self._batch, []
        if not batch:
            return 0
        ids = self._ledger.open_contents(self._library_id, [item.sha256 for item in batch])
        rows = {
            content_id: _rows(content_id, item)
            for content_id, item in zip(ids, batch, strict=True)
        }
        self._tables.add_passages([row for part in rows.values() for row in part])
        with self._reading.settling(batch) as files:
            self._ledger.commit_read(
                self._library_id,
                [
                    _read_content(content_id, item, files[item.sha256])
                    for content_id, item in zip(ids, batch, strict=True)
                ],
            )
        for content_id, item in zip(ids, batch, strict=True):
            self._present.add(content_id)
            self._count(item, files[item.sha256])
            self._progress.bytes_read += files[item.sha256][0].seen.size_bytes
            self._queue(
                content_id,
                0,
                len(rows[content_id]),
                [row.search for row in rows[content_id]],
            )
        self._tend()
        self._job.emit("stored", {"passages": self._progress.passages})
        return sum(map(len, files.values()))

    def _count(self, item: Fresh, files: list[Candidate]) -> None:
        for number, candidate in enumerate(files):
            self._progress.bytes_left -= candidate.seen.size_bytes
            if item.document is None:
                self._skip(candidate.seen.path, item.reason)
            else:
                self.counts.indexed += 1
                self.counts.duplicates += number > 0

    def _queue(self, content_id: int, done: int, total: int, texts: list[str] | None) -> None:
        self._progress.passages += total - done
        self._filling.add(content_id, done, total, texts)

    def _tend(self) -> None:
        if time.monotonic() - self._tended >= _TEND_S:
            self._tables.tend_passages(final=False)
            self._tended = time.monotonic()

    # --- the end ----------------------------------------------------------------------

    def _drop_gone(self, roots: list[bytes]) -> None:
        """Forget files under `roots` that are gone; not those in folders we could not open."""
        gone = [
            known
            for path, known in self._known.items()
            if path not in self._kept
            and any(covers(root, path) for root in roots)
            and not any(covers(folder, path) for folder in self._closed_folders)
        ]
        self._ledger.drop_files([known.file_id for known in gone])
        self.counts.removed = sum(known.content_id is not None for known in gone)

    def _tidy(self) -> None:
        self._job.progress(self.passages, self.passages, "Tidying up")
        reconcile(self._library_id, self._ledger, self._tables)
        self._tables.tend_passages(final=True)
        self._tables.tend_vectors(final=True)
        self._ledger.touch(self._library_id)

    def _report(self, note: str) -> None:
        self._job.checkpoint()
        done = self._filling.embedded
        # Until tidying is over there is a little left, so that 100 % means finished.
        self._job.progress(done, max(self._progress.total(), done) + 1, note)


def context_of(title: str, heading: str) -> str:
    """What stands above a passage when it is embedded: title and headings, shortened."""
    parts = [part for part in (title.strip(), heading.strip()) if part]
    if len(parts) == 2 and parts[1].startswith(parts[0]):
        parts = parts[1:]
    context = " › ".join(" ".join(part.split()) for part in parts)
    if len(context) <= _CONTEXT_CHARS:
        return context
    return f"{context[: _CONTEXT_CHARS // 3]}…{context[-2 * _CONTEXT_CHARS // 3 :]}"


def title_of(item: Fresh) -> str:
    """The document's own title, or the file's name without its suffix."""
    own = item.document.title.strip() if item.document else ""
    return own or os.path.splitext(os.path.basename(show_path(item.path)))[0]


def _rows(content_id: int, item: Fresh) -> list[PassageRow]:
    if item.document is None:
        return []
    title = title_of(item)
    return [
        PassageRow(
            passage_id=content_id * PASSAGES_PER_CONTENT + ordinal,
            context=context_of(title, passage.heading),
            text=passage.text,
            heading=passage.heading,
            start=passage.start,
            end=passage.end,
            page=passage.page,
            gap=passage.gap,
        )
        for ordinal, passage in enumerate(item.document.passages[:PASSAGES_PER_CONTENT])
    ]


def _read_content(content_id: int, item: Fresh, files: list[Candidate]) -> ReadContent:
    document = item.document
    return ReadContent(
        content_id=content_id,
        files=tuple(candidate.seen for candidate in files),
        reason=item.reason,
        title=title_of(item),
        kind=document.kind if document else "",
        pages=document.pages if document else 0,
        passages=min(len(document.passages), PASSAGES_PER_CONTENT) if document else 0,
    )
