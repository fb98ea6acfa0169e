from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from desktop import file_work
from desktop.dialogs.confirm import ConfirmDialog
from desktop.dialogs.naming import NamingDialog
from desktop.models.files import ASKED_AT_ONCE, PAGE_ROWS, PAGES_KEPT
from desktop.strings import english
from tests.desktop.conftest import Opener, free_deleted, lines


def open_library(app: Any, qtbot: Any, files: int = 5005) -> Any:
    page = app.window.library
    app.window.show_page("library")
    qtbot.waitUntil(lambda: page.model.rowCount() == files, timeout=10_000)
    qtbot.waitUntil(lambda: page.model.held(0) is not None, timeout=10_000)
    return page


def cell(page: Any, row: int, column: int) -> str:
    return page.model.index(row, column).data()


def choose(page: Any, *rows: int) -> None:
    """Choose these rows as Ctrl and a click would."""
    page.table.clearSelection()
    for row in rows:
        page.table.selectionModel().select(
            page.model.index(row, 0),
            QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
        )


def test_the_state_of_every_file_with_its_reason(open_app: Opener, qtbot: Any) -> None:
    page = open_library(open_app(), qtbot)
    assert page.head.title.text() == "Clinic protocols"
    facts = "412 files · 8,652 passages · 74.2 MB · 3 files not readable"
    assert page.head.facts.text().startswith(facts)
    assert cell(page, 0, 0).startswith("b> <img src=x>")
    states = [cell(page, row, 1) for row in range(6)]
    assert states == ["Ready", "Ready", "Ready", "Words only", "Not readable", "Waiting"]
    tip = page.model.index(4, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == "The file is damaged: its last part is missing."
    said = page.model.index(4, 1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Not readable: The file is damaged: its last part is missing."
    assert page.segments[4].text() == "Not readable 3"


def test_only_pages_that_are_looked_at_are_fetched_and_few_are_kept(
    open_app: Opener, qtbot: Any
) -> None:
    page = open_library(open_app(), qtbot)
    assert len(page.model._pages) == 1
    page.table.scrollToBottom()
    qtbot.waitUntil(lambda: cell(page, 5004, 0).startswith("report-4999"), timeout=10_000)
    assert 5004 // PAGE_ROWS in page.model._pages
    assert len(page.model._pages) <= min(PAGES_KEPT, 4)


def test_twenty_thousand_files_are_scrolled_through_with_few_requests(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(FILES="20000")
    page = open_library(app, qtbot, 20_000)
    asked: list[int] = []
    request = app.client.request

    def counted(method: str, params: Any = None) -> Any:
        if method == "libraries.files":
            asked.append(params["offset"])
        return request(method, params)

    app.client.request = counted  # type: ignore[method-assign]
    bar = page.table.verticalScrollBar()
    most = 0
    for step in range(400):
        bar.setValue(bar.maximum() * step // 399)
        qtbot.wait(1)
        most = max(most, len(page.model._asked))
    qtbot.waitUntil(lambda: page.model.held(19_999) is not None, timeout=10_000)
    assert most <= ASKED_AT_ONCE
    assert len(page.model._pages) <= PAGES_KEPT
    # On a busy machine a page may come after it was scrolled past, and be asked for again;
    # a request a row or a step would be many times as many.
    assert len(asked) <= 2 * 20_000 // PAGE_ROWS
    bar.setValue(bar.maximum() // 2)
    qtbot.waitUntil(lambda: page.model.held(10_000) is not None, timeout=5_000)


def test_filter_by_state_and_by_name(open_app: Opener, qtbot: Any) -> None:
    page = open_library(open_app(), qtbot)
    page.segments[4].click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2, timeout=10_000)
    qtbot.waitUntil(lambda: cell(page, 0, 0) == "broken.pdf", timeout=5_000)
    assert page.shown.text() == "2 files"
    page.segments[0].click()
    qtbot.keyClicks(page.search, "REPORT-49")
    qtbot.waitUntil(lambda: page.model.rowCount() == 100, timeout=10_000)
    page.search.setText("no such file")
    qtbot.waitUntil(page._none.isVisible, timeout=10_000)


def test_a_click_on_a_column_sorts_by_it_and_a_second_turns_it_round(
    open_app: Opener, qtbot: Any
) -> None:
    page = open_library(open_app(), qtbot)

    def sizes() -> list[int]:
        rows = [page.model.held(row) for row in range(50)]
        return [row.size_bytes for row in rows if row is not None]

    def head(column: int) -> str:
        return page.model.headerData(column, Qt.Orientation.Horizontal)

    assert head(0) == "Name ↑"
    page.table.horizontalHeader().sectionClicked.emit(4)
    qtbot.waitUntil(lambda: len(sizes()) == 50, timeout=10_000)
    assert sizes() == sorted(sizes(), reverse=True)
    assert (head(0), head(4)) == ("Name", "Size ↓")
    page.table.horizontalHeader().sectionClicked.emit(4)
    qtbot.waitUntil(lambda: len(sizes()) == 50, timeout=10_000)
    assert sizes() == sorted(sizes())
    page.table.horizontalHeader().sectionClicked.emit(3)
    assert page.model.order == ("size", False)


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
    page.open_file(page.model.held(4))
    qtbot.waitUntil(lambda: page.viewer.problem() != "", timeout=10_000)
    assert page.viewer.problem() == "The file is damaged."


# --- what can be done with files ----------------------------------------------------------


def menu_of(page: Any, row: int) -> list[str]:
    """What the menu of a row offers now."""
    rect = page.table.visualRect(page.model.index(row, 0))
    page.table.customContextMenuRequested.emit(rect.center())
    menu = next(m for m in page.findChildren(QMenu) if m.isVisible())
    offered = [a.text() for a in menu.actions() if a.isEnabled() and a.text()]
    menu.close()
    free_deleted()
    return offered


def test_the_menu_of_a_file_offers_what_can_be_done_with_it(
    open_app: Opener, qtbot: Any
) -> None:
    page = open_library(open_app(), qtbot)
    ready = menu_of(page, 1)
    assert english.DO_FILE_ASK in ready
    assert english.DO_FILE_AGAIN in ready
    assert english.DO_FILE_SCAN not in ready
    assert english.DO_FILE_ASK not in menu_of(page, 4)
    assert english.DO_FILE_SCAN in menu_of(page, 6)


def test_a_scan_says_what_it_would_cost_and_can_be_read(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    tip = page.model.index(6, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert "12 scanned pages not read yet · about 40 seconds" in tip
    choose(page, 6)
    app.window.actions_table["file.scan"].trigger()
    qtbot.waitUntil(lambda: "with its scans" in "".join(lines(app)), timeout=10_000)


def test_several_files_are_read_again(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    choose(page, 1, 2, 3)
    assert page.chosen.isVisible()
    assert page.chosen.text() == "3 files chosen"
    app.window.actions_table["file.again"].trigger()
    qtbot.waitUntil(lambda: any("3 files ready" in line for line in lines(app)), timeout=10_000)
    page.chosen.cleared.emit()
    assert not page.chosen.isVisible()


def test_all_files_can_be_chosen_without_holding_them(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    page.table.selectAll()
    assert page.chosen.text() == "5,005 files chosen"
    app.window.actions_table["file.copy"].trigger()
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("")
    qtbot.waitUntil(lambda: clipboard.text().count("\n") == 5004, timeout=20_000)
    assert "5,005 paths copied." in lines(app)


def test_only_this_file_is_asked(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    choose(page, 1, 2, 4)
    app.window.actions_table["file.ask"].trigger()
    assert app.window.page == "ask"
    scope = app.window.ask.talk.scope
    assert (scope.libraries, scope.file_ids) == (("lib1",), (1, 2))
    assert scope.names[1].endswith("Metformin-SOP-v7.pdf")


def test_a_chosen_file_stays_chosen_when_rows_move(open_app: Opener, qtbot: Any) -> None:
    page = open_library(open_app(), qtbot)
    choose(page, 2)
    moved = page.model._pages[0]
    page.model._pages[0] = [moved[2], *moved[:2], *moved[3:]]
    page.model.moved.emit()
    assert page.table.chosen_ranges() == [(0, 0)]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system was asked to open."""
    seen: list[str] = []

    def note(url: QUrl) -> bool:
        seen.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", staticmethod(note))
    return seen


def test_documents_open_in_their_program_and_programs_never_run(
    open_app: Opener, qtbot: Any, tmp_path: Path, opened: list[str]
) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    row = page.model.held(1)
    paper, script = tmp_path / "paper.pdf", tmp_path / "install.sh"
    for path in (paper, script):
        path.write_text("x")
    file_work.open_in_program(row.model_copy(update={"path": str(paper)}), app.notices)
    file_work.open_in_program(row.model_copy(update={"path": str(script)}), app.notices)
    assert opened == [str(paper), str(tmp_path)]
    file_work.open_in_program(row, app.notices)
    assert lines(app)[-1].startswith("Metformin-SOP-v7.pdf is not there")


# --- the library itself -------------------------------------------------------------------


def test_looking_for_changes_shows_progress_and_fresh_states(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(STEPS="10")
    page = open_library(app, qtbot)
    page.head.scan.click()
    assert [reading.library_id for reading in app.state.readings] == ["lib1"]
    assert not page.head.scan.isEnabled()
    qtbot.waitUntil(lambda: not app.state.readings, timeout=20_000)
    qtbot.waitUntil(lambda: page.head.facts.text().startswith("10 files"), timeout=10_000)
    assert page.head.scan.isEnabled()


def test_removing_asks_first_and_frees_its_dialog(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    open_library(app, qtbot)
    app.window.actions_table["library.remove"].trigger()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    assert dialog.no.isDefault()
    dialog.no.click()
    free_deleted()
    assert app.window.findChild(ConfirmDialog) is None
    assert len(app.state.libraries) == 3
    app.window.actions_table["library.remove"].trigger()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(lambda: len(app.state.libraries) == 2, timeout=10_000)


def test_a_library_is_renamed_to_a_name_that_is_free(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    page.head.rename.click()
    dialog = app.window.findChild(NamingDialog)
    assert dialog is not None
    dialog.field.setText("CONTRACTS")
    assert not dialog.save.isEnabled()
    assert dialog.problem.text() == english.RENAME_TAKEN
    dialog.field.setText("Ward 7")
    dialog.save.click()
    qtbot.waitUntil(lambda: page.head.title.text() == "Ward 7", timeout=10_000)
    free_deleted()
    assert app.window.findChild(NamingDialog) is None


def test_a_folder_is_taken_out_after_asking(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app(STEPS="2")
    page = open_library(app, qtbot)
    assert [root.remove for root in page.head.roots()] == [None]
    app.window.add_folder(str(tmp_path), "lib1")
    qtbot.waitUntil(lambda: len(page.head.roots()) == 2, timeout=10_000)
    page.head.roots()[1].remove.click()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(lambda: len(page.head.roots()) == 1, timeout=10_000)


def test_many_folders_are_folded_up(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    view = app.state.libraries[0].model_copy(
        update={"roots": [f"/data/{name}" for name in "abcdef"]}
    )
    page.head.show_view(view, (0, 0.0), False)
    assert len(page.head.roots()) == 3
    page.head._show_all()
    assert len(page.head.roots()) == 6


def test_the_menu_button_offers_the_table_of_commands(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = open_library(app, qtbot)
    page.head.more.click()
    menu = next(m for m in page.findChildren(QMenu) if m.isVisible())
    offered = {action.text() for action in menu.actions()}
    assert {english.DO_LIBRARY_RENAME, english.DO_LIBRARY_REMOVE} <= offered
    menu.close()


def test_without_a_library_there_is_a_way_to_get_one(open_app: Opener, qtbot: Any) -> None:
    app = open_app("empty")
    app.window.show_page("library")
    assert app.window.library._empty.isVisible()
    assert not app.window.library.table.isVisible()
    assert english.LIBRARY_NONE
