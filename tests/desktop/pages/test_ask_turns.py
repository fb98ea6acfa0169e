from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from desktop.app import App
from desktop.dialogs.confirm import ConfirmDialog
from desktop.strings import english
from desktop.widgets.turn_view import TurnView
from tests.desktop.conftest import Opener, free_deleted, lines
from tests.desktop.pages.test_ask import ask
from tests.desktop.scripted_host import ANSWER


def opened(app: App, qtbot: Any, conversation: str = "c0") -> TurnView:
    """The last turn of a stored conversation."""
    app.window.open_conversation(conversation)
    qtbot.waitUntil(lambda: bool(app.window.ask.views()), timeout=10_000)
    return app.window.ask.views()[-1]


def ended(app: App, qtbot: Any) -> TurnView:
    """The last turn, once it is answered."""
    page = app.window.ask
    qtbot.waitUntil(lambda: page.talk.running is None, timeout=20_000)
    return page.views()[-1]


def test_an_answer_in_other_words_is_a_new_version(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    view = opened(app, qtbot)
    assert view.tools.version() == ""
    view.tools.ask_again.click()
    view = ended(app, qtbot)
    assert len(app.window.ask.views()) == 1
    assert view.turn.text == f"In other words: {ANSWER}"
    assert view.tools.version() == "2 of 2"
    view.tools.older.click()
    qtbot.waitUntil(lambda: view.turn.text == ANSWER, timeout=5_000)
    assert view.tools.version() == "1 of 2"
    assert english.VERSION_EARLIER in view.notice()
    assert not view.tools.older.isEnabled()
    assert view.tools.up.isHidden()
    view.tools.newer.click()
    assert view.turn.text.startswith("In other words")
    assert not view.tools.up.isHidden()


def test_a_question_is_changed_in_its_place(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    view = opened(app, qtbot)
    view.question.edit.click()
    field = view.question.field
    assert view.question.editing
    assert field.toPlainText().startswith("What is the maximum metformin dose")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not view.question.editing
    view.question.edit.click()
    field.setPlainText("And for children?")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    view = ended(app, qtbot)
    assert [v.question.text() for v in app.window.ask.views()] == ["And for children?"]
    view.tools.older.click()
    qtbot.waitUntil(
        lambda: view.question.text().startswith("What is the maximum"), timeout=5_000
    )


def test_asking_again_in_the_middle_is_asked_about_first(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    opened(app, qtbot)
    ask(app, qtbot, "and then?")
    ask(app, qtbot, "and after that?")
    assert len(page.views()) == 3
    page.views()[1].tools.ask_again.click()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.no.click()
    free_deleted()
    assert len(page.views()) == 3
    page.views()[1].tools.ask_again.click()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(lambda: len(page.views()) == 2, timeout=5_000)
    assert ended(app, qtbot).tools.version() == "2 of 2"


def test_an_answer_that_was_not_replaced_comes_back(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    view = opened(app, qtbot)
    view.question.resent.emit("fail")
    qtbot.waitUntil(lambda: page.talk.running is None, timeout=10_000)
    qtbot.waitUntil(lambda: page.views()[-1].turn.text == ANSWER, timeout=5_000)
    assert page.views()[-1].question.text().startswith("What is the maximum")
    assert any("The model file is gone." in line for line in lines(app))
    view = page.views()[-1]
    view.question.resent.emit("hang")
    qtbot.waitUntil(lambda: page.talk.running is not None, timeout=5_000)
    page.stop()
    qtbot.waitUntil(lambda: page.views()[-1].turn.text == ANSWER, timeout=10_000)


def test_a_question_that_failed_is_asked_anew(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    ask(app, qtbot, "fail")
    page = app.window.ask
    page.views()[-1].question.resent.emit("now right")
    view = ended(app, qtbot)
    assert len(page.views()) == 1
    assert view.turn.number == 1
    assert page.title.text() == "now right"


def test_thumbs_and_a_correction_are_kept(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    view = opened(app, qtbot)
    view.tools.up.click()
    qtbot.waitUntil(lambda: verdict(view) == "up", timeout=5_000)
    assert view.tools.up.isChecked()
    view.tools.up.click()
    qtbot.waitUntil(lambda: verdict(view) == "", timeout=5_000)
    view.tools.down.click()
    assert view.feedback.field.isVisible()
    qtbot.waitUntil(lambda: verdict(view) == "down", timeout=5_000)
    assert view.feedback.field.isVisible()
    qtbot.keyClicks(view.feedback.field, "Only 500 mg.")
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(view.feedback.field, Qt.Key.Key_Return, control)
    qtbot.waitUntil(lambda: correction(view) == "Only 500 mg.", timeout=5_000)
    assert view.feedback.text() == english.CORRECTION_SAID.format(text="Only 500 mg.")
    app.window.open_library("lib1")
    view = opened(app, qtbot)
    assert view.feedback.text().endswith("Only 500 mg.")
    view.feedback.change.click()
    assert view.feedback.field.toPlainText() == "Only 500 mg."
    qtbot.keyClick(view.feedback.field, Qt.Key.Key_Escape)
    assert view.feedback.text().endswith("Only 500 mg.")


def verdict(view: TurnView) -> str:
    newest = view.turn.newest
    return newest.feedback.verdict if newest is not None and newest.feedback else ""


def correction(view: TurnView) -> str:
    newest = view.turn.newest
    return newest.feedback.correction if newest is not None and newest.feedback else ""


def test_the_question_searched_for_is_shown_and_can_be_refused(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    opened(app, qtbot)
    ask(app, qtbot, "and below 30?")
    view = app.window.ask.views()[-1]
    assert view.rewritten.text() == english.SEARCHED_FOR.format(
        text="What is the maximum metformin dose for a patient with an eGFR of 38, below 30?"
    )
    view.rewritten.exact.click()
    view = ended(app, qtbot)
    assert view.question.text() == "and below 30?"
    assert view.rewritten.text() == ""
    assert view.tools.version() == "2 of 2"


def test_a_search_opens_the_turn_it_found(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    opened(app, qtbot)
    for number in range(5):
        ask(app, qtbot, f"number {number}?")
    page = app.window.ask
    app.window.open_library("lib2")
    page.open_conversation("c0", 3)
    qtbot.waitUntil(lambda: len(page.views()) == 6, timeout=5_000)
    bar = page.turns.verticalScrollBar()
    top = page.views()[2]
    qtbot.waitUntil(
        lambda: abs(top.mapTo(page.turns._inside, top.rect().topLeft()).y() - bar.value()) < 30,
        timeout=5_000,
    )
