"""Conversations are kept, shown, continued, asked again, judged, found and forgotten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.paths import Home
from engine.store import conversations
from engine.store.conversation_search import MATCH_END, MATCH_START, match_expression
from engine.store.db import MIGRATIONS_DIR, Store, split_statements
from engine.work.api import AnswerReport, Filter, PassageHit, Ranks, Timings, Tokens


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    one = Store(home)
    yield one
    one.close()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with a few conversations to search in; not to be changed."""
    one = Store(Home(tmp_path_factory.mktemp("full")).create())
    first = conversations.append(
        one, None, report("Hotel limit in Lisboa?", "130 EUR a night.")
    )
    conversations.append(one, first.conversation, report("And for meals?", "Café: 20 EUR."))
    conversations.append(one, None, report("Who wrote it?", "Mary Olsen wrote the report."))
    yield one
    one.close()


def report(
    question: str, answer: str = "Yes.", libraries: list[str] | None = None
) -> AnswerReport:
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
        libraries=libraries or [],
    )


def add(store: Store, conversation: str | None, *questions: str) -> str:
    """Ask in a row; gives the conversation."""
    for question in questions:
        kept = conversations.append(store, conversation, report(question, f"To {question}"))
        conversation = kept.conversation
    assert conversation is not None
    return conversation


def questions(store: Store, conversation: str) -> list[str]:
    return [turn.question for turn in conversations.show(store, conversation).turns]


def found(store: Store, query: str) -> list[tuple[str, int]]:
    return [(hit.conversation, hit.turn) for hit in conversations.search(store, query)]


def test_turns_are_kept_in_order(store: Store) -> None:
    first = conversations.append(
        store, None, report("First?\nwith a line break", libraries=["lib1", "lib2"])
    )
    assert (first.turn, first.versions, first.feedback) == (1, 1, None)
    assert first.asked_at
    one = first.conversation
    for number in range(2, 5):
        asked = report(f"Question {number}?", libraries=["lib1", "lib2"])
        kept = conversations.append(store, one, asked)
        assert (kept.conversation, kept.turn) == (one, number)
    shown = conversations.show(store, one)
    assert (shown.title, shown.library) == ("First? with a line break", "lib1")
    assert shown.libraries == ["lib1", "lib2"]
    assert [turn.question for turn in shown.turns][1:] == [f"Question {n}?" for n in (2, 3, 4)]
    assert [turn.turn for turn in shown.turns] == [1, 2, 3, 4]
    assert {turn.conversation for turn in shown.turns} == {one}
    last = conversations.last_turns(store, one, 2)
    assert [turn.question for turn in last] == ["Question 3?", "Question 4?"]
    earlier = conversations.last_turns(store, one, 5, before=3)
    assert [turn.turn for turn in earlier] == [1, 2]


def test_a_conversation_remembers_how_it_was_last_asked(store: Store) -> None:
    one = add(store, None, "First?")
    chosen = Filter(types=["PDF"], since="2026-01-01")
    again = report("Second?", libraries=["b", "a"]).model_copy(
        update={"filter": chosen, "preset": "plain"}
    )
    conversations.append(store, one, again)
    shown = conversations.show(store, one)
    assert (shown.libraries, shown.filter, shown.preset) == (["b", "a"], chosen, "plain")
    (row,) = conversations.list_all(store)
    assert (row.library, row.libraries, row.preset) == ("b", ["b", "a"], "plain")
    assert shown.turns[0].filter == Filter()


def test_the_list_has_the_last_used_first(store: Store) -> None:
    first = add(store, None, "One?")
    second = add(store, None, "Two?")
    rows = conversations.list_all(store)
    assert [row.id for row in rows] == [second, first]
    assert [row.turns for row in rows] == [1, 1]
    store.connection().execute("UPDATE conversations SET updated_at='2000-01-01T00:00:00Z'")
    add(store, first, "More?")
    assert [row.id for row in conversations.list_all(store)] == [first, second]


