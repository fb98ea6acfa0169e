"""Passages to vectors, behind the reading: small batches, each committed when it is stored."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from engine.errors import WorkerCrashed
from engine.library.embedding import Embedder, Vectors
from engine.library.reading import StoppableJob
from engine.library.tables import Tables
from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger
from engine.work.jobs import Job

WINDOW = 128
"""Passages embedded, stored and committed together: what a kill can cost at most."""
GATHER_S = 0.5
"""How long a window waits to fill while files are still being read."""
_STASH_CHARS = 4 << 20
"""Text kept at hand for vectors; what waits beyond it is fetched again from the tables, so
that memory does not grow with the folder."""
_TRIES = 3


@dataclass
class _Pending:
    """Passages [done, total) of one content; `texts` of all of them, or None to fetch."""

    content_id: int
    done: int
    total: int
    texts: list[str] | None


class Filling:
    """Embeds what it is given, oldest first, in a thread of its own.

    A failure of the embedder ends this thread but not the run: reading goes on, the passages
    are found by their words, and `finish` raises the failure.

    Args:
        ledger, tables: where vectors go and are committed.
        embedder: who computes them.
        job: stops the thread when cancelled.
    """

    def __init__(self, ledger: Ledger, tables: Tables, embedder: Embedder, job: Job) -> None:
        self._ledger = ledger
        self._tables = tables
        self._embedder = embedder
        self._stop = threading.Event()
        self._job = StoppableJob(job, self._stop)
        self._pending: deque[_Pending] = deque()
        self._waiting = 0
        self._gathering = True
        self._working = False
        self._stashed_chars = 0
        self._closed = False
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self.embedded = 0
        self._thread = threading.Thread(target=self._run, name="filling", daemon=True)

    def start(self) -> None:
        """Begin; nothing happens until something was added."""
        self._thread.start()

    def add(
        self,
        content_id: int,
        done: int,
        total: int,
        texts: list[str] | None,
        first: bool = False,
    ) -> None:
        """Queue passages [done, total) of a content the ledger has as read.

        Args:
            first: before all that wait, instead of behind them.
            texts: the text to embed of all `total` passages; None when they are to be
                fetched from the tables.
        """
        if done >= total:
            return
        size = sum(map(len, texts)) if texts else 0
        with self._changed:
            if self._stashed_chars + size > _STASH_CHARS:
                texts = None
            else:
                self._stashed_chars += size
            pending = _Pending(content_id, done, total, texts)
            if first:
                self._pending.appendleft(pending)
            else:
                self._pending.append(pending)
            self._waiting += total - done
            self._changed.notify_all()

    def gather(self, more_to_come: bool) -> None:
        """Say whether it is worth waiting a moment for a window to fill."""
        with self._changed:
            self._gathering = more_to_come
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """True when all it was given is stored, or nothing more will be: see `finish`."""
        with self._changed:
            done = not self._waiting and not self._working
        return done or not self._thread.is_alive()

    def finish(self) -> None:
        """Nothing more comes: wait until all is stored.

        Raises:
            ModelUnavailable, WorkerCrashed, NotEnoughMemory, StorageFull, StorageDamaged,
                Cancelled: what ended the thread before that.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the thread; what is in work is given up. Nothing is written after this."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while window := self._next_window():
                self._embed(window)
                with self._changed:
                    self._working = False
        except BaseException as error:
            self._failure = error

    def _next_window(self) -> list[tuple[_Pending, int, int]]:
        """(content, first, stop) pieces of up to WINDOW passages; empty when all is done."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait(0.2)
                self._job.checkpoint()
            if self._waiting < WINDOW:
                self._changed.wait_for(
                    lambda: self._closed or not self._gathering or self._waiting >= WINDOW,
                    GATHER_S,
                )
            self._job.checkpoint()
            self._working = bool(self._pending)
            pieces: list[tuple[_Pending, int, int]] = []
            room = WINDOW
            while room and self._pending:
                item = self._pending[0]
                stop = min(item.total, item.done + room)
                pieces.append((item, item.done, stop))
                room -= stop - item.done
                self._waiting -= stop - item.done
                item.done = stop
                if stop == item.total:
                    self._pending.popleft()
            return pieces

    def _embed(self, window: list[tuple[_Pending, int, int]]) -> None:
        ids = [
            item.content_id * PASSAGES_PER_CONTENT + ordinal
            for item, first, stop in window
            for ordinal in range(first, stop)
        ]
        texts = self._texts(window)
        vectors = self._vectors(texts)
        self._tables.add_vectors(ids, vectors)
        self._ledger.commit_embedded([(item.content_id, stop) for item, _, stop in window])
        self.embedded += len(ids)
        for item, _, stop in window:
            if stop == item.total and item.texts is not None:
                with self._changed:
                    self._stashed_chars -= sum(map(len, item.texts))
                    item.texts = None
        self._tables.tend_vectors(final=False)

    def _texts(self, window: list[tuple[_Pending, int, int]]) -> list[str]:
        """What is to be embedded; whatever is not at hand is fetched in one query."""
        missing = [
            item.content_id * PASSAGES_PER_CONTENT + ordinal
            for item, first, stop in window
            if item.texts is None
            for ordinal in range(first, stop)
        ]
        rows = self._tables.fetch(missing) if missing else {}
        texts: list[str] = []
        for item, first, stop in window:
            if item.texts is not None:
                texts += item.texts[first:stop]
                continue
            base = item.content_id * PASSAGES_PER_CONTENT
            texts += [rows[base + ordinal].search for ordinal in range(first, stop)]
        return texts

    def _vectors(self, texts: list[str]) -> Vectors:
        for left in reversed(range(_TRIES)):
            try:
                if len(texts) >= WINDOW // 2 and not self._embedder.measured():
                    self._embedder.measure_backends(self._job, texts)
                return self._embedder.embed_passages(texts, self._job)
            except WorkerCrashed:
                if not left:
                    raise
        raise AssertionError("unreachable")
