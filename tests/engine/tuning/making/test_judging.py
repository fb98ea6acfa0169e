"""What small models do wrong is seen; what is right passes."""

from __future__ import annotations

import pytest

from engine.tuning.making.asking import Written
from engine.tuning.making.judging import Flaw, answers, finds, flaw_of, repeats
from tests.engine.answers.conftest import hit

TEXT = (
    "The ferry Margit leaves the northern\nharbour at 7:40 every morning. "
    "It carries 48 passengers and costs 12 kroner."
)
QUOTE = "The ferry Margit leaves the northern harbour at 7:40 every morning."
QUESTION = "When does the ferry Margit leave the harbour?"


@pytest.mark.parametrize(
    ("written", "flaw"),
    [
        (Written(QUOTE, QUESTION, "at 7:40"), None),
        (Written(QUOTE, QUESTION, "At 7:40 every morning."), None),
        (Written(QUOTE, QUESTION, "It leaves at 7:40 in the morning."), None),
        (Written("It carries 48 passengers.", QUESTION, "at 7:40"), "quote"),
        (Written("", QUESTION, "at 7:40"), "quote"),
        (Written(QUOTE, "When does the ferry in this text leave?", "at 7:40"), "question"),
        (Written(QUOTE, "What are people and things about?", "at 7:40"), "question"),
        (Written(QUOTE, "When does the ferry leave", "at 7:40"), "question"),
        (Written(QUOTE, "The ferry Margit?" * 40, "at 7:40"), "question"),
        (Written(QUOTE, QUESTION, "at 9:15"), "answer"),
        (Written(QUOTE, QUESTION, "12 kroner"), "answer"),
        (Written(QUOTE, QUESTION, "the ferry Margit"), "answer"),
        (Written(QUOTE, QUESTION, QUESTION), "answer"),
        (Written(QUOTE, QUESTION, "the"), "answer"),
        (Written(QUOTE, QUESTION, "..."), "answer"),
        (Written(QUOTE, QUESTION, "Paul sails to Kamchatka with oranges."), "answer"),
    ],
)
def test_flaws(written: Written, flaw: Flaw | None) -> None:
    assert flaw_of(written, hit(TEXT)) == flaw


@pytest.mark.parametrize(
    ("question", "answer", "flaw"),
    [
        ("渡し船は毎朝何時に東の港を出るか？", "七時四十分", None),
        ("富士山の高さはどれくらいですか？", "七時四十分", "question"),
        ("渡し船は毎朝何時に東の港を出るか？", "九時", "answer"),
    ],
)
def test_writing_without_spaces(question: str, answer: str, flaw: Flaw | None) -> None:
    quote = "渡し船は毎朝七時四十分に東の港を出る。"
    text = f"{quote}犬の切符は半額である。"
    assert flaw_of(Written(quote, question, answer), hit(text)) == flaw


def test_equal_and_nearly_equal_questions_are_repeats() -> None:
    before = [QUESTION, "How many passengers does the ferry carry on a Sunday?"]
    assert repeats("when does the ferry Margit leave the harbour", before)
    assert repeats("When does the ferry Margit leave the harbours?", before)
    assert not repeats("What does a ticket for the ferry cost?", before)
    assert not repeats("How much is the fare on line 14?", ["How much is the fare on line 15?"])
    assert not repeats(QUESTION, [])


def test_found_is_the_passage_or_its_very_text() -> None:
    assert finds([hit("a", 3), hit("b", 4)], 4, "c")
    assert finds([hit("a", 3)], 4, "a")
    assert not finds([hit("a", 3)], 4, "b")


def test_another_passage_may_hold_the_answer_too() -> None:
    written = Written(QUOTE, QUESTION, "at 7:40")
    assert answers(hit("Come at 7:40 sharp."), written)
    assert answers(hit(f"Before. {QUOTE} After."), written)
    assert not answers(hit("Come at 17:40."), written)
