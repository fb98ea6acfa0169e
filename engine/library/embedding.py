"""Vectors on demand: the client of the embedder process."""

from __future__ import annotations

import base64
import functools
import json
import threading
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import EngineError, WorkerCrashed
from engine.models.embedders import EmbedderInfo, check_weights, weights_stamp
from engine.store import measurements
from engine.store.db import Store
from engine.work.api import BackendTiming
from engine.work.children import Worker
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease, Purpose

Vectors = np.ndarray[Any, np.dtype[np.float32]]

STEP_S = 0.8
"""A batch holds the cores about this long, then lets questions pass."""
MEASURE_TEXTS = 32
_MIN_STEP, _MAX_STEP = 8, 512
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""Threads that wait sleep instead of spinning: as fast on an idle machine, and four times as
fast when something else wants the cores (measured: 46 against 11 passages/s)."""


class Embedder:
    """Turns text into unit vectors in a child process. Thread-safe.

    Args:
        info: the model.
        store: where the measured backends are remembered.
        lease: says how many cores to use, and when.
        on_death: told of every unexpected end of the child.
        start_timeout_s: for the first call to a fresh child, which loads torch.
        query_timeout_s, step_timeout_s: for one question and one step of a batch.
        command: overrides the child's command line (for tests).
    """

    def __init__(
        self,
        info: EmbedderInfo,
        store: Store,
        lease: CoreLease,
        on_death: Callable[[WorkerCrashed], None] | None = None,
        start_timeout_s: float = 120.0,
        query_timeout_s: float = 20.0,
        step_timeout_s: float = 180.0,
        command: Sequence[str] | None = None,
    ) -> None:
        self.info = info
        self._store = store
        self._lease = lease
        self._timeouts = (start_timeout_s, query_timeout_s, step_timeout_s)
        self._checked = False
        self._check_lock = threading.Lock()
        self._ready_pid: int | None = None
        self._texts_per_s = 16.0
        loading = {
            "folder": str(info.path),
            "max_tokens": info.max_tokens,
            "backend": self.backend(),
        }
        self._worker = Worker(
            "embedder",
            "The search model",
            environment={"WHETSTONE_EMBEDDER": json.dumps(loading), **PATIENT},
            on_death=on_death,
            command=command,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the running child, None when there is none."""
        return self._worker.pid

    def warm(self) -> None:
        """Start the child and load the model ahead of the first question.

        Raises:
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: it cannot be used.
        """
        self._check()
        self._hello(NULL_JOB)

    def embed_query(self, text: str, job: Job = NULL_JOB) -> Vectors:
        """The unit vector of a question, shape (dimensions,). Goes before running batches.

        Raises:
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: the model cannot be used now.
            Cancelled: `job` was cancelled.
        """
        self._check()
        self._hello(job)
        with self._lease.hold("question", job) as cores:
            return self._embed([text], cores, self._timeouts[1], job)[0]

    def embed_passages(self, texts: Sequence[str], job: Job = NULL_JOB) -> Vectors:
        """Unit vectors in the order of `texts`, shape (len(texts), dimensions).

        Longest first, in steps of under a second; between two steps the cores are free for
        whoever has a question.

        Raises:
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: the model cannot be used now.
            Cancelled: `job` was cancelled.
        """
        self._check()
        self._hello(job)
        # Logs, forms and generated files repeat themselves: each text is computed once.
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        vectors = self._embed_in_steps(list(rows), job)
        return vectors[[rows[text] for text in texts]] if len(rows) < len(texts) else vectors

    def _embed_in_steps(self, texts: list[str], job: Job) -> Vectors:
        result = np.empty((len(texts), self.info.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        done = 0
        while done < len(order):
            job.checkpoint()
            size = int(min(_MAX_STEP, max(_MIN_STEP, self._texts_per_s * STEP_S)))
            step = order[done : done + size]
            with self._lease.hold("batch", job) as cores:
                start = time.monotonic()
                vectors = self._embed([texts[i] for i in step], cores, self._timeouts[2], job)
                rate = len(step) / max(1e-3, time.monotonic() - start)
            self._texts_per_s = 0.5 * self._texts_per_s + 0.5 * rate
            result[step] = vectors
            done += len(step)
        return result

    def backend(self) -> str:
        """The backend measured fastest here; "" while nothing was measured."""
        return next((timing.backend for timing in self.measured() if timing.chosen), "")

    def measured(self) -> list[BackendTiming]:
        """What was measured on this machine with this model and this torch; may be empty."""
        rows: list[Any] = measurements.recall(self._store, self._measurement()) or []
        return [BackendTiming.model_validate(row) for row in rows]

    def measure_backends(
        self, job: Job = NULL_JOB, texts: Sequence[str] = ()
    ) -> list[BackendTiming]:
        """Time every backend once and remember it; later calls return what is remembered.

        Args:
            job: watched while it runs (some seconds).
            texts: real passages; without them, made-up words of passage length serve.

        Raises:
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: the model cannot be used now.
            Cancelled: `job` was cancelled.
        """
        known = self.measured()
        if known:
            return known
        self._check()
        self._hello(job)
        sample = list(texts[:MEASURE_TEXTS]) or _made_up_passages()
        with self._lease.hold("batch", job) as cores:
            params = {"texts": sample, "threads": cores}
            rows = self._worker.call("measure", params, job, timeout_s=self._timeouts[2])
        timings = [BackendTiming.model_validate(row) for row in rows]
        measurements.remember(self._store, self._measurement(), rows)
        return timings

    def load_reranker(self, folder: Path | None, job: Job = NULL_JOB) -> None:
        """Have the child load the cross-encoder in `folder`; None lets go of the one it has.

        Raises:
            InvalidInput, ModelUnavailable, NotEnoughMemory: see `CrossEncoder`.
            WorkerCrashed: the child died of it.
            Cancelled: `job` was cancelled.
        """
        if folder is None and self._worker.pid is None:
            return
        params = {"folder": "" if folder is None else str(folder)}
        self._worker.call("load_reranker", params, job, timeout_s=self._timeouts[0])

    def rerank(
        self,
        folder: Path,
        query: str,
        texts: Sequence[str],
        job: Job = NULL_JOB,
        purpose: Purpose = "question",
    ) -> list[float]:
        """How well each text answers the query, by the cross-encoder in `folder`.

        Raises:
            InvalidInput, ModelUnavailable, NotEnoughMemory, WorkerCrashed: it cannot now.
            Cancelled: `job` was cancelled.
        """
        with self._lease.hold(purpose, job) as cores:
            params = {
                "folder": str(folder),
                "query": query,
                "texts": list(texts),
                "threads": cores,
            }
            found = self._worker.call("rerank", params, job, timeout_s=self._timeouts[2])
        try:
            scores = [float(score) for score in found]
            if len(scores) != len(texts):
                raise ValueError(f"{len(scores)} scores for {len(texts)} passages")
        except (ValueError, TypeError) as error:
            raise WorkerCrashed(
                "The reranker sent something unreadable.", details=repr(error)
            ) from error
        return scores

    def close(self) -> None:
        """End the child; a later call starts a new one."""
        self._worker.close()

    def _measurement(self) -> str:
        return f"embedder/{self.info.id}/torch-{_torch_version()}"

    def _check(self) -> None:
        """Hash the weights the first time this installation sees them.

        Raises:
            ModelUnavailable: the weights are missing or damaged.
        """
        with self._check_lock:
            if self._checked:
                return
            stamp = weights_stamp(self.info)
            if measurements.recall(self._store, f"weights/{self.info.id}") != stamp:
                check_weights(self.info)
                measurements.remember(self._store, f"weights/{self.info.id}", stamp)
            self._checked = True

    def _hello(self, job: Job) -> None:
        """Wait, outside the lease, until the child has loaded."""
        pid = self._worker.child().pid
        if pid != self._ready_pid:
            self._worker.call("hello", {}, job, timeout_s=self._timeouts[0])
            self._ready_pid = self._worker.pid

    def _embed(self, texts: list[str], cores: int, timeout_s: float, job: Job) -> Vectors:
        params = {"texts": texts, "threads": cores, "backend": self.backend()}
        answer = self._worker.call("embed", params, job, timeout_s=timeout_s)
        return self._decode(answer, len(texts))

    def _decode(self, answer: Any, rows: int) -> Vectors:
        try:
            data = base64.b64decode(answer["vectors"], validate=True)
            vectors = np.frombuffer(data, "<f4").reshape(rows, self.info.dimensions)
        except (ValueError, KeyError, TypeError) as error:
            raise WorkerCrashed(
                "The search model sent something unreadable.", details=repr(error)
            ) from error
        if not np.isfinite(vectors).all():
            raise EngineError(
                "The search model computed vectors that are no numbers.",
                hint="Run `whetstone doctor` and report the details.",
                details=f"backend {self.backend()!r}",
            )
        return vectors


@functools.cache
def _torch_version() -> str:
    """Looked up in a file of 60 kB, which would be a good part of a question's time."""
    return metadata.version("torch")


def _made_up_passages() -> list[str]:
    """Text of about 200 tokens each for timing without any document at hand."""
    words = ["index", "folder", "passage", "question", "answer", "page", "model", "memory"]
    words += ["table", "figure", "method", "library", "evidence", "paper", "note", "protein"]
    return [
        " ".join(words[(row * 7 + place * (row % 5 + 1)) % len(words)] for place in range(200))
        for row in range(MEASURE_TEXTS)
    ]
