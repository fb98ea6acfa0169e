"""Files to passages, several at a time: hash, recognise known content, read what is new."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from engine.documents.pool import ReaderPool
from engine.documents.types import ReadDocument
from engine.errors import Cancelled, EngineError, UnreadableDocument
from engine.files import sha256_file
from engine.library.scanning import is_away, open_failure
from engine.store.ledger import Content, KnownFile, Ledger, SeenFile
from engine.work.jobs import Job


@dataclass(frozen=True)
class Candidate:
    """A file to look into, and what the ledger had of it."""

    seen: SeenFile
    known: KnownFile | None


@dataclass(frozen=True)
class Refused:
    """A file that could not even be opened; `seen.reason` says why.

    `restless`: it kept changing while it was read, so it is worth another look soon.
    """

    seen: SeenFile
    restless: bool = False


@dataclass(frozen=True)
class Vanished:
    """A file that was seen and is no longer there; `away`: its whole disk is not."""

    candidate: Candidate
    away: bool


@dataclass(frozen=True)
class Recognised:
    """A file whose bytes the library already has."""

    candidate: Candidate
    content: Content


@dataclass(frozen=True)
class Fresh:
    """New bytes: a `document`, or the reason there is none. See `Reading.settling`.

    `scan_pages` of it only OCR can read; `scan_due`: it is going to, in this run.
    """

    sha256: str
    path: bytes
    document: ReadDocument | None
    reason: str = ""
    scan_pages: int = 0
    scan_due: bool = False


Outcome = Refused | Vanished | Recognised | Fresh


class StoppableJob:
    """Work on behalf of `job` that ends with it, and also when `stop` is set; it is silent."""

    def __init__(self, job: Job, stop: threading.Event) -> None:
        self._job = job
        self._stop = stop

    def progress(self, done: float, total: float, note: str = "") -> None:
        pass

    def emit(self, kind: str, data: object) -> None:
        pass

    def checkpoint(self) -> None:
        if self._stop.is_set():
            raise Cancelled()
        self._job.checkpoint()


class Reading:
    """Threads that turn candidates into outcomes.

    Equal files meet here: the first to bring new bytes reads them, the others wait as its
    duplicates until they are settled.

    Args:
        library_id: whose contents count as known.
        ledger, readers: where to look and who reads.
        job: stops the threads when cancelled.
        threads: files in work at once.
    """

    def __init__(
        self, library_id: str, ledger: Ledger, readers: ReaderPool, job: Job, threads: int
    ) -> None:
        self._library_id = library_id
        self._ledger = ledger
        self._readers = readers
        self._stop = threading.Event()
        self._job = StoppableJob(job, self._stop)
        self._work: deque[Candidate] = deque()
        self._more = threading.Condition()
        self._done: queue.Queue[Outcome | BaseException] = queue.Queue(maxsize=64)
        self._claims: dict[str, list[Candidate]] = {}
        self._claims_lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, name=f"reading-{n}", daemon=True)
            for n in range(threads)
        ]

    def start(self) -> None:
        """Begin; nothing happens until something was added."""
        for thread in self._threads:
            thread.start()

    def add(self, candidates: Iterable[Candidate], first: bool = False) -> None:
        """Queue files, in this order, behind those that wait or `first`, before them.

        Every one ends in an outcome, or among the duplicates in `settling`.
        """
        with self._more:
            if first:
                self._work.extendleft(reversed(list(candidates)))
            else:
                self._work.extend(candidates)
            self._more.notify_all()

    def next(self, timeout_s: float) -> Outcome | None:
        """The next outcome; None when there was none in time.

        Raises:
            Cancelled, EngineError: a thread ended with this.
        """
        try:
            outcome = self._done.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    @contextmanager
    def settling(self, fresh: Sequence[Fresh]) -> Generator[dict[str, list[Candidate]]]:
        """All files with the bytes of each `fresh`, by sha256, the one that was read first.

        Commit them to the ledger inside: no file joins meanwhile, and equal files that come
        later are recognised there.
        """
        with self._claims_lock:
            yield {item.sha256: self._claims[item.sha256] for item in fresh}
            for item in fresh:
                del self._claims[item.sha256]

    def stop(self) -> None:
        """End the threads; files in work are given up."""
        self._stop.set()
        with self._more:
            self._more.notify_all()
        for thread in self._threads:
            while thread.is_alive():
                try:  # a thread may wait for room to put its last outcome
                    self._done.get_nowait()
                except queue.Empty:
                    thread.join(timeout=0.02)

    def _run(self) -> None:
        while True:
            with self._more:
                self._more.wait_for(lambda: self._work or self._stop.is_set())
                if self._stop.is_set():
                    return
                candidate = self._work.popleft()
            try:
                self._job.checkpoint()
                outcome = self._look_into(candidate)
            except BaseException as error:
                self._done.put(error)
                return
            if outcome is not None:
                self._done.put(outcome)

    def _look_into(self, candidate: Candidate) -> Outcome | None:
        """None when the file waits as a duplicate of one being read."""
        path = candidate.seen.path
        for _ in range(2):
            try:
                before = _seen(path)
                candidate = Candidate(before, candidate.known)
                sha256 = sha256_file(path, lambda _done: self._job.checkpoint())
            except OSError as error:
                return _not_opened(candidate, error)
            claim = self._claim(sha256, candidate)
            if claim != "ours":
                return claim
            outcome = self._read(sha256, before)
            if isinstance(outcome, Fresh) and self._unchanged(before):
                return outcome
            self._unclaim(sha256)
            if isinstance(outcome, Refused):
                return outcome
        return Refused(_refused(candidate.seen, "It kept changing while it was read."), True)

    def _unchanged(self, before: SeenFile) -> bool:
        try:
            return _seen(before.path) == before
        except OSError:
            return False

    def _claim(self, sha256: str, candidate: Candidate) -> Recognised | Literal["ours"] | None:
        """Recognised content; "ours" to read; None when another file reads the same bytes."""
        with self._claims_lock:
            waiting = self._claims.get(sha256)
            if waiting is not None:
                waiting.append(candidate)
                return None
            content = self._ledger.content_by_hash(self._library_id, sha256)
            if content is not None:
                return Recognised(candidate, content)
            self._claims[sha256] = [candidate]
            return "ours"

    def _unclaim(self, sha256: str) -> None:
        """The claimant's bytes changed: its duplicates are looked into on their own."""
        with self._claims_lock:
            others = self._claims.pop(sha256)[1:]
        self.add(others, first=True)

    def _read(self, sha256: str, seen: SeenFile) -> Fresh | Refused:
        try:
            return Fresh(sha256, seen.path, self._readers.read(seen.path, self._job, sha256))
        except UnreadableDocument as error:
            return Fresh(sha256, seen.path, None, error.message)
        except Cancelled:
            raise
        except EngineError as error:
            # The reader broke, not the file: nothing is remembered against its bytes.
            return Refused(_refused(seen, error.message))


def _seen(path: bytes) -> SeenFile:
    """The file as it is now.

    Raises:
        OSError: it cannot be had.
    """
    about = os.lstat(path)
    return SeenFile(path, about.st_size, about.st_mtime_ns)


def _not_opened(candidate: Candidate, error: OSError) -> Refused | Vanished:
    if is_away(error):
        return Vanished(candidate, away=True)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Vanished(candidate, away=False)
    return Refused(_refused(candidate.seen, open_failure(error)))


def _refused(seen: SeenFile, reason: str) -> SeenFile:
    return SeenFile(seen.path, seen.size_bytes, seen.mtime_ns, reason)
