"""The host's side of reading: reader processes, and what becomes of files that kill them."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.documents.formats import classify as classify
from engine.documents.types import Passage, ReadDocument
from engine.errors import UnreadableDocument, WorkerCrashed
from engine.files import atomic_write, show_path
from engine.work.children import Worker
from engine.work.jobs import NULL_JOB, Job
from engine.work.memory import MemoryWatch, resident_bytes
from engine.work.serve import EXIT_OUT_OF_MEMORY

_START_TIMEOUT_S = 60.0
_NO_MEMORY = "Reading it needs more memory than is allowed."
_WAIT_S = 0.05


@dataclass(frozen=True)
class ReadLimits:
    """What one file may cost."""

    time_s: float = 20.0
    memory_bytes: int = 1 << 30
    """Kept by watching the reader; on Linux the reader keeps a limit of its own as well."""
    files_per_process: int = 300
    keep_below_bytes: int = 500 << 20
    """A reader that has grown past this is replaced before the next file."""


class _Slot:
    """A reader process and how much it has done."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.files = 0
        self.greeted: int | None = None
        """Pid that answered hello: starting up is not part of a file's time."""


class ReaderPool:
    """Reads files in child processes; safe to use from several threads.

    Args:
        tokenizer: the embedder's tokenizer.json, which counts the tokens of passages.
        size: processes that read for indexing; the viewer has one of its own.
        limits: what one file may cost.
        on_death: told about every reader that died or was stopped.
        quarantine: folder that remembers files which killed two readers.
        scans: folder of what OCR found, a file for each content; see `engine.documents.scans`.
        command: the reader's command line (for tests).
    """

    def __init__(
        self,
        tokenizer: Path,
        size: int = 2,
        limits: ReadLimits = ReadLimits(),
        on_death: Callable[[WorkerCrashed], None] | None = None,
        quarantine: Path | None = None,
        scans: Path | None = None,
        command: list[str] | None = None,
    ) -> None:
        self._tokenizer = str(tokenizer)
        self._limits = limits
        self._quarantine = quarantine
        self._scans = scans
        # One arena: with many, glibc reserves address space that counts against the limit.
        environment = {"MALLOC_ARENA_MAX": "1", "RAYON_NUM_THREADS": "1"}

        def slot() -> _Slot:
            return _Slot(Worker("reader", "The reader", environment, on_death, command))

        self._slots = [slot() for _ in range(size)]
        self._free: queue.SimpleQueue[_Slot] = queue.SimpleQueue()
        for one in self._slots:
            self._free.put(one)
        self._viewer = slot()
        self._viewer_lock = threading.Lock()

    def read(self, path: bytes, job: Job = NULL_JOB, sha256: str = "") -> ReadDocument:
        """The passages of the file at `path`; `sha256` finds what OCR made of its pages.

        Raises:
            UnreadableDocument: it cannot be read, took too long, needed too much memory, or
                ended two readers.
            Cancelled: `job` was cancelled.
        """
        slot = self._take(job)
        try:
            params = {
                "path": os.fsdecode(path),
                "tokenizer": self._tokenizer,
                "scan": self._scan(sha256),
            }
            data = self._call(slot, "read", params, path, job)
        finally:
            self._free.put(slot)
        passages = [Passage(**item) for item in data.pop("passages")]
        return ReadDocument(**data, passages=passages)

    def view(
        self,
        path: bytes,
        start: int,
        end: int,
        page: int | None,
        width_px: int,
        job: Job = NULL_JOB,
        sha256: str = "",
    ) -> dict[str, Any]:
        """The place [start, end) as the fields of `api.SourceView` without `changed`.

        Raises:
            UnreadableDocument: the file cannot be shown.
        """
        params = {
            "path": os.fsdecode(path),
            "tokenizer": self._tokenizer,
            "start": start,
            "end": end,
            "page": page,
            "width_px": width_px,
            "scan": self._scan(sha256),
        }
        with self._viewer_lock:
            return self._call(self._viewer, "view", params, path, job)

    def close(self) -> None:
        """End all readers."""
        for slot in (*self._slots, self._viewer):
            slot.worker.close()

    def _scan(self, sha256: str) -> str | None:
        if self._scans is None or not sha256:
            return None
        return str(self._scans / f"{sha256}.json")

    def _take(self, job: Job) -> _Slot:
        while True:
            try:
                return self._free.get(timeout=_WAIT_S)
            except queue.Empty:
                job.checkpoint()

    def _call(
        self, slot: _Slot, method: str, params: dict[str, Any], path: bytes, job: Job
    ) -> dict[str, Any]:
        """One file; a reader that died of it is replaced and the file tried once more."""
        for attempt in (1, 2):
            self._prepare(slot)
            watch = MemoryWatch(job, slot.worker.pid, self._limits.memory_bytes)
            try:
                return slot.worker.call(method, params, watch, timeout_s=self._limits.time_s)
            except WorkerCrashed as crash:
                reason = _NO_MEMORY if watch.exceeded else self._verdict(crash)
                if reason is None and attempt == 1:
                    continue
                self._remember(path, crash)
                raise UnreadableDocument(
                    reason or "Reading it ended the reader twice; it was left alone.",
                    details=crash.details,
                ) from crash
        raise AssertionError("unreachable")

    def _prepare(self, slot: _Slot) -> None:
        """A running, greeted reader that has not grown too old or too large."""
        pid = slot.worker.pid
        if pid is not None and (
            slot.files >= self._limits.files_per_process
            or resident_bytes(pid) > self._limits.keep_below_bytes
        ):
            slot.worker.close()
            pid = None
        if pid is None or pid != slot.greeted:
            slot.worker.call(
                "hello", {"tokenizer": self._tokenizer}, timeout_s=_START_TIMEOUT_S
            )
            slot.greeted, slot.files = slot.worker.pid, 0
        slot.files += 1

    def _verdict(self, crash: WorkerCrashed) -> str | None:
        """The reason when a second try cannot help: time or memory ran out."""
        if "did not answer within" in crash.message:
            return f"Reading it took longer than {self._limits.time_s:g} seconds."
        if f"exit code {EXIT_OUT_OF_MEMORY}" in crash.details:
            return _NO_MEMORY
        return None

    def _remember(self, path: bytes, crash: WorkerCrashed) -> None:
        """Leave a record for a report; the ledger keeps the file from being tried again."""
        if self._quarantine is None:
            return
        name = hashlib.sha256(path).hexdigest()[:16] + ".json"
        record = {"path": show_path(path), "reason": crash.message, "details": crash.details}
        atomic_write(self._quarantine / name, json.dumps(record, indent=2).encode())
