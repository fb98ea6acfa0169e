"""Which questions lean on the conversation, and what they are searched for with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.answers.followups import (
    MAX_TERMS,
    OWN_WORDS,
    carried,
    leans,
    query,
    standalone,
    subject,
)
from engine.answers.prompts import Exchange

LISBON = Exchange("What is the hotel limit in Lisbon?", "It is 130 EUR per night.")


@pytest.mark.parametrize(
    "question",
    [
        "How much is it?",
        "When was she born?",
        "And for meals?",
        "what about Oslo?",
        "Why?",
        "More details please",
        "Can you tell me about its policies.",
        "Which one is cheaper in winter near the old harbour?",
        "Does anyone have to approve that?",
        "I meant the version for companies with more than five employees",
        "They sound similar in function and in price to most readers.",
        "Pagination options",
        "What is the outcome?",
    ],
)
def test_questions_that_lean(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "What is the hotel limit in Lisbon for employees?",
        "What is Twilio?",
        "Who was Andre Gunder Frank?",
        "What is an identifier?",
        "Is there a small claims court in Alameda County?",
        "I heard that the toolchain is unavailable in South America.",
        "How many people applied for the housing benefit this year?",
        "How do employees report expenses such as taxi fares?",
        "When employees lose a laptop abroad, how must they report it to the security office?",
        "東京の宿泊費の上限はいくらですか、また食事代はどうなりますか",
    ],
)
def test_questions_that_stand_alone(question: str) -> None:
    assert not leans(question)
    assert standalone(question, [LISBON]) == question


def test_a_follow_up_carries_the_terms_it_leans_on() -> None:
    assert standalone("And for meals?", [LISBON]) == "And for meals? (hotel limit, Lisbon)"
    assert standalone("Which hotel is it in Lisbon?", [LISBON]) == (
        "Which hotel is it in Lisbon? (limit)"
    )


def test_nothing_is_added_without_anything_to_add() -> None:
    assert standalone("And?", []) == "And?"
    assert standalone("And?", [Exchange("Why?", "Because.")]) == "And?"
    assert standalone("Is it the hotel limit in Lisbon?", [LISBON]) == (
        "Is it the hotel limit in Lisbon?"
    )


def test_a_chain_of_follow_ups_leads_back_to_its_subject() -> None:
    chain = [
        Exchange("Something about whales and their enormous migrations?", ""),
        Exchange("What is the Medicaid Buy-In Program of Texas?", "A programme."),
        Exchange("Is it expensive?", "No."),
    ]
    terms = carried("How can I apply?", chain)
    assert terms == ["expensive", "Medicaid Buy-In Program", "Texas"]


def test_a_person_is_looked_for_in_the_answer() -> None:
    turn = Exchange(
        "What does the Harrow report describe?",
        "The report describes tides. It was written by Mary Olsen in Bergen.",
    )
    assert "Mary Olsen" in standalone("When was she born?", [turn])
    assert "Mary Olsen" not in standalone("How long is it?", [turn])


def test_a_questions_own_words_count_twice() -> None:
    assert query("Why?", "Why?") == "Why?"
    assert query("Why? ", "Why? (hotel)") == "Why? Why? (hotel)"


def test_the_subject_is_the_questions_own_words_where_it_has_any() -> None:
    assert subject("And for meals?", "And for meals? (hotel)") == "And for meals?"
    assert subject("How much is it?", "How much is it? (hotel)") == "How much is it? (hotel)"


@given(
    question=st.text(max_size=300),
    said=st.lists(st.tuples(st.text(max_size=200), st.text(max_size=200)), max_size=5),
)
def test_the_question_stays_word_for_word(question: str, said: list[tuple[str, str]]) -> None:
    turns = [Exchange(*one) for one in said]
    made = standalone(question, turns)
    assert made == question or made.startswith(f"{question.strip()} (")
    terms = carried(question, turns)
    assert all(term.strip() for term in terms)


def test_what_is_added_is_bounded() -> None:
    words = " ".join(f"word{chr(97 + n % 26)}{n}x" for n in range(5000))
    turns = [Exchange(words, words)] * 3
    terms = carried("And they?", turns)
    assert sum(len(term.split()) for term in terms) <= MAX_TERMS
    assert len(standalone("And they?", turns)) < 2_000
    assert OWN_WORDS < MAX_TERMS
