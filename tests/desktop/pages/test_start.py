from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from desktop.strings import english
from desktop.widgets.reading_bar import ReadingBar
from tests.desktop.conftest import Opener, lines


def drop(widget: Any, *paths: Path | str) -> None:
    """Drop files on a widget as the window system would."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    action = Qt.DropAction.CopyAction
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(5, 5), action, data, buttons, keys))
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), action, data, buttons, keys))


def test_the_first_start_offers_one_thing_to_do(open_app: Opener, qtbot: Any) -> None:
    app = open_app("empty")
    start = app.window.start
    assert app.window.page == "start"
    assert start.choose.isVisible()
    assert start.sample.isVisible()
    assert "Qwen2.5 1.5B" in start._model.title.text()
    assert "1.1 GB" in start._model.text.text()


def test_a_dropped_folder_is_read_at_once_and_can_be_asked_meanwhile(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "Field notes"
    folder.mkdir()
    app = open_app("empty", STEPS="60", STEP_S="0.05")
    drop(app.window.start.drop, folder)
    window = app.window
    assert window.page == "ask"
    assert [reading.name for reading in app.state.readings] == ["Field notes"]
    qtbot.waitUntil(
        lambda: sum(bar.isVisible() for bar in window.findChildren(ReadingBar)) == 2,
        timeout=5_000,
    )
    bars = window.findChildren(ReadingBar)
    qtbot.waitUntil(lambda: window.ask.library_id != "", timeout=10_000)
    qtbot.waitUntil(lambda: "%" in bars[0].line(), timeout=10_000)
    window.ask.ask("already?")
    turn = window.ask.talk.turns[-1]
    qtbot.waitUntil(lambda: turn.stage == "done", timeout=10_000)
    assert app.state.readings
    qtbot.waitUntil(lambda: not app.state.readings, timeout=20_000)
    assert any(line.startswith("Field notes: 60 files ready in") for line in lines(app))
    assert english.INDEXED_SKIPPED.format(skipped="1 file") in lines(app)[-1]
    assert not [bar for bar in window.findChildren(ReadingBar) if bar.isVisible()]
    assert window.sidebar.libraries_model.rowCount() == 1


def test_a_question_asked_before_the_library_is_known_waits_for_it(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app("empty", STEPS="5")
    app.window.add_folder(str(tmp_path))
    app.window.ask.ask("too early?")
    turn = app.window.ask.talk.turns[-1]
    assert turn.call is None
    qtbot.waitUntil(lambda: turn.stage == "done", timeout=20_000)
    assert app.window.ask.library_id == "lib1"


def test_reading_can_be_stopped(open_app: Opener, qtbot: Any, tmp_path: Path) -> None:
    app = open_app("empty", STEPS="2000", STEP_S="0.02")
    app.window.add_folder(str(tmp_path))
    reading = app.state.readings[0]
    qtbot.waitUntil(lambda: reading.done > 3, timeout=10_000)
    reading.stop()
    qtbot.waitUntil(lambda: not app.state.readings, timeout=10_000)
    assert english.INDEX_STOPPED.format(name=tmp_path.name) in lines(app)


def test_for_a_dropped_file_its_folder_is_offered(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app("empty", STEPS="3")
    folder = tmp_path / "Papers"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(b"x")
    drop(app.window.start.drop, folder / "a.pdf")
    assert lines(app) == [english.DROP_OFFER.format(name="Papers")]
    assert app.window.page == "start"
    app.window.notice_bar._action.click()
    qtbot.waitUntil(lambda: bool(app.state.libraries), timeout=10_000)
    assert app.state.libraries[0].roots == [str(folder)]


def test_a_folder_dropped_anywhere_is_taken(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app(STEPS="3")
    drop(app.window, tmp_path)
    qtbot.waitUntil(lambda: len(app.state.libraries) == 4, timeout=10_000)


def test_the_sample_folder_is_a_click_away(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app("empty", SAMPLE=str(tmp_path), STEPS="3")
    app.window.start.sample.click()
    qtbot.waitUntil(lambda: bool(app.state.libraries), timeout=10_000)
    assert app.state.libraries[0].name == english.SAMPLE_LIBRARY
    assert app.state.libraries[0].roots == [str(tmp_path)]
