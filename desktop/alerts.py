"""Tells that long work has ended, while the window is not in front."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from desktop.client import EngineClient
from desktop.state import AppState
from desktop.strings import english, names

LONG_S = 10.0
"""Work that took less is not worth being called back for."""
SHOWN_MS = 10_000


class Alerts(QObject):
    """A message of the desktop where there is one, and the mark in the task bar.

    The line in the window says it as well: nobody depends on these.
    """

    def __init__(
        self, window: QWidget, client: EngineClient, state: AppState, wanted: Callable[[], bool]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._wanted = wanted
        self._tray: QSystemTrayIcon | None = None
        self._away = QTimer(self)
        self._away.setSingleShot(True)
        self._away.setInterval(2 * SHOWN_MS)
        self._away.timeout.connect(self._take_away)
        state.work_ended.connect(self.tell)
        client.call_ended.connect(self._call_ended)

    def _call_ended(self, method: str, seconds: float) -> None:
        text = {"ask": english.ALERT_ANSWER, "models.add": english.ALERT_MODEL}.get(method)
        if text is not None:
            self.tell(text, seconds)

    def tell(self, text: str, seconds: float) -> None:
        """Say it, unless it was short work, the user looks on, or does not want to know."""
        if seconds < LONG_S or self._window.isActiveWindow() or not self._wanted():
            return
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._show(names.one_line(text, 200))

    def _show(self, text: str) -> None:
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._window.windowIcon(), self)
            self._tray.setToolTip(english.APP)
            self._tray.messageClicked.connect(self.bring_to_front)
            self._tray.activated.connect(lambda reason: self.bring_to_front())
        self._tray.show()
        self._tray.showMessage(english.APP, text, self._window.windowIcon(), SHOWN_MS)
        self._away.start()

    def _take_away(self) -> None:
        """The icon is there for its message only."""
        if self._tray is not None:
            self._tray.hide()

    def bring_to_front(self) -> None:
        """Show the window over the others."""
        self._take_away()
        bring_to_front(self._window)


def bring_to_front(window: QWidget) -> None:
    """Show a window over the others, also when it was made small."""
    if window.isMinimized():
        window.showNormal()
    window.show()
    window.raise_()
    window.activateWindow()
