"""Intervals hold their figure, shrink with questions, and pair arms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.compare.bootstrap import Sums, difference, measured, resample

RIGHT = st.lists(st.integers(0, 1), min_size=1, max_size=40)


def mean(sums: Sums) -> Sums:
    return sums[:, 0] / sums[:, 1]


def stats(values: list[int]) -> Sums:
    return np.array([[value, 1.0] for value in values])


@settings(max_examples=40, deadline=None)
@given(values=RIGHT, seed=st.integers(0, 9))
def test_an_interval_holds_its_figure_and_stays_within_what_can_be(
    values: list[int], seed: int
) -> None:
    found = measured(stats(values), mean, seed)
    assert min(values) <= found.low <= found.value <= found.high <= max(values)
    assert found.value == pytest.approx(np.mean(values))
    assert found == measured(stats(values), mean, seed)


@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_a_difference_is_the_other_way_round_from_the_other_side(
    pairs: list[tuple[int, int]],
) -> None:
    one, other = stats([a for a, _ in pairs]), stats([b for _, b in pairs])
    there, back = difference(one, other, mean), difference(other, one, mean)
    assert there.value == pytest.approx(-back.value)
    assert there.low == pytest.approx(-back.high, abs=1e-9)
    assert difference(one, one, mean).model_dump() == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_arms_are_paired() -> None:
    """Hard questions are hard for both: what one always has more is no matter of chance."""
    chance = np.random.default_rng(1)
    hard = chance.random(200)
    base = np.stack([hard, np.ones(200)], axis=1)
    better = np.stack([hard + 0.1, np.ones(200)], axis=1)
    gain = difference(better, base, mean)
    assert gain.low == pytest.approx(0.1)
    assert gain.high == pytest.approx(0.1)
    alone = measured(base, mean)
    assert alone.high - alone.low > 0.05


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(2)
    held = 0
    for seed in range(200):
        values = (chance.random(100) < 0.7).astype(int).tolist()
        found = measured(stats(values), mean, seed)
        held += found.low <= 0.7 <= found.high
    assert 0.88 <= held / 200 <= 0.99


def test_more_questions_tell_more() -> None:
    few, many = measured(stats([0, 1] * 10), mean), measured(stats([0, 1] * 1000), mean)
    assert many.high - many.low < (few.high - few.low) / 5


def test_what_does_not_fit_at_once_is_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = stats([0, 1, 1, 0, 1])
    whole = resample(values, mean)
    monkeypatch.setattr("engine.compare.bootstrap._CELLS", 700)
    assert np.array_equal(resample(values, mean), whole)
