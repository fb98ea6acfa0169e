from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from desktop.dialogs.confirm import ConfirmDialog
from desktop.models.files import PAGE_ROWS, PAGES_KEPT
from desktop.strings import english
from tests.desktop.conftest import Opener, free_deleted


def open_library(app: Any, qtbot: Any) -> Any:
    page = app.window.library
    app.window.show_page("library")
    qtbot.waitUntil(lambda: page.model.rowCount() == 5005, timeout=10_000)
    return page


def cell(page: Any, row: int, column: int) -> str:
    return page.model.index(row, column).data()


def test_the_state_of_every_file_with_its_reason(open_app: Opener, qtbot: Any) -> None:
    page = open_library(open_app(), qtbot)
    assert page.title.text() == "Clinic protocols"
    assert page.facts.text().startswith("412 files · 8,652 passages · 74.2 MB · updated ")
    assert cell(page, 0, 0).startswith("b> <img src=x>")
    states = [cell(page, row, 1) for row in range(6)]
    assert states == ["Ready", "Ready", "Ready", "Words only", "Not readable", "Waiting"]
    tip = page.model.index(4, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == "The file is damaged: its last part is missing."


def test_only_pages_that_are_looked_at_are_fetched_and_few_are_kept(
    open_app: Opener, qtbot: Any
) -> None:
    page = open_library(open_app(), qtbot)
    assert len(page.model._pages) == 1
    page.table.scrollToBottom()
    qtbot.waitUntil(lambda: cell(page, 5004, 0) == "report-4999.pdf", timeout=10_000)
    assert 5004 // PAGE_ROWS in page.model._pages
    assert len(page.model._pages) <= min(PAGES_KEPT, 4)


def test_filter_by_state_and_by_name(open_app: Opener, qtbot: Any) -> None:
    page = open_library(open_app(), qtbot)
    page.segments[4].click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 1, timeout=10_000)
    qtbot.waitUntil(lambda: cell(page, 0, 0) == "broken.pdf", timeout=5_000)
    assert page.shown.text() == "1 file"
    page.segments[0].click()
    qtbot.keyClicks(page.search, "REPORT-49")
    qtbot.waitUntil(lambda: page.model.rowCount() == 100, timeout=10_000)
    page.search.setText("no such file")
    qtbot.waitUntil(page._none.isVisible, timeout=10_000)


def test_a_file_opens_beside_the_table(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    page.table.setCurrentIndex(page.model.index(1, 0))
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.viewer.showing() is not None, timeout=10_000)
    assert page.viewer.isVisible()
    qtbot.keyClick(app.window, Qt.Key.Key_Escape)
    assert not page.viewer.isVisible()


def test_a_file_that_cannot_be_shown_says_why(open_app: Opener, qtbot: Any) -> None:
    page = open_library(open_app(), qtbot)
    page.open_file(page.model.row_at(4))
    qtbot.waitUntil(lambda: page.viewer.problem() != "", timeout=10_000)
    assert page.viewer.problem() == "The file is damaged."


def test_looking_for_changes_shows_progress_and_fresh_states(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(STEPS="10")
    page = open_library(app, qtbot)
    page.scan.click()
    assert [reading.library_id for reading in app.state.readings] == ["lib1"]
    assert not page.scan.isEnabled()
    qtbot.waitUntil(lambda: not app.state.readings, timeout=20_000)
    qtbot.waitUntil(lambda: page.facts.text().startswith("10 files"), timeout=10_000)
    assert page.scan.isEnabled()


def test_removing_asks_first_and_frees_its_dialog(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    open_library(app, qtbot)
    app.window.library.remove.click()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    assert dialog.no.isDefault()
    dialog.no.click()
    free_deleted()
    assert app.window.findChild(ConfirmDialog) is None
    assert len(app.state.libraries) == 3
    app.window.library.remove.click()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(lambda: len(app.state.libraries) == 2, timeout=10_000)


def test_without_a_library_there_is_a_way_to_get_one(open_app: Opener, qtbot: Any) -> None:
    app = open_app("empty")
    app.window.show_page("library")
    assert app.window.library._empty.isVisible()
    assert not app.window.library.table.isVisible()
    assert english.LIBRARY_NONE
