"""General settings: the look, notifications, the keyboard, and what this computer can do."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QWidget

from desktop import theme
from desktop.preferences import Preferences
from desktop.state import AppState
from desktop.strings import english
from desktop.widgets.basics import button, column, row
from desktop.widgets.computer_card import ComputerCard
from desktop.widgets.setting_rows import section, setting
from desktop.widgets.switch import Switch

_THEMES: tuple[tuple[theme.Choice, str, str], ...] = (
    ("system", english.THEME_SYSTEM, "monitor"),
    ("light", english.THEME_LIGHT, "sun"),
    ("dark", english.THEME_DARK, "moon"),
)


class GeneralSettings(QWidget):
    """Says what was chosen."""

    changed = Signal()
    theme_chosen = Signal(str)
    shortcuts_wanted = Signal()

    def __init__(self, state: AppState, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self.themes: dict[str, QPushButton] = {}
        self.notify = Switch(english.SETTINGS_NOTIFY)
        self.computer = ComputerCard(state)
        layout = column(spacing=14, margins=(28, 10, 28, 28))
        for part in (self._look(), self._habits(), self.computer):
            layout.addWidget(part)
        layout.addStretch(1)
        self.setLayout(layout)
        self.show_choices()
        self.notify.toggled.connect(self._set_notify)

    def _look(self) -> QFrame:
        group = QButtonGroup(self)
        group.setExclusive(True)
        line = row(spacing=6)
        for choice, text, icon in _THEMES:
            chooser = button(
                text, lambda choice=choice: self.theme_chosen.emit(choice), "segment", icon
            )
            chooser.setCheckable(True)
            group.addButton(chooser)
            self.themes[choice] = chooser
            line.addWidget(chooser)
        line.addStretch(1)
        return section(english.SETTINGS_LOOK, line)

    def _habits(self) -> QFrame:
        keys = button(english.SETTINGS_SHORTCUTS, self.shortcuts_wanted.emit, icon="keyboard")
        return section(
            english.SETTINGS_HABITS,
            setting(english.SETTINGS_NOTIFY, english.SETTINGS_NOTIFY_TEXT, self.notify),
            setting(english.SETTINGS_KEYS, english.SETTINGS_KEYS_TEXT, keys),
        )

    def show_choices(self) -> None:
        """Show what is set."""
        self.themes[self._preferences.theme].setChecked(True)
        self.notify.setChecked(self._preferences.notify)

    def _set_notify(self, on: bool) -> None:
        self._preferences.notify = on
        self.changed.emit()
