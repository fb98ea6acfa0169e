from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from desktop.dialogs.confirm import ConfirmDialog
from desktop.strings import english
from desktop.widgets.questions_panel import QuestionsPanel
from engine.work.api import ConversationRow
from tests.desktop.conftest import Opener, free_deleted, last
from tests.desktop.scripted_conversations import moment


def titles(panel: QuestionsPanel) -> list[str]:
    """Every row as it reads."""
    return [entry.text for entry in panel.model.entries()]


def test_questions_stand_under_their_days(open_app: Opener, qtbot: Any) -> None:
    panel = open_app().window.sidebar.questions
    assert titles(panel) == [
        english.TODAY,
        "Max dose in renal impairment?",
        english.YESTERDAY,
        "Who signs off a deviation?",
        english.EARLIER,
        "Freezer excursion limits",
        "Consent form changes 2025 in all of our sites",
    ]
    heads = [at for at, e in enumerate(panel.model.entries()) if e.kind == "head"]
    assert not any(panel.model.flags(panel.model.index(at)) for at in heads)


def test_a_search_shows_where_and_opens_there(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    panel = app.window.sidebar.questions
    qtbot.keyClicks(panel.search, "DRUG")
    qtbot.waitUntil(
        lambda: bool(panel.model.entries()) and panel.model.entries()[0].kind == "hit",
        timeout=5_000,
    )
    hit = panel.model.entries()[0]
    assert [text for text, inside in hit.pieces if inside] == ["drug"]
    assert panel.grab().width() == panel.width()  # painting a match does not fail
    qtbot.keyClick(panel.search, Qt.Key.Key_Down)
    qtbot.keyClick(panel.list, Qt.Key.Key_Down)
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert app.window.ask.conversation_id == "c1"
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert app.window.ask.conversation_id == "c0"
    panel.search.setText("nowhere to be found")
    qtbot.waitUntil(lambda: panel._none.text() == english.NO_QUESTIONS_FOUND, timeout=5_000)
    qtbot.keyClick(panel.search, Qt.Key.Key_Escape)
    assert titles(panel)[0] == english.TODAY


def editor_of(panel: QuestionsPanel) -> QLineEdit:
    """The field a title is edited in."""
    found = panel.list.findChild(QLineEdit)
    assert found is not None
    return found


def test_a_title_is_changed_in_its_place(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    panel = app.window.sidebar.questions
    panel.list.setFocus()
    panel.list.setCurrentIndex(panel.model.index(panel.model.row_of("c1")))
    qtbot.keyClick(panel.list, Qt.Key.Key_F2)
    editor = editor_of(panel)
    assert editor.text() == "Who signs off a deviation?"
    editor.setText("  Deviations\t and   who signs ")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: any(c.title == "Deviations and who signs" for c in app.state.conversations),
        timeout=5_000,
    )
    free_deleted()
    panel.list.rename("c1")
    editor = editor_of(panel)
    editor.setText("thrown away")
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert "Deviations and who signs" in titles(panel)


def test_a_title_the_engine_refuses_comes_back(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    panel = app.window.sidebar.questions
    panel.list.rename("c1")
    editor = editor_of(panel)
    editor.setText("refuse")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(app.notices.record), timeout=5_000)
    assert last(app).text == "This title is not possible."
    qtbot.waitUntil(lambda: "Who signs off a deviation?" in titles(panel), timeout=5_000)


def test_a_double_click_renames_and_a_click_opens(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    panel = app.window.sidebar.questions
    spot = panel.list.visualRect(panel.model.index(panel.model.row_of("c2"))).center()
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(panel.list.viewport(), left, pos=spot)
    assert app.window.ask.conversation_id == "c2"
    qtbot.mouseDClick(panel.list.viewport(), left, pos=spot)
    assert editor_of(panel).text() == "Freezer excursion limits"


def test_delete_asks_first(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    panel = app.window.sidebar.questions
    panel.list.setCurrentIndex(panel.model.index(panel.model.row_of("c3")))
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(lambda: panel.model.row_of("c3") < 0, timeout=5_000)


def test_a_conversation_is_saved_where_the_user_says(
    open_app: Opener, qtbot: Any, tmp_path: Any
) -> None:
    app = open_app()
    panel = app.window.sidebar.questions
    export = panel.export("c0", "md")
    qtbot.waitUntil(lambda: export.dialog is not None, timeout=5_000)
    dialog = app.window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.selectedFiles()[0].endswith("/Max dose in renal impairment.md")
    target = tmp_path / "kept <b>.md"
    dialog.fileSelected.emit(str(target))
    dialog.done(QFileDialog.DialogCode.Accepted)
    qtbot.waitUntil(
        lambda: bool(app.notices.record) and str(target) in last(app).text, timeout=5_000
    )
    assert target.read_text("utf-8").startswith("md: Max dose")
    assert [path.name for path in tmp_path.glob("kept*")] == ["kept <b>.md"]


def test_a_place_that_cannot_be_written_is_said(
    open_app: Opener, qtbot: Any, tmp_path: Any
) -> None:
    app = open_app()
    export = app.window.sidebar.questions.export("c0", "json")
    qtbot.waitUntil(lambda: export.dialog is not None, timeout=5_000)
    dialog = app.window.findChild(QFileDialog)
    assert dialog is not None
    export.write(str(tmp_path / "missing" / "x.json"), "{}")
    qtbot.waitUntil(lambda: bool(app.notices.record), timeout=5_000)
    assert last(app).tone == "danger"
    dialog.close()


def test_a_thousand_questions_are_rows_and_no_widgets(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    panel = app.window.sidebar.questions
    before = len(panel.findChildren(QLineEdit)), len(panel.list.viewport().children())
    rows = [
        ConversationRow(
            id=f"n{i}", title=f"Question {i}", library="lib1", updated_at=moment(i / 9), turns=1
        )
        for i in range(1000)
    ]
    app.state.conversations = rows
    app.state.conversations_changed.emit()
    assert panel.model.rowCount() == 1003
    panel.list.scrollToBottom()
    QApplication.processEvents()
    assert panel.list.indexAt(QPoint(20, panel.list.viewport().height() - 10)).row() > 900
    assert before == (
        len(panel.findChildren(QLineEdit)),
        len(panel.list.viewport().children()),
    )


def test_the_menu_offers_every_format(open_app: Opener, qtbot: Any) -> None:
    panel = open_app().window.sidebar.questions
    menu = panel.menu("c0")
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == [
        english.OPEN_QUESTION,
        english.RENAME_QUESTION,
        english.EXPORT_QUESTION,
        english.REMOVE_QUESTION,
    ]
    inner = menu.actions()[2].menu()
    assert [a.text() for a in inner.actions()] == [  # type: ignore[attr-defined]
        english.EXPORT_MD,
        english.EXPORT_HTML,
        english.EXPORT_JSON,
    ]
    menu.deleteLater()
