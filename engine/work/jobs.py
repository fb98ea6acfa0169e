"""Long work seen from inside: report progress, hand out partial results, notice a cancel.

Every long engine function takes `job: Job = NULL_JOB`. The caller decides whether it
runs in the command line's own thread, in a worker thread of the host, or in a child.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from engine.errors import Cancelled

PROGRESS_INTERVAL_S = 0.1


class Job(Protocol):
    """What long work may say to whoever started it."""

    def progress(self, done: float, total: float, note: str = "") -> None:
        """Report `done` of `total` (any unit, `total` 0 when unknown) with a short note."""
        ...

    def emit(self, kind: str, data: object) -> None:
        """Hand out a partial result (JSON-ready), such as a streamed token."""
        ...

    def checkpoint(self) -> None:
        """Raise `Cancelled` when the work was asked to stop. Call it at every step."""
        ...


class _NullJob:
    """Work nobody watches: reports go nowhere and nothing cancels it."""

    def progress(self, done: float, total: float, note: str = "") -> None:
        pass

    def emit(self, kind: str, data: object) -> None:
        pass

    def checkpoint(self) -> None:
        pass


NULL_JOB: Job = _NullJob()


class EtaClock:
    """Estimates the seconds left from measured speed (exponentially smoothed)."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._mark: tuple[float, float] | None = None
        self._rate: float | None = None

    def update(self, done: float, total: float) -> float | None:
        """Seconds left, or None while there is no speed to judge by.

        A `done` that falls (a new phase) restarts the measurement.
        """
        now = self._now()
        if self._mark is None or done < self._mark[1]:
            self._mark, self._rate = (now, done), None
            return None
        elapsed, step = now - self._mark[0], done - self._mark[1]
        if elapsed >= 0.5 and step > 0:
            rate = step / elapsed
            self._rate = rate if self._rate is None else 0.7 * self._rate + 0.3 * rate
            self._mark = (now, done)
        if not self._rate or total <= 0:
            return None
        return max(0.0, (total - done) / self._rate)


class CallbackJob:
    """A job whose reports go to two callbacks; thread-safe, progress at most 10 Hz.

    Args:
        on_progress: called with (done, total, note, eta_s or None).
        on_event: called with (kind, data) for every partial result, never dropped.
    """

    def __init__(
        self,
        on_progress: Callable[[float, float, str, float | None], None] | None = None,
        on_event: Callable[[str, object], None] | None = None,
    ) -> None:
        self._on_progress = on_progress
        self._on_event = on_event
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._eta = EtaClock()
        self._last = 0.0

    def progress(self, done: float, total: float, note: str = "") -> None:
        with self._lock:
            eta_s = self._eta.update(done, total)
            now = time.monotonic()
            finished = total > 0 and done >= total
            if self._on_progress is None or (
                now - self._last < PROGRESS_INTERVAL_S and not finished
            ):
                return
            self._last = now
        self._on_progress(done, total, note, eta_s)

    def emit(self, kind: str, data: object) -> None:
        if self._on_event is not None:
            self._on_event(kind, data)

    def checkpoint(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled()

    def cancel(self) -> None:
        """Ask the work to stop at its next checkpoint."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """True once a stop was asked for."""
        return self._cancelled.is_set()
