from __future__ import annotations

from typing import Any

from desktop.conversation import Turn
from tests.desktop.conftest import Opener
from tests.desktop.pages.test_ask import ask


def long_talk(app: Any, qtbot: Any, number: int) -> Any:
    """A conversation of `number` turns on the page, as if it had just been loaded."""
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)
    talk = page.talk
    kept = talk.turns[0].newest
    for at in range(2, number + 1):
        turn = Turn(f"Question {at}", talk)
        more = {"turn": at, "question": turn.question}
        turn.finish(kept.model_copy(update=more))
        talk.turns.append(turn)
    app.window.open_library("lib2")
    app.window.open_conversation("c0")
    return page


def top_of(page: Any, number: int) -> int:
    """Where turn `number` stands, from the top of what is visible."""
    view = page.views()[number - 1 - len(page.turns._waiting)]
    return view.mapTo(page.turns.viewport(), view.rect().topLeft()).y()


def test_a_long_conversation_is_made_from_its_end(open_app: Opener, qtbot: Any) -> None:
    page = long_talk(open_app(), qtbot, 60)
    assert len(page.views()) == 1
    qtbot.waitUntil(lambda: len(page.views()) >= 4, timeout=10_000)
    bar = page.turns.verticalScrollBar()
    qtbot.waitUntil(lambda: 0 < bar.value() == bar.maximum(), timeout=10_000)
    qtbot.wait(200)
    assert len(page.views()) < 20
    assert page.views()[-1].question.text() == "Question 60"


def test_what_is_looked_at_stays_while_older_turns_come(open_app: Opener, qtbot: Any) -> None:
    page = long_talk(open_app(), qtbot, 60)
    qtbot.waitUntil(lambda: len(page.views()) >= 4, timeout=10_000)
    bar = page.turns.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1000, timeout=10_000)
    qtbot.waitUntil(lambda: not page.turns._maker.isActive(), timeout=10_000)
    qtbot.wait(100)  # the last one made has its place
    bar.triggerAction(bar.SliderAction.SliderToMinimum)
    number = len(page.talk.turns) - len(page.views()) + 1
    before, there = top_of(page, number), len(page.views())
    qtbot.waitUntil(lambda: len(page.views()) > there, timeout=10_000)
    qtbot.waitUntil(lambda: abs(top_of(page, number) - before) < 30, timeout=10_000)


def test_a_turn_far_up_is_brought_into_view(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = long_talk(app, qtbot, 40)
    page.open_conversation("c0", 20)
    qtbot.waitUntil(lambda: len(page.views()) >= 21, timeout=20_000)
    qtbot.waitUntil(lambda: abs(top_of(page, 20)) < 30, timeout=10_000)
    assert page.turns.views()[19 - len(page.turns._waiting)].question.text() == "Question 20"


def test_asking_goes_to_the_end(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = long_talk(app, qtbot, 12)
    page.open_conversation("c0", 2)
    qtbot.waitUntil(lambda: len(page.views()) >= 11, timeout=20_000)
    ask(app, qtbot, "the last one")
    bar = page.turns.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() == bar.maximum(), timeout=10_000)
    assert page.views()[-1].question.text() == "the last one"
