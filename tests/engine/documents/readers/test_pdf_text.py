"""Mending, apart from PDFium: whatever a page holds, a place in the text leads back to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.documents.layout import Joint
from engine.documents.readers.pdf_text import (
    LINE_HYPHEN,
    Line,
    MendedPage,
    RawPage,
    vocabulary_of,
)

JOINTS: tuple[Joint, ...] = ("block", "line", "flow")
WORDS = st.text(st.sampled_from("abcdeXYZ019-éß. "), min_size=1, max_size=14)
BREAKS = st.sampled_from([" \n", "\n", "  \n", LINE_HYPHEN, LINE_HYPHEN + " \n"])


@st.composite
def pages(draw: st.DrawFn) -> RawPage:
    """A page as PDFium gives one: printed lines with line ends or hyphen marks between."""
    parts: list[str] = [draw(st.sampled_from(["", " ", "\n"]))]
    lines: list[Line] = []
    length = len(parts[0])
    for words in draw(st.lists(WORDS, max_size=8)):
        shown = words.strip()
        if not shown:
            continue
        lines.append(Line(length, length + len(shown), 10.0, draw(st.sampled_from(JOINTS))))
        parts += [shown, draw(BREAKS)]
        length += len(shown) + len(parts[-1])
    return RawPage("".join(parts), tuple(lines))


@given(pages())
def test_every_character_leads_back_to_its_own(page: RawPage) -> None:
    mended = MendedPage.of(page, vocabulary_of([page]))
    last = -1
    for position, char in enumerate(mended.text):
        index = mended.index_of(position)
        assert index > last
        last = index
        source = page.text[index]
        assert source == char or (char in " \n-" and source in f" \n{LINE_HYPHEN}")


@given(pages())
def test_no_word_is_lost_and_lines_lie_where_they_say(page: RawPage) -> None:
    mended = MendedPage.of(page, vocabulary_of([page]))
    assert len(mended.lines) == len(page.lines)
    for before, after in zip(page.lines, mended.lines, strict=True):
        assert mended.text[after.start : after.end] == page.text[before.start : before.end]

    def letters(text: str) -> str:
        return "".join(char for char in text if char.isalnum())

    assert letters(mended.text) == letters(page.text)
    assert LINE_HYPHEN not in mended.text


@given(pages(), st.integers(0, 40), st.integers(0, 40))
def test_a_span_covers_its_characters(page: RawPage, one: int, two: int) -> None:
    mended = MendedPage.of(page, frozenset())
    start, end = sorted((min(one, len(mended.text)), min(two, len(mended.text))))
    first, last = mended.indices(start, end)
    assert first <= last <= len(page.text)
    assert last - first >= end - start
    if start < end:
        kept = [mended.index_of(position) for position in range(start, end)]
        assert kept[0] == first
        assert kept[-1] == last - 1


def test_halves_of_divided_words_are_no_words() -> None:
    text = f"the dan{LINE_HYPHEN}gerous bridge, a well-known one"
    words = vocabulary_of([RawPage(text, ())])
    assert {"bridge", "well-known", "one"} <= words
    assert not words & {"dan", "gerous", "known"}
    assert vocabulary_of([RawPage("no divided words", ())]) == frozenset()


def test_a_page_without_words_of_its_own_is_told() -> None:
    assert RawPage("A page with enough words on it.", ()).usable
    assert not RawPage("7\n", ()).usable
    assert not RawPage("\ufffd\ue001" * 50 + "some letters among the signs", ()).usable
