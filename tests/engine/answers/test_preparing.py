"""Passages computed ahead, by a tiny model in its real process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.answers.generation import Prompt
from engine.answers.generator import Generator
from engine.answers.preparing import MOST_WAITING, Preparing
from engine.answers.prompts import build_prompt, wording
from engine.paths import Home
from engine.work.api import ModelCard
from engine.work.idle import Idle
from engine.work.jobs import NULL_JOB
from engine.work.lease import CoreLease
from tests.engine.answers.conftest import card_of

PATIENCE_S = 20.0


def prompt(n: int) -> Prompt:
    return build_prompt(wording("passages"), "What is it?", [f"Passage {n} says {n} things."])


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


@pytest.fixture
def tiny(home: Home) -> Iterator[Generator]:
    one = Generator(home, CoreLease(home))
    yield one
    one.close()


@pytest.fixture
def idle() -> Iterator[Idle]:
    one = Idle()
    yield one
    one.close()


@pytest.fixture
def card(tiny_gguf: Path) -> ModelCard:
    return card_of(tiny_gguf)


def test_suggested_passages_are_computed_and_not_again(
    tiny: Generator, idle: Idle, card: ModelCard
) -> None:
    tiny.load(card)
    preparing = Preparing(tiny, idle, idle_s=0.0)
    preparing.suggest(card, [prompt(1), prompt(2)])
    until(lambda: not preparing.waiting())
    with tiny.using(card):
        assert tiny.prepare([prompt(1), prompt(2)]) == 0
        assert tiny.prepare([prompt(3)]) == 1


def test_a_model_that_is_not_loaded_is_left_alone(
    tiny: Generator, idle: Idle, card: ModelCard
) -> None:
    preparing = Preparing(tiny, idle, idle_s=0.0)
    preparing.suggest(card, [prompt(1)])
    until(lambda: not preparing.waiting())
    assert tiny.pid is None


def test_while_somebody_asks_nothing_is_prepared(
    tiny: Generator, idle: Idle, card: ModelCard
) -> None:
    tiny.load(card)
    preparing = Preparing(tiny, idle, idle_s=0.0)
    with preparing.paused():
        preparing.suggest(card, [prompt(1)])
        time.sleep(0.5)  # longer than the thread sleeps
        assert preparing.waiting()
    until(lambda: not preparing.waiting())


def test_the_likeliest_are_prepared_first_and_the_rest_forgotten(
    tiny: Generator, idle: Idle, card: ModelCard
) -> None:
    tiny.load(card)
    preparing = Preparing(tiny, idle, idle_s=3600.0)
    preparing.suggest(card, [prompt(n) for n in range(MOST_WAITING)])
    preparing.suggest(card, [prompt(100)])
    preparing.step(NULL_JOB)
    with tiny.using(card):
        assert tiny.prepare([prompt(100)]) == 0
    for _ in range(MOST_WAITING - 1):
        assert preparing.waiting()
        preparing.step(NULL_JOB)
    assert not preparing.waiting()
    with tiny.using(card):  # there was no room for the least likely
        assert tiny.prepare([prompt(MOST_WAITING - 1)]) == 1


def test_given_up_work_is_forgotten(tiny: Generator, idle: Idle, card: ModelCard) -> None:
    preparing = Preparing(tiny, idle, idle_s=3600.0)
    preparing.suggest(card, [prompt(1)])
    preparing.give_up()
    assert not preparing.waiting()
