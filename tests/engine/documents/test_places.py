"""Places: written as a person would, and joined without losing a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents.places import PlaceFinder, joined, written
from engine.documents.types import Anchor, Document, PageSpan, Unit

UNITS: st.SearchStrategy[Unit] = st.sampled_from(["row", "line", "cell", "record"])
LABELS = st.one_of(
    st.sampled_from(
        ["", "Slide 3", "Budget", "It's, rows 3", "Log!A1:B2", "lines 4–5", "a\nb"]
    ),
    st.text(max_size=12),
)
SPANS = st.lists(st.integers(1, 9_999), min_size=4, max_size=4).map(sorted)


@pytest.mark.parametrize(
    ("label", "columns", "unit", "first", "last", "place"),
    [
        ("Slide 3", "", "", None, None, "Slide 3"),
        ("Budget", "A:F", "row", 5, 9, "Budget!A5:F9"),
        ("Budget", "A:A", "row", 5, 5, "Budget!A5:A5"),
        ("Q3 plan", "A:F", "row", 5, 9, "'Q3 plan'!A5:F9"),
        ("It's", "A:F", "row", 5, 9, "'It''s'!A5:F9"),
        ("Budget", "A:F", "row", None, None, "Budget!A:F"),
        ("", "", "line", 120, 150, "lines 120–150"),
        ("", "", "record", 17, 17, "record 17"),
        ("Message 2", "", "line", 4, 5, "Message 2, lines 4–5"),
        ("", "", "", None, None, ""),
    ],
)
def test_a_place_reads_as_a_person_writes_it(
    label: str, columns: str, unit: Unit, first: int | None, last: int | None, place: str
) -> None:
    assert written(label, columns, unit, first, last) == place


@given(label=LABELS, columns=st.sampled_from(["", "A:F"]), unit=UNITS, span=SPANS)
def test_joining_two_places_covers_both(
    label: str, columns: str, unit: Unit, span: list[int]
) -> None:
    a, b, c, d = span
    one, two = (written(label, columns, unit, first, last) for first, last in ((a, b), (c, d)))
    assert joined(one, two) == written(label, columns, unit, a, d)
    assert joined(two, one) == written(label, columns, unit, a, d)


def test_anchors_of_another_page_do_not_count() -> None:
    document = Document(
        "",
        "x" * 30,
        [],
        [PageSpan(1, 0, 10, "One"), PageSpan(2, 10, 20, "Two"), PageSpan(3, 20, 30)],
        [Anchor(2, 7), Anchor(5, 8), Anchor(14, 1), Anchor(16, 2)],
        "line",
    )
    finder = PlaceFinder(document)
    assert finder.place_of(0, 2) == "One"
    assert finder.place_of(0, 3) == "One, line 7"
    assert finder.place_of(6, 10) == "One, line 8"
    assert finder.place_of(10, 13) == "Two"
    assert finder.place_of(11, 20) == "Two, lines 1–2"
    assert finder.place_of(20, 30) == ""
    assert [finder.number_of(at) for at in (0, 9, 10, 19, 20, 29)] == [1, 1, 2, 2, 3, 3]
