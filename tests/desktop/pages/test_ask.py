from __future__ import annotations

from typing import Any

from PySide6.QtCore import QElapsedTimer, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QLabel

from desktop.app import App
from desktop.strings import english
from desktop.widgets.answer_view import AnswerView
from engine.errors import ModelUnavailable
from tests.desktop.conftest import Opener, lines
from tests.desktop.scripted_host import ANSWER


def ask(app: App, qtbot: Any, question: str) -> Any:
    """Type a question, press Enter, wait for the end of its answer."""
    field = app.window.ask.composer.field
    field.setPlainText(question)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    turn = app.window.ask.talk.turns[-1]
    qtbot.waitUntil(lambda: not turn.running, timeout=20_000)
    return turn


def click_link(qtbot: Any, view: AnswerView, shown: str) -> None:
    """Click on the first occurrence of `shown` in an answer, where it is painted."""
    at = view.document().find(shown)
    assert not at.isNull()
    middle = QTextCursor(view.document())
    middle.setPosition((at.selectionStart() + at.selectionEnd()) // 2)
    spot = view.cursorRect(middle).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)


def test_sources_come_first_and_then_the_answer_as_it_is_written(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(TOKEN_S="0.02")
    page = app.window.ask
    assert app.window.page == "ask"
    page.composer.field.setPlainText("What is the maximum dose?")
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    turn = page.talk.turns[-1]
    view = page.views()[-1]
    written: list[tuple[str, bool]] = []
    turn.sources_changed.connect(lambda: written.append((turn.text, view.pulse.isVisible())))
    qtbot.waitUntil(lambda: len(page.sources.cards()) == 3, timeout=10_000)
    assert written[0] == ("", True)
    assert page.composer.stop.isVisible()
    qtbot.waitUntil(lambda: len(turn.text) > 20, timeout=10_000)
    qtbot.waitUntil(lambda: "maximum" in view.answer.toPlainText(), timeout=5_000)
    assert turn.running
    qtbot.waitUntil(lambda: not turn.running, timeout=20_000)
    assert view.timing() == "3 sources · 6.2 s · 38 tokens/s"
    assert page.sources.cards()[0].marked() == [
        "eGFR of 30 to 44 the total daily dose must not exceed 1,000 mg"
    ]
    assert page.composer.send.isVisible()
    assert app.window.sidebar.badge.facts.text().endswith("38 tokens/s")


def test_a_citation_mark_opens_the_page_with_the_passage_marked(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    app.window.open_conversation("c0")
    page = app.window.ask
    qtbot.waitUntil(lambda: len(page.views()) == 1, timeout=10_000)
    qtbot.waitUntil(lambda: page.views()[0].answer.height() > 100, timeout=5_000)
    click_link(qtbot, page.views()[0].answer, "[2]")
    qtbot.waitUntil(lambda: page.viewer.showing() is not None, timeout=10_000)
    shown = page.viewer.showing()
    assert shown is not None
    assert (shown.kind, shown.page) == ("page", 31)
    assert len(page.viewer.page.boxes) == 3
    assert page.viewer.warning() == english.VIEWER_CHANGED
    qtbot.keyClick(app.window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.viewer_open, timeout=5_000)


def test_shift_enter_is_a_new_line_and_a_blank_question_is_none(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    field = app.window.ask.composer.field
    qtbot.keyClicks(field, "one")
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(field, "two")
    assert field.toPlainText() == "one\ntwo"
    assert not app.window.ask.talk.turns
    field.setPlainText("   \n ")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert not app.window.ask.talk.turns
    assert not app.window.ask.composer.send.isEnabled()


def test_several_turns_make_one_conversation(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    first = ask(app, qtbot, "first?")
    second = ask(app, qtbot, "second?")
    assert first.report.conversation == second.report.conversation
    assert len(app.window.ask.views()) == 2
    qtbot.waitUntil(
        lambda: app.window.sidebar.conversations.current() == first.report.conversation,
        timeout=5_000,
    )
    qtbot.waitUntil(lambda: app.state.conversations[0].title == "first?", timeout=5_000)


def test_stop_ends_the_answer_at_once_and_keeps_what_there_is(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(TOKEN_S="0.05")
    page = app.window.ask
    page.ask("a slow one")
    turn = page.talk.turns[-1]
    qtbot.waitUntil(lambda: len(turn.text) > 10, timeout=10_000)
    qtbot.mouseClick(page.composer.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: turn.stage == "stopped", timeout=5_000)
    assert 10 < len(turn.text) < len(ANSWER)
    assert english.STOPPED in page.views()[-1].notice()
    assert page.composer.send.isVisible()


def test_a_failure_is_said_where_it_happened(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    turn = ask(app, qtbot, "fail")
    view = app.window.ask.views()[-1]
    assert isinstance(turn.error, ModelUnavailable)
    assert view.problem() == "The model file is gone. Choose another model."
    view._problem.copy.click()
    assert QGuiApplication.clipboard().text().endswith("ENOENT <b>x</b>")


def test_a_crash_costs_one_line_and_the_next_question_works(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    ask(app, qtbot, "crash")
    assert english.HOST_CRASH_MESSAGE in app.window.ask.views()[-1].problem()
    qtbot.waitUntil(
        lambda: app.window.notice_bar.text() == english.HOST_RESTARTED, timeout=5_000
    )
    assert lines(app).count(english.HOST_RESTARTED) == 1
    qtbot.waitUntil(lambda: app.client.running, timeout=10_000)
    assert ask(app, qtbot, "and now?").stage == "done"


def test_two_thousand_tokens_leave_the_loop_turning(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    turns: list[int] = []
    clock = QElapsedTimer()
    beat = QTimer()
    beat.timeout.connect(lambda: turns.append(clock.restart()))
    clock.start()
    beat.start(0)
    turn = ask(app, qtbot, "long")
    beat.stop()
    assert turn.text.startswith("word0 [1] word1 ")
    assert turn.text.endswith("word1999")
    assert len(turns) > 5  # a loop held up by the words would have turned once or twice
    view = page.views()[-1].answer
    qtbot.waitUntil(lambda: "word1999" in view.toPlainText(), timeout=5_000)
    # Two thousand words in one paragraph, and still only fifteen drawings a second.
    assert view.height() > 400


def test_hostile_text_is_shown_and_does_nothing(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    QGuiApplication.clipboard().setText("before")
    ask(app, qtbot, "hostile")
    page = app.window.ask
    view = page.views()[-1].answer
    qtbot.waitUntil(lambda: "passwd" not in view.toPlainText() and view.toPlainText() != "")
    shown = view.toPlainText()
    assert "<b>" in shown
    assert "<img src='/dev/zero'>" in shown
    assert "![x](/dev/zero)" in shown
    assert "\u202e" not in shown
    click_link(qtbot, view, "link")
    assert QGuiApplication.clipboard().text() == "file:///etc/passwd"
    assert not page.viewer_open
    click_link(qtbot, view, "a[1]")
    assert not page.viewer_open


def test_html_in_a_question_stays_text(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    ask(app, qtbot, "<h1>big</h1> <img src=/dev/zero>")
    labels = app.window.ask.views()[-1].findChildren(QLabel)
    assert all(shown.textFormat() == Qt.TextFormat.PlainText for shown in labels)
    assert any(shown.text().startswith("<h1>big") for shown in labels)


def test_a_question_of_a_megabyte_does_not_freeze(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    from PySide6.QtCore import QMimeData

    paste = QMimeData()
    paste.setText("x" * 1_000_000)
    page.composer.field.insertFromMimeData(paste)
    assert len(page.composer.field.toPlainText()) < 9_000


def test_drafts_stay_with_their_place(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    window, field = app.window, app.window.ask.composer.field
    window.open_library("lib1")
    field.setPlainText("about protocols")
    window.open_library("lib2")
    assert field.toPlainText() == ""
    field.setPlainText("about reports")
    window.open_conversation("c0")
    assert field.toPlainText() == ""
    window.open_library("lib1")
    assert field.toPlainText() == "about protocols"
    window.open_library("lib2")
    assert field.toPlainText() == "about reports"


def test_an_answer_goes_on_while_another_page_is_shown(open_app: Opener, qtbot: Any) -> None:
    app = open_app(TOKEN_S="0.02")
    page = app.window.ask
    page.ask("in the background")
    turn = page.talk.turns[-1]
    app.window.open_library("lib2")
    app.window.show_page("models")
    qtbot.waitUntil(lambda: turn.stage == "done", timeout=20_000)
    app.window.open_conversation(turn.report.conversation)
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)
    assert page.views()[-1].timing().startswith("3 sources")


def test_the_library_to_ask_can_be_chosen_or_left_out(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    offered = page.composer.chooser.choices()
    known = ["Clinic protocols", "Site reports", "Contracts"]
    assert offered == [*known, english.ALL_LIBRARIES, english.WITHOUT_LIBRARY]
    page.composer.libraries_chosen.emit(["lib3"])
    assert page.composer.chooser.shown() == "Contracts"
    assert app.window.sidebar.libraries.current() == "lib3"
    page.composer.libraries_chosen.emit([])
    assert page.composer.chooser.shown() == english.WITHOUT_LIBRARY
    assert ask(app, qtbot, "without?").stage == "done"


def test_a_conversation_that_is_deleted_leaves_the_page(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    window = app.window
    window.open_conversation("c1")
    qtbot.waitUntil(lambda: bool(window.ask.views()), timeout=10_000)
    window.remove_conversation("c1")
    from desktop.dialogs.confirm import ConfirmDialog

    dialog = window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(
        lambda: all(row.id != "c1" for row in app.state.conversations), timeout=10_000
    )
    qtbot.waitUntil(lambda: not window.ask.views(), timeout=5_000)


def test_the_answer_is_copied_with_its_sources(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    turn = ask(app, qtbot, "copy me")
    tools = app.window.ask.views()[-1].tools
    tools.copy.click()
    plain = QGuiApplication.clipboard().text()
    assert "**" not in plain
    assert "eGFR\tMaximum per day\tCheck every\n≥ 60\t3,000 mg\t12 months" in plain
    assert plain.endswith(
        "Sources\n[1] Metformin-SOP-v7.pdf, page 12, 4.2 Renal dosing\n"
        "[2] Diabetes-guideline-2024.pdf, page 31, Table 6\n"
        "[3] Site-protocol-Nairobi.docx, 3 Imaging"
    )
    actions = {action.text(): action for action in tools.menu().actions()}
    actions[english.COPY_MARKDOWN].trigger()
    written = QGuiApplication.clipboard().text()
    assert written.startswith("> copy me\n\n" + ANSWER)
    assert "- [2] `Diabetes-guideline-2024.pdf`, page 31, Table 6\n" in written
    actions[english.COPY_WORDS].trigger()
    assert QGuiApplication.clipboard().text() == turn.text == ANSWER


def test_a_card_opens_its_source_by_key_and_by_click(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: len(page.sources.cards()) == 3, timeout=10_000)
    qtbot.keyClick(page.sources.cards()[2], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.viewer.showing() is not None, timeout=10_000)
    assert page.viewer.text.marked() == "Repeat creatinine one week after iodinated contrast."
    page.close_viewer()
    card = page.sources.cards()[0]
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=QPointF(20, 20).toPoint())
    qtbot.waitUntil(
        lambda: (shown := page.viewer.showing()) is not None and shown.page == 12,
        timeout=10_000,
    )
