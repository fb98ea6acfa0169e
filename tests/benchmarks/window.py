"""How long the window stands still: twenty thousand files scrolled, the look switched, closed.

Every figure is the longest turn of the event loop while that was done, over the scripted
host, off screen: what a person feels as a hang begins at about 50 ms.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from desktop.app import App

FILES = 20_000
STOPS = 1_000
SWITCHES = 6
HOST = [sys.executable, "-m", "tests.desktop.scripted_host"]


class Beat:
    """Counts how long each turn of the event loop takes."""

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        self._timer = QTimer()
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)
        self._last = 0.0
        self._turns: list[float] = []

    def _turn(self) -> None:
        now = time.perf_counter()
        self._turns.append(1000 * (now - self._last))
        self._last = now

    def during(self, application: QApplication, work: Callable[[], bool]) -> list[float]:
        """Milliseconds of every turn while `work`, called once a turn, gives True."""
        self._turns, self._last = [], time.perf_counter()
        self._timer.start()
        while work():
            application.processEvents()
        self._timer.stop()
        return self._turns


def main() -> list[dict[str, Any]]:
    """Longest turns while scrolling and switching, and the time the window takes to go."""
    screen = Path(__file__).parents[1] / "desktop" / "offscreen.json"
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screen}"
    from PySide6.QtWidgets import QApplication

    from desktop.app import App
    from engine.paths import Home

    application = QApplication(["window"])
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as home:
        app = App(application, Home(Path(home)), HOST, {"FILES": str(FILES)})
        app.window.resize(1240, 800)
        app.show()
        _until(application, lambda: app.state.known)
        try:
            scrolled = _scroll(application, app)
            switched = _switch(application, app)
        finally:
            start = time.perf_counter()
            app.window.close()
            gone_ms = 1000 * (time.perf_counter() - start)
            app.close()
    return [
        _row(f"longest turn while {FILES:,} files are scrolled through", scrolled),
        _row("longest turn while the look is switched", switched),
        {
            "name": "the window is gone after closing it",
            "value": round(gone_ms, 1),
            "unit": "ms",
        },
    ]


def _row(name: str, turns: list[float]) -> dict[str, Any]:
    late = sum(turn > 50 for turn in turns)
    middle = statistics.median(turns)
    note = f"{len(turns):,} turns, median {middle:.1f} ms, {late} over 50 ms"
    return {"name": name, "value": round(max(turns), 1), "unit": "ms", "note": note}


def _scroll(application: QApplication, app: App) -> list[float]:
    """Every row comes by once, in steps of a fast wheel; then jumps all over the list."""
    page = app.window.library
    app.window.open_files("lib1")
    _until(application, lambda: page.model.rowCount() == FILES)
    bar = page.table.verticalScrollBar()
    places = [bar.maximum() * at // (STOPS - 1) for at in range(STOPS)]
    places += [bar.maximum() * (at * 37 % 101) // 100 for at in range(200)]
    left = iter(places)

    def work() -> bool:
        place = next(left, None)
        if place is not None:
            bar.setValue(place)
        return place is not None

    return Beat().during(application, work)


def _switch(application: QApplication, app: App) -> list[float]:
    from desktop.theme import theme

    app.window.open_conversation("c0")
    _until(application, lambda: bool(app.window.ask.views()))
    turns: list[float] = []
    for at in range(SWITCHES):
        theme.choose("light" if at % 2 else "dark")
        end = time.perf_counter() + 0.6
        turns += Beat().during(application, lambda end=end: time.perf_counter() < end)
    return turns


def _until(application: QApplication, true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the window did not get there")
        application.processEvents()
        time.sleep(0.002)
