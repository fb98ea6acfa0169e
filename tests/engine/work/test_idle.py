"""Idle work in its real thread: when it begins, who goes first, how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from engine.errors import Cancelled, InvalidInput
from engine.work.idle import Idle
from engine.work.jobs import CallbackJob, Job

PATIENCE_S = 10.0


class Counting:
    """Counts up to a number, a step at a time; a step can be held open."""

    def __init__(self, steps: int, idle_s: float = 0.0) -> None:
        self.idle_s = idle_s
        self.left = steps
        self.begun = 0
        self.gave_up = 0
        self.first_at = 0.0
        self.open = threading.Event()
        self.open.set()
        self.fails = False

    def waiting(self) -> bool:
        return self.left > 0

    def step(self, job: Job) -> None:
        self.first_at = self.first_at or time.monotonic()
        self.begun += 1
        if self.fails:
            raise InvalidInput("This cannot be done.")
        while not self.open.wait(0.005):
            job.checkpoint()
        job.checkpoint()
        self.left -= 1

    def give_up(self) -> None:
        self.gave_up += 1
        self.left = 0


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


@pytest.fixture
def idle() -> Iterator[Idle]:
    one = Idle()
    yield one
    one.close()


def test_nothing_is_done_before_it_was_quiet_for_long_enough(idle: Idle) -> None:
    kind = Counting(2, idle_s=0.6)
    idle.add(kind)
    with idle.paused():
        asked_until = time.monotonic()
    idle.wake()
    until(lambda: kind.left == 0)
    assert kind.first_at - asked_until >= 0.6


def test_a_question_ends_the_step_and_it_is_done_again_afterwards(idle: Idle) -> None:
    kind = Counting(1)
    kind.open.clear()
    idle.add(kind)
    idle.wake()
    until(lambda: kind.begun == 1)
    with idle.paused():
        until(lambda: not idle._steps)  # pyright: ignore[reportPrivateUsage]
        kind.open.set()
        time.sleep(0.4)  # longer than it looks again
        assert (kind.begun, kind.left) == (1, 1)
    until(lambda: kind.left == 0)
    assert kind.begun == 2


def test_what_was_added_first_goes_first(idle: Idle) -> None:
    first, second = Counting(3), Counting(3)
    idle.add(first)
    idle.add(second)
    second.open.clear()
    idle.wake()
    until(lambda: second.begun == 1)
    assert first.left == 0
    second.open.set()
    until(lambda: second.left == 0)


def test_work_that_fails_is_given_up_and_the_thread_lives_on(idle: Idle) -> None:
    broken, sound = Counting(5), Counting(2)
    broken.fails = True
    idle.add(broken)
    idle.add(sound)
    idle.wake()
    until(lambda: sound.left == 0)
    assert (broken.begun, broken.gave_up) == (1, 1)


def test_closing_ends_a_step_that_runs() -> None:
    idle, kind = Idle(), Counting(1)
    kind.open.clear()
    idle.add(kind)
    idle.wake()
    until(lambda: kind.begun == 1)
    idle.close()
    assert kind.left == 1
    idle.wake()
    assert kind.begun == 1


def test_a_step_somebody_asked_for_lets_a_question_go_first(idle: Idle) -> None:
    kind = Counting(1)
    kind.open.clear()
    thread = threading.Thread(target=lambda: idle.take_step(kind.step))
    thread.start()
    until(lambda: kind.begun == 1)
    with idle.paused():
        until(lambda: not idle._steps)  # pyright: ignore[reportPrivateUsage]
        assert kind.left == 1
    kind.open.set()
    thread.join(PATIENCE_S)
    assert kind.left == 0
    assert kind.begun >= 2


def test_a_cancel_of_the_whole_ends_its_step(idle: Idle) -> None:
    kind, job = Counting(1), CallbackJob()
    kind.open.clear()
    ended: list[str] = []

    def run() -> None:
        try:
            idle.take_step(kind.step, job)
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: kind.begun == 1)
    job.cancel()
    thread.join(PATIENCE_S)
    assert ended == ["cancelled"]
