"""The field a question is written in."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from desktop.strings import english, names

MOST_LINES = 8
LONGEST = 8_000


class QuestionField(QPlainTextEdit):
    """A field of one to eight lines. Enter asks, Shift+Enter starts a new line."""

    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(english.QUESTION_FIELD)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & (
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier
        )
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain:
            self.entered.emit()
            return
        super().keyPressEvent(event)

    def canInsertFromMimeData(self, source) -> bool:  # type: ignore[no-untyped-def]
        """Text, not files: those are for the page, which asks only them."""
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source) -> None:  # type: ignore[no-untyped-def]
        """Paste text only, and no more of it than a question can be long."""
        if source.hasText():
            self.insertPlainText(names.prose(source.text(), LONGEST))

    def _fit(self) -> None:
        lines = max(1, min(MOST_LINES, int(self.document().size().height())))
        height = round(lines * QFontMetricsF(self.font()).lineSpacing()) + 4
        if height != self.height():
            self.setFixedHeight(height)
