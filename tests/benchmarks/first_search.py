"""From pointing at a folder of 1,000 mixed files to the first search that finds something.

A cold `whetstone index` in a process of its own, on an empty home; this process asks for a
common word, by words alone and with vectors, as another window would.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.library.libraries import Libraries
from engine.paths import Home
from engine.work.api import SearchSpec
from tests.benchmarks.corpus import opened
from tests.benchmarks.folders import mixed

FILES = 1000
LIMIT_S = 240.0
QUERIES = ("patients", "company", "government", "time")


def main() -> list[dict[str, Any]]:
    """Seconds to the first result by words and to the first by meaning."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, home = Path(temporary) / "folder", Home(Path(temporary) / "home")
        size_bytes = mixed(folder, FILES)
        note = f"{FILES} files, {size_bytes / 1e6:.0f} MB, cold process"
        with opened(home) as parts:
            start = time.monotonic()
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "engine.cli.main",
                    "index",
                    str(folder),
                    "--library",
                    "b",
                ],
                env={**os.environ, "WHETSTONE_HOME": str(home.root)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                words = first(parts.libraries, "keyword", start, process)
                ready = parts.libraries.find("b")
                meaning = first(parts.libraries, "dense", start, process)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait()
    return [
        row("first keyword search", words, f"{note}; wanted: under 10"),
        row("first search by meaning", meaning, note),
        {
            "name": "passages found by words then",
            "value": ready.passages,
            "unit": "passages",
            "note": f"{ready.files - ready.waiting} of {ready.files} files read",
        },
    ]


def first(
    libraries: Libraries, method: str, start: float, process: subprocess.Popen[bytes]
) -> float:
    """Seconds since `start` until a search finds something."""
    while time.monotonic() - start < LIMIT_S and process.poll() is None:
        for query in QUERIES:
            spec = SearchSpec.model_validate({"query": query, "library": "b", "method": method})
            try:
                report = libraries.search(spec)
            except EngineError:  # the library is not there yet
                break
            if report.passages and (method == "keyword" or not report.notice):
                return time.monotonic() - start
        time.sleep(0.05)
    return float("inf")


def row(name: str, seconds: float, note: str) -> dict[str, Any]:
    """One figure of the report."""
    return {"name": name, "value": round(seconds, 1), "unit": "s", "note": note}
