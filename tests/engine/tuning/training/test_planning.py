"""The plan fits the time, takes the most thorough of what fits, and knows what it costs."""

from __future__ import annotations

import pytest

from engine.tuning.bases import Base
from engine.tuning.training import planning
from engine.tuning.training.loop import TrainingData
from engine.tuning.training.packs import Tokenized
from engine.tuning.training.planning import Speed
from engine.tuning.training.settings import Settings
from engine.work.api import TuneSpec
from tests.engine.tuning.training.conftest import one_thread

LAYERS = 30
SPEC = TuneSpec(dataset="d", name="n")


def minutes(settings: Settings) -> float:
    """A training takes two minutes an epoch with all layers."""
    return 120.0 * settings.epochs * (settings.upper_layers or LAYERS) / LAYERS


@pytest.mark.parametrize(
    ("given", "layers", "epochs", "fits"),
    [
        (30, 0, 6, True),
        (8, 15, 6, True),
        (5, 15, 3, True),
        (1, 10, 1, True),
        (0.5, 10, 1, False),
    ],
)
def test_minutes_choose_epochs_and_layers(
    given: float, layers: int, epochs: int, fits: bool
) -> None:
    spec = SPEC.model_copy(update={"minutes": given})
    chosen, does = planning.choose(spec, Settings(epochs=6), LAYERS, minutes)
    assert (chosen.upper_layers, chosen.epochs, does) == (layers, epochs, fits)
    assert bool(chosen.limit_s) is not fits


def test_what_the_user_chose_stands() -> None:
    spec = SPEC.model_copy(update={"minutes": 1.0, "epochs": 6, "layers": 20, "rank": 32})
    settings = planning.first_settings(spec, [Tokenized(tuple(range(90)), 80)] * 50, LAYERS)
    chosen, fits = planning.choose(spec, settings, LAYERS, minutes)
    assert (chosen.upper_layers, chosen.epochs, chosen.rank) == (20, 6, 32)
    assert chosen.max_tokens == 90
    assert not fits


def test_without_a_limit_a_long_training_takes_fewer_layers() -> None:
    assert planning.choose(SPEC, Settings(epochs=3), LAYERS, minutes)[0].upper_layers == 0
    assert planning.choose(SPEC, Settings(epochs=8), LAYERS, minutes)[0].upper_layers == 15


def test_few_examples_get_more_epochs() -> None:
    few = [Tokenized(tuple(range(20)), 10)] * 80
    assert planning.first_settings(SPEC, few, LAYERS).epochs == 10
    assert planning.first_settings(SPEC, few * 100, LAYERS).epochs == 2


def test_a_measured_training_is_priced_by_its_tokens(
    tiny_base: Base, data: TrainingData
) -> None:
    settings = Settings(rank=4, upper_layers=1, batch_examples=4)
    speed = planning.measure(tiny_base, settings, data, one_thread, budget_s=0.5)
    assert speed.learn > 0
    assert speed.score > 0
    assert speed.fill > 0
    assert speed.memory_bytes > 50 << 20
    price = Speed(learn=0.01, score=0.0, fill=0.0, step=1.0, memory_bytes=1 << 20)
    one = planning.estimate(
        settings.model_copy(update={"epochs": 1}), data, price, tiny_base, 9
    )
    three = planning.estimate(settings, data, price, tiny_base, 9)
    assert three.seconds == pytest.approx(3 * one.seconds)
    own = sum(len(example.ids) for example in data.train)
    assert 10 < one.seconds < 10 + own * 0.01  # ten steps, and less than all tokens apart
