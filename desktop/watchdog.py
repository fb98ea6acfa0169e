"""Notices when the window stops answering: logs how long, and where in the code.

A small thread asks the event loop ten times a second for an answer, and takes the GUI
thread's stack when none comes. (The loop's own `awake` and `aboutToBlock` will not do: on
UNIX timers and sockets run between the two without a word.)
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal

LIMIT_S = 0.2
_ASK_EVERY_S = 0.1

log = logging.getLogger("whetstone.watchdog")


@dataclass(frozen=True)
class Stall:
    """One time the event loop was busy over the limit."""

    seconds: float
    stack: str


class Watchdog(QObject):
    """Watches the event loop of the thread it is made in, until `stop`."""

    _asked = Signal()

    def __init__(self, limit_s: float = LIMIT_S, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.stalls: list[Stall] = []
        """The latest stalls, at most fifty."""
        self._limit_s = limit_s
        self._answered = threading.Event()
        self._stopping = threading.Event()
        self._thread_id = threading.get_ident()
        self._asked.connect(self._answered.set, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Safe to call twice."""
        self._stopping.set()
        self._answered.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        while not self._stopping.wait(_ASK_EVERY_S):
            self._answered.clear()
            asked = time.monotonic()
            self._asked.emit()
            if self._answered.wait(self._limit_s) or self._stopping.is_set():
                continue
            frame = sys._current_frames().get(self._thread_id)
            stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            del frame
            self._answered.wait()
            if not self._stopping.is_set():
                self._note(Stall(time.monotonic() - asked, stack))

    def _note(self, stall: Stall) -> None:
        self.stalls = [*self.stalls[-49:], stall]
        log.warning("the window hung for %.2f s at\n%s", stall.seconds, stall.stack)
