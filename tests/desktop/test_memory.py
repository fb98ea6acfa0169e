"""The window comes back where it was, whatever ended it and whatever became of its file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QWidget

from desktop.memory import Memory, clamp, keep_geometry, restore_geometry, restore_splitter
from desktop.preferences import Preferences
from engine.paths import Home
from tests.desktop.conftest import Opener

ROOT = Path(__file__).resolve().parents[2]


def test_the_window_comes_back_where_it_was(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    window = app.window
    window.resize(1111, 777)
    window.open_files("lib3", "indexed", "report-0")
    window.library.sort_by("size")
    qtbot.waitUntil(lambda: window.library.model.rowCount() > 500, timeout=10_000)
    window.library.table.verticalScrollBar().setValue(5000)
    app.close()
    again = open_app()
    page = again.window.library
    assert (again.window.width(), again.window.height()) == (1111, 777)
    assert again.window.page == "library"
    assert page.library_id == "lib3"
    assert page.search.text() == "report-0"
    assert page.segments[1].isChecked()
    assert page.model.order == ("size", True)
    qtbot.waitUntil(lambda: page.table.verticalScrollBar().value() == 5000, timeout=10_000)


def test_the_last_conversation_and_its_draft_come_back(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.open_conversation("c2")
    qtbot.waitUntil(lambda: app.window.ask.talk.loaded, timeout=10_000)
    app.window.ask.composer.field.setPlainText("and below 30")
    app.close()
    again = open_app()
    assert again.window.page == "ask"
    assert again.window.ask.conversation_id == "c2"
    assert again.window.ask.composer.field.toPlainText() == "and below 30"


def test_no_first_start_is_shown_to_who_has_a_library(open_app: Opener, qtbot: Any) -> None:
    open_app().close()
    seen: list[str] = []
    again = open_app()
    again.window.pages.currentChanged.connect(lambda at: seen.append(again.window.page))
    assert again.window.page == "ask"
    assert "start" not in seen


def test_earlier_versions_kept_it_elsewhere(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings.write_text('{"version": 1, "window": {"library": "lib2"}}')
    assert Memory(home, Preferences(home).window, None).text("library") == "lib2"


WINDOW = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from desktop.app import App
from engine.paths import Home
application = QApplication(["kept"])
host = [sys.executable, "-m", "tests.desktop.scripted_host"]
app = App(application, Home(Path(sys.argv[1])), host)
app.show()
while not app.state.known:
    application.processEvents()
app.window.open_files("lib2")
app.window.ask.composer.field.setPlainText("half a question")
print("there", flush=True)
application.exec()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_a_killed_window_loses_at_most_a_few_seconds(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.Popen(
        [sys.executable, "-c", WINDOW, str(home)],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"there\n"
    kept = home / "window.json"

    def written() -> bool:
        data = json.loads(kept.read_text()) if kept.exists() else {}
        return data.get("page") == "library" and "half a question" in json.dumps(data)

    qtbot.waitUntil(written, timeout=20_000)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=20)
    again = open_app()
    assert again.window.page == "library"
    assert again.window.library.library_id == "lib2"


# --- damage -------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = ("geometry", "page", "library", "ask", "files", "ask_splitter", "version")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_is_kept_can_be_read(qapp: Any, data: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        (home.root / "window.json").write_text(json.dumps({**data, "version": 1}))
        memory = Memory(home, {}, None)
        window = QWidget()
        restore_geometry(memory, window, (800, 600))
        splitter = QSplitter(window)
        for _ in range(2):
            splitter.addWidget(QWidget())
        restore_splitter(memory, "ask_splitter", splitter)
        for name in NAMES:
            assert isinstance(memory.text(name), str)
            assert memory.number(name) >= 0
            assert isinstance(memory.table(name), dict)
        memory.flush()
        window.deleteLater()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"version": 1, "files": {"library": "lib1", "sort": 7, "filter": [], "scroll": -1}}',
        '{"version": 1, "files": {"library": "lib1", "sort": "?"}, "page": "nowhere"}',
        '{"version": 1, "ask": {"drafts": [1, {"text": 2}], "place": []}, "library": 1}',
        '{"version": 1, "geometry": "AAAA", "ask_splitter": [-1, "x"]}',
    ],
)
def test_a_damaged_file_never_stops_the_start(open_app: Opener, text: str) -> None:
    home = open_app("empty").home
    (home.root / "window.json").write_text(text)
    (home.root / "settings.json").write_text(text)
    app = open_app()
    assert app.window.page in ("ask", "library")


# --- size and place -----------------------------------------------------------------------


def test_a_window_is_moved_to_a_screen_that_is_there(qapp: Any, qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    screen = QGuiApplication.primaryScreen().availableGeometry()
    for place in (QPoint(9000, 9000), QPoint(-5000, 100), QPoint(100, -900)):
        window.setGeometry(QRect(place, window.size()))
        window.resize(1200, 800)
        clamp(window)
        assert screen.contains(window.geometry().center())
    window.setGeometry(50, 60, 700, 500)
    clamp(window)
    assert window.geometry() == QRect(50, 60, 700, 500)
    window.resize(9000, 9000)
    clamp(window)
    assert window.width() <= screen.width()


def test_the_file_is_written_soon_and_whole(qapp: Any, qtbot: Any, tmp_path: Path) -> None:
    home = Home(tmp_path / "not there yet")
    memory = Memory(home, {}, None)
    window = QWidget()
    qtbot.addWidget(window)
    keep_geometry(memory, window)
    memory.note("page", "models")
    path = home.root / "window.json"
    qtbot.waitUntil(path.exists, timeout=10_000)
    assert json.loads(path.read_text())["page"] == "models"
    memory.note("page", "ask")
    memory.flush()
    assert json.loads(path.read_text())["page"] == "ask"
    assert list(home.root.iterdir()) == [path]
