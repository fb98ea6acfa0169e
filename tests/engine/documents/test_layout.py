"""Reading order on pages laid out by hand, in millimetres."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from engine.documents.layout import reading_order

Box = tuple[float, float, float, float]


def column(left: float, right: float, top: float, count: int, pitch: float = 6) -> list[Box]:
    return [(left, top + n * pitch, right, top + n * pitch + 4) for n in range(count)]


def order(boxes: list[Box]) -> list[int]:
    return [line.index for line in reading_order(boxes)]


def shuffled_order(boxes: list[Box], seed: int = 1) -> list[int]:
    """The order found when the detector gives the lines in any order."""
    places = list(range(len(boxes)))
    random.Random(seed).shuffle(places)
    return [places[found] for found in order([boxes[place] for place in places])]


def test_one_column_is_read_downwards() -> None:
    boxes = column(20, 190, 20, 12)
    assert shuffled_order(boxes) == list(range(12))


def test_two_columns_under_a_title_are_read_one_after_the_other() -> None:
    title: list[Box] = [(40, 10, 170, 18)]
    left, right = column(20, 100, 40, 20), column(106, 188, 43, 19)
    foot: list[Box] = [(100, 200, 110, 204)]
    boxes = title + left + right + foot
    assert shuffled_order(boxes) == list(range(len(boxes)))


def test_a_figure_across_two_columns_parts_them() -> None:
    upper = column(20, 100, 20, 6) + column(106, 188, 20, 6)
    caption: list[Box] = [(30, 70, 180, 74)]
    lower = column(20, 100, 90, 6) + column(106, 188, 90, 6)
    boxes = upper + caption + lower
    assert shuffled_order(boxes) == list(range(len(boxes)))


def test_three_columns() -> None:
    boxes = column(10, 68, 20, 15) + column(74, 130, 22, 15) + column(136, 195, 21, 15)
    assert shuffled_order(boxes) == list(range(45))


def test_a_receipt_is_read_across() -> None:
    boxes: list[Box] = []
    for row, width in enumerate((30, 52, 18, 44, 25, 38)):
        top = 20 + 7 * row
        boxes += [(20, top, 20 + width, top + 4), (150, top, 165, top + 4)]
    assert shuffled_order(boxes) == list(range(12))


def joints(boxes: list[Box]) -> list[str]:
    return [line.joint for line in reading_order(boxes)]


def test_lines_of_a_paragraph_flow_and_a_gap_ends_it() -> None:
    boxes = column(20, 190, 20, 3) + column(20, 190, 48, 3)
    assert joints(boxes) == ["block", "flow", "flow", "block", "flow", "flow"]


def test_an_indented_line_begins_a_paragraph_and_a_short_one_ends_it() -> None:
    boxes = column(20, 190, 20, 7)
    boxes[2] = (20, *boxes[2][1:2], 90, boxes[2][3])
    boxes[5] = (30, *boxes[5][1:])
    assert joints(boxes) == ["block", "flow", "flow", "line", "flow", "block", "flow"]


def test_the_lines_of_an_item_hang_below_its_first() -> None:
    boxes = [(20.0, 20.0, 190.0, 24.0), (26.0, 26.0, 190.0, 30.0), (26.0, 32.0, 190.0, 36.0)]
    assert joints(boxes) == ["block", "flow", "flow"]


edges = st.floats(0, 1, allow_nan=False)


@given(st.lists(st.tuples(edges, edges, edges, edges), max_size=40))
def test_every_line_is_read_exactly_once(corners: list[Box]) -> None:
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    found = reading_order(boxes)
    assert sorted(line.index for line in found) == list(range(len(boxes)))
    assert not found or found[0].joint == "block"
