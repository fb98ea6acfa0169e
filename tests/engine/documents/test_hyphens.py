from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents.hyphens import divides, mended


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("this is very dan", "gerous indeed", True),
        ("high", "lights the differences", True),
        ("we adopted the self", "service model", False),
        ("a fact that is well", "known to all", False),
        ("the spread of COVID", "19 in winter", False),
        ("Jean", "Paul wrote it", False),
        ("state-of", "the-art", False),
        ("an e", "mail", False),
        ("from 10", "20", False),
        ("Rhein", "Main-Gebiet", False),
    ],
)
def test_a_hyphen_at_a_lines_end(first: str, second: str, whole: bool) -> None:
    assert divides(first, second) is whole


def test_the_documents_own_words_decide_first() -> None:
    assert divides("a well", "ness centre", frozenset({"wellness"}))
    assert not divides("the micro", "wave oven", frozenset({"micro-wave"}))
    assert divides("the micro", "wave oven", frozenset({"microwave", "micro-wave"}))


def test_lines_are_joined_as_the_hyphen_says() -> None:
    assert mended("is very dan-", "gerous") == ("is very dan", "")
    assert mended("that is well-", "known") == ("that is well-", "")
    assert mended("from 1990 -", "later") == ("from 1990 -", " ")
    assert mended("no hyphen here ", "next") == ("no hyphen here", " ")
    assert mended("-", "item") == ("-", " ")


@given(st.text(), st.text())
def test_only_a_hyphen_is_ever_lost(line: str, following: str) -> None:
    kept, between = mended(line, following)
    bare = line.rstrip()
    assert between in ("", " ")
    assert kept in (bare, bare[:-1], bare[:-1] + "-")
    if kept != bare:
        assert bare[-1] in "-\u2010\u00ad"
