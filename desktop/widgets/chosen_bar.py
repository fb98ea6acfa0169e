"""What can be done with several chosen files, under their table."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from desktop.actions import Actions
from desktop.strings import english, figures
from desktop.widgets.basics import BOLD, button, icon_button, label, row

_OFFERED = ("file.ask", "file.again", "file.scan", "file.copy")


class ChosenBar(QFrame):
    """Shown from two files on: for one there is its own menu."""

    cleared = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("quiet")
        self._text = label("", weight=BOLD)
        self._row = row(self._text, None, spacing=8, margins=(16, 7, 8, 7))
        clear = icon_button("x", english.CHOSEN_CLEAR, self.cleared.emit, 16)
        self._row.addWidget(clear)
        self.setLayout(self._row)
        self.hide()

    def bind(self, actions: Actions) -> None:
        """Offer the commands for files; they show and do what their commands say."""
        for name in _OFFERED:
            action = actions[name]
            offered = button(action.text(), action.trigger)
            self._row.insertWidget(self._row.count() - 1, offered)

            def follow(offered=offered, action=action) -> None:  # type: ignore[no-untyped-def]
                offered.setVisible(action.isEnabled())
                offered.setText(action.text())
                offered.setAccessibleName(action.text())

            action.changed.connect(follow)
            follow()

    def show_count(self, files: int) -> None:
        """Say how many files are chosen."""
        self._text.setText(figures.count(files, *english.CHOSEN))
        self.setVisible(files > 1)

    def text(self) -> str:
        """What is said."""
        return self._text.text()
