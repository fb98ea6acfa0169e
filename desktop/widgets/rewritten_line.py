"""Says what was searched for where that is not what was typed, and offers the typed words."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.strings import english, names
from desktop.widgets.basics import button, column, label, row

LONGEST_SHOWN = 600


class RewrittenLine(QWidget):
    """Hidden when the question was searched for as it is."""

    exact_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._built = False
        self.hide()

    def _build(self) -> None:
        """Made when first needed: most questions are searched for as they are."""
        self._built = True
        picture = label()
        theme.set_label_icon(picture, "search", "muted", 15)
        picture.setContentsMargins(0, 2, 0, 0)
        self._text = label("", 0.95, tone="muted", wrap=True, selectable=True)
        self.exact = button(english.SEARCH_EXACTLY, self.exact_wanted.emit, "link")
        self.exact.setFont(theme.font(0.95))
        said = row(picture, self._text, spacing=8)
        said.setStretch(1, 1)
        said.setAlignment(picture, Qt.AlignmentFlag.AlignTop)
        layout = column(spacing=1)
        layout.addLayout(said)
        layout.addLayout(row(self.exact, None, margins=(23, 0, 0, 0)))
        self.setLayout(layout)

    def text(self) -> str:
        """The line, empty when it is hidden."""
        return self._text.text() if self._built and not self.isHidden() else ""

    def show_question(self, rewritten: str, offer: bool) -> None:
        """Show the question as searched for; `offer` to search for the typed words."""
        if not rewritten:
            self.hide()
            return
        if not self._built:
            self._build()
        said = english.SEARCHED_FOR.format(text=names.prose(rewritten, LONGEST_SHOWN))
        self._text.setText(said)
        self._text.setAccessibleName(said)
        self.exact.setVisible(offer)
        self.show()
