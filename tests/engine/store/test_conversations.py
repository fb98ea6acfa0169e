"""Conversations are kept, shown, continued and forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.errors import InvalidInput
from engine.paths import Home
from engine.store import conversations
from engine.store.db import Store
from engine.work.api import AnswerReport, Timings, Tokens


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    one = Store(home)
    yield one
    one.close()


def report(question: str, answer: str = "Yes.") -> AnswerReport:
    return AnswerReport(
        question=question,
        answer=answer,
        refused=False,
        citations=[],
        sentences=[],
        passages=[],
        mode="joint",
        model="m",
        timings=Timings(retrieve_ms=1, first_token_ms=2, total_ms=3),
        tokens=Tokens(prompt=4, generated=5),
    )


def test_turns_are_kept_in_order(store: Store) -> None:
    one = conversations.append(store, None, "Papers", report("First?\nwith a line break"))
    for number in range(2, 5):
        assert conversations.append(store, one, "Papers", report(f"Question {number}?")) == one
    shown = conversations.show(store, one)
    assert (shown.title, shown.library) == ("First? with a line break", "Papers")
    assert [turn.question for turn in shown.turns][1:] == [f"Question {n}?" for n in (2, 3, 4)]
    assert {turn.conversation for turn in shown.turns} == {one}
    last = conversations.last_turns(store, one, 2)
    assert [turn.question for turn in last] == ["Question 3?", "Question 4?"]


def test_the_list_has_the_last_used_first(store: Store) -> None:
    first = conversations.append(store, None, "A", report("One?"))
    second = conversations.append(store, None, "B", report("Two?"))
    rows = conversations.list_all(store)
    assert [row.id for row in rows] == [second, first]
    assert [row.turns for row in rows] == [1, 1]
    store.connection().execute("UPDATE conversations SET updated_at='2000-01-01T00:00:00Z'")
    conversations.append(store, first, "A", report("More?"))
    assert [row.id for row in conversations.list_all(store)] == [first, second]


def test_forgetting_one_leaves_no_turn_behind(store: Store) -> None:
    one = conversations.append(store, None, "A", report("One?"))
    two = conversations.append(store, None, "A", report("Two?"))
    conversations.remove(store, one)
    assert [row.id for row in conversations.list_all(store)] == [two]
    left = store.connection().execute("SELECT DISTINCT conversation FROM turns").fetchall()
    assert [row[0] for row in left] == [two]


def test_an_unknown_conversation_is_said_plainly(store: Store) -> None:
    for action in (
        lambda: conversations.show(store, "nope"),
        lambda: conversations.remove(store, "nope"),
        lambda: conversations.last_turns(store, "nope", 2),
        lambda: conversations.append(store, "nope", "A", report("One?")),
    ):
        with pytest.raises(InvalidInput, match="There is no conversation"):
            action()
    assert conversations.list_all(store) == []


def test_a_turn_of_another_version_is_left_out(store: Store) -> None:
    one = conversations.append(store, None, "A", report("One?"))
    conversations.append(store, one, "A", report("Two?"))
    store.connection().execute("UPDATE turns SET report='{\"new\": 1}' WHERE ordinal=1")
    assert [turn.question for turn in conversations.show(store, one).turns] == ["Two?"]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("  Short\n question? ", "Short question?"),
        ("word " * 40, "word " * 14 + "word…"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_titles(question: str, title: str) -> None:
    assert conversations.title_of(question) == title
    assert len(conversations.title_of(question)) <= conversations.MAX_TITLE
