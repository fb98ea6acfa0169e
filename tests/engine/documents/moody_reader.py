"""A reader that dies, hangs or raves when the file's name says so; run by test_pool."""

from __future__ import annotations

import os
import time
from typing import Any

from engine.work import serve as serving
from engine.work.jobs import Job

CHANNEL = os.dup(1)


def hello(params: dict[str, Any], job: Job) -> dict[str, Any]:
    return {}


def read(params: dict[str, Any], job: Job) -> dict[str, Any]:
    name = os.path.basename(params["path"])
    if name == "die.txt":
        os._exit(9)
    if name == "hang.txt":
        time.sleep(3600)
    if name == "rubbish.txt":
        os.write(CHANNEL, b"\x00\xff rubbish\n")
        time.sleep(3600)
    return {"title": "fine", "kind": "Text", "pages": 0, "characters": 0, "passages": []}


if __name__ == "__main__":
    serving.serve({"hello": hello, "read": read})
