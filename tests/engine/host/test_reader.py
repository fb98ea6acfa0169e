"""The reader as it really runs: a process that reads and shows, whatever it is given."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from engine.documents.pool import ReaderPool, ReadLimits
from engine.documents.scans import Scan, ScanLine, ScanPage, store_scan
from engine.errors import UnreadableDocument
from engine.models.embedders import starter_embedder
from engine.paths import sample_dir
from engine.work.children import Worker
from tests.engine.documents.scanned import SIGN, drawn

TOKENIZER = starter_embedder().tokenizer
HANDBOOK = sample_dir() / "station-handbook.pdf"


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scans")


@pytest.fixture(scope="module")
def pool(scans: Path) -> Iterator[ReaderPool]:
    one = ReaderPool(TOKENIZER, size=1, scans=scans)
    yield one
    one.close()


def test_it_reads_and_shows_the_same_place(pool: ReaderPool) -> None:
    path = os.fsencode(HANDBOOK)
    passage = next(p for p in pool.read(path).passages if "Helmets are worn" in p.text)
    shown = pool.view(path, passage.start, passage.end, None, 400)
    assert (shown["kind"], shown["page"]) == ("page", passage.page)
    assert shown["boxes"]


def test_a_picture_waits_until_ocr_has_seen_it(
    pool: ReaderPool, scans: Path, tmp_path: Path
) -> None:
    drawn(SIGN).save(tmp_path / "sign.png")
    path = os.fsencode(tmp_path / "sign.png")
    sha256 = hashlib.sha256((tmp_path / "sign.png").read_bytes()).hexdigest()
    waiting = pool.read(path, sha256=sha256)
    assert (waiting.unread, waiting.passages) == ([1], [])

    page = ScanPage((ScanLine("Bathing is forbidden", (0.1, 0.1, 0.5, 0.2)),))
    store_scan(scans / f"{sha256}.json", Scan({1: page}))
    read = pool.read(path, sha256=sha256)
    assert [passage.text for passage in read.passages] == ["Bathing is forbidden"]
    assert read.unread == []
    shown = pool.view(path, 0, 7, None, 400, sha256=sha256)
    assert len(shown["boxes"]) == 1


def test_a_large_picture_is_shown_small(pool: ReaderPool, tmp_path: Path) -> None:
    Image.new("1", (7_000, 5_000), 1).save(tmp_path / "plan.png")
    shown = pool.view(os.fsencode(tmp_path / "plan.png"), 0, 0, None, 300)
    assert (shown["kind"], shown["pages"]) == ("page", 1)
    assert len(shown["png_base64"]) < 100_000


def test_memory_is_watched_while_a_file_is_read() -> None:
    """Where the system keeps no limit for the reader, the host does."""
    limits = ReadLimits(memory_bytes=1 << 20)
    small = ReaderPool(TOKENIZER, size=1, limits=limits)
    try:
        with pytest.raises(UnreadableDocument, match="more memory than is allowed"):
            small.read(os.fsencode(HANDBOOK))
    finally:
        small.close()


def test_it_gives_up_what_reading_does_not_need() -> None:
    worker = Worker("reader", "The reader")
    try:
        worker.call("hello", {"tokenizer": str(TOKENIZER)}, timeout_s=60)
        pid = worker.pid
        assert pid is not None
        if sys.platform == "linux":
            assert "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert "Max file size             0" in limits
        assert not psutil.Process(pid).net_connections()
    finally:
        worker.close()


@pytest.mark.parametrize("name", ["bad.pdf", "bad.png", "bad.docx"])
def test_rubbish_is_a_reason_for_reading_and_for_showing(
    pool: ReaderPool, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x00\xff" * 5_000)
    for use in (pool.read, lambda at: pool.view(at, 0, 5, None, 300)):
        with pytest.raises(UnreadableDocument):
            use(os.fsencode(path))
