"""What speaks for an answer, worked out by hand, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.answers.generation import Generated, WrittenToken
from engine.answers.refusing import (
    SHIPPED,
    THRESHOLD,
    Rule,
    Signals,
    calibrated,
    can_tell,
    confidence,
    forget,
    log_odds,
    look,
    measured_as,
    shipped,
)
from engine.paths import Home
from engine.store import measurements
from engine.store.db import Store
from engine.work.api import PassageHit
from tests.engine.answers.conftest import hit


def found(text: str, n: int, cosine: float | None, bm25: float | None) -> PassageHit:
    return hit(text, n).model_copy(
        update={"cosine": cosine, "bm25": bm25, "title": "", "heading": ""}
    )


ROTA = found("The rota hangs in the hall. Ingrid keeps the night watch.", 1, 0.62, 3.0)
BIRDS = found("Gulls sleep at night. Nobody counts them. A watch is sold.", 2, 0.41, 4.5)


def made(*own: float) -> Generated:
    return Generated(
        text="x",
        ending="end",
        prompt_tokens=1,
        reused_tokens=0,
        generated_tokens=len(own),
        first_token_ms=1.0,
        total_ms=1.0,
        tokens=[WrittenToken(end=1, own=one) for one in own],
    )


def test_signals_of_two_passages_by_hand() -> None:
    """Words that say something: keeps, night, watch. All three stand together in the first."""
    signals = look("Who keeps the night watch?", [ROTA, BIRDS], made(-0.2, -0.6))
    assert signals.cosine == 0.62
    assert signals.bm25 == pytest.approx(4.5 / 3)
    assert signals.together == pytest.approx(1.0)
    assert signals.sure == pytest.approx(-0.4)


def test_words_further_apart_than_two_sentences_do_not_count_together() -> None:
    signals = look("Who keeps the night watch?", [BIRDS], None)
    assert signals.together == pytest.approx(1 / 3)
    titled = BIRDS.model_copy(update={"title": "The night book"})
    assert look("Who keeps the night watch?", [titled], None).together == pytest.approx(2 / 3)


def test_without_passages_and_words_there_is_nothing_that_speaks_for_it() -> None:
    signals = look("And why?", [], None)
    assert (signals.cosine, signals.bm25, signals.together) == (0.0, 0.0, 0.0)
    assert look("", [ROTA], None).bm25 == 3.0


@pytest.mark.parametrize("name", ["cosine", "bm25", "together", "sure"])
def test_no_signal_speaks_against_an_answer(name: str) -> None:
    middle = Signals(0.4, 1.0, 0.5, -0.9)
    likely = [
        confidence(replace(middle, **{name: getattr(middle, name) + more}))
        for more in (-0.3, 0.0, 0.3)
    ]
    assert likely == sorted(likely)
    if SHIPPED.each[("cosine", "bm25", "together", "sure").index(name)] > 0:
        assert likely[0] < likely[1] < likely[2]


def test_the_rule_refuses_below_its_threshold_alone() -> None:
    weak, strong = Signals(0.1, 0.2, 0.2, -0.9), Signals(0.7, 3.0, 1.0, -0.3)
    assert Rule().judge(weak).refuse
    assert not Rule().judge(strong).refuse
    assert not Rule(threshold=0.0).judge(weak).refuse
    assert Rule().judge(weak).confidence == confidence(weak) < THRESHOLD
    assert confidence(Signals(-1.0, -100.0, 0.0, 0.0)) == 0.0
    assert log_odds(Signals(0, 0, 0, 0)) == SHIPPED.bias


def test_a_search_by_words_alone_cannot_tell() -> None:
    assert not can_tell([found("x", 1, None, 9.0)])
    assert not can_tell([])
    assert can_tell([found("x", 1, None, 9.0), ROTA])


@pytest.fixture
def own_store(home: Home) -> Iterator[Store]:
    one = Store(home)
    yield one
    one.close()


def test_a_measured_rule_is_used_for_its_library_and_model_alone(own_store: Store) -> None:
    value = {"each": [1, 2, 3, 4], "bias": 0.5, "threshold": 0.2, "shipped": shipped()}
    measurements.remember(own_store, measured_as("lib", "m"), value)
    rule = calibrated(own_store, ["lib"], "m")
    assert (rule.weights.each, rule.weights.bias, rule.threshold) == ((1, 2, 3, 4), 0.5, 0.2)
    for libraries, model in ((["lib"], "other"), (["lib2"], "m"), (["lib", "lib2"], "m")):
        assert calibrated(own_store, libraries, model) == Rule()


def test_what_cannot_be_understood_or_was_fitted_to_another_rule_does_not_count(
    own_store: Store,
) -> None:
    good = {"each": [1, 2, 3, 4], "bias": 0.5, "threshold": 0.2, "shipped": shipped()}
    for bad in (
        None,
        [],
        {"each": [1]},
        {**good, "bias": "x"},
        {**good, "shipped": [1, 2]},
        {key: good[key] for key in ("each", "bias", "threshold")},
    ):
        measurements.remember(own_store, measured_as("lib", "m"), bad)
        assert calibrated(own_store, ["lib"], "m") == Rule()


def test_a_library_is_forgotten_with_all_its_models_and_no_other(own_store: Store) -> None:
    names = [measured_as("lib", "m"), measured_as("lib", "n"), measured_as("lib2", "m")]
    for name in names:
        measurements.remember(own_store, name, 1)
    forget(own_store, "lib")
    assert [measurements.recall(own_store, name) for name in names] == [None, None, 1]
