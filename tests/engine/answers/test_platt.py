"""The fit on log-odds drawn by the test."""

from __future__ import annotations

import math
import random

import pytest

from engine.answers.platt import (
    FEWEST,
    MOST_REFUSED,
    Line,
    Odds,
    fit,
    fit_line,
    loss,
    refused,
    separation,
)
from engine.answers.refusing import SHIPPED, THRESHOLD, Rule

USUAL = math.log(THRESHOLD / (1 - THRESHOLD))


def drawn(
    made: float, others: float, count: int = 40, spread: float = 1.0, written: int = 0
) -> Odds:
    """Log-odds around two means."""
    chance = random.Random(7)
    return Odds(
        [chance.gauss(made, spread) for _ in range(count)],
        [chance.gauss(others, spread) for _ in range(count)],
        [chance.gauss(others, spread) for _ in range(2 * count)],
        written,
    )


def test_a_shift_is_found_and_judges_better() -> None:
    low = drawn(-0.5, -3.0)  # everything lies two lower than the shipped rule expects
    line = fit_line(low)
    assert 0.5 < line.shift <= 1.5
    assert loss(low, line) < loss(low, Line())
    fitted = fit(low)
    assert fitted.measured
    assert fitted.loss_after < fitted.loss_before
    assert refused(low.made, Rule()) > 0.3
    assert refused(low.made, fitted.rule) <= MOST_REFUSED
    assert refused(low.others(), fitted.rule) > 0.6


def test_where_the_shipped_rule_is_right_little_changes() -> None:
    line = fit_line(drawn(1.5, -1.5, spread=1.7))
    assert line.scale == pytest.approx(1.0, abs=0.25)
    assert line.shift == pytest.approx(0.0, abs=0.3)


def test_too_few_questions_change_nothing() -> None:
    few = drawn(-0.5, -3.0, count=FEWEST - 1)
    fitted = fit(few)
    assert not fitted.measured
    assert fitted.rule == Rule()
    assert "Too few" in fitted.reason
    assert fit(Odds([1.0] * 40, [], [])).rule == Rule()
    assert fit(drawn(-0.5, -3.0, count=FEWEST)).measured


def test_the_pull_towards_the_shipped_rule_weakens_with_more_questions() -> None:
    few, many = (abs(fit_line(drawn(-0.5, -3.0, n)).shift) for n in (12, 400))
    assert few < many


@pytest.mark.parametrize(("made", "others"), [(-30.0, -40.0), (40.0, 30.0), (-20.0, 20.0)])
def test_nothing_moves_the_rule_out_of_its_bounds(made: float, others: float) -> None:
    odds = drawn(made, others, written=40)
    line = fit_line(odds)
    assert 0.5 <= line.scale <= 2.0
    assert -1.5 <= line.shift <= 1.5
    rule = fit(odds).rule
    # As log-odds of the shipped rule, the cut stays near where it was.
    assert refused([USUAL - 2.01], rule) == 1.0
    assert refused([USUAL + 1.01], rule) == 0.0


def test_own_words_never_make_it_refuse_what_the_shipped_rule_lets_through() -> None:
    easy = drawn(6.0, 2.0)  # words of a passage find it far too well
    assert refused([USUAL + 0.01], fit(easy).rule) == 0.0
    asked = drawn(6.0, 2.0, written=40)
    assert refused([USUAL + 0.01], fit(asked).rule) == 1.0


def test_a_rule_that_separates_the_wrong_way_round_is_not_kept_worse() -> None:
    fitted = fit(drawn(-1.0, 1.0))
    assert fitted.loss_after <= fitted.loss_before or fitted.rule == Rule()


def test_the_order_of_judgements_stays() -> None:
    odds = drawn(0.5, -1.0)
    rule = fit(odds).rule
    ratio = {new / old for new, old in zip(rule.weights.each, SHIPPED.each, strict=True) if old}
    assert max(ratio) == pytest.approx(min(ratio))
    assert min(ratio) > 0


def test_separation_is_the_area_under_the_curve() -> None:
    assert separation(Odds([2.0, 3.0], [1.0], [0.0])) == 1.0
    assert separation(Odds([1.0], [1.0], [])) == 0.5
    assert separation(Odds([0.0], [1.0], [2.0])) == 0.0
    assert separation(Odds([1.0, 3.0], [2.0], [])) == 0.5
