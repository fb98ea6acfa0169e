"""The last step: a name, and whether answers use what was learnt from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.dialogs.naming import LONGEST_NAME
from desktop.pages.tuning.step import Draft, Step
from desktop.state import AppState
from desktop.strings import english, names
from desktop.widgets.basics import column, label
from desktop.widgets.setting_rows import section, setting
from desktop.widgets.switch import Switch

if TYPE_CHECKING:
    from engine.work.api import AdapterCard, ModelCard


class SaveStep(Step):
    """What was learnt is kept already; here it gets its name and its use.

    A full fine-tuning made a model of its own, which has its name from its file.
    """

    mark = english.TUNE_STEP_SAVE
    title = english.TUNE_SAVE_TITLE
    text = english.TUNE_SAVE_TEXT
    finished = Signal(str)
    """The id of the adapter, "" after a full fine-tuning."""

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__(state, draft)
        self._entered = ""
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setAccessibleName(english.SAVE_NAME)
        self.name.setMinimumWidth(180)
        self.taken = label(english.ADAPTER_TAKEN, 0.95, tone="warning", wrap=True)
        self.use = Switch(english.SAVE_USE)
        self.use_model = Switch(english.SAVE_USE_MODEL)
        self._kept = label("", 0.97, tone="muted", wrap=True)
        named = setting(english.SAVE_NAME, english.SAVE_NAME_TEXT, self.name)
        used = setting(english.SAVE_USE, english.SAVE_USE_TEXT, self.use)
        whole = setting(english.SAVE_USE_MODEL, english.SAVE_USE_MODEL_TEXT, self.use_model)
        self._of_adapter: list[QWidget] = [named, used]
        self._of_model: list[QWidget] = [whole]
        layout = column(spacing=14)
        layout.addWidget(section("", named, self.taken, used, whole))
        layout.addWidget(self._kept)
        layout.addStretch(1)
        self.setLayout(layout)
        self.name.textChanged.connect(self._check)
        state.tunings.adapters_changed.connect(self._arrived)
        state.models_changed.connect(self._arrived)
        self._check()

    def next_text(self) -> str:
        return english.TUNE_FINISH

    def ready(self) -> bool:
        if self.draft.whole:
            return self._model() is not None
        named = bool(self.name.text().strip()) and not self._is_taken()
        return named and self._card() is not None

    def enter(self) -> None:
        self._arrived()
        (self.use_model if self.draft.whole else self.name).setFocus()

    def _arrived(self) -> None:
        """What was made stands in a list: take its name over, once."""
        card = self._card()
        if card is not None and self._entered != card.id:
            self._entered = card.id
            self.name.setText(names.one_line(card.name, LONGEST_NAME))
            self.use.setChecked(not card.problem and card.proof != "failed")
        self._check()

    def _card(self) -> AdapterCard | None:
        return self.state.tunings.adapter(self.draft.adapter)

    def _model(self) -> ModelCard | None:
        wanted = self.draft.adapter
        return next((card for card in self.state.models if card.id == wanted), None)

    def _is_taken(self) -> bool:
        wanted = names.search_key(self.name.text().strip())
        return any(
            names.search_key(other.name) == wanted
            for other in self.state.tunings.adapters
            if other.id != self.draft.adapter
        )

    def _check(self) -> None:
        card, whole = self._card(), self.draft.whole
        for part in self._of_adapter:
            part.setVisible(not whole)
        for part in self._of_model:
            part.setVisible(whole)
        self.taken.setVisible(not whole and self._is_taken())
        self.use.setEnabled(card is not None and not card.problem)
        if whole:
            self._kept.setText(english.SAVE_KEPT_MODEL)
        elif card is not None:
            model = names.one_line(card.base_name, 80)
            self._kept.setText(english.SAVE_KEPT.format(model=model))
        self.changed.emit()

    def finish(self) -> None:
        """Give it its name, put it to use, and be done."""
        if self.draft.whole:
            self._finish_model()
            return
        card = self._card()
        if card is None:
            return
        tunings, name = self.state.tunings, self.name.text().strip()
        if name != card.name:
            tunings.ask("adapters.rename", {"adapter": card.id, "name": name})
        if self.use.isChecked() != card.enabled:
            tunings.ask("adapters.enable", {"adapter": card.id, "on": self.use.isChecked()})
        self._say(name, self.use.isChecked())
        self.finished.emit(card.id)

    def _finish_model(self) -> None:
        card = self._model()
        if card is None:
            return
        if self.use_model.isChecked():
            self.state.tunings.ask("models.default", {"model": card.id})
            self.state.refresh("models")
        self._say(card.name, self.use_model.isChecked())
        self.finished.emit("")

    def _say(self, name: str, used: bool) -> None:
        text = english.SAVED_IN_USE if used else english.SAVED
        self.state.notices.info(text.format(name=names.one_line(name, 80)))
