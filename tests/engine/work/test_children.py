"""Children are real processes here; every death is a real one."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import Cancelled, EngineError, InvalidInput, WorkerCrashed
from engine.work import children
from engine.work.children import Child, Worker
from engine.work.jobs import CallbackJob

RUDE = [sys.executable, str(Path(__file__).with_name("rude_child.py"))]
ROOT = Path(__file__).parents[3]


class PausedLater(CallbackJob):
    """A job that is stopped, with a reason, at the checkpoint after `after` others."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def checkpoint(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Cancelled("It was paused.", hint="Resume it.")


@pytest.fixture
def child() -> Iterator[Child]:
    one = Child(RUDE, "The child", {"PYTHONPATH": str(ROOT)})
    yield one
    one.kill()


def test_call_returns_the_result_and_keeps_odd_text(child: Child) -> None:
    sent = {"text": "zażółć \u202e \U0001f600", "surrogate": "latin1-\udce9"}
    assert child.call("echo", sent) == sent


def test_progress_and_events_arrive_in_order(child: Child) -> None:
    steps: list[object] = []
    last: list[tuple[float, float, str]] = []
    job = CallbackJob(
        on_progress=lambda done, total, note, eta_s: last.append((done, total, note)),
        on_event=lambda kind, data: steps.append((kind, data)),
    )
    assert child.call("count", {"total": 50}, job) == 50
    assert steps == [("step", n) for n in range(50)]
    assert last[-1] == (50, 50, "counting")


def test_an_engine_error_crosses_whole(child: Child) -> None:
    with pytest.raises(InvalidInput) as caught:
        child.call("refuse", {})
    assert caught.value.to_dict() == {
        "kind": "InvalidInput",
        "message": "No.",
        "hint": "Ask something else.",
        "details": "because",
    }


def test_a_bug_is_an_engine_error_with_its_stack_and_the_child_lives(child: Child) -> None:
    with pytest.raises(EngineError) as caught:
        child.call("fail", {})
    assert "ZeroDivisionError: a bug" in caught.value.details
    assert child.call("echo", {"still": "here"}) == {"still": "here"}


def test_unknown_method_is_an_error(child: Child) -> None:
    with pytest.raises(InvalidInput, match="no method"):
        child.call("nothing", {})


def test_noise_on_stdout_lands_in_stderr(child: Child) -> None:
    assert child.call("noise", {}) == "heard"
    assert child.alive


def test_death_is_said_with_exit_code_and_last_words(child: Child) -> None:
    with pytest.raises(WorkerCrashed) as caught:
        child.call("die", {})
    assert "exit code 3" in caught.value.details
    assert "last words" in caught.value.details
    with pytest.raises(WorkerCrashed):
        child.call("echo", {})


def test_kill_from_outside_ends_every_waiting_call(child: Child) -> None:
    crashes: list[BaseException] = []

    def wait() -> None:
        try:
            child.call("hang", {})
        except WorkerCrashed as crash:
            crashes.append(crash)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    child.call("echo", {})
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    os.kill(child.pid, signal.SIGKILL)
    for thread in threads:
        thread.join(10)
    assert len(crashes) == 3


def test_a_hang_ends_at_the_time_limit(child: Child) -> None:
    with pytest.raises(WorkerCrashed, match="did not answer within"):
        child.call("hang", {}, timeout_s=0.5)
    assert not child.alive


def test_rubbish_on_stdout_is_a_crash_not_a_hang() -> None:
    child = Child([*RUDE, "--rubbish"], "The child", {"PYTHONPATH": str(ROOT)})
    try:
        with pytest.raises(WorkerCrashed) as caught:
            child.call("echo", {})
        assert "not a JSON-RPC message" in caught.value.details
    finally:
        child.kill()


def test_cancel_is_heard_at_the_next_step_and_the_child_lives(child: Child) -> None:
    job = CallbackJob(on_event=lambda kind, data: job.cancel())
    with pytest.raises(Cancelled):
        child.call("count", {"total": 10_000, "pause_s": 0.01}, job)
    assert child.call("echo", {"after": 1}) == {"after": 1}


def test_cancel_that_is_not_heard_ends_in_a_kill(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "CANCEL_GRACE_S", 0.3)
    job = PausedLater(after=3)
    with pytest.raises(Cancelled, match="paused"):
        child.call("hang", {}, job)
    assert not child.alive


def test_a_cancel_is_told_in_the_words_of_the_job(child: Child) -> None:
    with pytest.raises(Cancelled, match="paused") as caught:
        child.call("count", {"total": 10_000, "pause_s": 0.01}, PausedLater(after=5))
    assert caught.value.hint == "Resume it."
    assert child.call("echo", {"after": 1}) == {"after": 1}


def test_a_job_cancelled_before_sends_nothing(child: Child) -> None:
    with pytest.raises(Cancelled, match="paused"):
        child.call("die", {}, PausedLater(after=0))
    assert child.call("echo", {"still": "here"}) == {"still": "here"}


def test_calls_overlap(child: Child) -> None:
    slow = threading.Thread(target=child.call, args=("count", {"total": 20, "pause_s": 0.02}))
    slow.start()
    assert child.call("echo", {"quick": True}) == {"quick": True}
    assert slow.is_alive()
    slow.join(10)


def test_worker_starts_again_after_a_death_and_tells_once() -> None:
    deaths: list[WorkerCrashed] = []
    worker = Worker(
        "unused", "The child", {"PYTHONPATH": str(ROOT)}, on_death=deaths.append, command=RUDE
    )
    try:
        assert worker.pid is None
        assert worker.call("echo", {"n": 1}) == {"n": 1}
        first = worker.pid
        with pytest.raises(WorkerCrashed):
            worker.call("die", {})
        assert len(deaths) == 1
        assert worker.call("echo", {"n": 2}) == {"n": 2}
        assert worker.pid != first
        assert len(deaths) == 1
    finally:
        worker.close()
    assert worker.pid is None


def test_a_command_that_cannot_start_is_a_crash() -> None:
    worker = Worker("unused", "The child", command=["/nonexistent/program"])
    with pytest.raises(WorkerCrashed, match="could not be started"):
        worker.call("echo", {})


def test_a_child_ends_when_its_parent_closes_the_pipe(child: Child) -> None:
    child.call("echo", {})
    child.close(grace_s=5)
    assert not child.alive
