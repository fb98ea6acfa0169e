from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.widgets.passage_text import PassageText, _close_gaps


def test_a_far_mark_is_brought_into_view(qapp: Any, qtbot: Any) -> None:
    shown = PassageText()
    qtbot.addWidget(shown)
    text = "first words " * 40 + "the evidence" + " and more" * 40
    start = text.index("the evidence")
    shown.set_passage(text, [(start, start + 12)])
    assert shown.marked() == ["the evidence"]
    assert shown.shown().startswith("… ")
    assert shown.shown().index("the evidence") < 100


def test_it_is_as_tall_as_its_lines_and_no_taller_than_allowed(qapp: Any, qtbot: Any) -> None:
    shown = PassageText(lines=3)
    qtbot.addWidget(shown)
    shown.resize(200, 50)
    shown.set_passage("short", [])
    one = shown.height()
    shown.set_passage("long words " * 100, [])
    assert shown.height() == 3 * one


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab \n\t", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_gaps_close_and_offsets_follow(text: str, first: int, second: int) -> None:
    shown, at = _close_gaps(text)
    start, end = sorted((min(first, len(text)), min(second, len(text))))
    assert "  " not in shown
    assert shown[at(start) : at(end)].split() == text[start:end].split()


def test_a_hostile_passage_is_laid_out_at_once(qapp: Any, qtbot: Any) -> None:
    shown = PassageText()
    qtbot.addWidget(shown)
    shown.resize(220, 50)
    shown.set_passage("\u202e" + "x" * 1_000_000, [(0, 500_000)])
    shown.grab()
    assert "\u202e" not in shown.shown()
