"""A scanner that does what the name of the file says, to try what becomes of the page."""

from __future__ import annotations

import os
import time
from typing import Any

from engine.work.jobs import Job
from engine.work.serve import serve

_ballast: list[bytes] = []


def hello(params: dict[str, Any], job: Job) -> dict[str, Any]:
    return {}


def look(params: dict[str, Any], job: Job) -> dict[str, Any]:
    global _name
    _name = params["path"].removesuffix(".png")
    if _name == "dies":
        os._exit(9)
    if _name == "hangs":
        time.sleep(60)
    while _name == "swells":
        _ballast.append(b"x" * (40 << 20))
        time.sleep(0.02)
    return {"lines": 1, "processor_s": 0.1}


def read(params: dict[str, Any], job: Job) -> dict[str, Any]:
    text = "so far" if _name == "endless" else _name
    page: Any = {"lines": [[text, 0, 0, 1, 1, 0]], "note": "", "turns": 0}
    if _name == "rubbish":
        page = {"lines": [["beyond the page", 0, 0, 7, 1, 0]], "note": "", "turns": 0}
    if _name == "endless" and not params["last"]:
        time.sleep(0.4)
        return {"left": 99, "processor_s": 0.4, "page": None}
    return {"left": 0, "processor_s": 0.1, "page": page}


_name = ""
serve({"hello": hello, "look": look, "read": read})
