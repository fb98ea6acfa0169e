"""Notices when the window stops answering: logs how long, and where in the code.

The event loop says when it starts to work and when it goes to sleep; a small thread looks
at that from outside and takes the GUI thread's stack while it hangs. It costs nothing while
the window is idle but one look every 50 ms.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from PySide6.QtCore import QAbstractEventDispatcher, QObject

LIMIT_S = 0.2
_LOOK_EVERY_S = 0.05

log = logging.getLogger("whetstone.watchdog")


@dataclass(frozen=True)
class Stall:
    """One time the event loop was busy over the limit."""

    seconds: float
    stack: str


class Watchdog(QObject):
    """Watches the event loop of the thread it is made in, until `stop`."""

    def __init__(self, limit_s: float = LIMIT_S, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.stalls: list[Stall] = []
        """The latest stalls, at most fifty."""
        self._limit_s = limit_s
        self._busy_since: float | None = None
        self._turn = 0
        self._thread_id = threading.get_ident()
        self._stopping = threading.Event()
        dispatcher = QAbstractEventDispatcher.instance()
        dispatcher.awake.connect(self._wakes)
        dispatcher.aboutToBlock.connect(self._sleeps)
        self._dispatcher = dispatcher
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and let go of the event loop."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._dispatcher.awake.disconnect(self._wakes)
        self._dispatcher.aboutToBlock.disconnect(self._sleeps)
        self._thread.join(timeout=2)

    def _wakes(self) -> None:
        self._turn += 1
        self._busy_since = time.monotonic()

    def _sleeps(self) -> None:
        self._busy_since = None

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            since, turn = self._busy_since, self._turn
            if since is None or time.monotonic() - since < self._limit_s:
                continue
            frame = sys._current_frames().get(self._thread_id)
            stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            del frame
            while (
                self._turn == turn
                and self._busy_since is not None
                and not self._stopping.wait(0.01)
            ):
                pass
            stall = Stall(time.monotonic() - since, stack)
            self.stalls = [*self.stalls[-49:], stall]
            log.warning("the window hung for %.2f s at\n%s", stall.seconds, stack)
