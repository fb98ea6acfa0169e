from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from desktop.dropping import Drop
from desktop.strings import english
from tests.desktop.conftest import Opener, lines
from tests.desktop.pages.test_start import drop

COPY = Qt.DropAction.CopyAction
BUTTON, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def hold(widget: Any, at: QPoint, *paths: Path) -> QMimeData:
    """Hold files over a widget."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    for kind in (QDragEnterEvent, QDragMoveEvent):
        QApplication.sendEvent(widget, kind(at, COPY, data, BUTTON, NO_KEY))
    return data


def test_a_drop_is_sorted_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    (tmp_path / "b.GGUF").write_text("x")
    found = Drop.of([str(tmp_path), str(tmp_path / "a.pdf"), str(tmp_path / "b.GGUF")])
    assert found.folders == [str(tmp_path)]
    assert [Path(path).name for path in (*found.files, *found.models)] == ["a.pdf", "b.GGUF"]
    assert not Drop.of([])


def test_it_is_said_before_it_is_let_go(open_app: Opener, qtbot: Any, tmp_path: Path) -> None:
    window = open_app().window
    window.show_page("ask")
    hold(window, QPoint(600, 300), tmp_path)
    assert window.drops.veil.isVisible()
    assert window.drops.veil.text() == english.DROP_NEW
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not window.drops.veil.isVisible()
    window.show_page("library")
    hold(window, QPoint(600, 300), tmp_path)
    assert window.drops.veil.text() == english.DROP_TO_LIBRARY.format(name="Clinic protocols")
    QApplication.sendEvent(window, QDragLeaveEvent())


def test_a_folder_dropped_on_a_library_becomes_a_part_of_it(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app(STEPS="2")
    app.window.open_files("lib2")
    drop(app.window, tmp_path)
    qtbot.waitUntil(
        lambda: str(tmp_path) in (app.state.library("lib2") or app).roots, timeout=10_000
    )
    assert len(app.state.libraries) == 3


def test_a_folder_dropped_on_a_row_of_the_sidebar_goes_there(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app(STEPS="2")
    rows = app.window.sidebar.libraries
    at = rows.visualRect(rows.model().index(2, 0)).center()
    data = hold(rows.viewport(), at, tmp_path)
    QApplication.sendEvent(rows.viewport(), QDropEvent(QPointF(at), COPY, data, BUTTON, NO_KEY))
    qtbot.waitUntil(
        lambda: str(tmp_path) in (app.state.library("lib3") or app).roots, timeout=10_000
    )


def test_a_model_dropped_anywhere_is_taken_in(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app()
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    drop(app.window, tmp_path / "mine.gguf")
    assert app.window.page == "models"
    qtbot.waitUntil(lambda: len(app.state.models) == 3, timeout=10_000)


@pytest.mark.parametrize("page", ["library", "models", "settings"])
def test_a_dropped_file_is_shown_in_its_library_or_its_folder_offered(
    open_app: Opener, qtbot: Any, tmp_path: Path, page: str
) -> None:
    app = open_app(STEPS="2")
    folder = tmp_path / "Papers"
    folder.mkdir()
    (folder / "new.pdf").write_text("x")
    app.window.show_page(page)
    drop(app.window.pages.currentWidget(), folder / "new.pdf")
    assert lines(app)[-1] == english.DROP_OFFER.format(name="Papers")
    app.state.libraries[1].roots = [str(folder)]
    app.window.take_drop([str(folder / "new.pdf")])
    assert app.window.page == "library"
    assert app.window.library.library_id == "lib2"
    assert app.window.library.search.text() == "new.pdf"


def test_a_file_dropped_on_the_question_is_its_to_take(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app()
    (tmp_path / "unknown.pdf").write_text("x")
    app.window.show_page("ask")
    drop(app.window, tmp_path / "unknown.pdf")
    qtbot.waitUntil(lambda: bool(lines(app)), timeout=10_000)
    assert app.window.page == "ask"