def test_asking_again_keeps_what_was_there(store: Store) -> None:
    one = add(store, None, "First?", "Second?", "Third?")
    again = conversations.append(store, one, report("Second, better?"), replaces=2)
    assert (again.turn, again.versions) == (2, 2)
    assert questions(store, one) == ["First?", "Second, better?"]
    assert [t.question for t in conversations.last_turns(store, one, 9)] == questions(
        store, one
    )
    assert conversations.list_all(store)[0].turns == 2
    third = conversations.append(store, one, report("Third, new?"))
    assert (third.turn, third.versions) == (3, 2)
    assert conversations.version(store, one, 2, 1).question == "Second?"
    assert conversations.version(store, one, 3, 1).question == "Third?"
    newest = conversations.version(store, one, 2, 2)
    assert (newest.question, newest.versions) == ("Second, better?", 2)
    assert conversations.show(store, one).title == "First?"
    for turn, number in ((2, 3), (2, 0), (9, 1)):
        with pytest.raises(InvalidInput, match="has no answer number"):
            conversations.version(store, one, turn, number)


def test_a_turn_that_is_not_there_cannot_be_replaced(store: Store) -> None:
    one = add(store, None, "First?", "Second?")
    for turn in (0, 3, -1):
        with pytest.raises(InvalidInput, match="no question number"):
            conversations.append(store, one, report("x"), replaces=turn)
    assert questions(store, one) == ["First?", "Second?"]


def test_the_title_follows_the_first_question_until_it_is_named(store: Store) -> None:
    one = add(store, None, "Frist?")
    conversations.append(store, one, report("First?"), replaces=1)
    assert conversations.show(store, one).title == "First?"
    row = conversations.rename(store, one, "  My\ntrip ")
    assert (row.title, row.turns) == ("My trip", 1)
    conversations.append(store, one, report("Else?"), replaces=1)
    assert conversations.show(store, one).title == "My trip"
    for title in ("", " \n", "x" * 201):
        with pytest.raises(InvalidInput):
            conversations.rename(store, one, title)


def test_forgetting_leaves_nothing_behind(store: Store) -> None:
    one, two = add(store, None, "Zebra one?"), add(store, None, "Zebra two?")
    conversations.give_feedback(store, one, 1, "down", "Quagga.")
    conversations.remove(store, one)
    assert [row.id for row in conversations.list_all(store)] == [two]
    left = store.connection().execute("SELECT DISTINCT conversation FROM turns").fetchall()
    assert [row[0] for row in left] == [two]
    assert found(store, "quagga") == []
    assert found(store, "zebra") == [(two, 1)]
    assert conversations.clear(store) == 1
    for table in ("conversations", "turns", "feedback", "said"):
        count = store.connection().execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        assert count == 0, table
    text = store.connection().execute("SELECT GROUP_CONCAT(HEX(block)) FROM said_data")
    assert b"zebra".hex().upper() not in (text.fetchone()[0] or "")


def test_what_is_not_there_is_said_plainly(store: Store) -> None:
    for action in (
        lambda: conversations.show(store, "nope"),
        lambda: conversations.remove(store, "nope"),
        lambda: conversations.rename(store, "nope", "x"),
        lambda: conversations.last_turns(store, "nope", 2),
        lambda: conversations.version(store, "nope", 1, 1),
        lambda: conversations.give_feedback(store, "nope", 1, "up"),
        lambda: conversations.check_turn(store, "nope", 1),
        lambda: conversations.append(store, "nope", report("One?")),
    ):
        with pytest.raises(InvalidInput, match="There is no conversation"):
            action()
    assert conversations.list_all(store) == []


def test_a_turn_of_another_version_is_left_out(store: Store) -> None:
    one = add(store, None, "One?", "Two?")
    store.connection().execute("UPDATE turns SET report='{\"new\": 1}' WHERE turn=1")
    (turn,) = conversations.show(store, one).turns
    assert (turn.question, turn.turn) == ("Two?", 2)


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


# --- what the user thought ----------------------------------------------------------------


