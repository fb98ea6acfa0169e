"""A question before something is removed: what happens, and the safe answer as the default."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from desktop.strings import english, names
from desktop.widgets.basics import BOLD, button, column, label, row

WIDTH_PX = 420


class ConfirmDialog(QDialog):
    """Modal to its window; frees itself when it closes."""

    def __init__(
        self, parent: QWidget, title: str, text: str, action: str, on_yes: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(english.APP)
        self.setFixedWidth(WIDTH_PX)
        heading = label(names.one_line(title, 200), 1.12, BOLD, wrap=True)
        body = label(names.prose(text, 600), tone="muted", wrap=True)
        self.yes = button(action, self.accept, "danger")
        self.no = button(english.KEEP, self.reject)
        self.no.setDefault(True)
        layout = column(heading, body, spacing=8, margins=(24, 22, 24, 20))
        layout.addSpacing(12)
        layout.addLayout(row(None, self.no, self.yes))
        self.setLayout(layout)
        self.accepted.connect(on_yes)
        self.no.setFocus()


def confirm(
    parent: QWidget, title: str, text: str, action: str, on_yes: Callable[[], object]
) -> ConfirmDialog:
    """Ask, without holding up anything; `on_yes` runs when the user agrees."""
    dialog = ConfirmDialog(parent, title, text, action, on_yes)
    dialog.open()
    return dialog
