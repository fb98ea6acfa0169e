"""An error inside the conversation: what happened, what to do, copy the rest."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QVBoxLayout

from desktop.notices import error_details
from desktop.strings import english, names
from desktop.widgets.basics import BOLD, button, label, row
from engine.errors import EngineError


class ProblemBox(QFrame):
    """Hidden while nothing is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("problem")
        self._details = ""
        self._built = False
        self.hide()

    def _build(self) -> None:
        """Made when first needed: most turns have no problem."""
        self._built = True
        self._message = label("", weight=BOLD, tone="danger", wrap=True)
        self._hint = label("", wrap=True)
        self.copy = button(english.COPY_DETAILS, self._copy_details, "link")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(4)
        layout.addWidget(self._message)
        layout.addWidget(self._hint)
        layout.addLayout(row(self.copy, None))

    def text(self) -> str:
        """What it says, empty when nothing is wrong."""
        if not self._details:
            return ""
        return f"{self._message.text()} {self._hint.text()}".strip()

    def show_error(self, error: EngineError | None) -> None:
        """Say what went wrong; None for nothing."""
        if error is None:
            self._details = ""
            self.hide()
            return
        if not self._built:
            self._build()
        self.show()
        self._details = error_details(error)
        self._message.setText(names.prose(error.message, 600))
        self._hint.setText(names.prose(error.hint, 600))
        self._hint.setVisible(bool(error.hint))

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
        self.copy.setText(english.DETAILS_COPIED)
        QTimer.singleShot(2000, self, lambda: self.copy.setText(english.COPY_DETAILS))
