"""What the ask page says before the first question."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.widgets.basics import BOLD, column, label


class EmptyAsk(QWidget):
    """The page before the first question."""

    def __init__(self) -> None:
        super().__init__()
        self._title = label("", 1.5, BOLD, wrap=True)
        self._text = label("", 1.02, tone="muted", wrap=True)
        for part in (self._title, self._text):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = column(self._title, self._text, spacing=8, margins=(28, 0, 28, 0))
        layout.insertStretch(0, 5)
        layout.addStretch(6)
        self.setLayout(layout)

    def say(self, title: str, text: str) -> None:
        self._title.setText(title)
        self._text.setText(text)

    def text(self) -> str:
        return self._text.text()
