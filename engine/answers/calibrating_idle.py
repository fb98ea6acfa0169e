"""Refusals calibrated while nobody asks: libraries asked lately, with the model at hand."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Sequence

from engine.answers.calibrating import Calibration, Calibrator
from engine.answers.generator import Generator
from engine.errors import InvalidInput
from engine.models.registry import ModelRegistry
from engine.store import conversations
from engine.store.db import Store
from engine.work.api import LibraryView
from engine.work.idle import Idle
from engine.work.jobs import Job

IDLE_S = 30.0
"""Nothing is begun until no question came for so long."""
RECENT_DAYS = 7


class IdleCalibrating:
    """Calibrates as idle work: one question a step, one library after the other.

    Only with the default model, only while that is loaded, and never a library that is being
    indexed; a later question in it brings it up again.

    Args:
        calibrator: does it.
        view: says how a library stands.
        models: says which model is the default.
        generator: says whether it is loaded.
        store: knows what was asked lately.
        idle: does the work.
        idle_s: how long no question may have come.
    """

    def __init__(
        self,
        calibrator: Calibrator,
        view: Callable[[str], LibraryView],
        models: ModelRegistry,
        generator: Generator,
        store: Store,
        idle: Idle,
        idle_s: float = IDLE_S,
    ) -> None:
        self.idle_s = idle_s
        self._calibrator = calibrator
        self._view = view
        self._models = models
        self._generator = generator
        self._store = store
        self._idle = idle
        self._queue: list[str] = []
        self._under_way: tuple[str, str, Calibration] | None = None
        self._lock = threading.Lock()
        idle.add(self)

    def suggest(self, libraries: Sequence[str]) -> None:
        """Look whether these libraries, by their ids, have to be calibrated."""
        with self._lock:
            self._queue += [one for one in libraries if one not in self._queue]
        if libraries:
            self._idle.wake()

    def suggest_recent(self) -> None:
        """Look at all libraries that were asked in the last days, the latest first."""
        since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=RECENT_DAYS)
        rows = conversations.list_all(self._store)
        recent = [row for row in rows if _time(row.updated_at) >= since]
        self.suggest(list(dict.fromkeys(one for row in recent for one in row.libraries)))

    # --- as idle work -----------------------------------------------------------------

    def waiting(self) -> bool:
        """Whether a library is to be looked at."""
        return bool(self._queue)

    def step(self, job: Job) -> None:
        """Ask one question of the first library; errors as `Calibration.step`."""
        with self._lock:
            library = self._queue[0] if self._queue else ""
        one = self._calibration(library) if library else None
        if one is not None and not one.complete:
            one.step(job)
        if one is None or one.complete:
            if one is not None:
                one.finish()
            self._drop(library)

    def give_up(self) -> None:
        """Look at none of the libraries; a later question brings them up again."""
        with self._lock:
            self._queue.clear()
            self._under_way = None

    def _drop(self, library: str) -> None:
        with self._lock:
            self._under_way = None
            if library in self._queue:
                self._queue.remove(library)

    def _calibration(self, library: str) -> Calibration | None:
        """What is under way in a library, or begins now; None when there is nothing to do."""
        try:
            view = self._view(library)
        except InvalidInput:  # removed meanwhile
            return None
        card = self._models.find(None)
        if (
            view.state != "ready"
            or view.pending_passages
            or not self._generator.is_loaded(card)
        ):
            return None
        if self._under_way is None or self._under_way[:2] != (library, card.id):
            if not self._calibrator.due(view, card):
                return None
            self._under_way = (library, card.id, self._calibrator.begin(view, card))
        return self._under_way[2]


def _time(text: str) -> datetime.datetime:
    """An ISO 8601 time; one that cannot be read is long ago."""
    try:
        read = datetime.datetime.fromisoformat(text)
    except ValueError:
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)
    return read if read.tzinfo is not None else read.replace(tzinfo=datetime.UTC)
