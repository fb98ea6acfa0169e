"""The window over a scripted host, off screen, and the check that nothing stays behind."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app import App
from desktop.notices import Notice
from engine.paths import Home

# The platform's own screen is 800×800; this one is a desk. Set before Qt starts.
SCREEN = Path(__file__).with_name("offscreen.json")
os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={SCREEN}"

SCRIPTED = [sys.executable, "-m", "tests.desktop.scripted_host"]

Opener = Callable[..., App]


def free_deleted() -> None:
    """Let `deleteLater` take effect now."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QCoreApplication.processEvents()


@pytest.fixture
def open_app(qapp: QApplication, qtbot: Any, tmp_path: Path) -> Iterator[Opener]:
    """Opens the window over a scripted host; closes it and looks for leaks at the end."""
    opened: list[App] = []
    free_deleted()
    before_threads = set(threading.enumerate())
    before_widgets = set(map(id, QApplication.topLevelWidgets()))

    def open_(script: str = "full", host: list[str] | None = None, **environment: str) -> App:
        home = Home(tmp_path / "home")
        home.root.mkdir(exist_ok=True)
        app = App(qapp, home, host or SCRIPTED, {"SCRIPT": script, **environment})
        opened.append(app)
        app.show()
        qtbot.waitUntil(lambda: app.state.known, timeout=20_000)
        app.window.activateWindow()
        qtbot.waitUntil(app.window.isActiveWindow, timeout=5_000)
        return app

    yield open_
    for app in opened:
        app.close()
    free_deleted()
    left_threads = [t.name for t in threading.enumerate() if t not in before_threads]
    assert not left_threads
    left = [w for w in QApplication.topLevelWidgets() if id(w) not in before_widgets]
    assert not [describe(w) for w in left if w.isVisible() or w.inherits("QDialog")]


def describe(widget: QWidget) -> str:
    """A widget for a failure message."""
    return f"{type(widget).__name__}({widget.objectName()}, {widget.accessibleName()!r})"


def lines(app: App) -> list[str]:
    """Everything the user was told so far."""
    return [notice.text for notice in app.notices.record]


def last(app: App) -> Notice:
    """What the user was told last."""
    return app.notices.record[-1]
