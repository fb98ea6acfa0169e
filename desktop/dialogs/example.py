"""One example to change or to add: what goes in, what should come out, which side it is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QPlainTextEdit, QWidget

from desktop.strings import english, names
from desktop.widgets.basics import BOLD, button, card, column, label, row
from desktop.widgets.chooser import Chooser

if TYPE_CHECKING:
    from engine.work.api import DatasetRow, ExampleRow

_SIZE_PX = (600, 520)
_MOST_CHARACTERS = 200_000
_MOST_LABELS = 300
_WITH_CONTEXT = ("answers", "instruction")


class ExampleDialog(QDialog):
    """Gives `on_save` the fields of an EditRowSpec; frees itself.

    Args:
        example: the row to change; None for a new one.
    """

    def __init__(
        self,
        parent: QWidget,
        dataset: DatasetRow,
        example: ExampleRow | None,
        on_save: Callable[[dict[str, Any]], object],
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        title = english.EXAMPLE_EDIT if example is not None else english.EXAMPLE_ADD
        self.setWindowTitle(title)
        self.resize(*_SIZE_PX)
        self._dataset, self._example, self._on_save = dataset, example, on_save
        into, out = english.TASK_COLUMNS[dataset.task]
        self.input = _field(into, example.input if example else "")
        self.output = _field(out, example.output if example else "")
        self.context = _field(english.EXAMPLE_CONTEXT, example.context if example else "")
        self.save = button(english.SAVE, self.accept, "primary")
        self.labels = Chooser(english.EXAMPLE_LABEL)
        self._side = example.split if example else "train"
        self.side = Chooser(english.EXAMPLE_SIDE)
        self._build(title, into, out)
        self._show_side(self._side)
        for field in (self.input, self.output):
            field.textChanged.connect(self._check)
        self._check()
        self.accepted.connect(self._done)
        self.input.setFocus()

    def _build(self, title: str, into: str, out: str) -> None:
        layout = column(label(title, 1.12, BOLD), spacing=6, margins=(24, 20, 24, 18))
        layout.addSpacing(4)
        layout.addWidget(label(into, 0.92, BOLD, "muted"))
        layout.addWidget(_framed(self.input), 3)
        if self._dataset.task in _WITH_CONTEXT:
            layout.addWidget(label(english.EXAMPLE_CONTEXT, 0.92, BOLD, "muted"))
            layout.addWidget(_framed(self.context), 2)
        head = row(label(out, 0.92, BOLD, "muted"), None)
        if self._dataset.task == "classification" and self._dataset.labels:
            self.labels.set_choices(
                [(one, one) for one in self._dataset.labels[:_MOST_LABELS]], ""
            )
            self.labels.set_shown(english.EXAMPLE_LABEL)
            self.labels.chosen.connect(self.output.setPlainText)
            head.addWidget(self.labels)
        layout.addLayout(head)
        layout.addWidget(_framed(self.output), 2)
        hint = english.TASK_OUTPUT_HINTS.get(self._dataset.task, "")
        if hint:
            layout.addWidget(label(hint, 0.92, tone="muted", wrap=True))
        layout.addSpacing(6)
        cancel = button(english.CANCEL, self.reject)
        layout.addLayout(row(self.side, None, cancel, self.save))
        self.setLayout(layout)
        self.side.chosen.connect(self._show_side)

    def _show_side(self, side: str) -> None:
        self._side = side
        sides = [("train", english.SIDE_TRAIN_LONG), ("heldout", english.SIDE_HELDOUT_LONG)]
        self.side.set_choices(sides, side)

    def _check(self) -> None:
        filled = self.input.toPlainText().strip() and self.output.toPlainText().strip()
        self.save.setEnabled(bool(filled))

    def _done(self) -> None:
        fields: dict[str, Any] = {
            "dataset": self._dataset.id,
            "id": self._example.id if self._example else "",
            "input": self.input.toPlainText(),
            "output": self.output.toPlainText(),
        }
        if self._dataset.task in _WITH_CONTEXT:
            fields["context"] = self.context.toPlainText()
        if self._example is None or self._side != self._example.split:
            fields["split"] = self._side
        self._on_save(fields)


def _field(says: str, text: str) -> QPlainTextEdit:
    result = QPlainTextEdit(names.prose(text, _MOST_CHARACTERS))
    result.setAccessibleName(says)
    result.setTabChangesFocus(True)
    result.document().setDocumentMargin(2)
    return result


def _framed(field: QPlainTextEdit) -> QFrame:
    frame = card("composer")
    frame.setLayout(column(field, margins=(9, 7, 6, 7)))
    return frame
