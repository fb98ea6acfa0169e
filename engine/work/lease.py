"""Who may use the cores now: torch and llama.cpp never both take all of them.

Two lock files in the home make a turnstile that works across processes and is released by
the operating system when a holder dies. Whoever computes holds `cores.lock`. A question
also holds `question.lock` from the moment it waits; long work passes through that turnstile
before every step, so a question waits for at most one step and is never starved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal

from filelock import FileLock, Timeout

from engine import hardware
from engine.errors import Cancelled
from engine.paths import Home
from engine.work.jobs import NULL_JOB, Job

Purpose = Literal["question", "batch"]
_POLL_S = 0.004
_LOOK_S = 0.1


class CoreLease:
    """Grants all cores to one holder at a time; questions go before batches.

    Args:
        home: the data folder whose users share the machine.
        cores: how many cores a holder gets; default: the physical ones.
    """

    def __init__(self, home: Home, cores: int | None = None) -> None:
        self._folder = home.create().locks
        self._cores = cores or hardware.cpu().cores
        # File locks exclude processes; the mutexes exclude threads of this one.
        self._cores_mutex = threading.Lock()
        self._question_mutex = threading.Lock()

    @contextmanager
    def hold(self, purpose: Purpose, job: Job = NULL_JOB) -> Generator[int]:
        """Hold the cores; gives how many threads may run.

        Long work ("batch") takes the lease for one step of about a second at most and
        gives it back. Not reentrant.

        Raises:
            Cancelled: `job` was cancelled while waiting.
        """
        if purpose == "question":
            with (
                self._take("question.lock", self._question_mutex, job),
                self._take("cores.lock", self._cores_mutex, job),
            ):
                yield self._cores
            return
        with self._take("question.lock", self._question_mutex, job):
            pass  # someone's question is served first
        with self._take("cores.lock", self._cores_mutex, job):
            yield self._cores

    def yielding(self, job: Job) -> Job:
        """`job`, which also ends when a question waits, in whatever process.

        For a step of long work that can last longer than a question should wait.
        """
        return _Yielding(job, self._question_waits)

    def _question_waits(self) -> bool:
        if not self._question_mutex.acquire(blocking=False):
            return True
        try:
            lock = FileLock(self._folder / "question.lock", is_singleton=False)
            lock.acquire(timeout=0)
            lock.release()
        except Timeout:
            return True
        finally:
            self._question_mutex.release()
        return False

    @contextmanager
    def _take(self, name: str, mutex: threading.Lock, job: Job) -> Generator[None]:
        while not mutex.acquire(timeout=_POLL_S * 5):
            job.checkpoint()
        try:
            lock = FileLock(self._folder / name, is_singleton=False)
            while True:
                try:
                    lock.acquire(timeout=0)
                    break
                except Timeout:
                    job.checkpoint()
                    time.sleep(_POLL_S)
            try:
                yield
            finally:
                lock.release()
        finally:
            mutex.release()


class _Yielding:
    """Passes everything on, and looks now and then whether a question waits.

    Long work passes the turnstile too, in no time: only what stands there twice is a question.
    """

    def __init__(self, job: Job, waits: Callable[[], bool]) -> None:
        self._job = job
        self._waits = waits
        self._looked = time.monotonic()
        self._seen = False

    def progress(self, done: float, total: float, note: str = "") -> None:
        self._job.progress(done, total, note)

    def emit(self, kind: str, data: object) -> None:
        self._job.emit(kind, data)

    def checkpoint(self) -> None:
        self._job.checkpoint()
        if time.monotonic() - self._looked < _LOOK_S:
            return
        seen, self._seen = self._seen, self._waits()
        self._looked = time.monotonic()
        if seen and self._seen:
            raise Cancelled("A question goes first.")
