"""Work that nobody waits for: done a step at a time, while nobody asks.

A question ends the step that runs, within a fraction of a second; the step is done again once
no question came for a while. What earlier steps did is kept by whoever does them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from collections.abc import Generator as Iterating
from typing import Protocol, TypeVar

import psutil

from engine.errors import Cancelled, EngineError
from engine.work.jobs import NULL_JOB, CallbackJob, Job

_POLL_S = 0.25
_LOW_BATTERY_PERCENT = 40
_R = TypeVar("_R")


class IdleWork(Protocol):
    """One kind of work for idle times.

    `idle_s`: how long no question may have come before it begins. `waiting` is asked often and
    may only look at what is in memory.
    """

    idle_s: float

    def waiting(self) -> bool:
        """Whether there is a step to do."""
        ...

    def step(self, job: Job) -> None:
        """Do one step of a few seconds at most; `Cancelled` leaves it to be done again."""
        ...

    def give_up(self) -> None:
        """A step failed: forget what was to be done. A question will say what is wrong."""
        ...


class Idle:
    """Does idle work in a thread of its own, which starts with the first of it."""

    def __init__(self) -> None:
        self._kinds: list[IdleWork] = []
        self._changed = threading.Condition()
        self._asking = 0
        self._quiet_since = time.monotonic()
        self._steps: set[_Step] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, kind: IdleWork) -> None:
        """Let this kind of work be done; those added first go first."""
        with self._changed:
            self._kinds.append(kind)

    def wake(self) -> None:
        """Look whether there is work now; whoever has some for the thread calls it."""
        with self._changed:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="idle work", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @contextlib.contextmanager
    def paused(self) -> Iterating[None]:
        """While inside nothing is done: somebody asks."""
        with self._changed:
            self._asking += 1
            for step in self._steps:
                step.cancel()
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._quiet_since = time.monotonic()
                self._changed.notify_all()

    def take_step(self, step: Callable[[Job], _R], job: Job = NULL_JOB) -> _R:
        """Do in this thread a step that somebody asked for, but let questions go first.

        Returns:
            What `step` gives. It is begun anew when a question ended it.

        Raises:
            Cancelled: `job` was cancelled, or this was closed.
        """
        while True:
            with self._changed:
                while self._asking and not self._closed:
                    job.checkpoint()
                    self._changed.wait(_POLL_S)
                running = self._begin(job)
            try:
                return step(running)
            except Cancelled:
                job.checkpoint()
                if self._closed:
                    raise
            finally:
                self._end(running)

    def close(self) -> None:
        """End the thread and what it does."""
        with self._changed:
            self._closed = True
            for step in self._steps:
                step.cancel()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    # --- the thread -------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                kind = self._next()
                while kind is None and not self._closed:
                    # Without work it sleeps until it is woken: an idle machine stays idle.
                    waiting = any(one.waiting() for one in self._kinds)
                    self._changed.wait(_POLL_S if waiting else None)
                    kind = self._next()
                if kind is None or self._closed:
                    return
                running = self._begin(NULL_JOB)
            try:
                kind.step(running)
            except Cancelled:
                continue
            except EngineError:
                kind.give_up()
            finally:
                self._end(running)

    def _next(self) -> IdleWork | None:
        """The kind of work whose time has come."""
        if self._asking:
            return None
        quiet_s = time.monotonic() - self._quiet_since
        ready = (one for one in self._kinds if quiet_s >= one.idle_s and one.waiting())
        kind = next(ready, None)
        return None if kind is None or _saving_power() else kind

    def _begin(self, job: Job) -> _Step:
        running = _Step(job)
        if self._closed:
            running.cancel()
        self._steps.add(running)
        return running

    def _end(self, running: _Step) -> None:
        with self._changed:
            self._steps.discard(running)


class _Step(CallbackJob):
    """One step: ended by its own cancel, or with the job it belongs to."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._whole = job

    def checkpoint(self) -> None:
        super().checkpoint()
        self._whole.checkpoint()


def _saving_power() -> bool:
    """On a battery that runs low, nothing is done that nobody asked for."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError):
        return False
    if battery is None or battery.power_plugged:
        return False
    return battery.percent < _LOW_BATTERY_PERCENT
