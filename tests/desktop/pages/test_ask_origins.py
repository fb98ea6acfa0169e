from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFocusEvent

from desktop.strings import english
from desktop.widgets.turn_view import TurnView
from tests.desktop.conftest import Opener
from tests.desktop.pages.test_ask import ask
from tests.desktop.scripted_answers import COVERED, GUESS, REFUSAL
from tests.desktop.widgets.test_answer_view import place_of


def asked(app: Any, qtbot: Any, question: str) -> TurnView:
    """The turn of a question, answered."""
    ask(app, qtbot, question)
    view = app.window.ask.views()[-1]
    qtbot.waitUntil(lambda: view.answer.height() > 10, timeout=5_000)
    return view


def hues(app: Any) -> list[int]:
    """The colours the cards wear."""
    return [card.swatch.hue for card in app.window.ask.sources.cards()]


def test_the_toggle_colours_words_and_cards_and_is_remembered(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    view = asked(app, qtbot, "apart")
    assert not view.tools.origins.isHidden()
    assert view.tools.origins.accessibleName() == english.ORIGINS_TOGGLE
    assert view.notes.origin.text() == ""
    assert hues(app) == [-1, -1, -1]
    view.tools.origins.click()
    assert view.notes.origin.text() == english.ORIGIN_HINT
    assert hues(app) == [0, 1, 2]
    assert all(card.swatch.isVisible() for card in app.window.ask.sources.cards())
    assert json.loads(app.home.settings.read_text())["origins"] is True
    app.close()
    again = open_app()
    assert again.window.ask.origins.on
    view = asked(again, qtbot, "apart")
    assert view.tools.origins.isChecked()
    assert hues(again) == [0, 1, 2]


def test_the_command_reaches_every_turn_of_the_page(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    first, second = asked(app, qtbot, "apart"), asked(app, qtbot, "apart")
    qtbot.keyClick(app.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(first.tools.origins.isChecked, timeout=5_000)
    assert second.tools.origins.isChecked()
    qtbot.keyClick(app.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not first.tools.origins.isChecked(), timeout=5_000)
    assert hues(app) == [-1, -1, -1]


def test_a_word_rings_its_card_and_a_card_its_words(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    view = asked(app, qtbot, "apart")
    app.window.ask.origins.toggle()
    cards = app.window.ask.sources.cards()
    qtbot.mouseMove(view.answer.viewport(), place_of(view.answer, "start"))
    qtbot.waitUntil(lambda: cards[1].is_pointed, timeout=5_000)
    assert not cards[0].is_pointed
    assert view.notes.origin.text() == (
        "from [2] Diabetes-guideline-2024.pdf, page 31 · 88%; "
        "else [1] Metformin-SOP-v7.pdf, page 12 · 12%"
    )
    assert view.notes.origin.swatch.hue == 1
    before = view.height()
    qtbot.mouseMove(view.answer.viewport(), QPoint(1, view.answer.height() - 1))
    qtbot.mouseMove(app.window.ask.composer, QPoint(5, 5))
    qtbot.waitUntil(lambda: not cards[1].is_pointed, timeout=5_000)
    assert view.height() == before
    qtbot.mouseMove(cards[0], QPoint(30, 30))
    qtbot.waitUntil(lambda: bool(view.answer.lit()), timeout=5_000)
    assert view.answer.lit() == ["For an eGFR of 38 the dose is at most 1,000 mg a day"]
    cards[1].focusInEvent(QFocusEvent(QFocusEvent.Type.FocusIn))
    assert view.answer.lit() == ["Do not start the drug between 30 and 44"]
    cards[1].focusOutEvent(QFocusEvent(QFocusEvent.Type.FocusOut))
    assert view.answer.lit() == []


def test_what_is_unsupported_is_explained_once_without_the_colours(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    view = asked(app, qtbot, "apart")
    assert view.notes.unsupported.isVisible()
    assert view.notes.unsupported.accessibleName() == english.UNSUPPORTED_LEGEND
    plain = asked(app, qtbot, "What is the dose?")
    assert plain.notes.unsupported.isHidden()
    assert plain.tools.origins.isHidden()


def test_passages_read_together_are_coloured_by_sentence(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    view = asked(app, qtbot, "together")
    app.window.ask.origins.toggle()
    assert hues(app) == [0, -1, -1]
    view.answer.light_source(1)
    assert view.answer.lit() == ["The dose is 1,000 mg a day."]
    assert not view.notes.unsupported.isHidden()


def test_a_refusal_keeps_the_guess_behind_a_line(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    view = asked(app, qtbot, "refuse")
    assert view.answer.toPlainText() == REFUSAL
    assert view.notice() == ""
    assert len(app.window.ask.sources.cards()) == 3
    assert view.tools.origins.isHidden()
    guess = view.guess
    assert guess.offered()
    assert guess.text() == ""
    assert guess.opener.accessibleName() == english.GUESS_OPEN
    guess.opener.setFocus()
    qtbot.keyClick(guess.opener, Qt.Key.Key_Space)
    assert guess.text() == GUESS.replace("*", "").strip()
    assert guess.opener.accessibleName() == english.GUESS_CLOSE
    qtbot.keyClick(guess.opener, Qt.Key.Key_Space)
    assert guess.text() == ""
    assert not asked(app, qtbot, "What is the dose?").guess.offered()


def test_a_refusal_at_the_end_of_writing_moves_nothing(open_app: Opener, qtbot: Any) -> None:
    app = open_app(TOKEN_S="0.002")
    page = app.window.ask
    asked(app, qtbot, "What is the dose?")
    page.ask("refuse")
    view, turn = page.views()[-1], page.talk.turns[-1]
    qtbot.waitUntil(lambda: len(turn.text) > 400, timeout=10_000)
    tops: list[tuple[bool, int]] = []

    def note() -> None:
        tops.append((turn.running, view.mapTo(page.turns.viewport(), QPoint(0, 0)).y()))

    turn.changed.connect(note)
    qtbot.waitUntil(lambda: not turn.running, timeout=20_000)
    qtbot.wait(300)
    note()
    written = [top for running, top in tops if running][-1]
    assert view.height() < 300
    assert room_below(page) > 200
    # At most the last words may still have moved it up a line, as all words before did.
    assert -40 <= tops[-1][1] - written <= 2
    asked(app, qtbot, "What is the dose?")
    qtbot.waitUntil(lambda: room_below(page) < 60, timeout=5_000)


def room_below(page: Any) -> int:
    """What is left free under the last turn."""
    last, whole = page.views()[-1], page.turns.widget()
    return whole.height() - last.mapTo(whole, QPoint(0, last.height())).y()


def test_how_an_answer_was_read_and_what_was_covered_is_said(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    view = asked(app, qtbot, "apart")
    assert view.notes.mode.text() == (
        "Each passage read by itself: a model of this size answers better so."
    )
    assert asked(app, qtbot, "together").notes.mode.text() == "All passages read together."
    view = asked(app, qtbot, "whole")
    assert view.notes.coverage.text() == COVERED
    assert view.notes.mode.text() == "The whole document read, piece by piece."
