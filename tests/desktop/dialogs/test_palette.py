from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from desktop.dialogs.palette import Palette
from desktop.strings import english
from tests.desktop.conftest import Opener, free_deleted


def open_palette(app: Any, qtbot: Any) -> Palette:
    qtbot.keyClick(app.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = next(p for p in app.window.findChildren(Palette) if p.isVisible())
    qtbot.waitUntil(palette.field.hasFocus, timeout=5_000)
    return palette


def test_ctrl_k_opens_it_with_every_command_that_can_be_done(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    palette = open_palette(app, qtbot)
    texts = palette.texts()
    can = [c.text for c, action in app.window.actions_table if c.listed and action.isEnabled()]
    assert texts[: len(can)] == can
    assert english.DO_FILE_SHOW not in texts  # no file is chosen
    assert {"Clinic protocols", "Freezer excursion limits"} <= set(texts)
    palette.close()
    free_deleted()
    assert app.window.findChild(Palette) is None


def test_typing_finds_and_enter_does(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    palette = open_palette(app, qtbot)
    qtbot.keyClicks(palette.field, "go mod")
    assert palette.said() == english.DO_GO_MODELS
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert app.window.page == "models"
    free_deleted()
    assert app.window.findChild(Palette) is None


def test_arrows_choose_and_escape_goes_back(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.show_page("library")
    before = QApplication.focusWidget()
    palette = open_palette(app, qtbot)
    first = palette.said()
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.said() != first
    qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.said() == palette.texts()[-1]  # round the end
    qtbot.keyClick(palette.field, Qt.Key.Key_PageUp)
    assert palette.said() != palette.texts()[-1]
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert QApplication.focusWidget() is before


def test_libraries_questions_and_models_are_found(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    palette = open_palette(app, qtbot)
    qtbot.keyClicks(palette.field, "contracts")
    assert palette.said() == "Contracts"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert (app.window.page, app.window.ask.library_id) == ("ask", "lib3")
    palette = open_palette(app, qtbot)
    qtbot.keyClicks(palette.field, "freezer")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert app.window.ask.conversation_id == "c2"
    palette = open_palette(app, qtbot)
    qtbot.keyClicks(palette.field, "smol")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.state.models[1].default, timeout=10_000)


def test_files_are_found_by_the_engine_and_opened(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    palette = open_palette(app, qtbot)
    qtbot.keyClicks(palette.field, "metformin-sop")
    qtbot.waitUntil(lambda: "Metformin-SOP-v7.pdf" in palette.texts(), timeout=10_000)
    assert palette.said() == "Metformin-SOP-v7.pdf"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    library = app.window.library
    assert app.window.page == "library"
    qtbot.waitUntil(lambda: library.viewer.showing() is not None, timeout=10_000)
    qtbot.waitUntil(lambda: library.model.rowCount() == 1, timeout=10_000)


def test_nothing_fitting_is_said(open_app: Opener, qtbot: Any) -> None:
    app = open_app("empty")
    palette = open_palette(app, qtbot)
    palette.field.setText("qqqqqqqq")
    assert palette.texts() == []
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    palette.close()


def test_tab_stays_inside_and_every_row_has_words_for_a_reader(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    palette = open_palette(app, qtbot)
    seen: set[QWidget | None] = set()
    for _ in range(4):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.add(QApplication.focusWidget())
    assert seen == {palette.field, palette.list}
    said = palette.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "New question, Ctrl+N"
    palette.close()


def test_a_click_beside_it_closes_it(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    palette = open_palette(app, qtbot)
    qtbot.mouseClick(palette, Qt.MouseButton.LeftButton, pos=palette.rect().bottomLeft())
    assert not palette.isVisible()


def test_opening_and_closing_leaves_no_widget(open_app: Opener, qtbot: Any) -> None:
    app = open_app()

    def once() -> None:
        open_palette(app, qtbot).close()
        free_deleted()

    once()
    before = len(app.window.findChildren(QWidget))
    for _ in range(10):
        once()
    assert len(app.window.findChildren(QWidget)) == before
