"""Changed paths that wait for a run, and when each is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
_FORGET_S = 120.0


class Changes:
    """A set of paths, each due at once unless it changes all the time. Thread-safe.

    A file that changed again right after it was read is being written: it waits for twice as
    long as before, so that a growing file is read a few times and not a thousand.

    Args:
        now: the clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._due: dict[bytes, float] = {}
        self._taken: dict[bytes, tuple[float, float]] = {}  # when last, and the pause before
        self._everything = False
        self._changed = threading.Condition()

    def add(self, paths: Iterable[bytes] | None) -> None:
        """Paths that changed; None when there is no telling which."""
        with self._changed:
            if paths is None:
                self._everything = True
            for path in paths or ():
                self._due.setdefault(path, self._due_at(path))
            self._changed.notify_all()

    def take(self) -> list[bytes]:
        """The paths that are due; they wait no more."""
        with self._changed:
            now = self._now()
            due = [path for path, at in self._due.items() if at <= now]
            for path in due:
                pause = max(0.0, self._due.pop(path) - self._taken.get(path, (now, 0.0))[0])
                self._taken[path] = (now, min(pause, LONGEST_PAUSE_S))
            for path in [p for p, (at, _) in self._taken.items() if at < now - _FORGET_S]:
                del self._taken[path]
            return due

    def take_everything(self) -> bool:
        """True when a look at everything is needed; single paths are then forgotten."""
        with self._changed:
            everything, self._everything = self._everything, False
            if everything:
                self._due.clear()
            return everything

    @property
    def everything(self) -> bool:
        """True when a look at everything is needed."""
        return self._everything

    @property
    def none(self) -> bool:
        """True when nothing waits."""
        with self._changed:
            return not self._due and not self._everything

    def wait(self, timeout_s: float) -> None:
        """Until something is due, was woken, or the time is over."""
        with self._changed:
            if self._everything:
                return
            soonest = min(self._due.values(), default=float("inf")) - self._now()
            if soonest > 0:
                self._changed.wait(min(timeout_s, soonest))

    def wake(self) -> None:
        """End a `wait`."""
        with self._changed:
            self._changed.notify_all()

    def _due_at(self, path: bytes) -> float:
        now = self._now()
        if path not in self._taken:
            return now
        taken, pause = self._taken[path]
        if now - taken > 2 * (pause + FIRST_PAUSE_S):
            del self._taken[path]
            return now
        return max(now, taken + min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause)))
