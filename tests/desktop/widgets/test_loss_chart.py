from __future__ import annotations

from typing import Any

import pytest

from desktop.strings import english
from desktop.theme import theme
from desktop.widgets.loss_chart import LossChart, thinned, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.7, 3.4, [1.0, 1.5, 2.0, 2.5, 3.0]),
        (0, 420, [0, 50, 100, 150, 200, 250, 300, 350, 400]),
        (0.981, 0.989, [0.982, 0.984, 0.986, 0.988]),
        (1.0, 1.0, []),
        (0.0, float("inf"), []),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high, 9 if high > 100 else 6) == expected


def test_a_long_run_is_thinned_to_means_and_keeps_its_last_step() -> None:
    points = [(float(step), float(step % 2)) for step in range(1, 10_001)]
    few = thinned(points, 500)
    assert len(few) <= 500
    assert few[-1][0] == 10_000
    assert all(0.4 < loss < 0.6 for _, loss in few)
    assert thinned(points[:3], 500) == points[:3]


def test_the_curve_is_said_in_words_and_skips_numbers_that_are_none(qtbot: Any) -> None:
    chart = LossChart()
    qtbot.addWidget(chart)
    assert chart.accessibleName() == english.TUNE_CHART
    assert chart.accessibleDescription() == english.TUNE_CHART_EMPTY
    chart.set_points([(1, 3.0), (2, float("nan")), (3, 1.25)], [(0, 3.2), (3, 1.5)], steps=10)
    assert chart.points() == ([(1, 3.0), (3, 1.25)], [(0, 3.2), (3, 1.5)])
    said = chart.accessibleDescription()
    assert "1.25 at step 3" in said
    assert "1.50 at step 3, from 3.20" in said


def test_pointing_at_the_curve_tells_the_values_there(qtbot: Any) -> None:
    chart = LossChart()
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.set_points([(1, 3.0), (9, 1.25)], [(9, 1.5)], steps=10)
    right = chart._place((9, 1.25), chart._plot()).x()
    assert chart.said_at(right) == "Step 9: training 1.250\nStep 9: held-out 1.500"
    assert chart.said_at(chart._plot().center().x()) == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_draws_both_lines_in_the_colours_of_the_scheme(
    qtbot: Any, qapp: Any, scheme: Any
) -> None:
    before = theme.choice
    theme.choose(scheme)
    chart = LossChart()
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.set_points([(n, 3 - n / 5) for n in range(1, 10)], [(0, 3.2), (9, 1.5)], steps=10)
    picture = chart.grab().toImage()
    theme.choose(before)
    names = ("DARK" if scheme == "dark" else "LIGHT",)
    from desktop.theme import tokens

    wanted = getattr(tokens, names[0])
    seen = {
        picture.pixelColor(x, y).name()
        for x in range(picture.width())
        for y in range(0, picture.height(), 2)
    }
    assert {wanted.accent, wanted.warning, wanted.card} <= seen
