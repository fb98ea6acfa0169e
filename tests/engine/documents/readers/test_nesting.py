from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.readers.html import decode_page
from engine.documents.readers.nesting import MAX_DEPTH, MAX_FORMATTING, bounded_depth

_TAGS = re.compile(r"<[^<>]*>")


def test_real_pages_stay_as_they_are(corpora: Path) -> None:
    pages = sorted((corpora / "stress/html/readability").glob("*/source.html"))
    assert len(pages) > 30
    for source in pages:
        page = decode_page(source.read_bytes())
        assert bounded_depth(page) is page


def test_an_old_page_that_closes_nothing_stays_as_it_is() -> None:
    page = "".join(f"<p><b>{i}</b> <i>unclosed<li>item<dd>text" for i in range(MAX_FORMATTING))
    assert bounded_depth(page) is page


def test_depth_is_bounded_and_the_ends_still_match() -> None:
    page = "<div><span>" * 3000 + "deep" + "</span></div>" * 3000 + "<div>after</div>"
    flat = bounded_depth(page)
    assert flat.count("<div>") + flat.count("<span>") == MAX_DEPTH + 1
    assert flat.count("</div>") + flat.count("</span>") == MAX_DEPTH + 1
    assert flat.endswith("<div>after</div>")


def test_formatting_that_nothing_closes_is_bounded() -> None:
    # A parser opens each of them again in every paragraph that follows.
    page = "".join(f"<font size={i}><p>words {i}" for i in range(500))
    flat = bounded_depth(page)
    assert flat.count("<font") == MAX_FORMATTING
    assert flat.count("<p>") == 500


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["<div>", "</div>", "<b>", "</b>", "<p>", "word "])), st.data())
def test_no_word_is_ever_dropped(pieces: list[str], data: st.DataObject) -> None:
    page = "".join(pieces) + "<div><b>" * data.draw(st.integers(0, MAX_DEPTH * 2)) + "end"
    assert _TAGS.sub("", bounded_depth(page)) == _TAGS.sub("", page)
