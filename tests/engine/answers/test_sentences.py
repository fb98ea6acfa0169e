"""Sentences and their places."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.answers.sentences import cut_to, sentence_spans


def split(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It rose by 3.5 percent. Then it fell.", ["It rose by 3.5 percent.", "Then it fell."]),
        ("See e.g. Smith et al. The rest", ["See e.g. Smith et al. The rest"]),
        ("J. R. Smith wrote it. He won.", ["J. R. Smith wrote it.", "He won."]),
        ("“Yes.” He left.", ["“Yes.”", "He left."]),
        ("(It is so.) Next one.", ["(It is so.)", "Next one."]),
        ("# Title\n\n- first\n- second", ["# Title", "- first", "- second"]),
        ("| a | 1 |\n| b | 2 |", ["| a | 1 |", "| b | 2 |"]),
        (
            "Keep at least 20 metres away from burrows and 50 metres from \nnests. The end.",
            [
                "Keep at least 20 metres away from burrows and 50 metres from \nnests.",
                "The end.",
            ],
        ),
        ("Short line\nnext line", ["Short line", "next line"]),
        (
            "1. Wash the boots. 2. Dry them.",
            ["1. Wash the boots.", "2. Dry them."],
        ),
        ("It was in room 12. Then it left.", ["It was in room 12.", "Then it left."]),
        ("它很大。它很小。", ["它很大。", "它很小。"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@given(st.text(alphabet="ab .!?\n\"')1A", max_size=80))
def test_sentences_hold_everything_but_white_space(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join("".join(split(text)).split()) == "".join(text.split())
    for span, following in itertools.pairwise(spans):
        assert span.end <= following.start
    assert all(not text[s.start].isspace() and not text[s.end - 1].isspace() for s in spans)


@given(st.text(max_size=200), st.integers(-5, 250))
def test_a_cut_is_a_beginning_of_the_right_length(text: str, length: int) -> None:
    part = cut_to(text, length)
    assert text.startswith(part)
    assert len(part) <= max(length, 0)


def test_a_cut_ends_with_a_sentence_or_a_word() -> None:
    text = "First sentence here. Second one is longer than that. Third."
    assert cut_to(text, 55) == "First sentence here. Second one is longer than that."
    assert cut_to(text, 36) == "First sentence here."
    assert cut_to("a long row of words without any end", 12) == "a long row"
