"""Citations are computed, exact, and only where the text supports the sentence."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.answers.citations import MAX_QUOTE, cite
from engine.work.api import PassageHit
from tests.engine.answers.conftest import hit

STATION = (
    "The field station was founded in 1962 by Mary Olsen. It has 14 rooms and a kitchen. "
    "The hotel limit for the city of Quux is 130 EUR per night. Meals are 20 EUR."
)
SALES = (
    "| Segment | 2018 | 2019 |\n| --- | --- | --- |\n| Total sales | 1,202.9 | 1,496.5 |\n"
    "| Other income | 12.0 | 14.2 |"
)


def test_a_supported_sentence_gets_its_mark_and_its_quote() -> None:
    made = cite(
        "Mary Olsen founded the station in 1962.",
        "Who founded the station?",
        [hit("Nothing here.", 1), hit(STATION, 2, start=700, page=3)],
    )
    assert made.text == "Mary Olsen founded the station in 1962. [2]"
    (citation,) = made.citations
    assert citation.quote == "The field station was founded in 1962 by Mary Olsen."
    assert (citation.start, citation.end) == (700, 700 + len(citation.quote))
    assert citation.verified
    assert (citation.n, citation.page, citation.path) == (2, 3, "/documents/2.md")
    assert made.sentences[0].supported
    assert made.sentences[0].passages[0].n == 2


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who founded the station?", "Peter Parker founded the station in 1962."),
        ("When was the station founded?", "The station was founded in 1963."),
        ("What is the hotel limit in Quux?", "The hotel limit in Quux is 20 EUR."),
        ("What is the hotel limit in Quux?", "The hotel limit in Quux is 135 EUR."),
        ("How many rooms are there?", "It has 15 rooms and a kitchen."),
        ("What was total sales?", "Bananas are yellow fruits from the tropics."),
    ],
)
def test_what_the_text_does_not_say_gets_no_mark(question: str, answer: str) -> None:
    made = cite(answer, question, [hit(STATION), hit(SALES, 2)])
    assert made.citations == []
    assert made.text == answer
    assert not made.sentences[0].supported


def test_a_number_is_found_in_its_row_however_it_is_written() -> None:
    for answer in ("Total sales in 2019 were $1,496.50.", "$1496.5"):
        made = cite(answer, "What is the amount of total sales in 2019?", [hit(SALES)])
        assert made.citations, answer
        assert "1,496.5" in made.citations[0].quote


def test_marks_the_model_wrote_are_checked() -> None:
    passages = [hit(STATION), hit("A text about whales and the deep sea.", 2)]
    made = cite(
        "The station has 14 rooms [2]. It was founded by Mary Olsen [1][9]. "
        "Whales sing opera in Rome [2].",
        "Tell me about the station.",
        passages,
    )
    assert made.text == (
        "The station has 14 rooms. [1] It was founded by Mary Olsen. [1] "
        "Whales sing opera in Rome."
    )
    assert {citation.n for citation in made.citations} == {1}


def test_of_equal_passages_the_one_the_model_named_is_cited() -> None:
    passages = [hit(STATION, 1), hit(STATION, 2)]
    assert cite("It has 14 rooms [2].", "Rooms?", passages).citations[0].n == 2
    assert cite("It has 14 rooms.", "Rooms?", passages).citations[0].n == 1


def test_a_year_in_brackets_is_writing() -> None:
    made = cite("Olsen [1962] founded the station.", "Who?", [hit(STATION)])
    assert "[1962]" in made.text


def test_a_long_sentence_is_quoted_around_the_evidence() -> None:
    long = "word " * 200 + "the zebra crossed the river at noon " + "word " * 200
    (citation,) = cite(
        "The zebra crossed the river.", "What did the zebra do?", [hit(long)]
    ).citations
    assert len(citation.quote) <= MAX_QUOTE
    assert "zebra crossed the river" in citation.quote
    assert not citation.quote.startswith("ord")


def test_yes_and_no_claim_nothing_that_could_be_found() -> None:
    made = cite("Yes.", "Is it so?", [hit(STATION)])
    assert made.citations == []
    assert made.text == "Yes."


_WRITING = (
    "the station founded in 1962 by Mary Olsen has 14 rooms limit 130 EUR [1] [2] [7] whale. "
    "Quux. 1,496.5 total sales! | - Straße é"
)
_WORDS = st.sampled_from([*_WRITING.split(), "\n", "\n\n"])
_TEXT = st.lists(_WORDS, max_size=60).map(" ".join)


@settings(deadline=None, max_examples=150)
@given(
    answer=_TEXT,
    question=_TEXT,
    texts=st.lists(st.one_of(_TEXT, st.text(max_size=200)), max_size=4),
    shift=st.integers(0, 5000),
)
def test_every_citation_is_exact(
    answer: str, question: str, texts: list[str], shift: int
) -> None:
    """For any answer and any passages: quotes are the document's text, marks resolve."""
    documents = ["x" * shift + text + "y" * 50 for text in texts]
    passages = [hit(text, n, start=shift) for n, text in enumerate(texts, 1)]
    made = cite(answer, question, passages)
    for citation in made.citations:
        assert citation.verified
        assert 1 <= citation.n <= len(passages)
        document = documents[citation.n - 1]
        assert document[citation.start : citation.end] == citation.quote
        assert 0 < len(citation.quote) <= MAX_QUOTE
        assert shift <= citation.start < citation.end <= shift + len(texts[citation.n - 1])
    marked = {int(n) for n in re.findall(r"\[(\d+)\]", made.text) if int(n) <= 20}
    assert marked == {citation.n for citation in made.citations}
    supported = [sentence for sentence in made.sentences if sentence.supported]
    assert bool(supported) == bool(made.citations)
    assert all(0 < p.weight <= 1 for s in made.sentences for p in s.passages)


def test_citing_changes_no_words(make_hit: Callable[..., PassageHit]) -> None:
    answer = "# Rooms\n\n- It has 14 rooms.\n- The limit is 130 EUR.\n\n```\ncode()\n```"
    made = cite(answer, "Rooms and limit?", [make_hit(STATION)])
    assert re.sub(r" \[\d+\](\[\d+\])*", "", made.text) == answer


def test_the_header_row_lends_its_words_but_no_number() -> None:
    rows = hit("Rope | 584 | 213.96\nLamp | 226 | 663.06", start=90).model_copy(
        update={"header": "Item | Count 2024 | Price", "place": "Costs!A34:C35"}
    )
    made = cite(
        "The price of the rope was 213.96.", "What was the price of rope in 2024?", [rows]
    )
    (citation,) = made.citations
    assert citation.place == "Costs!A34:C35"
    assert citation.verified
    assert "213.96" in citation.quote
    assert "Price" not in citation.quote
    assert not cite("The count of ropes was 2024.", "What was the count?", [rows]).citations
