"""20,000 documents in one library: memory while indexing, search, lists of files.

The documents are short, made of the question sets, so that a run ends in minutes. Memory is
what the process that indexes holds for itself (readers and embedder are others, recycled):
proportional set size where the system tells it, taken at each quarter of the vectors.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from engine.library.libraries import Libraries
from engine.paths import Home
from engine.work.api import FilesSpec, IndexSpec, SearchSpec
from engine.work.jobs import CallbackJob
from tests.benchmarks.corpus import CHOOSING, opened, questions
from tests.benchmarks.folders import write_small

FILES = int(os.environ.get("SIZE_FILES", "20000"))
SEARCHES = 60
QUARTERS = (0.25, 0.5, 0.75, 1.0)


class Memory:
    """The process's memory as the run goes on: at least every half second."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, float]] = []  # (share done, MB)
        self.share = 0.0
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._stop.set()
        self._thread.join()

    def progress(self, done: float, total: float, note: str, eta_s: float | None) -> None:
        if total:
            self.share = done / total

    def at(self, quarter: float) -> float:
        """Highest MB within the tenth of the run before this point."""
        near = [mb for share, mb in self.samples if quarter - 0.1 <= share <= quarter]
        return max(near) if near else float("nan")

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self.samples.append((self.share, self._process.memory_info().rss / 1e6))


def main() -> list[dict[str, Any]]:
    """Seconds, megabytes and milliseconds."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "folder"
        write_small(folder, FILES)
        with opened(Home(Path(temporary) / "home")) as parts:
            parts.embedder.warm()
            memory = Memory()
            with memory:
                start = time.monotonic()
                report = parts.libraries.index(
                    IndexSpec(folder=str(folder), library="b"), CallbackJob(memory.progress)
                )
                seconds = time.monotonic() - start
            again = time.monotonic()
            parts.libraries.index(IndexSpec(folder=str(folder), library="b"))
            again = time.monotonic() - again
            rows = [
                row("indexing", seconds, "s", f"{FILES} files, {report.passages} passages"),
                row("rate", report.passages / seconds, "passages/s", ""),
                row("looking through all again", again, "s", "nothing changed"),
            ]
            rows += memory_rows(memory)
            rows += search_rows(parts.libraries)
            rows += list_rows(parts.libraries)
    return rows


def memory_rows(memory: Memory) -> list[dict[str, Any]]:
    """Memory at each quarter, and how much it grew from the first to the last."""
    rows = [
        row(f"memory at {quarter:.0%}", memory.at(quarter), "MB", "of the indexing process")
        for quarter in QUARTERS
    ]
    growth = memory.at(1.0) / memory.at(0.25)
    return [*rows, row("memory, end / quarter", growth, "ratio", "flat: about 1")]


def search_rows(libraries: Libraries) -> list[dict[str, Any]]:
    """Milliseconds of hybrid searches, the question's vector included."""
    asked = [question.text for name in CHOOSING for question in questions(name)][:SEARCHES]
    took: list[float] = []
    for number, text in enumerate([*asked[:5], *asked]):
        milliseconds = libraries.search(SearchSpec(query=text, library="b")).milliseconds
        if number >= 5:  # the first ones open what stays open
            took.append(milliseconds)
    return [
        row("search p50", float(np.median(took)), "ms", f"{len(took)} questions, hybrid"),
        row("search p95", float(np.quantile(took, 0.95)), "ms", "wanted: under 100"),
    ]


def list_rows(libraries: Libraries) -> list[dict[str, Any]]:
    """Milliseconds for pages of the files' list and for the list of libraries."""
    specs = {
        "files page, by name": {"offset": FILES // 2},
        "files page, by size, from the end": {"offset": FILES - 200, "sort": "size"},
        "files page, by state": {"offset": FILES // 2, "sort": "state", "descending": True},
        "files page, matching a word": {"match": "doc1999"},
        "files page, skipped only": {"state": "skipped"},
    }
    rows = [
        row(name, best_ms(lambda spec=spec: libraries.files(page(spec))), "ms", "200 rows")
        for name, spec in specs.items()
    ]
    return [*rows, row("list of libraries", best_ms(libraries.list), "ms", "with its counts")]


def page(spec: dict[str, Any]) -> FilesSpec:
    """A page of 200 rows."""
    return FilesSpec.model_validate({"library": "b", "limit": 200, **spec})


def best_ms(act: Any) -> float:
    """Milliseconds of the median of nine calls."""
    took: list[float] = []
    for _ in range(9):
        start = time.perf_counter()
        act()
        took.append((time.perf_counter() - start) * 1000)
    return float(np.median(took))


def row(name: str, value: float, unit: str, note: str) -> dict[str, Any]:
    """One figure of the report."""
    return {"name": name, "value": round(value, 2), "unit": unit, "note": note}
