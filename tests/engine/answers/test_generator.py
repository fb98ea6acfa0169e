"""The generator's client: every death is a real one, and the next answer works."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.answers.generation import Part, Prompt, Turn
from engine.answers.generator import Generator
from engine.errors import Cancelled, ModelUnavailable, NotEnoughMemory, WorkerCrashed
from engine.paths import Home
from engine.work.api import ModelCard
from engine.work.jobs import CallbackJob
from engine.work.lease import CoreLease
from tests.engine.answers.conftest import CHAIN_TEXT, alone, card_of

RUDE = str(Path(__file__).with_name("rude_generator.py"))
LONG_STORY = Prompt(
    turns=[
        Turn(role="system", content=[Part(text="You tell long stories.")]),
        Turn(role="user", content=[Part(text="Tell a very long story about a lighthouse.")]),
    ],
    plain=[],
)


@pytest.fixture
def deaths() -> list[WorkerCrashed]:
    return []


@pytest.fixture
def generator(home: Home, lease: CoreLease, deaths: list[WorkerCrashed]) -> Iterator[Generator]:
    one = Generator(home, lease, on_death=deaths.append)
    yield one
    one.close()


def rude(home: Home, lease: CoreLease, manner: str, deaths: list[WorkerCrashed]) -> Generator:
    command = [sys.executable, RUDE, manner]
    return Generator(home, lease, on_death=deaths.append, silence_s=1.0, command=command)


def starter_card(starter: Path) -> ModelCard:
    return card_of(starter / "SmolLM2-135M-Instruct.Q4_1.gguf", context=2048)


def test_a_model_is_loaded_once(generator: Generator, chain_gguf: Path) -> None:
    card, loaded = card_of(chain_gguf), list[str]()
    assert generator.pid is None
    assert not generator.is_loaded(card)
    for _ in range(3):
        with generator.using(card, on_loading=lambda: loaded.append("x")) as model:
            made = model.generate(alone(LONG_STORY, 64))
            assert made.text == CHAIN_TEXT
            assert model.count_tokens(["ab", ""]) == [2, 0]
            assert model.prompt_tokens(LONG_STORY) == made.prompt_tokens
    assert loaded == ["x"]
    assert generator.is_loaded(card)


def test_another_model_takes_its_place(
    generator: Generator, chain_gguf: Path, tiny_gguf: Path
) -> None:
    with generator.using(card_of(tiny_gguf)) as model:
        other = model.generate(alone(LONG_STORY, 8))
    pid = generator.pid
    with generator.using(card_of(chain_gguf)) as model:
        assert model.generate(alone(LONG_STORY, 64)).text == CHAIN_TEXT
    assert other.text != CHAIN_TEXT
    assert generator.pid == pid


def test_a_kill_in_the_middle_costs_that_answer_only(
    generator: Generator, deaths: list[WorkerCrashed], starter: Path
) -> None:
    card, pieces = starter_card(starter), list[str]()

    def kill_late(text: str, weights: list[float]) -> None:
        pieces.append(text)
        if len(pieces) == 5:
            assert generator.pid is not None
            os.kill(generator.pid, signal.SIGKILL)

    with pytest.raises(WorkerCrashed) as caught, generator.using(card) as model:
        model.generate(alone(LONG_STORY, 400), on_token=kill_late)
    assert repr("".join(pieces[:5]))[1:-1] in caught.value.details
    assert len(deaths) == 1
    assert not generator.is_loaded(card)
    with generator.using(card) as model:
        assert model.generate(alone(LONG_STORY, 5)).generated_tokens == 5


def test_a_frozen_generator_is_given_up(
    home: Home, lease: CoreLease, deaths: list[WorkerCrashed], starter: Path
) -> None:
    generator = Generator(home, lease, on_death=deaths.append, silence_s=8.0)
    card = starter_card(starter)
    generator.load(card)

    def freeze(text: str, weights: list[float]) -> None:
        assert generator.pid is not None
        os.kill(generator.pid, signal.SIGSTOP)

    try:
        with (
            pytest.raises(WorkerCrashed, match="did not answer"),
            generator.using(card) as model,
        ):
            model.generate(alone(LONG_STORY, 400), on_token=freeze)
        with generator.using(card) as model:
            assert model.generate(alone(LONG_STORY, 3)).generated_tokens == 3
        assert len(deaths) == 1
    finally:
        generator.close()


@pytest.mark.parametrize("manner", ["rubbish", "die", "hang"])
def test_misbehaviour_is_a_crash_with_the_text_so_far(
    home: Home, lease: CoreLease, deaths: list[WorkerCrashed], tiny_gguf: Path, manner: str
) -> None:
    generator = rude(home, lease, manner, deaths)
    try:
        with pytest.raises(WorkerCrashed) as caught, generator.using(card_of(tiny_gguf)) as m:
            m.generate(alone(LONG_STORY, 10))
        assert "The beginning" in caught.value.details
        assert len(deaths) == 1
    finally:
        generator.close()


def test_a_stop_between_tokens_gives_the_answer_so_far(
    generator: Generator, starter: Path
) -> None:
    job, pieces = CallbackJob(), list[str]()

    def stop(text: str, weights: list[float]) -> None:
        pieces.append(text)
        if len(pieces) == 8:
            job.cancel()

    with generator.using(starter_card(starter)) as model:
        made = model.generate(alone(LONG_STORY, 400), job=job, on_token=stop)
        assert made.ending == "stopped"
        assert made.text.startswith("".join(pieces[:8]).strip()[:10])
        assert made.generated_tokens < 100
        assert model.generate(alone(LONG_STORY, 3)).generated_tokens == 3


def test_a_stop_while_the_prompt_is_read(generator: Generator, starter: Path) -> None:
    turns = [
        LONG_STORY.turns[0],
        Turn(role="user", content=[Part(text="rain and snow " * 500)]),
    ]
    job = CallbackJob()
    with generator.using(starter_card(starter)) as model:
        pid = generator.pid
        timer = threading.Timer(0.3, job.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            model.generate(alone(Prompt(turns=turns, plain=[]), 50), job=job)
        timer.join()
        assert generator.pid == pid  # stopped by itself, not killed
        assert model.generate(alone(LONG_STORY, 3)).generated_tokens == 3


def test_a_second_question_waits_its_turn_and_may_be_cancelled(
    generator: Generator, chain_gguf: Path
) -> None:
    card, job = card_of(chain_gguf), CallbackJob()
    outcome: list[BaseException] = []

    def second() -> None:
        try:
            generator.load(card, job)
        except Cancelled as error:
            outcome.append(error)

    with generator.using(card):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        assert thread.is_alive()
        job.cancel()
        thread.join(5)
    assert len(outcome) == 1


def test_a_file_that_does_not_load_says_so(
    generator: Generator, tiny_gguf: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny_gguf.read_bytes()[:200_000])
    card = card_of(tiny_gguf).model_copy(update={"path": str(broken)})
    with pytest.raises(ModelUnavailable):
        generator.load(card)
    generator.load(card_of(tiny_gguf))


def test_a_model_that_does_not_fit_is_not_loaded(generator: Generator, tiny_gguf: Path) -> None:
    card = card_of(tiny_gguf).model_copy(
        update={"fits": False, "memory_bytes": 1 << 50, "memory_available_bytes": 1 << 30}
    )
    with pytest.raises(NotEnoughMemory, match="memory"):
        generator.load(card)
    assert generator.pid is None


def test_leaving_the_cores_to_others_while_idle(
    generator: Generator,
    lease: CoreLease,
    chain_gguf: Path,
    make_card: Callable[..., ModelCard],
) -> None:
    with generator.using(make_card(chain_gguf)) as model:
        model.generate(alone(LONG_STORY, 4))
        with lease.hold("batch") as cores:
            assert cores >= 1
