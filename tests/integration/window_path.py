"""The window's main path as a person walks it: first start, sample folder, question, source.

Run as a program (see test_offline.py); exits 0 when every step came to its end, and prints
where it stopped otherwise. Needs `$WHETSTONE_HOME` and an off-screen display.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app import App
from engine.paths import default_home

QUESTION = "How long does a full freezer stay cold when its door is not opened?"
STEP_LIMIT_S = 120.0


def wait(what: str, done: Callable[[], bool]) -> None:
    """Let the window work until `done`; a step that never ends ends the program."""
    deadline = time.monotonic() + STEP_LIMIT_S
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"window_path: waited in vain: {what}")
        QTest.qWait(20)
    print(f"{what}: done", flush=True)


def walk(app: App) -> None:
    """First start → sample → ask → open the first source."""
    window, state = app.window, app.state
    wait("the engine answers", lambda: state.known)
    assert window.page == "start", window.page
    QTest.mouseClick(window.start.sample, Qt.MouseButton.LeftButton)
    wait("reading has begun", lambda: bool(state.readings))
    wait("the folder is read", lambda: not state.readings)
    wait("the library is shown", lambda: bool(state.libraries) and state.libraries[0].files > 0)
    assert window.page == "ask", window.page
    composer = window.ask.composer
    QTest.keyClicks(composer.field, QUESTION)
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    talk = window.ask.talk
    wait("the question is asked", lambda: len(talk.turns) == 1)
    turn = talk.turns[0]
    wait("the sources are there", lambda: bool(turn.passages) or not turn.running)
    wait("the answer is written", lambda: not turn.running)
    assert turn.stage == "done", (turn.stage, turn.error)
    assert turn.text
    QTest.mouseClick(window.ask.sources.cards()[0], Qt.MouseButton.LeftButton)
    viewer = window.ask.viewer
    wait("the source is shown", lambda: bool(viewer.showing() or viewer.problem()))
    shown = viewer.showing()
    assert shown is not None, viewer.problem()
    assert shown.kind == "page"
    assert shown.boxes
    for page in ("library", "models", "settings"):
        window.show_page(page)
        QTest.qWait(50)
        assert window.page == page


def main() -> int:
    """Walk, then close the window as a person does."""
    logging.basicConfig(level=logging.INFO)  # to stderr, where a child's death is told
    application = QApplication(["whetstone"])
    app = App(application, default_home())
    app.show()
    try:
        walk(app)
    finally:
        app.close()
        QTest.qWait(50)
    return 0


if __name__ == "__main__":
    sys.exit(main())
