"""How many layers of a model go on the GPU: automatic, or as the user says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QSpinBox, QWidget

from desktop.strings import english, names
from desktop.widgets.basics import BOLD, button, column, label, row

if TYPE_CHECKING:
    from engine.work.api import ModelCard


class GpuLayersDialog(QDialog):
    """Gives `on_save` the number chosen, or None for automatic; frees itself."""

    def __init__(
        self, parent: QWidget, card: ModelCard, on_save: Callable[[int | None], object]
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(english.GPU_TITLE)
        self.setFixedWidth(400)
        self._on_save = on_save
        self.automatic = QCheckBox(english.GPU_AUTO)
        self.automatic.setChecked(card.gpu_layers_chosen == "automatic")
        self.layers = QSpinBox()
        self.layers.setRange(0, max(card.layers, card.gpu_layers, 1))
        self.layers.setValue(card.gpu_layers)
        self.layers.setAccessibleName(english.GPU_LAYERS)
        self.layers.lineEdit().setTextMargins(7, 0, 7, 0)
        self.layers.setEnabled(not self.automatic.isChecked())
        self.automatic.toggled.connect(lambda on: self.layers.setEnabled(not on))
        self.save = button(english.SAVE, self.accept, "primary")
        heading = label(english.GPU_TITLE, 1.12, BOLD)
        model = label(names.one_line(card.name, 80), tone="muted", wrap=True)
        text = label(english.GPU_TEXT, tone="muted", wrap=True)
        layout = column(
            heading, model, text, self.automatic, spacing=8, margins=(24, 22, 24, 20)
        )
        layout.addLayout(row(label(english.GPU_LAYERS), self.layers, None, spacing=12))
        layout.addSpacing(12)
        layout.addLayout(row(None, button(english.CANCEL, self.reject), self.save))
        self.setLayout(layout)
        self.accepted.connect(self._save)

    def _save(self) -> None:
        self._on_save(None if self.automatic.isChecked() else self.layers.value())