def test_feedback_is_kept_changed_and_taken_back(store: Store) -> None:
    one = add(store, None, "One?", "Two?")
    judged = conversations.give_feedback(store, one, 2, "down", "  No: 42. ")
    assert judged.feedback is not None
    assert (judged.feedback.verdict, judged.feedback.correction) == ("down", "No: 42.")
    assert judged.feedback.at
    assert [turn.feedback is None for turn in conversations.show(store, one).turns] == [
        True,
        False,
    ]
    up = conversations.give_feedback(store, one, 2, "up").feedback
    assert up is not None
    assert (up.verdict, up.correction) == ("up", "")
    assert conversations.give_feedback(store, one, 2, "none").feedback is None
    assert conversations.rated(store) == []
    only = conversations.give_feedback(store, one, 1, "none", "It is 7.").feedback
    assert only is not None
    assert only.correction == "It is 7."
    with pytest.raises(InvalidInput, match="characters"):
        conversations.give_feedback(store, one, 1, "up", "x" * 20_001)
    with pytest.raises(InvalidInput, match="no question number"):
        conversations.give_feedback(store, one, 3, "up")


def test_rated_answers_come_with_all_that_tuning_needs(store: Store) -> None:
    passage = PassageHit(
        passage_id=1,
        file_id=2,
        path="/a.md",
        title="A",
        heading="",
        page=None,
        text="The limit is 130 EUR.",
        start=0,
        end=21,
        score=1.0,
        ranks=Ranks(),
    )
    asked = report("And there?", "120 EUR.").model_copy(
        update={"rewritten": "And there? (hotel limit, Lisbon)", "passages": [passage]}
    )
    kept = conversations.append(store, None, asked)
    conversations.give_feedback(store, kept.conversation, 1, "down", "130 EUR.")
    conversations.append(store, kept.conversation, report("And there?"), replaces=1)
    conversations.give_feedback(store, kept.conversation, 1, "up")
    first, second = conversations.rated(store)
    assert (first.asked, first.question) == ("And there?", "And there? (hotel limit, Lisbon)")
    assert (first.answer, first.verdict, first.correction) == ("120 EUR.", "down", "130 EUR.")
    assert (first.passages, first.model, first.version) == ((passage,), "m", 1)
    assert (second.verdict, second.correction, second.version) == ("up", "", 2)


# --- finding ------------------------------------------------------------------------------


def test_words_are_found_in_any_order_case_and_accent(full: Store) -> None:
    lisbon = conversations.search(full, "lisboa HOTEL")
    assert [(hit.title, hit.turn) for hit in lisbon] == [("Hotel limit in Lisboa?", 1)]
    assert f"{MATCH_START}Lisboa{MATCH_END}" in lisbon[0].snippet
    assert [hit.turn for hit in conversations.search(full, "cafe")] == [2]
    assert [hit.turn for hit in conversations.search(full, "ols")] == [1]
    assert len(conversations.search(full, "eur")) == 2
    assert len(conversations.search(full, "eur", limit=1)) == 1
    assert conversations.search(full, '"olsen mary"') == []
    assert len(conversations.search(full, '"mary olsen"')) == 1
    assert conversations.search(full, "hotel olsen") == []


def test_titles_and_corrections_are_found_too(store: Store) -> None:
    one = add(store, None, "How much?", "And then?")
    assert found(store, "budget") == []
    conversations.rename(store, one, "Budget of 2026")
    assert found(store, "budget") == [(one, 0)]
    conversations.give_feedback(store, one, 2, "down", "The budget is 9.")
    assert found(store, "budget") == [(one, 2)]
    conversations.give_feedback(store, one, 2, "none")
    assert found(store, "budget") == [(one, 0)]


def test_only_answers_that_count_are_found(store: Store) -> None:
    one = add(store, None, "Walrus?", "Narwhal?")
    conversations.append(store, one, report("Seal?"), replaces=1)
    assert found(store, "walrus") == found(store, "narwhal") == []
    assert found(store, "seal") == [(one, 1)]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        '"',
        '"""',
        "*",
        "^",
        "AND",
        "NOT NEAR(",
        "title:x",
        "a AND (b",
        "-x",
        "hotel'; DROP TABLE said; --",
        "\0",
        "{title} : x",
        "🙂",
        "\udcff",
        "a" * 5000,
        "x " * 500,
    ],
)
def test_hostile_queries_are_only_words(full: Store, query: str) -> None:
    conversations.search(full, query)
    assert len(conversations.list_all(full)) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(query=st.text(max_size=60))
