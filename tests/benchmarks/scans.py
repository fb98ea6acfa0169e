"""OCR of pages rendered from real PDFs, against the PDFs' own text: words, order, cost.

Each page is drawn at 150 dots an inch, as office scanners do, saved as a JPEG, and read by the
real scanner process. `words` is the share of the page's words that were found; `pairs` the
share of its pairs of neighbouring words, which falls when columns or lines are read in the
wrong order. Seconds a page come with one core and with all this machine's.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from engine import hardware
from engine.documents.readers.pdf import read_pdf
from engine.documents.scanner import Scanner
from engine.documents.scans import page_text
from engine.paths import Home
from engine.store.db import Store
from engine.work.lease import CoreLease
from tests.benchmarks.corpus import QA
from tests.engine.documents.scanned import page_of_pdf

PAGES = [
    ("pdfminer/issue-1061-colour-space-stack.pdf", 1),
    ("pdfminer/issue-1061-colour-space-stack.pdf", 3),
    ("pdfminer/issue-00352-asw-oct96-p41.pdf", 1),
    ("pypdf-samples/multicolumn.pdf", 1),
    ("pypdf-samples/pdflatex-4-pages.pdf", 2),
    ("pypdf-samples/GeoTopo-komprimiert.pdf", 9),
    ("pypdf-resources/outline-without-title.pdf", 2),
    ("pypdf-samples/crazyones-pdfa.pdf", 1),
]
DOTS_PER_INCH = 150
STRESS = QA.parent / "stress" / "pdf"


def main() -> list[dict[str, Any]]:
    """Rows of figures."""
    with tempfile.TemporaryDirectory() as temporary:
        pages = [prepared(Path(temporary), name, number) for name, number in PAGES]
        cores = hardware.cpu().cores
        one = measured(Path(temporary) / "one", pages, 1)
        every = measured(Path(temporary) / "all", pages, cores) if cores > 1 else one
    words = share(pages, one["texts"], 1)
    pairs = share(pages, one["texts"], 2)
    return [
        row("pages of real PDFs, rendered", len(pages), "pages"),
        row("words found", round(words, 4), "of the PDFs' own"),
        row("pairs of words found in order", round(pairs, 4), "of the PDFs' own"),
        row("seconds a page, one core", round(one["seconds"], 2), "s"),
        row(f"seconds a page, {cores} cores", round(every["seconds"], 2), "s"),
        row("gain of all cores", round(one["seconds"] / every["seconds"], 2), "times"),
        row("words a second, all cores", round(every["rate"], 1), "words/s"),
        row("memory of the scanner, peak", round(every["peak"] / 2**20), "MB"),
    ]


def row(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit}


def prepared(folder: Path, name: str, number: int) -> tuple[Path, str]:
    """A page as a JPEG, and its text as the PDF has it, words whole."""
    source = STRESS / name
    image, _ = page_of_pdf(source, number, DOTS_PER_INCH)
    path = folder / f"{source.stem}-{number}.jpg"
    image.save(path, quality=85)
    document = read_pdf(source.read_bytes(), source.name)
    page = document.pages[number - 1]
    return path, document.text[page.start : page.end]


def measured(home: Path, pages: list[tuple[Path, str]], cores: int) -> dict[str, Any]:
    """Texts of all pages, seconds a page and the scanner's peak of memory."""
    store = Store(Home(home))
    scanner = Scanner(store, CoreLease(store.home, cores))
    try:
        read(scanner, pages[-1][0])  # loads the models
        peak = Peak(scanner.pid)
        start = time.perf_counter()
        texts = [read(scanner, path) for path, _ in pages]
        seconds = time.perf_counter() - start
        words = sum(len(text.split()) for text in texts)
        return {
            "texts": texts,
            "seconds": seconds / len(pages),
            "rate": words / seconds,
            "peak": peak.stop(),
        }
    finally:
        scanner.close()
        store.close()


def read(scanner: Scanner, path: Path) -> str:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return page_text(scanner.read_page(os.fsencode(path), sha256, 1)).text


class Peak:
    """The largest resident memory of a process, looked at twenty times a second."""

    def __init__(self, pid: int | None) -> None:
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._bytes = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self._bytes = max(self._bytes, self._process.memory_info().rss)

    def stop(self) -> int:
        """The peak so far, in bytes."""
        self._ended.set()
        self._thread.join()
        return self._bytes


def share(pages: list[tuple[Path, str]], texts: list[str], length: int) -> float:
    """The share of all runs of `length` words of the PDFs' text that OCR found too."""
    wanted: Counter[tuple[str, ...]] = Counter()
    got: Counter[tuple[str, ...]] = Counter()
    for (_, text), found in zip(pages, texts, strict=True):
        wanted_here, got_here = Counter(runs(text, length)), Counter(runs(found, length))
        wanted += wanted_here
        got += wanted_here & got_here
    return sum(got.values()) / max(1, sum(wanted.values()))


def runs(text: str, length: int) -> list[tuple[str, ...]]:
    words = re.findall(r"[^\W_]{2,}", text.lower())
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
