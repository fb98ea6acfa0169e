"""Extracts are the text's own sentences, from all of it, without repetitions."""

from __future__ import annotations

import random
import string

from engine.answers.extracts import FEWEST, MOST, extract
from tests.engine.answers.conftest import hit


def filler(seed: int) -> str:
    """A sentence of words of its own."""
    chance = random.Random(seed)
    words = ["".join(chance.choices(string.ascii_lowercase, k=8)) for _ in range(9)]
    return f"Then {' '.join(words)}."


def said(texts: list[str]) -> list[str]:
    passages = [hit(text, n) for n, text in enumerate(texts, 1)]
    return [texts[one.passage][one.place.start : one.place.end] for one in extract(passages)]


def test_sentences_come_word_for_word_in_order_and_from_everywhere() -> None:
    texts = [" ".join(filler(20 * n + k) for k in range(20)) for n in range(10)]
    found = said(texts)
    assert len(found) == MOST
    places = ["\n".join(texts).index(sentence) for sentence in found]
    assert places == sorted(places)
    total = sum(map(len, texts))
    assert places[0] < total / 4
    assert places[-1] > total * 3 / 4


def test_what_most_of_the_text_speaks_of_is_chosen() -> None:
    topic = (
        "The puffin colony on the {} slope raised puffin chicks in every burrow of the colony."
    )
    texts = [
        " ".join([filler(n), filler(100 + n), topic.format(place), filler(200 + n)])
        for n, place in enumerate(["northern", "southern", "eastern", "western", "upper"])
    ]
    assert any("puffin colony" in sentence for sentence in said(texts))


def test_no_sentence_is_said_twice() -> None:
    same = "The puffin colony raised many healthy chicks in its burrows this summer."
    texts = [f"{same} {filler(n)}" for n in range(8)]
    assert said(texts).count(same) == 1


def test_headings_rows_and_contents_are_left_out_while_there_is_prose() -> None:
    texts = [
        "# A heading that is rather long and has no end\n\n"
        "| one | two | three | four | five | six | seven |\n\n"
        "Introduction and everything else ........ 12\n\n"
        "The puffin colony raised many healthy chicks in its burrows this summer."
    ]
    assert said(texts) == [
        "The puffin colony raised many healthy chicks in its burrows this summer."
    ]


def test_a_table_alone_gives_its_rows() -> None:
    found = said(["Name | Rent\nOslo | 120\nBergen | 140\nHamar | 90\nTroms | 80"])
    assert 1 <= len(found) <= FEWEST
    assert all("|" in row for row in found)


def test_text_without_words_gives_nothing() -> None:
    assert said(["", " \n ", "— * —"]) == []
    assert extract([]) == []
