"""A child with every bad manner a child can have; run as a process by test_children."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from engine.errors import InvalidInput
from engine.work.jobs import Job
from engine.work.serve import serve


def echo(params: dict[str, Any], job: Job) -> Any:
    return params


def count(params: dict[str, Any], job: Job) -> Any:
    total = int(params["total"])
    for done in range(total):
        job.checkpoint()
        job.emit("step", done)
        time.sleep(float(params.get("pause_s", 0)))
        job.progress(done + 1, total, "counting")
    return total


def refuse(params: dict[str, Any], job: Job) -> Any:
    raise InvalidInput("No.", hint="Ask something else.", details="because")


def fail(params: dict[str, Any], job: Job) -> Any:
    raise ZeroDivisionError("a bug")


def die(params: dict[str, Any], job: Job) -> Any:
    print("last words", file=sys.stderr, flush=True)
    os._exit(3)


def hang(params: dict[str, Any], job: Job) -> Any:
    time.sleep(3600)


def noise(params: dict[str, Any], job: Job) -> Any:
    os.write(1, b"native noise on descriptor 1\n")
    print("noise on sys.stdout")
    return "heard"


if __name__ == "__main__":
    if "--rubbish" in sys.argv:
        sys.stdout.write("<html>not a message</html>\n")
        sys.stdout.flush()
        time.sleep(3600)
    serve(
        {
            "echo": echo,
            "count": count,
            "refuse": refuse,
            "fail": fail,
            "die": die,
            "hang": hang,
            "noise": noise,
        }
    )
