"""One indexing run as the window sees it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.client import Call
from desktop.strings import names

if TYPE_CHECKING:
    from desktop.state import AppState


class Reading(QObject):
    """One indexing run, from the first click, or the first change on the disk, to its end."""

    moved = Signal()

    def __init__(self, name: str, folder: str, library_id: str, state: AppState) -> None:
        super().__init__(state)
        self.name = name
        self.folder = folder
        self.library_id = library_id
        """Empty until the engine has said which library it is."""
        self.done = 0.0
        self.total = 0.0
        self.note = ""
        self.eta_s: float | None = None
        self.call: Call | None = None
        """None when the engine began it by itself."""
        self.begun = time.monotonic()
        self.stopping = False
        self.pausing = False
        self._state = state

    def move(self, done: float, total: float, note: str, eta_s: float | None) -> None:
        """Take over how far it is."""
        self.done, self.total, self.eta_s = done, total, eta_s
        self.note = names.one_line(note)
        self.moved.emit()

    def pause(self) -> None:
        """Stop for now; what was read so far is kept, and resuming goes on from there."""
        if not self.library_id:
            self.stop()
            return
        self.stopping = self.pausing = True
        self.moved.emit()
        self._state.pause(self.library_id)

    def stop(self) -> None:
        """Ask for an end; what was read so far is kept."""
        self.stopping = True
        if self.call is not None:
            self.call.cancel()
        self.moved.emit()
