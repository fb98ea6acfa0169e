"""The steps of a wizard under each other: done, now, to come."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QLabel, QWidget

from desktop import theme
from desktop.strings import english
from desktop.widgets.basics import BOLD, column, label, row, set_tone

_ICON_PX = 19
_LOOKS = {
    "done": ("circle-check", "good", english.TUNE_STEP_DONE),
    "now": ("circle", "accent", english.TUNE_STEP_NOW),
    "busy": ("loader-circle", "accent", english.TUNE_STEP_NOW),
    "later": ("circle", "muted", english.TUNE_STEP_LATER),
}


class StepMark(QWidget):
    """One step; says its state to a screen reader too."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.state = ""
        self._picture = QLabel()
        self._picture.setFixedSize(_ICON_PX + 2, _ICON_PX + 2)
        self._name = label(text)
        self.setLayout(row(self._picture, self._name, None, spacing=12))
        self.show_state("later")
        theme.follow(self, self._paint)

    def show_state(self, state: str) -> None:
        """done, now, busy (now, and something works) or later."""
        if state == self.state:
            return
        self.state = state
        self._name.setFont(
            theme.font(weight=BOLD) if state in ("now", "busy") else theme.font()
        )
        set_tone(self._name, "muted" if state == "later" else "")
        self.setAccessibleName(f"{self._text}: {_LOOKS[state][2]}")
        self._paint()

    def _paint(self) -> None:
        icon, role, _ = _LOOKS[self.state]
        scale = max(2.0, self.devicePixelRatioF())
        self._picture.setPixmap(theme.pixmap(icon, role, _ICON_PX, scale))


class StepMarks(QWidget):
    """All steps of a wizard."""

    def __init__(self, steps: Sequence[str]) -> None:
        super().__init__()
        self.marks = [StepMark(text) for text in steps]
        layout = column(*self.marks, spacing=13)
        layout.addStretch(1)
        self.setLayout(layout)
        self.setAccessibleName(english.TUNE_STEPS)

    def show_step(self, at: int, busy: bool = False) -> None:
        """Mark the step that is shown; `busy` when something works there."""
        now = "busy" if busy else "now"
        for number, mark in enumerate(self.marks):
            mark.show_state("done" if number < at else now if number == at else "later")
