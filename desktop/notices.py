"""The one bridge for telling the user anything in a line; tests read its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from engine.errors import EngineError

Tone = Literal["info", "good", "warning", "danger"]


@dataclass(frozen=True)
class Notice:
    """One line at the top of the window.

    `details` is what "Copy details" copies; `action` a label and what it does.
    `lasting` notices stay until dismissed or replaced.
    """

    text: str
    tone: Tone = "info"
    details: str = ""
    action: tuple[str, Callable[[], None]] | None = None
    lasting: bool = False


class Notices(QObject):
    """Says things to the user. Whoever shows them connects to `posted`."""

    posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.record: list[Notice] = []

    def post(self, notice: Notice) -> None:
        """Show one line."""
        self.record = [*self.record[-99:], notice]
        self.posted.emit(notice)

    def info(self, text: str) -> None:
        """Say that something small was done."""
        self.post(Notice(text))

    def error(self, error: EngineError) -> None:
        """Say what went wrong, what to do, and keep the details for copying."""
        self.post(Notice(str(error), "danger", error_details(error), lasting=True))


def error_details(error: EngineError) -> str:
    """The text behind "Copy details"."""
    parts = [f"{error.kind}: {error.message}", error.hint, error.details]
    return "\n".join(part for part in parts if part)
