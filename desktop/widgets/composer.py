"""Where a question is written: the field, the library it goes to, ask and stop."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QPushButton, QSizePolicy

from desktop.strings import english, names
from desktop.widgets.basics import button, column, label, row
from desktop.widgets.chooser import Chooser

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

    def insertFromMimeData(self, source) -> None:  # type: ignore[no-untyped-def]
        """Paste text only, and no more of it than a question can be long."""
        if source.hasText():
            self.insertPlainText(names.prose(source.text(), LONGEST))

    def _fit(self) -> None:
        lines = max(1, min(MOST_LINES, int(self.document().size().height())))
        height = round(lines * QFontMetricsF(self.font()).lineSpacing()) + 4
        if height != self.height():
            self.setFixedHeight(height)


class Composer(QFrame):
    """The box at the foot of the ask page."""

    asked = Signal(str)
    stopped = Signal()
    library_chosen = Signal(str)
    """A library id, or "" for none."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("composer")
        self.setProperty("focused", False)
        self.field = QuestionField()
        self.chooser = Chooser(english.LIBRARY_CHOOSER, "folder")
        self.chooser.chosen.connect(self.library_chosen)
        self._hint = label(english.ASK_HINT, 0.9, tone="muted")
        self.send = self._square("arrow-up", english.ASK_BUTTON, "primary", self.ask)
        self.stop = self._square("square", english.STOP_TIP, "", self.stopped.emit)
        self.stop.hide()
        foot = row(self.chooser, None, self._hint, self.send, self.stop, spacing=10)
        layout = column(spacing=10, margins=(15, 13, 9, 9))
        layout.addLayout(row(self.field, margins=(1, 0, 4, 0)))
        layout.addLayout(foot)
        self.setLayout(layout)
        self.field.entered.connect(self.ask)
        self.field.textChanged.connect(self._enable)
        self.field.installEventFilter(self)
        self._busy = False
        self._enable()

    def _square(self, icon: str, says: str, look: str, act) -> QPushButton:  # type: ignore[no-untyped-def]
        result = button("", act, look, icon)
        result.setIconSize(QSize(18, 18))
        result.setFixedSize(46, 32)
        result.setToolTip(says)
        result.setAccessibleName(says)
        return result

    def set_libraries(self, rows: list[tuple[str, str]], chosen: str) -> None:
        """Offer (id, name) rows; `chosen` is the id in use, "" for none."""
        name = next((title for library_id, title in rows if library_id == chosen), "")
        self.chooser.set_choices([*rows, ("", english.WITHOUT_LIBRARY)], chosen)
        self.chooser.set_picture("folder" if chosen else "message-square")
        self._invite(name if chosen else "")

    def show_library(self, name: str) -> None:
        """Show a library that has no id yet as the one to ask."""
        self.chooser.set_shown(name)
        self.chooser.set_picture("folder")
        self._invite(name)

    def _invite(self, name: str) -> None:
        shown = english.ASK_PLACEHOLDER.format(library=names.one_line(name, 60))
        self.field.setPlaceholderText(shown if name else english.ASK_PLACEHOLDER_NONE)

    def set_busy(self, busy: bool) -> None:
        """While an answer is written, the ask button is a stop button."""
        focus = self.send.hasFocus() or self.stop.hasFocus()
        self._busy = busy
        self.send.setVisible(not busy)
        self.stop.setVisible(busy)
        if focus:
            self.field.setFocus()
        self._enable()

    def ask(self) -> None:
        """Hand over the question, unless there is none or an answer is being written."""
        text = self.field.toPlainText().strip()
        if text and not self._busy:
            self.asked.emit(text[:LONGEST])

    def _enable(self) -> None:
        self.send.setEnabled(bool(self.field.toPlainText().strip()))

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        needed = self._hint.sizeHint().width() + self.chooser.sizeHint().width() + 110
        self._hint.setVisible(self.width() > needed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self.style().unpolish(self)
            self.style().polish(self)
        return super().eventFilter(watched, event)
