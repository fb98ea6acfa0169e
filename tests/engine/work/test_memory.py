from __future__ import annotations

import subprocess
import sys

import pytest

from engine.errors import Cancelled
from engine.work.jobs import NULL_JOB, CallbackJob
from engine.work.memory import MemoryWatch, resident_bytes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_child_that_grew_too_large_is_ended() -> None:
    with subprocess.Popen(SLEEP) as child:
        modest = MemoryWatch(NULL_JOB, child.pid, 1 << 40)
        modest.checkpoint()
        assert not modest.exceeded
        assert child.poll() is None

        strict = MemoryWatch(NULL_JOB, child.pid, 1)
        strict.checkpoint()
        assert strict.exceeded
        assert child.wait(10) != 0


def test_it_passes_the_job_on() -> None:
    heard: list[object] = []
    job = CallbackJob(lambda *told: heard.append(told[2]), lambda *told: heard.append(told))
    watch = MemoryWatch(job, None, 1)
    watch.progress(1, 2, "half")
    watch.emit("kind", 3)
    watch.checkpoint()
    assert heard == ["half", ("kind", 3)]
    job.cancel()
    with pytest.raises(Cancelled):
        watch.checkpoint()


def test_a_process_that_has_ended_uses_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert resident_bytes(child.pid) == 0
