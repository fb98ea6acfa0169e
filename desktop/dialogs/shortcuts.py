"""What the keyboard can do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QWidget

from desktop.strings import english
from desktop.widgets.basics import BOLD, button, column, label, row


class ShortcutsDialog(QDialog):
    """A list of the shortcuts; frees itself when it closes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(english.SHORTCUTS_TITLE)
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(9)
        for at, (keys, what) in enumerate(english.SHORTCUTS):
            native = " / ".join(
                QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) or key
                for key in keys.split(" / ")
            )
            grid.addWidget(label(native, weight=BOLD), at, 0)
            grid.addWidget(label(what, tone="muted"), at, 1)
        self.close_button = button(english.CLOSE, self.close)
        layout = column(label(english.SHORTCUTS_TITLE, 1.2, BOLD), margins=(26, 22, 26, 20))
        layout.addSpacing(8)
        layout.addLayout(grid)
        layout.addSpacing(14)
        layout.addLayout(row(None, self.close_button))
        self.setLayout(layout)
