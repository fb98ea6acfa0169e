"""A new name for something: one field, checked while it is typed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from desktop.strings import english, names
from desktop.widgets.basics import BOLD, button, column, label, row

LONGEST_NAME = 120
_WIDTH_PX = 420


class NamingDialog(QDialog):
    """Gives `on_name` the new name; frees itself.

    Args:
        taken: other names, compared whatever their case; none of them is accepted.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        name: str,
        taken: list[str],
        on_name: Callable[[str], object],
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(title)
        self.setFixedWidth(_WIDTH_PX)
        self._name, self._on_name = name, on_name
        self._taken = {names.search_key(other) for other in taken}
        self.field = QLineEdit(names.one_line(name, LONGEST_NAME))
        self.field.setMaxLength(LONGEST_NAME)
        self.field.setAccessibleName(english.RENAME_FIELD)
        self.field.selectAll()
        self.problem = label("", 0.95, tone="warning", wrap=True)
        self.save = button(english.SAVE, self.accept, "primary")
        self.save.setDefault(True)
        cancel = button(english.CANCEL, self.reject)
        layout = column(spacing=8, margins=(24, 22, 24, 20))
        layout.addWidget(label(title, 1.12, BOLD))
        layout.addWidget(self.field)
        layout.addWidget(self.problem)
        layout.addSpacing(8)
        layout.addLayout(row(None, cancel, self.save))
        self.setLayout(layout)
        self.field.textChanged.connect(self._check)
        self.accepted.connect(self._done)
        self._check()
        self.field.setFocus()

    def _check(self) -> None:
        text = self.field.text().strip()
        taken = names.search_key(text) in self._taken
        self.problem.setText(english.RENAME_TAKEN if taken else "")
        self.problem.setVisible(taken)
        self.save.setEnabled(bool(text) and not taken)

    def _done(self) -> None:
        text = self.field.text().strip()
        if text != self._name:
            self._on_name(text)
