"""Under a refusal: what the model would have said, put away until it is asked for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.strings import english, names
from desktop.widgets.basics import button, column, label, row
from desktop.widgets.safe_text import SafeDocument, plain_document

LONGEST_SHOWN = 4_000


class GuessBox(QWidget):
    """A line that opens; hidden when there is no guess."""

    def __init__(self) -> None:
        super().__init__()
        self._built = False
        self._guess = ""
        self.hide()

    def _build(self) -> None:
        """Made when first needed: most answers are answers."""
        self._built = True
        self.opener = button(english.GUESS_OPEN, self.toggle, "link")
        self.opener.setCheckable(True)
        self.opener.setFont(theme.font(0.95))
        self._label = label(english.GUESS_LABEL, 0.92, tone="warning", wrap=True)
        self._text = label("", 1.0, tone="muted", wrap=True, selectable=True)
        flags = Qt.TextInteractionFlag
        self._text.setTextInteractionFlags(
            flags.TextSelectableByMouse | flags.TextSelectableByKeyboard
        )
        self._body = QWidget()
        self._body.setLayout(column(self._label, self._text, spacing=3, margins=(14, 4, 0, 0)))
        self._body.hide()
        layout = column(spacing=0)
        layout.addLayout(row(self.opener, None))
        layout.addWidget(self._body)
        self.setLayout(layout)

    def show_guess(self, guess: str) -> None:
        """Offer these words, closed; "" for none."""
        if guess and not self._built:
            self._build()
        if guess != self._guess:
            self._guess = guess
            shown = names.prose(_plain(guess[:LONGEST_SHOWN]), LONGEST_SHOWN)
            self._text.setText(shown)
            self._text.setAccessibleName(f"{english.GUESS_LABEL} {shown}")
            self._open(False)
        self.setVisible(bool(guess))

    def offered(self) -> bool:
        """True when there is something to open."""
        return not self.isHidden()

    def text(self) -> str:
        """The guess, empty while it is put away."""
        there = self._built and not self.isHidden() and not self._body.isHidden()
        return self._text.text() if there else ""

    def toggle(self) -> None:
        """Open it, or put it away again."""
        self._open(self._body.isHidden())

    def _open(self, opened: bool) -> None:
        self._body.setVisible(opened)
        self.opener.setChecked(opened)
        says = english.GUESS_CLOSE if opened else english.GUESS_OPEN
        self.opener.setText(f" {says}")
        self.opener.setAccessibleName(says)
        theme.set_icon(self.opener, "chevron-up" if opened else "chevron-down", "accent", 15)


def _plain(text: str) -> str:
    """Without the signs of its Markdown."""
    document = SafeDocument()
    plain_document(document, text)
    return document.toPlainText()
