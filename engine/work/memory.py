"""A limit on a child's memory that its parent keeps, for systems that keep none."""

from __future__ import annotations

import time

import psutil

from engine.work.jobs import Job

_LOOK_EVERY_S = 0.25


class MemoryWatch:
    """Passes a job on; at its checkpoints it looks at the child and ends one grown too large.

    The call that waits for the child then fails as it does when a child dies; `exceeded`
    says why.

    Args:
        job: the job the call is made for.
        pid: the child.
        limit_bytes: of resident memory.
    """

    def __init__(self, job: Job, pid: int | None, limit_bytes: int) -> None:
        self._job = job
        self._pid = pid
        self._limit_bytes = limit_bytes
        self._next = 0.0
        self.exceeded = False

    def progress(self, done: float, total: float, note: str = "") -> None:
        """As the job's."""
        self._job.progress(done, total, note)

    def emit(self, kind: str, data: object) -> None:
        """As the job's."""
        self._job.emit(kind, data)

    def checkpoint(self) -> None:
        """As the job's, after a look at the child now and then."""
        now = time.monotonic()
        if self._pid is not None and now >= self._next:
            self._next = now + _LOOK_EVERY_S
            if resident_bytes(self._pid) > self._limit_bytes:
                self.exceeded = True
                try:
                    psutil.Process(self._pid).kill()
                except psutil.Error:
                    pass
        self._job.checkpoint()


def resident_bytes(pid: int) -> int:
    """Memory a process really uses now; 0 when it has ended."""
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0
