"""The question of a turn: a bubble at the right, and the same words in a field to change."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from desktop.strings import english, names
from desktop.widgets.basics import button, card, column, icon_button, label, row
from desktop.widgets.composer_field import LONGEST, QuestionField

BUBBLE_SHARE = 0.8
QUESTION_SHOWN = 4000


class _EditField(QuestionField):
    """Esc gives the change up; the window's own Esc waits meanwhile."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        wanted = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if wanted and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)


class QuestionBubble(QWidget):
    """Shows a question; `resent` gives the words it was changed to."""

    resent = Signal(str)

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = ""
        self._text = label("", wrap=True, selectable=True)
        self.bubble = card("bubble")
        self.bubble.setLayout(column(self._text, margins=(15, 10, 15, 11)))
        self.bubble.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.edit = icon_button("pencil", english.EDIT_QUESTION, self.begin_edit, 15)
        self._reading = QWidget()
        line = row(None, self.edit, self.bubble, spacing=6)
        line.setAlignment(self.edit, Qt.AlignmentFlag.AlignVCenter)
        self._reading.setLayout(line)
        self._editing: QFrame | None = None
        self.setLayout(column(self._reading, spacing=0))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.show_question(question)

    def show_question(self, question: str) -> None:
        """Show these words; an earlier version of a turn may have been asked otherwise."""
        if question == self._question:
            return
        self._question = question
        shown = names.prose(question, QUESTION_SHOWN)
        self._text.setText(shown)
        self._text.setAccessibleName(english.QUESTION_SAID.format(text=shown))
        self._fit()

    def text(self) -> str:
        """The question shown."""
        return self._text.text()

    def _make_editor(self) -> QFrame:
        """Made when first needed: most questions stay as they are."""
        self.field = _EditField()
        self.field.setAccessibleName(english.EDIT_QUESTION)
        self.field.entered.connect(self._resend)
        self.field.left.connect(self.end_edit)
        self._hint = label(english.EDIT_QUESTION_HINT, 0.9, tone="muted", wrap=True)
        self.send = button(english.ASK_AGAIN_CHANGED, self._resend, "primary")
        self.cancel = button(english.CANCEL, self.end_edit)
        result = card("composer")
        layout = column(self.field, spacing=10, margins=(15, 12, 10, 10))
        foot = row(self._hint, self.cancel, self.send)
        foot.setStretch(0, 1)
        layout.addLayout(foot)
        result.setLayout(layout)
        self.field.textChanged.connect(self._enable)
        return result

    @property
    def editing(self) -> bool:
        """True while the question is being changed."""
        return self._editing is not None and not self._editing.isHidden()

    def set_editable(self, editable: bool) -> None:
        """Offer to change the question, or not (while an answer is written)."""
        self.edit.setVisible(editable)
        if not editable:
            self.end_edit()

    def begin_edit(self) -> None:
        """Change the question in its place."""
        if self._editing is None:
            self._editing = self._make_editor()
            self.layout().addWidget(self._editing)  # type: ignore[union-attr]
        self.field.setPlainText(names.prose(self._question, LONGEST))
        self._reading.hide()
        self._editing.show()
        self.field.setFocus()
        self.field.moveCursor(self.field.textCursor().MoveOperation.End)
        self._enable()

    def end_edit(self) -> None:
        """Back to the question as it was asked."""
        if self._editing is None:
            return
        had_focus = self._editing.isAncestorOf(self.focusWidget() or self)
        self._editing.hide()
        self._reading.show()
        if had_focus:
            self.edit.setFocus()

    def _enable(self) -> None:
        self.send.setEnabled(bool(self.field.toPlainText().strip()))

    def _resend(self) -> None:
        text = self.field.toPlainText().strip()
        if text:
            self.end_edit()
            self.resent.emit(text[:LONGEST])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As wide as its longest line needs, at most four fifths of the column."""
        most = int(self.width() * BUBBLE_SHARE) - 30
        lines = self._text.text().split("\n")[:200]
        metrics = self._text.fontMetrics()
        needed = max(metrics.horizontalAdvance(line[:400]) for line in lines) + 4
        width = max(24, min(most, needed))
        # A label never says it needs less than it was last fixed to.
        self._text.setMinimumSize(0, 0)
        self._text.setFixedWidth(width)
        self._text.setFixedHeight(self._text.heightForWidth(width))