def test_no_text_breaks_the_search(full: Store, query: str) -> None:
    conversations.search(full, query)
    assert match_expression(query).count('"') % 2 == 0


def test_marks_in_the_text_cannot_fake_a_match(store: Store) -> None:
    add(store, None, f"{MATCH_START}plain{MATCH_END} zebra?")
    (hit,) = conversations.search(store, "zebra")
    assert hit.snippet.count(MATCH_START) == hit.snippet.count(MATCH_END) == 1
    assert f"{MATCH_START}zebra{MATCH_END}" in hit.snippet


# --- older data ---------------------------------------------------------------------------


def before_this(path: Path) -> sqlite3.Connection:
    """A database as the first version left it."""
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, at TEXT)")
    for number in (100, 200, 210):
        (script,) = MIGRATIONS_DIR.glob(f"{number:04d}_*.sql")
        for statement in split_statements(script.read_text("utf-8")):
            old.execute(statement)
        old.execute("INSERT INTO migrations VALUES (?, '2026-01-01')", (number,))
    return old


def test_conversations_of_the_first_version_are_taken_over(home: Home) -> None:
    old = before_this(home.db)
    for name, library in (("aaa", "Papers"), ("bbb", "")):
        old.execute(
            "INSERT INTO conversations VALUES (?, ?, ?, '2026-01-01', '2026-01-02')",
            (name, f"Title {name}", library),
        )
    kept = json.loads(report("Wombat?", "Vombatus.").model_dump_json())
    for new in ("turn", "asked_at", "rewritten", "libraries", "filter", "preset", "versions"):
        kept.pop(new)
    rows = [("aaa", 1, json.dumps(kept)), ("aaa", 2, "not json"), ("bbb", 1, json.dumps(kept))]
    for row in rows:
        old.execute("INSERT INTO turns VALUES (?, ?, ?, '2026-01-02T03:04:05Z')", row)
    old.commit()
    old.close()
    store = Store(home)
    shown = conversations.show(store, "aaa")
    assert (shown.title, shown.libraries) == ("Title aaa", ["Papers"])
    (turn,) = shown.turns
    assert (turn.question, turn.turn, turn.versions) == ("Wombat?", 1, 1)
    assert turn.asked_at == "2026-01-02T03:04:05Z"
    assert conversations.show(store, "bbb").libraries == []
    assert sorted(found(store, "vombatus")) == [("aaa", 1), ("bbb", 1)]
    assert found(store, "title aaa") == [("aaa", 0)]
    assert conversations.append(store, "aaa", report("Next?")).turn == 3
    assert list(home.backups.glob("before-*.db"))
    store.close()


@pytest.mark.parametrize("all_of_them", [True, False])
def test_what_is_deleted_is_in_no_file_any_more(home: Home, all_of_them: bool) -> None:
    secret = "zanzibarquux"
    with closing(Store(home)) as store:
        kept = conversations.append(
            store, None, report(f"About {secret}?", f"{secret} indeed.")
        )
        conversations.append(store, None, report("And what else?", "Rain in May."))
    for old in home.backups.glob("daily-*.db"):
        old.unlink()
    with closing(Store(home)) as store:  # a copy of today, with the secret in it
        assert any(secret.encode() in path.read_bytes() for path in home.backups.glob("*.db"))
        if all_of_them:
            conversations.clear(store)
        else:
            conversations.remove(store, kept.conversation)
        left = {"Rain in May."} if not all_of_them else set[str]()
        shown = [conversations.show(store, row.id) for row in conversations.list_all(store)]
        assert {turn.answer for one in shown for turn in one.turns} == left
    holding = [path for path in home.root.rglob("*") if path.is_file()]
    assert [path for path in holding if secret.encode() in path.read_bytes()] == []
    assert list(home.backups.glob("daily-*.db"))


def test_a_copy_that_cannot_be_opened_does_not_keep_what_was_deleted(home: Home) -> None:
    with closing(Store(home)) as store:
        conversations.append(store, None, report("About zanzibarquux?", "Yes."))
        damaged = home.backups / "daily-2020-01-01.db"
        damaged.write_bytes(b"zanzibarquux, and no database")
        conversations.clear(store)
    assert not damaged.exists()
