"""Passages that are likely to be asked about, computed while nobody waits.

Hot are the passages that stood just behind the ones an answer was written from (the next
question of a conversation often finds them), and those that recent answers were written from.
They are computed one at a time, in long work's turn, once no question came for a while.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from engine.answers.generation import AdapterUse, Prompt
from engine.answers.generator import Generator
from engine.work.api import ModelCard
from engine.work.idle import Idle
from engine.work.jobs import Job

IDLE_S = 1.5
"""Nothing is prepared until no question came for so long."""
MOST_WAITING = 24


@dataclass(frozen=True)
class _Wanted:
    card: ModelCard
    prompt: Prompt
    adapters: tuple[AdapterUse, ...] = ()


class Preparing:
    """Prepares prompts as idle work.

    Args:
        generator: computes them; only a model that is loaded anyway.
        idle: does the work.
        idle_s: how long no question may have come.
    """

    def __init__(self, generator: Generator, idle: Idle, idle_s: float = IDLE_S) -> None:
        self.idle_s = idle_s
        self._generator = generator
        self._idle = idle
        self._waiting: deque[_Wanted] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()
        idle.add(self)

    def suggest(
        self, card: ModelCard, prompts: Sequence[Prompt], adapters: Sequence[AdapterUse] = ()
    ) -> None:
        """Have these prompts' passages ready, the likeliest first, for these adapters."""
        with self._lock:
            for prompt in reversed(prompts):
                self._waiting.appendleft(_Wanted(card, prompt, tuple(adapters)))
        if prompts:
            self._idle.wake()

    def paused(self) -> AbstractContextManager[None]:
        """While inside no idle work is done: somebody asks."""
        return self._idle.paused()

    # --- as idle work -----------------------------------------------------------------

    def waiting(self) -> bool:
        """Whether a prompt is to be prepared."""
        return bool(self._waiting)

    def step(self, job: Job) -> None:
        """Prepare the likeliest prompt; errors as `Generator.prepare`."""
        with self._lock:
            wanted = self._waiting[0] if self._waiting else None
        if wanted is None:
            return
        if self._generator.is_loaded(wanted.card):
            with self._generator.using(wanted.card, job) as model:
                model.prepare([wanted.prompt], job, wanted.adapters)
        with self._lock:
            if wanted in self._waiting:
                self._waiting.remove(wanted)

    def give_up(self) -> None:
        """Prepare nothing of what was suggested so far."""
        with self._lock:
            self._waiting.clear()
