"""The lease is tried between threads and between real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.errors import Cancelled
from engine.paths import Home
from engine.work.jobs import CallbackJob, Job
from engine.work.lease import CoreLease

HOLDER = """
import pathlib, sys, time
from engine.paths import Home
from engine.work.lease import CoreLease
with CoreLease(Home(pathlib.Path(sys.argv[1]))).hold(sys.argv[2]) as cores:
    print(cores, flush=True)
    time.sleep(60)
"""
ROOT = Path(__file__).parents[3]


def hold_in_process(home: Home, purpose: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.root), purpose],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    lease = CoreLease(Home(tmp_path), cores=2)
    inside, most = 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with lease.hold("batch") as cores:
                assert cores == 2
                with guard:
                    inside += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 1


def test_a_question_overtakes_a_batch_that_keeps_asking(tmp_path: Path) -> None:
    lease = CoreLease(Home(tmp_path), cores=1)
    order: list[str] = []
    stop = threading.Event()
    started = threading.Event()

    def batches() -> None:
        while not stop.is_set():
            with lease.hold("batch"):
                order.append("batch")
                started.set()
                time.sleep(0.05)

    threads = [threading.Thread(target=batches) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait(5)
    before = len(order)
    with lease.hold("question"):
        order.append("question")
    stop.set()
    for thread in threads:
        thread.join(5)
    # One step may be running and one may already stand before the cores: no more than that.
    assert order.index("question") - before <= 3


def test_another_process_is_waited_for_and_its_death_frees_the_cores(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    holder = hold_in_process(home, "question")
    job = CallbackJob()
    threading.Timer(0.3, job.cancel).start()
    with pytest.raises(Cancelled), CoreLease(home).hold("batch", job):
        pytest.fail("the cores were held by another process")
    end(holder)
    with CoreLease(home).hold("batch") as cores:
        assert cores >= 1


def test_the_lease_is_free_again_after_an_error(tmp_path: Path) -> None:
    lease = CoreLease(Home(tmp_path))
    with pytest.raises(ZeroDivisionError), lease.hold("question"):
        raise ZeroDivisionError
    with lease.hold("batch") as cores:
        assert cores >= 1


def test_long_work_hears_of_a_question_in_another_process(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lease = CoreLease(home)

    def looks_on(job: Job, seconds: float) -> bool:
        """True when the job went on for so long."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                job.checkpoint()
                time.sleep(0.01)
        except Cancelled:
            return False
        return True

    with lease.hold("batch"):
        job = lease.yielding(CallbackJob())
        assert looks_on(job, 0.5)
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home.root), "question"],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        try:
            assert not looks_on(job, 30)
        finally:
            process.kill()
            process.wait()
    cancelled = CallbackJob()
    cancelled.cancel()
    with pytest.raises(Cancelled):
        lease.yielding(cancelled).checkpoint()
