"""The last step: a name, and whether the model answers with it from now on."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.dialogs.naming import LONGEST_NAME
from desktop.pages.tuning.step import Draft, Step
from desktop.state import AppState
from desktop.strings import english, names
from desktop.widgets.basics import column, label
from desktop.widgets.setting_rows import section, setting
from desktop.widgets.switch import Switch


class SaveStep(Step):
    """The adapter is kept already; here it gets its name and its use."""

    mark = english.TUNE_STEP_SAVE
    title = english.TUNE_SAVE_TITLE
    text = english.TUNE_SAVE_TEXT
    finished = Signal(str)
    """The id of the adapter."""

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__(state, draft)
        self._entered = ""
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setAccessibleName(english.SAVE_NAME)
        self.name.setMinimumWidth(260)
        self.taken = label("", 0.95, tone="warning", wrap=True)
        self.use = Switch(english.SAVE_USE)
        self.use.setChecked(True)
        self._use_row = QWidget()
        self._use_row.setLayout(
            column(setting(english.SAVE_USE, english.SAVE_USE_TEXT, self.use))
        )
        self._kept = label("", 0.97, tone="muted", wrap=True)
        layout = column(spacing=14)
        layout.addWidget(
            section(
                "",
                setting(english.SAVE_NAME, english.SAVE_NAME_TEXT, self.name),
                self.taken,
                self._use_row,
            )
        )
        layout.addWidget(self._kept)
        layout.addStretch(1)
        self.setLayout(layout)
        self.name.textChanged.connect(self._check)
        state.tunings.adapters_changed.connect(self._check)
        self._check()

    def next_text(self) -> str:
        return english.TUNE_FINISH

    def ready(self) -> bool:
        return bool(self.name.text().strip()) and not self._is_taken() and bool(self._card())

    def enter(self) -> None:
        card = self._card()
        if card is not None and self._entered != card.id:
            self._entered = card.id
            self.name.setText(names.one_line(card.name, LONGEST_NAME))
            self.use.setChecked(not card.problem and card.proof != "failed")
        self._check()
        self.name.setFocus()

    def _card(self):  # type: ignore[no-untyped-def]
        return self.state.tunings.adapter(self.draft.adapter)

    def _is_taken(self) -> bool:
        wanted = names.search_key(self.name.text().strip())
        return any(
            names.search_key(other.name) == wanted
            for other in self.state.tunings.adapters
            if other.id != self.draft.adapter
        )

    def _check(self) -> None:
        card = self._card()
        self.taken.setText(english.ADAPTER_TAKEN)
        self.taken.setVisible(self._is_taken())
        self.use.setEnabled(card is not None and not card.problem)
        if card is not None:
            self._kept.setText(
                english.SAVE_KEPT.format(model=names.one_line(card.base_name, 80))
            )
        self.changed.emit()

    def finish(self) -> None:
        """Give it its name, put it to use, and be done."""
        card = self._card()
        if card is None:
            return
        tunings, name = self.state.tunings, self.name.text().strip()
        if name != card.name:
            tunings.ask("adapters.rename", {"adapter": card.id, "name": name})
        if self.use.isChecked() != card.enabled:
            tunings.ask("adapters.enable", {"adapter": card.id, "on": self.use.isChecked()})
        text = english.SAVED_IN_USE if self.use.isChecked() else english.SAVED
        self.state.notices.info(text.format(name=names.one_line(name, 80)))
        self.finished.emit(card.id)
