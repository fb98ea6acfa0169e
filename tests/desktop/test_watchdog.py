from __future__ import annotations

import logging
import threading
import time
from typing import Any

import pytest
from PySide6.QtCore import QTimer

from desktop.watchdog import Watchdog


def hang_about() -> None:
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pass


def test_a_hang_is_logged_with_its_place(
    qapp: Any, qtbot: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dog = Watchdog()
    with caplog.at_level(logging.WARNING, "whetstone.watchdog"):
        QTimer.singleShot(0, hang_about)
        qtbot.waitUntil(lambda: bool(dog.stalls), timeout=5_000)
    dog.stop()
    assert "hang_about" in dog.stalls[0].stack
    assert dog.stalls[0].seconds > 0.2
    assert "the window hung" in caplog.text


def test_an_idle_window_is_no_hang_and_nothing_stays(qapp: Any, qtbot: Any) -> None:
    dog = Watchdog()
    qtbot.wait(600)
    dog.stop()
    dog.stop()
    assert not dog.stalls
    assert "watchdog" not in [thread.name for thread in threading.enumerate()]
