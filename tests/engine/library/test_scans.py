"""Scanned pages in real runs, with a real scanner: order, cost, keeping, choices, stops."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from engine.documents.pool import ReaderPool
from engine.documents.scanner import Scanner
from engine.documents.scans import Scan, ScanPage, load_scan, store_scan
from engine.errors import Cancelled, ModelUnavailable
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.library.scans import duration_words, scan_words
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.settings import Settings, save_settings
from engine.store.db import Store
from engine.work.api import FilesSpec, IndexSpec, RetrySpec, SearchSpec
from engine.work.jobs import NULL_JOB, CallbackJob, Job
from engine.work.lease import CoreLease
from tests.engine.documents.scanned import SIGN, drawn, save_pdf


class CountingScanner(Scanner):
    """The real scanner, which also notes the pages it was asked for."""

    asked: list[tuple[str, int]]
    before: Callable[[], None]

    def read_page(self, path: bytes, sha256: str, number: int, job: Job = NULL_JOB) -> ScanPage:
        self.before()
        page = super().read_page(path, sha256, number, job)
        self.asked.append((Path(path.decode()).name, number))
        return page


@pytest.fixture(scope="module")
def shared_scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountingScanner]:
    store = Store(Home(tmp_path_factory.mktemp("scanner")))
    one = CountingScanner(store, CoreLease(store.home))
    yield one
    one.close()
    store.close()


@pytest.fixture
def scanner(shared_scanner: CountingScanner) -> CountingScanner:
    shared_scanner.asked = []
    shared_scanner.before = lambda: None
    return shared_scanner


@pytest.fixture(scope="module")
def scan_readers(
    starter: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReaderPool]:
    pool = ReaderPool(starter_embedder().tokenizer, scans=tmp_path_factory.mktemp("shared"))
    yield pool
    pool.close()


@pytest.fixture
def libraries(
    home: Home, embedder: Embedder, scan_readers: ReaderPool, scanner: CountingScanner
) -> Iterator[Libraries]:
    store = Store(home)
    scan_readers._scans = home.scans
    one = Libraries(home, store, scan_readers, embedder, CoreLease(home), scanner)
    yield one
    one.close()
    store.close()


def rows(libraries: Libraries) -> dict[str, tuple[str, str, int]]:
    page = libraries.files(FilesSpec(library="papers"))
    return {row.name: (row.state, row.reason, row.scan_pages) for row in page.rows}


def found(libraries: Libraries, words: str) -> list[str]:
    hits = libraries.search(SearchSpec(query=words, library="papers")).passages
    return [Path(hit.path).name for hit in hits if words.split()[0] in hit.text]


def test_pictures_are_read_after_all_other_files_and_only_once(
    libraries: Libraries, scanner: CountingScanner, folder: Path, home: Home
) -> None:
    drawn(SIGN).save(folder / "sign.png")
    drawn(SIGN).save(folder / "again.png")
    (folder / "note.txt").write_text("Zebras graze here.")
    Image.new("RGB", (32, 32)).save(folder / "icon.png")
    Image.new("RGB", (400, 300), "navy").save(folder / "sea.png")
    states: list[str] = []
    waiting: list[str] = []

    def look() -> None:
        seen = rows(libraries)
        states.append(seen["note.txt"][0])
        waiting.append(seen["sign.png"][0])

    scanner.before = look

    counts = libraries.index(IndexSpec(folder=str(folder), library="papers")).files
    assert (counts.indexed, counts.duplicates, counts.unchanged) == (3, 1, 0)
    assert {Path(skip.path).name: skip.reason for skip in counts.skipped} == {
        "icon.png": "A small picture of 32 × 32 pixels; it was not searched for text.",
        "sea.png": "No text was found in this picture.",
    }
    assert set(states) <= {"read", "indexed"}
    assert waiting[0] == "waiting"
    assert len(scanner.asked) == 2  # the duplicate's page was read once
    assert sorted(found(libraries, "bridges")) in (["again.png"], ["sign.png"])

    # Nothing is read twice: not by another run, not by a rebuild, not where a file went.
    (folder / "sign.png").rename(folder / "moved.png")
    assert libraries.index(IndexSpec(folder=str(folder), library="papers")).files.indexed == 1
    libraries.reindex("papers")
    assert len(scanner.asked) == 2
    sha256 = hashlib.sha256((folder / "moved.png").read_bytes()).hexdigest()
    assert len(load_scan(home.scans / f"{sha256}.json").pages[1].lines) == 3


def test_a_scan_over_the_cost_is_left_with_its_cost_until_asked_for(
    libraries: Libraries, scanner: CountingScanner, folder: Path, home: Home
) -> None:
    save_settings(home, Settings(scan_seconds_per_file=0))
    save_pdf(folder / "scan.pdf", [drawn("First leaf"), drawn("Second leaf")])
    counts = libraries.index(IndexSpec(folder=str(folder), library="papers")).files
    (skipped,) = counts.skipped
    assert skipped.reason.startswith("A scan of 2 pages. Reading it takes about ")
    assert skipped.reason.endswith("Choose “Read the scanned pages” to have it read.")
    (row,) = libraries.files(FilesSpec(library="papers")).rows
    assert (row.state, row.kind, row.pages, row.scan_pages) == ("skipped", "PDF", 2, 2)
    assert row.scan_seconds == pytest.approx(2 * scanner.page_seconds(), abs=0.1)
    assert scanner.asked == []

    spec = RetrySpec(library="papers", file_ids=[row.file_id], scans="all")
    assert libraries.retry(spec).files.indexed == 1
    assert scanner.asked == [("scan.pdf", 1), ("scan.pdf", 2)]
    assert rows(libraries)["scan.pdf"] == ("indexed", "", 0)
    assert found(libraries, "Second leaf") == ["scan.pdf"]


def test_the_choice_of_a_run_goes_before_the_settings(
    libraries: Libraries, scanner: CountingScanner, folder: Path
) -> None:
    drawn("Lighthouse").save(folder / "a.png")
    spec = IndexSpec(folder=str(folder), library="papers", scans="none")
    (skipped,) = libraries.index(spec).files.skipped
    assert "A picture." in skipped.reason
    assert scanner.asked == []
    report = libraries.index(spec.model_copy(update={"scans": "all"}))
    assert (report.files.indexed, report.files.skipped) == (1, [])
    assert found(libraries, "Lighthouse") == ["a.png"]


def test_a_mixed_pdf_is_found_by_its_text_pages_before_its_scans_are_read(
    libraries: Libraries, scanner: CountingScanner, folder: Path
) -> None:
    from tests.engine.documents.readers.test_pdf import (
        SCANNED,
        jpeg_object,
        lines_of_text,
        pdf_of,
    )

    data = pdf_of(
        lines_of_text("Printed words about walruses on the first page."),
        SCANNED,
        images={1: jpeg_object(drawn("Narwhal", (420, 595)))},
    )
    (folder / "mixed.pdf").write_bytes(data)
    early: list[list[str]] = []
    scanner.before = lambda: early.append(found(libraries, "walruses"))
    counts = libraries.index(IndexSpec(folder=str(folder), library="papers")).files
    assert (counts.indexed, counts.skipped) == (1, [])
    assert early == [["mixed.pdf"]]
    assert scanner.asked == [("mixed.pdf", 2)]
    assert found(libraries, "walruses") == ["mixed.pdf"]
    assert found(libraries, "Narwhal") == ["mixed.pdf"]
    assert rows(libraries)["mixed.pdf"] == ("indexed", "", 0)


def test_a_stop_loses_no_page_that_was_read(
    libraries: Libraries, scanner: CountingScanner, folder: Path, home: Home
) -> None:
    leaves = ["Leaf one", "Leaf two", "Leaf three"]
    save_pdf(folder / "scan.pdf", [drawn(leaf) for leaf in leaves])
    job = CallbackJob()

    def stop_at_the_second() -> None:
        if scanner.asked:
            job.cancel()

    scanner.before = stop_at_the_second
    spec = IndexSpec(folder=str(folder), library="papers", scans="all")
    with pytest.raises(Cancelled):
        libraries.index(spec, job)
    assert rows(libraries)["scan.pdf"][0] == "waiting"
    (kept,) = home.scans.iterdir()
    assert list(json.loads(kept.read_text())["pages"]) == ["1"]

    scanner.before = lambda: None
    counts = libraries.index(spec).files
    assert (counts.indexed, counts.skipped) == (1, [])
    assert [number for _, number in scanner.asked] == [1, 2, 3]
    assert found(libraries, "three") == ["scan.pdf"]


def test_a_kill_loses_at_most_the_page_in_work(
    libraries: Libraries, scanner: CountingScanner, folder: Path, home: Home
) -> None:
    save_pdf(folder / "scan.pdf", [drawn(f"Chapter {n}") for n in ("one", "two", "three")])
    command = [sys.executable, "-m", "engine.cli.main", "index", str(folder)]
    command += ["--library", "papers", "--scans", "all"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 120
        while not (kept := list(home.scans.glob("*.json"))) and run.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        run.kill()
    before = load_scan(kept[0]).pages
    assert 1 in before
    assert "one" in before[1].lines[0].text

    spec = IndexSpec(folder=str(folder), library="papers", scans="all")
    counts = libraries.index(spec).files
    assert counts.indexed + counts.unchanged == 1
    assert [number for _, number in scanner.asked] == [n for n in (1, 2, 3) if n not in before]
    assert found(libraries, "three") == ["scan.pdf"]


def test_a_page_that_failed_is_tried_again_when_asked(
    libraries: Libraries, scanner: CountingScanner, folder: Path, home: Home
) -> None:
    drawn("Lantern").save(folder / "a.png")
    sha256 = hashlib.sha256((folder / "a.png").read_bytes()).hexdigest()
    failed = ScanPage(note="A page took too long to read.")
    store_scan(home.scans / f"{sha256}.json", Scan({1: failed}))
    (skipped,) = libraries.index(IndexSpec(folder=str(folder), library="papers")).files.skipped
    assert skipped.reason == "A page took too long to read."
    assert scanner.asked == []
    (row,) = libraries.files(FilesSpec(library="papers")).rows
    libraries.retry(RetrySpec(library="papers", file_ids=[row.file_id]))
    assert scanner.asked == [("a.png", 1)]
    assert found(libraries, "Lantern") == ["a.png"]


def test_without_its_models_the_rest_is_indexed_and_the_reason_said(
    libraries: Libraries, scanner: CountingScanner, folder: Path
) -> None:
    drawn(SIGN).save(folder / "sign.png")
    (folder / "note.txt").write_text("Zebras graze here.")

    def missing() -> None:
        raise ModelUnavailable("The models that read scanned pages are missing.")

    scanner.before = missing
    counts = libraries.index(IndexSpec(folder=str(folder), library="papers")).files
    assert counts.indexed == 1
    assert [skip.reason for skip in counts.skipped] == [
        "The models that read scanned pages are missing."
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about a second"), (45, "about 45 seconds"), (240, "about 4 minutes")],
)
def test_how_long_it_takes_is_said_for_a_person(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
    assert scan_words("PDF", 1) == "A scan of one page."
    assert scan_words("Picture", 3) == "A picture of 3 pages."
