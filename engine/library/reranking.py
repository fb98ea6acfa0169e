"""The second look at the first candidates: a cross-encoder of the user's own, if one is set."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import Cancelled, EngineError, InvalidInput, ModelUnavailable
from engine.models.rerankers import RerankerInfo, read_reranker
from engine.paths import Home
from engine.settings import load_settings, save_settings
from engine.store import measurements
from engine.store.db import Store
from engine.work.api import RerankerMeasurement, RerankerView
from engine.work.jobs import NULL_JOB, Job

if TYPE_CHECKING:  # these load NumPy, which a list of libraries does not need
    from engine.library.choosing import Hit
    from engine.library.embedding import Embedder

RERANKED = 30
"""So many of the fused candidates are looked at again."""
LIMIT_S = 10.0
"""A search waits so long for new scores, the model already loaded; then it goes on without."""
REST_S = 60.0
"""After a failure it is left alone for so long, rather than have every search wait for it."""


@dataclass(frozen=True)
class Reranked:
    """The candidates in their new order, or the old one and a notice that says why."""

    hits: list[Hit]
    notice: str = ""
    detail: str = ""


class Reranker:
    """What the user set, and its part in a search. Thread-safe.

    Args:
        home: whose settings say which cross-encoder and whether it is on.
        store: where measurements are remembered.
        embedder: whose process computes the scores.
        limit_s: see LIMIT_S.
    """

    def __init__(
        self, home: Home, store: Store, embedder: Embedder, limit_s: float = LIMIT_S
    ) -> None:
        self._home = home
        self._store = store
        self._embedder = embedder
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._loaded: tuple[int | None, str] | None = None
        self._failed: tuple[str, float, EngineError] | None = None

    # --- what is set ------------------------------------------------------------------

    def view(self) -> RerankerView:
        """What is set, and what was measured of it on this machine."""
        settings = load_settings(self._home)
        if not settings.reranker:
            return RerankerView()
        folder = Path(settings.reranker)
        view = RerankerView(folder=str(folder), name=folder.name, on=settings.rerank)
        try:
            info = read_reranker(folder)
        except EngineError as error:
            view.problem = error.message
            return view
        view.architecture, view.max_tokens = info.architecture, info.max_tokens
        view.size_bytes, view.measured = info.size_bytes, self._measured(info)
        return view

    def choose(self, folder: str, job: Job = NULL_JOB) -> RerankerView:
        """Set the cross-encoder in `folder`, once it has loaded; "" takes it away.

        It stays off until it is switched on or a measurement shows a gain.

        Raises:
            InvalidInput: there is no such folder.
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: it cannot be loaded; what was
                set before stays.
            Cancelled: `job` was cancelled.
        """
        if not folder:
            self._change(lambda settings: _set(settings, "", False))
            self._loaded = self._failed = None
            self._embedder.load_reranker(None)
            return self.view()
        path = Path(os.path.realpath(os.path.expanduser(folder)))
        if not str(path).isprintable():
            raise InvalidInput(
                "The name of this folder holds characters that cannot be written down.",
                hint="Rename the folder, or copy the model elsewhere.",
                details=repr(str(path)),
            )
        info = read_reranker(path)
        job.progress(0, 1, f"Loading {info.name}")
        self._loaded = self._failed = None
        self._load(info, job)
        same = load_settings(self._home).reranker == str(path)
        self._change(lambda settings: _set(settings, str(path), same and settings.rerank))
        job.progress(1, 1, f"Loading {info.name}")
        return self.view()

    def switch(self, on: bool) -> RerankerView:
        """Use it in searches from now on, or no longer.

        Raises:
            InvalidInput: none is set.
        """
        if on:
            self.info()
        self._change(lambda settings: _set(settings, settings.reranker, on))
        self._failed = None
        return self.view()

    def info(self) -> RerankerInfo:
        """The cross-encoder that is set, as it is in its folder now.

        Raises:
            InvalidInput: none is set, or its folder is gone.
            ModelUnavailable: the folder no longer holds one.
        """
        folder = load_settings(self._home).reranker
        if not folder:
            raise InvalidInput(
                "No reranker is set.",
                hint="Set one with `whetstone models reranker FOLDER`.",
            )
        try:
            return read_reranker(Path(folder))
        except InvalidInput as error:
            raise InvalidInput(
                f"The folder of the reranker, {folder!r}, is gone.",
                hint="Bring it back, or set another one.",
            ) from error

    def keep(self, info: RerankerInfo, measured: RerankerMeasurement) -> RerankerView:
        """Remember a measurement; one that shows a gain switches the reranker on.

        Raises:
            StorageFull, StorageDamaged: it could not be written.
        """
        others = [one for one in self._measured(info) if one.library != measured.library]
        rows = [one.model_dump(mode="json") for one in (measured, *others)]
        measurements.remember(self._store, _measurement(info), rows)
        if measured.verdict == "gain":
            self._change(
                lambda settings: _set(
                    settings,
                    settings.reranker,
                    settings.rerank or settings.reranker == str(info.path),
                )
            )
        return self.view()

    def _measured(self, info: RerankerInfo) -> list[RerankerMeasurement]:
        rows: list[Any] = measurements.recall(self._store, _measurement(info)) or []
        return [RerankerMeasurement.model_validate(row) for row in rows]

    def _change(self, change: Callable[[Any], None]) -> None:
        with self._lock:
            settings = load_settings(self._home)
            change(settings)
            save_settings(self._home, settings)

    # --- its part in a search ---------------------------------------------------------

    def wanted(self, asked: bool | None) -> bool:
        """Whether a search is to be reranked: as it asks, else as the settings say."""
        if asked is not None:
            return asked
        settings = load_settings(self._home)
        return bool(settings.rerank and settings.reranker)

    def warm(self) -> None:
        """Load it ahead of the first search, if it is switched on.

        Raises:
            EngineError: it cannot be loaded; searches will say so.
        """
        if self.wanted(None):
            self.load()

    def load(self, job: Job = NULL_JOB) -> RerankerInfo:
        """Load it now, whatever happened before.

        Raises:
            InvalidInput: none is set, or its folder is gone.
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: it cannot be loaded.
            Cancelled: `job` was cancelled.
        """
        info = self.info()
        self._failed = None
        self._load(info, job)
        return info

    def rerank(self, query: str, hits: Sequence[Hit], job: Job = NULL_JOB) -> Reranked:
        """The first `RERANKED` of `hits` ordered anew, the others after them as they were.

        Whatever keeps it from that is said in the notice: a search never fails of it.

        Raises:
            Cancelled: `job` was cancelled.
        """
        looked_at, others = list(hits[:RERANKED]), list(hits[RERANKED:])
        if not looked_at:
            return Reranked([], detail="Nothing to look at")
        try:
            scores = self._scores(query, [hit.row.search for hit in looked_at], job)
        except Cancelled:
            raise
        except EngineError as error:
            notice = f"Found without the reranker. {error.message}"
            return Reranked([*looked_at, *others], notice, notice)
        # Equal scores keep the order of the fused list.
        order = sorted(range(len(looked_at)), key=lambda place: -scores[place])
        reranked = [
            replace(
                looked_at[place],
                ranks=looked_at[place].ranks.model_copy(update={"rerank": rank}),
                rerank=scores[place],
            )
            for rank, place in enumerate(order, 1)
        ]
        moved = sum(place != rank for rank, place in enumerate(order))
        detail = f"The first {len(order)} read again with the question; {moved} changed place"
        return Reranked([*reranked, *others], detail=detail)

    def _scores(self, query: str, texts: Sequence[str], job: Job) -> list[float]:
        info = self.info()
        if self._failed is not None:
            stamp, until, error = self._failed
            if stamp == info.stamp and time.monotonic() < until:
                raise error
        try:
            self._load(info, job)
            limited = _Limited(job, self._limit_s)
            try:
                return self._embedder.rerank(info.path, query, texts, limited)
            except Cancelled:
                job.checkpoint()  # the user's own stop goes first
                if not limited.over:
                    raise
                raise ModelUnavailable(
                    f"It took longer than {self._limit_s:g} seconds.",
                    hint="Use a smaller cross-encoder, or switch it off.",
                ) from None
        except Cancelled:
            raise
        except EngineError as error:
            self._failed = (info.stamp, time.monotonic() + REST_S, error)
            raise

    def _load(self, info: RerankerInfo, job: Job) -> None:
        """Wait, outside the lease of the cores, until the child has loaded the model."""
        pid = self._embedder.pid
        if pid is None or self._loaded != (pid, info.stamp):
            self._embedder.load_reranker(info.path, job)
            self._loaded = (self._embedder.pid, info.stamp)


class _Limited:
    """A job that is also cancelled when its time is over."""

    def __init__(self, job: Job, limit_s: float) -> None:
        self._job = job
        self._end = time.monotonic() + limit_s
        self.over = False

    def progress(self, done: float, total: float, note: str = "") -> None:
        self._job.progress(done, total, note)

    def emit(self, kind: str, data: object) -> None:
        self._job.emit(kind, data)

    def checkpoint(self) -> None:
        self._job.checkpoint()
        if time.monotonic() > self._end:
            self.over = True
            raise Cancelled()


def _measurement(info: RerankerInfo) -> str:
    return f"reranker/{info.stamp}"


def _set(settings: Any, folder: str, on: bool) -> None:
    settings.reranker, settings.rerank = folder, on
