"""Time of one search among 20,000 documents: with filters, and over three libraries.

The documents are made as in `latency`, three passages each, once in one library and once in
three. Every question is asked in every way in turn, first of the one library, then of the
three, so that the ways compare within the run and the caches hold what one person's would;
the question's embedding is included in all of them.
"""

from __future__ import annotations

import datetime
import random
import shutil
import time
from typing import Any

import numpy as np

from engine.paths import Home
from engine.store.ledger import SeenFile
from engine.work.api import Filter, SearchSpec
from tests.benchmarks.corpus import BENCH, SETS, Parts, opened, questions
from tests.benchmarks.latency import fill, material

DOCUMENTS = 20_000
PER_DOCUMENT = 3
SEARCHES = 100
DAYS = 1000
FIRST = datetime.datetime(2022, 1, 1, tzinfo=datetime.UTC)
SUFFIXES = ("pdf", "docx", "txt", "md")
WANTED_P95_MS = 100

Way = tuple[str, list[str], Filter]


def file_of(content: int) -> SeenFile:
    """Folders of 200 files in groups of 20, four suffixes in turn, one day after another."""
    path = f"/people/ann/group {content % 5}/folder {content % 100}/{content:06}"
    modified = FIRST + datetime.timedelta(days=content % DAYS)
    return SeenFile(
        f"{path}.{SUFFIXES[content % 4]}".encode(), 1, int(modified.timestamp()) * 10**9
    )


def ways() -> list[Way]:
    """(name, libraries, filter) of every way to search that is compared."""
    last = (FIRST + datetime.timedelta(days=int(DAYS * 0.9))).date().isoformat()
    thirds = ["third 1", "third 2", "third 3"]
    few = [f"*/folder 17/*{n:02}7.*" for n in (1, 5)]
    return [
        ("no filter", ["whole"], Filter()),
        ("a folder, 20% of files", ["whole"], Filter(paths=["/people/ann/group 3"])),
        ("a folder, 1% of files", ["whole"], Filter(paths=["/people/ann/group 2/folder 17"])),
        ("two globs, 0.2% of files", ["whole"], Filter(paths=few)),
        ("a glob, 25% of files", ["whole"], Filter(paths=["*.pdf"])),
        ("a type and a date, 2.5%", ["whole"], Filter(types=[".md"], since=last)),
        ("three libraries", thirds, Filter()),
        ("three libraries, a glob, 25%", thirds, Filter(paths=["*.pdf"])),
        ("three libraries, a folder, 1%", thirds, Filter(paths=["group 2/folder 17"])),
    ]


def main() -> list[dict[str, Any]]:
    """p50 and p95 in milliseconds of each way, and its ratio to a search without filter."""
    real, vectors = material()
    home = Home(BENCH / "filters")
    shutil.rmtree(home.root, ignore_errors=True)
    with opened(home) as parts:
        start = time.monotonic()
        build(parts, real, vectors)
        print(f"filled and indexed in {time.monotonic() - start:.0f} s", flush=True)
        asked = [question.text for name in SETS for question in questions(name)]
        asked = random.Random(0).sample(asked, min(SEARCHES + 10, len(asked)))
        parts.embedder.warm()
        took = timed(parts, asked)
    shutil.rmtree(home.root, ignore_errors=True)
    return figures(took)


def build(parts: Parts, real: list[Any], vectors: np.ndarray) -> None:
    """One library of all documents, and three with a third each."""
    fill(parts, real, vectors, "whole", DOCUMENTS * PER_DOCUMENT, PER_DOCUMENT, file_of)
    for third in (1, 2, 3):
        passages = DOCUMENTS // 3 * PER_DOCUMENT
        name = f"third {third}"
        fill(parts, real, vectors, name, passages, PER_DOCUMENT, file_of, seed=third + 1)


def timed(parts: Parts, asked: list[str]) -> dict[str, list[float]]:
    """Milliseconds of every search; the first ten questions only warm up."""
    took: dict[str, list[float]] = {name: [] for name, _, _ in ways()}
    for several in (False, True):
        for text in asked:
            for name, libraries, wanted in ways():
                if (len(libraries) > 1) != several:
                    continue
                spec = SearchSpec(
                    query=text, library=libraries[0], libraries=libraries[1:], filter=wanted
                )
                took[name].append(parts.libraries.search(spec).milliseconds)
    return {name: times[10:] for name, times in took.items()}


def figures(took: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Rows for the report."""
    rows: list[dict[str, Any]] = []
    plain = float(np.median(took["no filter"]))
    for name, times in took.items():
        p50, p95 = (float(np.percentile(times, percent)) for percent in (50, 95))
        verdict = f"wanted: p95 under {WANTED_P95_MS} ms"
        rows.append({"name": f"{name} p50", "value": round(p50, 1), "unit": "ms", "note": ""})
        rows.append(
            {"name": f"{name} p95", "value": round(p95, 1), "unit": "ms", "note": verdict}
        )
        ratio = round(p50 / plain, 2)
        rows.append({"name": f"{name} against no filter", "value": ratio, "unit": "times"})
        print(f"{name:32} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   {ratio:5.2f} times")
    return rows
