from __future__ import annotations

import math

import pytest

from engine.answers.prior import RANK, SCORE, log_prior
from tests.engine.answers.conftest import hit


def scored(*scores: float) -> list[float]:
    return log_prior(
        [hit("x", n).model_copy(update={"score": s}) for n, s in enumerate(scores, 1)]
    )


def test_no_passages_have_no_prior() -> None:
    assert log_prior([]) == []


def test_how_far_a_score_lies_behind_the_best_decides() -> None:
    prior = scored(0.9, 0.8, 0.5)
    assert prior[0] == 0.0
    assert prior[1] == pytest.approx(-RANK - SCORE * 0.1)
    assert prior[2] == pytest.approx(-2 * RANK - SCORE * 0.4)


def test_only_differences_of_scores_count() -> None:
    assert scored(0.9, 0.7) == pytest.approx(scored(0.4, 0.2))


def test_nearer_scores_share_the_probability_more_evenly() -> None:
    def first(*scores: float) -> float:
        shares = [math.exp(one) for one in scored(*scores)]
        return shares[0] / sum(shares)

    assert first(0.5, 0.5) == pytest.approx(0.5)
    assert 0.5 < first(0.5, 0.45) < first(0.5, 0.3) < 1.0
