"""The host's side of OCR: the scanner process, one page at a time, and what a page costs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.documents.scans import MODEL, ScanPage, page_of
from engine.errors import (
    Cancelled,
    EngineError,
    InvalidInput,
    ModelUnavailable,
    WorkerCrashed,
)
from engine.store import measurements
from engine.store.db import Store
from engine.work.children import Worker
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease
from engine.work.memory import MemoryWatch
from engine.work.serve import EXIT_OUT_OF_MEMORY

STEP_S = 0.8
"""Lines are read for about this long, then questions pass."""
FIRST_GUESS_S = 5.0
"""Seconds a page before any was read on this machine."""
_NEWEST_SHARE = 0.2
_START_TIMEOUT_S = 120.0
_PATIENT = {"OMP_WAIT_POLICY": "PASSIVE", "MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True)
class ScanLimits:
    """What one page may cost."""

    step_s: float = 60.0
    """Finding the lines, or one line, however slow the machine."""
    page_s: float = 180.0
    """Then what was read of the page has to do."""
    memory_bytes: int = 2 << 30
    """A dense page takes 0.5 GB; kept by watching the process."""


class Scanner:
    """Reads pages of scanned PDFs and pictures in a child process. Thread-safe.

    Args:
        store: remembers how long a page takes here.
        lease: says how many cores to use, and when.
        on_death: told of every unexpected end of the child.
        limits: what one page may cost.
        command: overrides the child's command line (for tests).
    """

    def __init__(
        self,
        store: Store,
        lease: CoreLease,
        on_death: Callable[[WorkerCrashed], None] | None = None,
        limits: ScanLimits = ScanLimits(),
        command: Sequence[str] | None = None,
    ) -> None:
        self._store = store
        self._lease = lease
        self._limits = limits
        self._worker = Worker("scanner", "The scanner", _PATIENT, on_death, command)
        self._ready: tuple[int | None, int] = (None, 0)
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id of the running child, None when there is none."""
        return self._worker.pid

    def warm(self, job: Job = NULL_JOB) -> None:
        """Start the child and load the models.

        Raises:
            ModelUnavailable, WorkerCrashed: it cannot be used.
        """
        with self._lock:
            self._hello(job)

    def page_seconds(self) -> float:
        """How long a page takes, as measured on this machine, or a first guess."""
        known = measurements.recall(self._store, _MEASUREMENT)
        return float(known) if isinstance(known, int | float) else FIRST_GUESS_S

    def read_page(self, path: bytes, sha256: str, number: int, job: Job = NULL_JOB) -> ScanPage:
        """The text of page `number` (from 1); one that cannot be read says so in its `note`.

        Args:
            path: the file.
            sha256: of its bytes as they were looked at.
            number: of the page, or of the picture's frame.
            job: asked at every step of about a second whether to stop.

        Raises:
            InvalidInput: the file is gone or has other bytes by now.
            ModelUnavailable, WorkerCrashed: the scanner cannot be started.
            Cancelled: `job` was cancelled.
        """
        params = {"path": os.fsdecode(path), "sha256": sha256, "page": number}
        with self._lock:
            for attempt in (1, 2):
                self._hello(job)
                watch = MemoryWatch(job, self._worker.pid, self._limits.memory_bytes)
                try:
                    page, seconds = self._read(params, watch)
                except WorkerCrashed as crash:
                    reason = _verdict(crash, watch)
                    if not reason and attempt == 1:
                        continue
                    return ScanPage(note=reason or "A page ended the scanner twice.")
                self._measured(seconds)
                return page
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the child; a later call starts a new one."""
        self._worker.close()

    def _read(self, params: dict[str, Any], job: Job) -> tuple[ScanPage, float]:
        """The page, and the seconds the cores worked for it."""
        try:
            worked, answer = self._step("look", params, job)
            while answer.get("page") is None:
                late = worked > self._limits.page_s
                budget = {"seconds": 0.0 if late else STEP_S, "last": late}
                seconds, answer = self._step("read", budget, job)
                worked += seconds
        except (Cancelled, InvalidInput, ModelUnavailable, WorkerCrashed):
            raise
        except EngineError as error:
            # What a page does to its reader is noted with the page; the run goes on.
            return ScanPage(note=error.message), 0.0
        try:
            return page_of(answer["page"]), worked
        except (ValueError, KeyError, TypeError) as error:
            raise WorkerCrashed(
                "The scanner sent something unreadable.", details=repr(error)
            ) from error

    def _step(self, method: str, params: dict[str, Any], job: Job) -> tuple[float, Any]:
        job.checkpoint()
        with self._lease.hold("batch", job):
            start = time.monotonic()
            answer = self._worker.call(method, params, job, timeout_s=self._limits.step_s)
            # Other programs make a step take longer, not cost more: its threads sleep when
            # they wait, so processor time is the most it takes on a machine of its own.
            return min(time.monotonic() - start, float(answer["processor_s"])), answer

    def _hello(self, job: Job) -> None:
        """A child with its models loaded for the cores there are."""
        with self._lease.hold("batch", job) as cores:
            pass
        pid = self._worker.child().pid
        if self._ready != (pid, cores):
            self._worker.call("hello", {"threads": cores}, job, timeout_s=_START_TIMEOUT_S)
            self._ready = (self._worker.pid, cores)

    def _measured(self, seconds: float) -> None:
        if seconds <= 0:
            return
        before = measurements.recall(self._store, _MEASUREMENT)
        known = isinstance(before, int | float)
        now = (1 - _NEWEST_SHARE) * before + _NEWEST_SHARE * seconds if known else seconds
        measurements.remember(self._store, _MEASUREMENT, round(now, 3))


_MEASUREMENT = f"scanner/{MODEL}/page-seconds"


def _verdict(crash: WorkerCrashed, watch: MemoryWatch) -> str:
    """The reason when a second try cannot help: time or memory ran out."""
    if "did not answer within" in crash.message:
        return "A page took too long to read."
    if watch.exceeded or f"exit code {EXIT_OUT_OF_MEMORY}" in crash.details:
        return "A page needs more memory than is allowed."
    return ""
