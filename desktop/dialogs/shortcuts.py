"""What the keyboard can do, as the table of commands says."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QWidget

from desktop.actions import COMMANDS, FIELD_KEYS, shown_keys
from desktop.strings import english
from desktop.widgets.basics import BOLD, button, column, label, row


class ShortcutsDialog(QDialog):
    """A list of the shortcuts in two columns; frees itself when it closes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(english.SHORTCUTS_TITLE)
        lines = [(shown_keys([key]), what) for key, what in FIELD_KEYS]
        lines += [(shown_keys(c.keys), c.text) for c in COMMANDS if c.keys]
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(9)
        half = (len(lines) + 1) // 2
        for at, (keys, what) in enumerate(lines):
            side = 3 * (at // half)
            grid.addWidget(label(keys, weight=BOLD), at % half, side)
            grid.addWidget(label(what, tone="muted"), at % half, side + 1)
        grid.setColumnMinimumWidth(2, 12)
        self.close_button = button(english.CLOSE, self.close)
        layout = column(label(english.SHORTCUTS_TITLE, 1.2, BOLD), margins=(26, 22, 26, 20))
        layout.addSpacing(8)
        layout.addLayout(grid)
        layout.addSpacing(14)
        layout.addLayout(row(None, self.close_button))
        self.setLayout(layout)
