"""The real scanner process: what it reads, what it survives, what it cannot do."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from engine.documents.scanner import FIRST_GUESS_S, ScanLimits, Scanner
from engine.documents.scans import page_text
from engine.errors import Cancelled, InvalidInput, WorkerCrashed
from engine.paths import Home, sample_dir
from engine.store.db import Store
from engine.work.jobs import CallbackJob
from engine.work.lease import CoreLease
from tests.engine.documents.scanned import SIGN, drawn, page_of_pdf, save_pdf, words_recovered

MOODY = [sys.executable, str(Path(__file__).with_name("moody_scanner.py"))]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    one = Store(Home(tmp_path_factory.mktemp("scanner")))
    yield one
    one.close()


@pytest.fixture(scope="module")
def scanner(store: Store) -> Iterator[Scanner]:
    one = Scanner(store, CoreLease(store.home))
    yield one
    one.close()


def read(scanner: Scanner, path: Path, number: int = 1) -> str:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return page_text(scanner.read_page(os.fsencode(path), sha256, number)).text


def test_a_printed_page_is_read_whole_and_in_order(scanner: Scanner, tmp_path: Path) -> None:
    image, text = page_of_pdf(sample_dir() / "station-handbook.pdf", 3, dpi=110)
    image.save(tmp_path / "page.png")
    found = read(scanner, tmp_path / "page.png")
    assert words_recovered(text, found) > 0.97
    assert "Nobody works alone on the cliffs, in a boat or after dark." in found
    assert found.index("4.1 The buddy rule") < found.index("4.2 Radio") < found.index("4.4")


def test_the_scanner_can_neither_reach_the_network_nor_start_programs(
    scanner: Scanner, tmp_path: Path
) -> None:
    drawn(SIGN).save(tmp_path / "sign.png")
    assert "red flag" in read(scanner, tmp_path / "sign.png")
    assert scanner.pid is not None
    if sys.platform == "linux":
        status = Path(f"/proc/{scanner.pid}/status").read_text()
        assert "Seccomp:\t2" in status
        limits = Path(f"/proc/{scanner.pid}/limits").read_text()
        assert "Max file size             0" in limits
    assert not psutil.Process(scanner.pid).net_connections()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_or_head_is_read(
    scanner: Scanner, tmp_path: Path, turn: int
) -> None:
    path = tmp_path / "sign.png"
    drawn(SIGN).rotate(turn, expand=True).save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    page = scanner.read_page(os.fsencode(path), sha256, 1)
    assert page_text(page).text.split() == SIGN.split()
    assert page.turns * 90 == 360 - turn
    x0, y0, x1, y1 = page.lines[0].box
    assert (x0, x1) == (pytest.approx(0.06, abs=0.03), pytest.approx(0.53, abs=0.06))
    assert (y0 + y1) / 2 == pytest.approx(0.2, abs=0.05)


def test_a_page_of_a_scanned_pdf_is_read(scanner: Scanner, tmp_path: Path) -> None:
    save_pdf(tmp_path / "scan.pdf", [drawn("First page"), drawn(SIGN)])
    assert read(scanner, tmp_path / "scan.pdf", 2).split() == SIGN.split()


def test_a_picture_without_text_has_no_lines(scanner: Scanner, tmp_path: Path) -> None:
    Image.effect_noise((400, 300), 60).save(tmp_path / "sand.png")
    assert read(scanner, tmp_path / "sand.png") == ""


def test_a_damaged_page_says_so_and_the_next_is_read(scanner: Scanner, tmp_path: Path) -> None:
    save_pdf(tmp_path / "scan.pdf", [drawn("A page")])
    path, data = tmp_path / "broken.jpg", b"\xff\xd8\xff\xe0" + b"rubbish" * 99
    path.write_bytes(data)
    page = scanner.read_page(os.fsencode(path), hashlib.sha256(data).hexdigest(), 1)
    assert page.lines == ()
    assert "not a picture" in page.note
    assert read(scanner, tmp_path / "scan.pdf") == "A page"


def test_a_file_that_changed_is_not_read(scanner: Scanner, tmp_path: Path) -> None:
    drawn(SIGN).save(tmp_path / "sign.png")
    with pytest.raises(InvalidInput, match="changed"):
        scanner.read_page(os.fsencode(tmp_path / "sign.png"), "0" * 64, 1)
    with pytest.raises(InvalidInput, match="not there"):
        scanner.read_page(os.fsencode(tmp_path / "gone.png"), "1" * 64, 1)


def test_a_page_teaches_what_a_page_costs(scanner: Scanner, tmp_path: Path) -> None:
    drawn(SIGN).save(tmp_path / "sign.png")
    read(scanner, tmp_path / "sign.png")
    assert 0 < scanner.page_seconds() != FIRST_GUESS_S


def test_a_cancel_is_heeded_between_two_steps(scanner: Scanner, tmp_path: Path) -> None:
    drawn(SIGN).save(tmp_path / "sign.png")
    sha256 = hashlib.sha256((tmp_path / "sign.png").read_bytes()).hexdigest()
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        scanner.read_page(os.fsencode(tmp_path / "sign.png"), sha256, 1, job)
    assert "red flag" in read(scanner, tmp_path / "sign.png")


@pytest.fixture
def moody(store: Store) -> Iterator[tuple[Scanner, list[WorkerCrashed]]]:
    """A scanner that does what the file's name says."""
    deaths: list[WorkerCrashed] = []
    limits = ScanLimits(step_s=4.0, page_s=1.0, memory_bytes=300 << 20)
    one = Scanner(store, CoreLease(store.home), deaths.append, limits, MOODY)
    yield one, deaths
    one.close()


@pytest.mark.parametrize(
    ("name", "note", "died"),
    [
        ("dies.png", "ended the scanner twice", 2),
        ("hangs.png", "took too long", 1),
        ("swells.png", "more memory", 1),
        ("rubbish.png", "ended the scanner twice", 0),
    ],
)
def test_what_a_page_can_do_to_the_scanner(
    moody: tuple[Scanner, list[WorkerCrashed]], name: str, note: str, died: int
) -> None:
    scanner, deaths = moody
    assert note in scanner.read_page(os.fsencode(name), "0", 1).note
    assert len(deaths) == died
    assert scanner.read_page(b"fine.png", "0", 1).lines[0].text == "fine"


def test_an_endless_page_is_kept_as_far_as_it_was_read(
    moody: tuple[Scanner, list[WorkerCrashed]],
) -> None:
    scanner, _ = moody
    assert scanner.read_page(b"endless.png", "0", 1).lines[0].text == "so far"
