"""Settings: how much of what models computed of passages is kept, and how to be rid of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.preferences import Preferences
from desktop.state import AppState
from desktop.strings import english, figures
from desktop.widgets.basics import button, column, label, row
from desktop.widgets.chooser import Chooser
from desktop.widgets.setting_rows import section, setting

if TYPE_CHECKING:
    from engine.work.api import StorageReport

LIMITS_MB = (256, 512, 1024, 2048, 4096, 8192, 16384)


class StatesCard(QWidget):
    """The size used now is shown as soon as it is known."""

    changed = Signal()
    cleared = Signal()

    def __init__(self, state: AppState, preferences: Preferences) -> None:
        super().__init__()
        self._state, self._preferences = state, preferences
        self.limit = Chooser(english.SETTINGS_STATES)
        self.used = label("", 0.95, tone="muted")
        self.clear = button(english.STATES_CLEAR, self._clear)
        self.clear.setAccessibleName(english.STATES_CLEAR_SAID)
        self.clear.setEnabled(False)
        line = row(self.used, self.clear, spacing=14)
        line.setStretch(0, 1)
        card = section(
            english.SETTINGS_STATES_TITLE,
            setting(english.SETTINGS_STATES, english.SETTINGS_STATES_TEXT, self.limit),
            line,
        )
        layout: QVBoxLayout = column(card)
        self.setLayout(layout)
        self.limit.chosen.connect(self._set_limit)
        self._show()

    def show_size(self, report: StorageReport) -> None:
        """What is used now."""
        size = sum(part.size_bytes for part in report.parts if part.name == "states")
        used = english.STATES_USED.format(size=figures.size(size))
        self.used.setText(used if size else english.STATES_USED_NONE)
        # What is in memory cannot be seen here, and goes too.
        self.clear.setEnabled(True)

    def _show(self) -> None:
        chosen = self._preferences.states_mb
        rows = [("0", english.SETTINGS_STATES_MEMORY)]
        rows += [(str(mb), limit_choice(mb)) for mb in sorted({*LIMITS_MB, chosen} - {0})]
        self.limit.set_choices(rows, str(chosen))

    def _set_limit(self, choice: str) -> None:
        self._preferences.states_mb = int(choice)
        self._show()
        self.changed.emit()

    def _clear(self) -> None:
        self.clear.setEnabled(False)
        call = self._state.client.request("states.clear")
        call.failed.connect(self._state.notices.error)
        call.succeeded.connect(lambda answer: self._state.notices.info(english.STATES_CLEARED))
        call.finished.connect(self._ended)

    def _ended(self) -> None:
        self.clear.setEnabled(True)
        self.cleared.emit()


def limit_choice(megabytes: int) -> str:
    """A limit in words: "Up to 1 GB"."""
    whole = megabytes % 1024 == 0
    size = f"{megabytes // 1024:,} GB" if whole else f"{megabytes:,} MB"
    return english.SETTINGS_STATES_UP_TO.format(size=size)
