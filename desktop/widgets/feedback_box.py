"""What an answer should have said, in the user's own words; kept for tuning."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from desktop.strings import english, names
from desktop.widgets.basics import BOLD, button, card, column, label, row
from desktop.widgets.composer_field import QuestionField

LONGEST_CORRECTION = 8_000


class _CorrectionField(QuestionField):
    """Enter starts a new line here; Ctrl+Enter keeps, Esc gives up."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        wanted = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if wanted and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.entered.emit()
        elif enter:
            self.insertPlainText("\n")
        else:
            super().keyPressEvent(event)


class FeedbackBox(QWidget):
    """A field while it is being written, one line of it once it is kept."""

    kept = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._correction = ""
        self._built = False
        self.hide()

    def _build(self) -> None:
        """Made when first needed: most answers are not corrected."""
        self._built = True
        self.field = _CorrectionField()
        self.field.setAccessibleName(english.CORRECTION_TITLE)
        self.field.setPlaceholderText(english.CORRECTION_PLACEHOLDER)
        self.save = button(english.CORRECTION_SAVE, self._keep, "primary")
        self.cancel = button(english.CANCEL, self.close_field)
        self._card = self._make_card()
        self._line = label("", 0.95, tone="muted", wrap=True, selectable=True)
        self._line.setAccessibleName(english.CORRECTION_TITLE)
        self.change = button(english.CORRECTION_CHANGE, self.open_field, "link")
        self._said = QWidget()
        said = row(self._line, self.change, spacing=10)
        said.setStretch(0, 1)
        said.setAlignment(self.change, Qt.AlignmentFlag.AlignTop)
        self._said.setLayout(said)
        self._card.hide()
        self._said.hide()
        self.setLayout(column(self._card, self._said, spacing=0))
        self.field.entered.connect(self._keep)
        self.field.left.connect(self.close_field)

    def _make_card(self) -> QFrame:
        result = card()
        frame = card("composer")
        frame.setLayout(column(self.field, margins=(12, 9, 8, 9)))
        where = label(english.CORRECTION_KEPT, 0.92, tone="muted", wrap=True)
        layout = column(
            label(english.CORRECTION_TITLE, weight=BOLD),
            frame,
            spacing=8,
            margins=(16, 12, 14, 13),
        )
        foot = row(where, self.cancel, self.save)
        foot.setStretch(0, 1)
        layout.addLayout(foot)
        result.setLayout(layout)
        return result

    def text(self) -> str:
        """The line that says what is kept."""
        return self._line.text() if self._built and not self._said.isHidden() else ""

    def show_correction(self, correction: str) -> None:
        """What is kept now, "" for nothing."""
        self._correction = correction
        if not self._built:
            if not correction:
                return
            self._build()
        shown = names.prose(correction, 600)
        self._line.setText(english.CORRECTION_SAID.format(text=shown))
        self._said.setVisible(bool(correction) and self._card.isHidden())
        self.setVisible(not (self._card.isHidden() and self._said.isHidden()))

    def open_field(self) -> None:
        """Let the user write what the answer should have been."""
        if not self._built:
            self._build()
        self.field.setPlainText(names.prose(self._correction, LONGEST_CORRECTION))
        self._said.hide()
        self._card.show()
        self.show()
        self.field.setFocus()

    def close_field(self) -> None:
        """Put the field away; what was kept before stays."""
        if not self._built:
            return
        self._card.hide()
        self.show_correction(self._correction)

    def _keep(self) -> None:
        text = self.field.toPlainText().strip()[:LONGEST_CORRECTION]
        self._card.hide()
        self.show_correction(text)
        self.kept.emit(text)
