"""The presets: system prompts under a name, to add, change, copy and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QLineEdit, QPlainTextEdit, QWidget

from desktop.dialogs.confirm import confirm
from desktop.models.rows import Row, RowsModel
from desktop.state import AppState
from desktop.strings import english, names
from desktop.widgets.basics import BOLD, button, card, column, icon_button, label, row
from desktop.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.work.api import Preset

SIZE_PX = (760, 480)
LONGEST_NAME = 60
LONGEST_SYSTEM = 2_000


class PresetsDialog(QDialog):
    """A list at the left, the chosen one at the right; frees itself when it closes."""

    def __init__(self, parent: QWidget, state: AppState) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(english.PRESETS_TITLE)
        self.resize(*SIZE_PX)
        self._state = state
        self._shown: Preset | None = None
        self._wanted = ""
        self.model = RowsModel()
        self.list = RowList(self.model, english.PRESETS_LIST)
        self.name = QLineEdit()
        self.system = QPlainTextEdit()
        self._build()
        self.list.opened.connect(self._choose)
        self.list.selectionModel().currentChanged.connect(self._moved)
        self.name.textChanged.connect(self._enable)
        self.system.textChanged.connect(self._enable)
        state.presets_changed.connect(self._show_list)
        self._show_list()
        if state.presets:
            self._choose(state.presets[0].id)
        else:
            self.add_new()

    def _build(self) -> None:
        self.add = icon_button("plus", english.PRESET_ADD, self.add_new, 17)
        self.copy = icon_button("copy", english.PRESET_COPY, self.copy_shown, 16)
        self.delete = icon_button("trash-2", english.PRESET_DELETE, self._delete, 16)
        self.save = button(english.SAVE, self.save_shown, "primary")
        self.close_button = button(english.CLOSE, self.close)
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setAccessibleName(english.PRESET_NAME)
        self.name.setPlaceholderText(english.PRESET_NAME_HINT)
        self.system.setAccessibleName(english.PRESET_SYSTEM)
        self.system.setPlaceholderText(english.PRESET_SYSTEM_HINT)
        self.system.setTabChangesFocus(True)
        self.system.document().setDocumentMargin(2)
        self._note = label("", 0.92, tone="muted", wrap=True)
        left = QWidget()
        side = column(self.list, spacing=6)
        side.addLayout(row(self.add, self.copy, self.delete, None, spacing=2))
        left.setLayout(side)
        left.setFixedWidth(220)
        frame: QFrame = card("composer")
        frame.setLayout(column(self.system, margins=(9, 8, 6, 8)))
        right = column(
            label(english.PRESET_NAME, 0.9, BOLD, "muted"),
            self.name,
            label(english.PRESET_SYSTEM, 0.9, BOLD, "muted"),
            spacing=6,
        )
        right.addWidget(frame, 1)
        right.addWidget(self._note)
        body = row(left, spacing=20)
        body.addLayout(right, 1)
        layout = column(
            label(english.PRESETS_TITLE, 1.2, BOLD),
            label(english.PRESETS_TEXT, tone="muted", wrap=True),
            spacing=4,
            margins=(24, 20, 24, 18),
        )
        layout.addSpacing(10)
        layout.addLayout(body, 1)
        layout.addSpacing(12)
        layout.addLayout(row(None, self.close_button, self.save))
        self.setLayout(layout)

    # --- showing --------------------------------------------------------------------------

    def _show_list(self) -> None:
        rows = [
            Row(preset.id, preset.name, "sparkles", english.PRESET_BUILTIN * preset.builtin)
            for preset in self._state.presets
        ]
        self.model.set_rows(rows)
        known = {preset.id for preset in self._state.presets}
        if self._wanted in known:
            self._choose(self._wanted)
            self._wanted = ""
        elif self._shown is not None and self._shown.id not in known:
            self._choose(self._state.presets[0].id if known else "")

    def _moved(self) -> None:
        index = self.list.currentIndex()
        if index.isValid() and self.list.hasFocus():
            self._choose(self._state.presets[index.row()].id)

    def _choose(self, preset_id: str) -> None:
        found = [preset for preset in self._state.presets if preset.id == preset_id]
        self._shown = found[0] if found else None
        self.list.set_current(preset_id if found else "")
        self.name.setText(names.one_line(found[0].name, LONGEST_NAME) if found else "")
        self.system.setPlainText(names.prose(found[0].system, LONGEST_SYSTEM) if found else "")
        self._enable()

    def _enable(self) -> None:
        builtin = self._shown is not None and self._shown.builtin
        self.name.setReadOnly(builtin)
        self.system.setReadOnly(builtin)
        self._note.setText(english.PRESET_BUILTIN_NOTE if builtin else english.PRESET_NOTE)
        self.delete.setEnabled(self._shown is not None and not builtin)
        self.copy.setEnabled(self._shown is not None)
        filled = bool(self.name.text().strip() and self.system.toPlainText().strip())
        self.save.setEnabled(filled and not builtin and self._is_changed())

    def _is_changed(self) -> bool:
        if self._shown is None:
            return True
        kept = (self._shown.name, self._shown.system)
        return (self.name.text().strip(), self.system.toPlainText().strip()) != kept

    # --- doing ----------------------------------------------------------------------------

    def add_new(self) -> None:
        """An empty one, to be written and saved."""
        self._choose("")
        self.list.selectionModel().clear()
        self.name.setFocus()

    def copy_shown(self) -> None:
        """A new one that begins as the one shown; also of a built-in one."""
        if self._shown is not None:
            name = english.PRESET_COPY_NAME.format(name=self._shown.name)[:LONGEST_NAME]
            self._save(None, name, self._shown.system)

    def save_shown(self) -> None:
        """Keep what is written."""
        known = self._shown.id if self._shown is not None else None
        self._save(known, self.name.text().strip(), self.system.toPlainText().strip())

    def _save(self, preset_id: str | None, name: str, system: str) -> None:
        params: dict[str, Any] = {"name": name, "system": system[:LONGEST_SYSTEM]}
        if preset_id is not None:
            params["id"] = preset_id
        call = self._state.client.request("presets.save", params)
        call.succeeded.connect(self._saved)
        call.failed.connect(self._state.notices.error)

    def _saved(self, preset: Preset) -> None:
        self._wanted = preset.id
        self._state.refresh("presets")

    def _delete(self) -> None:
        preset = self._shown
        if preset is None:
            return
        text = english.PRESET_DELETE_TEXT.format(name=names.one_line(preset.name, 80))
        confirm(
            self,
            english.PRESET_DELETE_TITLE,
            text,
            english.DELETE,
            lambda: self._remove(preset.id),
        )

    def _remove(self, preset_id: str) -> None:
        call = self._state.client.request("presets.remove", {"preset": preset_id})
        call.succeeded.connect(lambda done: self._state.refresh("presets"))
        call.failed.connect(self._state.notices.error)
