from __future__ import annotations

import pytest

from engine.errors import Cancelled
from engine.work.jobs import NULL_JOB, CallbackJob, EtaClock


def test_null_job_accepts_everything() -> None:
    NULL_JOB.progress(1, 2, "x")
    NULL_JOB.emit("kind", {})
    NULL_JOB.checkpoint()


def test_progress_is_throttled_but_the_end_is_never_dropped() -> None:
    seen: list[float] = []
    job = CallbackJob(on_progress=lambda done, total, note, eta_s: seen.append(done))
    for done in range(1, 10_001):
        job.progress(done, 10_000)
    assert seen[-1] == 10_000
    assert len(seen) < 50


def test_cancel_shows_at_the_next_checkpoint() -> None:
    job = CallbackJob()
    job.checkpoint()
    job.cancel()
    with pytest.raises(Cancelled):
        job.checkpoint()


def test_eta_follows_measured_speed() -> None:
    clock = iter([0.0, 10.0, 20.0])
    eta = EtaClock(now=lambda: next(clock))
    assert eta.update(0, 100) is None
    assert eta.update(10, 100) == pytest.approx(90)
    assert eta.update(30, 100) == pytest.approx(70 / 1.3)


def test_eta_starts_again_when_a_new_phase_begins() -> None:
    clock = iter([0.0, 10.0, 11.0])
    eta = EtaClock(now=lambda: next(clock))
    eta.update(0, 10)
    assert eta.update(5, 10) is not None
    assert eta.update(0, 50) is None
