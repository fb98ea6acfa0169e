from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from desktop import alerts
from desktop.alerts import LONG_S
from desktop.strings import english
from tests.desktop.conftest import Opener


class Tray(QObject):
    """A desktop with a tray, as this machine has none; what it is told is in `said`."""

    messageClicked = Signal()
    activated = Signal(object)
    said: list[str] = []
    shown = False

    def __init__(self, icon: Any, parent: QObject) -> None:
        super().__init__(parent)

    @staticmethod
    def isSystemTrayAvailable() -> bool:
        return True

    @staticmethod
    def supportsMessages() -> bool:
        return True

    def setToolTip(self, text: str) -> None: ...

    def show(self) -> None:
        Tray.shown = True

    def hide(self) -> None:
        Tray.shown = False

    def showMessage(self, title: str, text: str, icon: Any, shown_ms: int) -> None:
        Tray.said.append(text)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the desktop showed, and "marked" for a mark in the task bar."""
    Tray.said = []
    monkeypatch.setattr(alerts, "QSystemTrayIcon", Tray)
    monkeypatch.setattr(
        QApplication, "alert", staticmethod(lambda window: Tray.said.append("marked"))
    )
    return Tray.said


def test_long_work_calls_back_a_user_who_is_elsewhere(
    open_app: Opener, qtbot: Any, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app()
    app.alerts.tell("Papers: ready.", LONG_S + 1)
    assert told == []  # the window is in front
    monkeypatch.setattr(app.window, "isActiveWindow", lambda: False)
    app.alerts.tell("Papers: ready.", LONG_S - 1)
    assert told == []  # it was short
    app.alerts.tell("Papers: ready.", LONG_S + 1)
    assert told == ["marked", "Papers: ready."]
    assert Tray.shown
    app.alerts.bring_to_front()
    assert not Tray.shown
    app.preferences.notify = False
    app.alerts.tell("Papers: ready.", LONG_S + 1)
    assert len(told) == 2


def test_answers_and_readings_say_that_they_have_ended(
    open_app: Opener,
    qtbot: Any,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = open_app(STEPS="3")
    monkeypatch.setattr(alerts, "LONG_S", 0.0)
    monkeypatch.setattr(app.window, "isActiveWindow", lambda: False)
    app.window.ask.ask("how long?")
    qtbot.waitUntil(lambda: english.ALERT_ANSWER in told, timeout=10_000)
    app.window.rescan("lib1")
    qtbot.waitUntil(lambda: any("3 files ready" in line for line in told), timeout=10_000)
