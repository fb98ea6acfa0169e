from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.widgets.placing import Places
from desktop.widgets.safe_text import SafeDocument, show_markdown
from tests.desktop.scripted_host import ANSWER


def placed(text: str, sources: int = 3) -> tuple[Places, bytes]:
    """Where the characters of `text` stand, and what the document shows, in UTF-16."""
    document = SafeDocument()
    show_markdown(document, text, sources)
    return Places(document, text), document.toRawText().encode("utf-16-le")


def said(places: Places, shown: bytes, start: int, end: int) -> list[str]:
    """The shown words for characters [start, end)."""
    return [shown[2 * a : 2 * b].decode("utf-16-le") for a, b in places.of(start, end)]


def test_words_are_found_behind_their_markdown(qapp: Any) -> None:
    places, shown = placed(ANSWER)
    found = {
        match.group(): said(places, shown, *match.span())
        for match in re.finditer(r"\S+", ANSWER)
    }
    assert found["**eGFR"] == ["eGFR"]
    assert found["mg**,"] == ["mg,"]
    assert found["*started*"] == ["started"]
    assert found["|"] == found["|---|---|---|"] == []
    assert found["30–44"] == ["30–44"]
    plain = [word for word in found if word.isalnum()]
    assert len(plain) > 30
    assert all(found[word] == [word] for word in plain)


def test_places_count_as_qt_does_beyond_the_basic_plane(qapp: Any) -> None:
    text = "😀😀 **𝒳 dose** is `a_b` [1]."
    places, shown = placed(text)
    assert said(places, shown, text.index("dose"), text.index("dose") + 4) == ["dose"]
    assert said(places, shown, text.index("`a_b`"), text.index("`a_b`") + 5) == ["a_b"]


def test_where_a_link_leads_is_not_looked_for(qapp: Any) -> None:
    text = "See [the list](http://com.example/the) com the list."
    places, shown = placed(text)
    at = text.index("com the")
    assert said(places, shown, at, at + 3) == ["com"]
    assert said(places, shown, 4, at - 1) == ["the list"]


def test_a_sentence_over_several_blocks_is_one_span_each(qapp: Any) -> None:
    text = "Take:\n\n- one apple\n- two pears\n\n| a | b |\n|---|---|\n| c | d |"
    places, shown = placed(text)
    assert said(places, shown, 0, len(text)) == [
        "Take:",
        "one apple",
        "two pears",
        "a",
        "b",
        "c",
        "d",
    ]


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="ab[]()12`!#|*_\n-: ~😀é", max_size=80), st.data())
def test_any_span_lies_within_the_document(text: str, data: st.DataObject) -> None:
    places, shown = placed(text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    last = 0
    for begin, stop in places.of(start, end):
        assert last <= begin < stop <= len(shown) // 2
        last = stop
        shown[2 * begin : 2 * stop].decode("utf-16-le")
