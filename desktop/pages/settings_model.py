"""Model settings: which one answers, how much it sees at once, how it is told to answer."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.dialogs.presets import PresetsDialog
from desktop.preferences import Preferences
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import button, column, row
from desktop.widgets.chooser import Chooser
from desktop.widgets.mode_chooser import ModeChooser
from desktop.widgets.reranker_card import RerankerCard
from desktop.widgets.setting_rows import section, setting
from desktop.widgets.switch import Switch

CONTEXTS_OFFERED = (2048, 4096, 8192, 16384, 32768)


class ModelSettings(QWidget):
    """The model itself is chosen in the engine; the rest goes into the preferences."""

    changed = Signal()
    go_models = Signal()

    def __init__(self, state: AppState, preferences: Preferences) -> None:
        super().__init__()
        self._state = state
        self._preferences = preferences
        self.model = Chooser(english.SETTINGS_MODEL, "cpu")
        self.context = Chooser(english.SETTINGS_CONTEXT)
        self.mode = ModeChooser()
        self.refuse = Switch(english.SETTINGS_REFUSE)
        self.preset = Chooser(english.SETTINGS_PRESET)
        self.models = button(english.SETTINGS_MODEL_LINK, self.go_models.emit)
        manage = button(english.SETTINGS_PRESETS, self._manage)
        self._manage_button = manage
        answers = section(
            english.SETTINGS_MODEL_TITLE,
            setting(english.SETTINGS_MODEL, english.SETTINGS_MODEL_TEXT, self.model),
            setting(english.SETTINGS_CONTEXT, english.SETTINGS_CONTEXT_TEXT, self.context),
            setting(english.MODE_CHOOSER, english.SETTINGS_MODE_TEXT, self.mode),
            setting(english.SETTINGS_REFUSE, english.SETTINGS_REFUSE_TEXT, self.refuse),
            setting(english.SETTINGS_GPU, english.SETTINGS_GPU_TEXT, self.models),
        )
        both = QWidget()
        both.setLayout(row(self.preset, manage, spacing=8))
        presets = section(
            english.SETTINGS_PRESET_TITLE,
            setting(english.SETTINGS_PRESET, english.SETTINGS_PRESET_TEXT, both),
        )
        self.reranker = RerankerCard(state)
        layout = column(answers, presets, self.reranker, spacing=14, margins=(28, 10, 28, 28))
        layout.addStretch(1)
        self.setLayout(layout)
        self.model.chosen.connect(self._use_model)
        self.context.chosen.connect(self._set_context)
        self.mode.chosen.connect(self._set_mode)
        self.preset.chosen.connect(self._set_preset)
        self.refuse.setChecked(preferences.refuse)
        self.refuse.toggled.connect(self._set_refuse)
        state.models_changed.connect(self._show_models)
        state.presets_changed.connect(self._show_presets)
        self._show_models()
        self._show_context()
        self.mode.set_mode(preferences.mode)
        self._show_presets()

    def _show_models(self) -> None:
        chosen = self._state.default_model()
        rows = [(card.id, names.one_line(card.name, 60)) for card in self._state.models]
        self.model.set_choices(rows, chosen.id if chosen is not None else "")
        if chosen is None:
            self.model.set_shown(english.NO_MODEL)
        self.model.setEnabled(bool(rows))

    def _show_context(self) -> None:
        chosen = self._preferences.context_tokens
        rows = [("0", english.SETTINGS_PASSAGES_AUTO)]
        rows += [
            (str(n), figures.count(n, *english.TOKENS))
            for n in sorted({*CONTEXTS_OFFERED, chosen} - {0})
        ]
        self.context.set_choices(rows, str(chosen))

    def _show_presets(self) -> None:
        rows = [("", english.SETTINGS_PRESET_NONE)]
        rows += [(preset.id, preset.name) for preset in self._state.presets]
        known = self._preferences.preset
        if known and known not in [row_id for row_id, _ in rows]:
            known = ""
        self.preset.set_choices(rows, known)

    def _use_model(self, model_id: str) -> None:
        call = self._state.client.request("models.default", {"model": model_id})
        call.failed.connect(self._state.notices.error)
        call.finished.connect(lambda: self._state.refresh("models"))

    def _set_context(self, choice: str) -> None:
        self._preferences.context_tokens = int(choice)
        self._show_context()
        self.changed.emit()
        self._state.refresh("models")

    def _set_mode(self, choice: str) -> None:
        self._preferences.mode = choice
        self.mode.set_mode(choice)
        self.changed.emit()

    def _set_refuse(self, on: bool) -> None:
        self._preferences.refuse = on
        self.changed.emit()

    def _set_preset(self, choice: str) -> None:
        self._preferences.preset = choice
        self._show_presets()
        self.changed.emit()

    def _manage(self) -> None:
        PresetsDialog(self.window(), self._state).open()
