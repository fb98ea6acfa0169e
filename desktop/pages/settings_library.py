"""Library settings: following the disk, what a scan may cost, passages for an answer."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.preferences import Preferences
from desktop.strings import english, figures
from desktop.widgets.basics import column
from desktop.widgets.chooser import Chooser
from desktop.widgets.setting_rows import section, setting
from desktop.widgets.switch import Switch

PASSAGES_OFFERED = (1, 2, 3, 4, 5, 6, 8, 10)
SCANS_OFFERED_S = (5, 20, 60, 300, 1800, 3600)


class LibrarySettings(QWidget):
    """Writes into the preferences and says so."""

    changed = Signal()

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self.follow = Switch(english.SETTINGS_FOLLOW)
        self.follow.setChecked(preferences.follow)
        self.scans = Chooser(english.SETTINGS_SCANS)
        self.passages = Chooser(english.SETTINGS_PASSAGES)
        self._follow_row = setting(
            english.SETTINGS_FOLLOW, english.SETTINGS_FOLLOW_TEXT, self.follow
        )
        changes = section(english.SETTINGS_CHANGES, self._follow_row)
        scans = section(
            english.SETTINGS_SCANS_TITLE,
            setting(english.SETTINGS_SCANS, english.SETTINGS_SCANS_TEXT, self.scans),
        )
        passages = section(
            english.SETTINGS_ANSWERS,
            setting(english.SETTINGS_PASSAGES, english.SETTINGS_PASSAGES_TEXT, self.passages),
        )
        layout = column(changes, scans, passages, spacing=14, margins=(28, 10, 28, 28))
        layout.addStretch(1)
        self.setLayout(layout)
        self._show()
        self.follow.toggled.connect(self._set_follow)
        self.scans.chosen.connect(self._set_scans)
        self.passages.chosen.connect(self._set_passages)

    def _show(self) -> None:
        seconds, passages = self._preferences.scan_seconds_per_file, self._preferences.passages
        rows = [("0", english.SETTINGS_SCANS_NONE)]
        rows += [(str(n), scan_choice(n)) for n in sorted({*SCANS_OFFERED_S, seconds} - {0})]
        self.scans.set_choices(rows, str(seconds))
        rows = [("0", english.SETTINGS_PASSAGES_AUTO)]
        rows += [(str(n), str(n)) for n in sorted({*PASSAGES_OFFERED, passages} - {0})]
        self.passages.set_choices(rows, str(passages))

    def _set_follow(self, on: bool) -> None:
        self._preferences.follow = on
        self.changed.emit()

    def _set_scans(self, choice: str) -> None:
        self._preferences.scan_seconds_per_file = int(choice)
        self._show()
        self.changed.emit()

    def _set_passages(self, choice: str) -> None:
        self._preferences.passages = int(choice)
        self._show()
        self.changed.emit()


def scan_choice(seconds: int) -> str:
    """A cost a file may have, in words: "Up to 20 seconds a file"."""
    if seconds < 60:
        time = figures.count(seconds, "second", "seconds")
    elif seconds < 3600:
        time = figures.count(seconds // 60, "minute", "minutes")
    else:
        time = english.AN_HOUR
    return english.SETTINGS_SCANS_UP_TO.format(time=time)
