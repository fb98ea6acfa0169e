"""Passages that are likely to be asked about, computed while nobody waits.

Hot are the passages that stood just behind the ones an answer was written from (the next
question of a conversation often finds them), and those that recent answers were written from.
They are computed one at a time, in long work's turn, once no question came for a while; a
question ends that within a fraction of a second.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Generator as Iterating
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from engine.answers.generation import Prompt
from engine.answers.generator import Generator
from engine.errors import Cancelled, EngineError
from engine.work.api import ModelCard
from engine.work.jobs import CallbackJob

IDLE_S = 1.5
"""Nothing is prepared until no question came for so long."""
MOST_WAITING = 24
_POLL_S = 0.25
_LOW_BATTERY_PERCENT = 40


@dataclass(frozen=True)
class _Wanted:
    card: ModelCard
    prompt: Prompt


class Preparing:
    """Prepares prompts in a thread of its own, which starts with the first of them.

    Args:
        generator: computes them; only a model that is loaded anyway.
        idle_s: how long no question may have come.
    """

    def __init__(self, generator: Generator, idle_s: float = IDLE_S) -> None:
        self._generator = generator
        self._idle_s = idle_s
        self._waiting: deque[_Wanted] = deque(maxlen=MOST_WAITING)
        self._changed = threading.Condition()
        self._asking = 0
        self._quiet_since = time.monotonic()
        self._job: CallbackJob | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def suggest(self, card: ModelCard, prompts: Sequence[Prompt]) -> None:
        """Have these prompts' passages ready, the likeliest first."""
        with self._changed:
            if self._closed:
                return
            for prompt in reversed(prompts):
                self._waiting.appendleft(_Wanted(card, prompt))
            if self._thread is None and self._waiting:
                self._thread = threading.Thread(
                    target=self._run, name="preparing passages", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    @contextlib.contextmanager
    def paused(self) -> Iterating[None]:
        """While inside nothing is prepared: somebody asks."""
        with self._changed:
            self._asking += 1
            if self._job is not None:
                self._job.cancel()
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._quiet_since = time.monotonic()
                self._changed.notify_all()

    def close(self) -> None:
        """End the thread; what was not prepared is forgotten."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            if self._job is not None:
                self._job.cancel()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    # --- the thread -------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not self._may_go_on():
                    self._changed.wait(_POLL_S if self._waiting else None)
                if self._closed:
                    return
                wanted = self._waiting.popleft()
                job = self._job = CallbackJob()
            try:
                self._prepare(wanted, job)
            except Cancelled:
                with self._changed:
                    if not self._closed:
                        self._waiting.appendleft(wanted)
            except EngineError:
                with self._changed:  # a question will say what is wrong, if it still is
                    self._waiting.clear()
            finally:
                with self._changed:
                    self._job = None

    def _may_go_on(self) -> bool:
        quiet = time.monotonic() - self._quiet_since >= self._idle_s
        return bool(self._waiting) and not self._asking and quiet and not _saving_power()

    def _prepare(self, wanted: _Wanted, job: CallbackJob) -> None:
        if self._generator.is_loaded(wanted.card):
            with self._generator.using(wanted.card, job) as model:
                model.prepare([wanted.prompt], job)


def _saving_power() -> bool:
    """On a battery that runs low, nothing is done that nobody asked for."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError):
        return False
    if battery is None or battery.power_plugged:
        return False
    return battery.percent < _LOW_BATTERY_PERCENT
