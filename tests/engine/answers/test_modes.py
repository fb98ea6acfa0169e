from __future__ import annotations

from pathlib import Path

import pytest

from engine.answers import budget
from engine.answers.modes import APART_PARAMETERS, SINGLE_PARAMETERS, choose
from engine.answers.scope import Scope
from engine.work.api import ModelCard
from tests.engine.answers.conftest import card_of


@pytest.fixture
def card(tiny_gguf: Path) -> ModelCard:
    return card_of(tiny_gguf)


def sized(card: ModelCard, parameters: int) -> ModelCard:
    return card.model_copy(update={"parameters": parameters})


AUTO = Scope("auto", ["lib"])


def test_without_documents_no_passage_is_read(card: ModelCard) -> None:
    chosen = choose(Scope("none"), card, 5)
    assert (chosen.mode, chosen.passages, chosen.reason) == ("none", 0, "")


@pytest.mark.parametrize("mode", ["joint", "token", "sequence"])
def test_what_was_asked_for_is_done_without_a_reason(mode: str, card: ModelCard) -> None:
    scope = Scope(mode, ["lib"])  # type: ignore[arg-type]
    assert choose(scope, card, 7).passages == 7
    chosen = choose(scope, card)
    assert (chosen.mode, chosen.reason) == (mode, "")
    assert chosen.passages == budget.passages_for(card, chosen.mode)


def test_the_smallest_models_read_the_one_best_passage(card: ModelCard) -> None:
    tiny = sized(card, SINGLE_PARAMETERS - 1)
    chosen = choose(AUTO, tiny)
    assert (chosen.mode, chosen.passages) == ("joint", 1)
    assert chosen.reason
    assert choose(AUTO, tiny, 3).mode == "token"  # told to read more, it reads them apart


def test_small_models_read_apart_and_larger_ones_together(card: ModelCard) -> None:
    small, large = sized(card, SINGLE_PARAMETERS), sized(card, APART_PARAMETERS)
    assert choose(AUTO, small).mode == "token"
    assert choose(AUTO, small).passages == budget.PASSAGES_APART
    assert choose(AUTO, large).mode == "joint"
    assert choose(AUTO, large, 0) == choose(AUTO, large)
    assert choose(AUTO, small).reason != choose(AUTO, large).reason
