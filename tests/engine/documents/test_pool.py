"""The pool over real reader processes: limits, deaths, and what becomes of the file."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.documents.pool import ReaderPool, ReadLimits
from engine.errors import UnreadableDocument, WorkerCrashed
from engine.paths import sample_dir, starter_dir

TOKENIZER = starter_dir() / "all-MiniLM-L6-v2" / "tokenizer.json"
MOODY = [sys.executable, str(Path(__file__).with_name("moody_reader.py"))]


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    one = ReaderPool(TOKENIZER, size=1)
    yield one
    one.close()


@pytest.fixture
def moody(tmp_path: Path) -> Iterator[tuple[ReaderPool, list[WorkerCrashed], Path]]:
    """A pool whose reader does what the file's name says."""
    deaths: list[WorkerCrashed] = []
    one = ReaderPool(
        TOKENIZER,
        size=1,
        limits=ReadLimits(time_s=1.0),
        on_death=deaths.append,
        quarantine=tmp_path / "quarantine",
        command=MOODY,
    )
    yield one, deaths, tmp_path / "quarantine"
    one.close()


def test_a_file_becomes_passages(pool: ReaderPool) -> None:
    read = pool.read(os.fsencode(sample_dir() / "station-handbook.pdf"))
    assert (read.title, read.kind, read.pages) == ("Station handbook", "PDF", 4)
    assert [passage.ordinal for passage in read.passages] == list(range(len(read.passages)))
    assert {passage.page for passage in read.passages} == {1, 2, 3, 4}


def test_a_name_that_is_not_utf8_is_read(pool: ReaderPool, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/latin1-\xe9\xff.txt"
    with open(path, "wb") as stream:
        stream.write(b"ZEBRA-BYTES")
    assert pool.read(path).passages[0].text == "ZEBRA-BYTES"


def test_links_pipes_and_folders_are_never_opened(pool: ReaderPool, tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.txt")
    started = time.monotonic()
    for name in ("link.txt", "pipe.txt", ".", "missing.txt"):
        with pytest.raises(UnreadableDocument):
            pool.read(os.fsencode(tmp_path / name))
    assert time.monotonic() - started < 10


def test_a_memory_bomb_is_a_reason_and_the_next_file_is_read(
    pool: ReaderPool, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb.pdf"
    stream = zlib.compress(b" " * (500 << 20), 9)
    bomb.write_bytes(
        b"%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>\nendobj\n"
        b"4 0 obj\n<</Length %d/Filter/FlateDecode>>stream\n"
        % len(stream)
        + stream
        + b"\nendstream\nendobj\ntrailer<</Root 1 0 R>>\n%EOF"
    )
    with pytest.raises(UnreadableDocument) as caught:
        pool.read(os.fsencode(bomb))
    assert caught.value.message.endswith(".")
    good = tmp_path / "good.txt"
    good.write_text("still reading")
    assert pool.read(os.fsencode(good)).passages


def test_a_file_that_kills_two_readers_is_left_alone_and_remembered(
    moody: tuple[ReaderPool, list[WorkerCrashed], Path],
) -> None:
    pool, deaths, quarantine = moody
    with pytest.raises(UnreadableDocument, match="ended the reader twice"):
        pool.read(b"/docs/die.txt")
    assert len(deaths) == 2
    (record,) = quarantine.glob("*.json")
    assert json.loads(record.read_text())["path"] == "/docs/die.txt"
    assert pool.read(b"/docs/fine.txt").title == "fine"


def test_a_hang_ends_at_the_limit_and_is_not_tried_again(
    moody: tuple[ReaderPool, list[WorkerCrashed], Path],
) -> None:
    pool, deaths, _ = moody
    with pytest.raises(UnreadableDocument, match="longer than 1 seconds"):
        pool.read(b"/docs/hang.txt")
    assert len(deaths) == 1
    assert pool.read(b"/docs/fine.txt").title == "fine"


def test_rubbish_on_stdout_ends_the_reader_not_the_host(
    moody: tuple[ReaderPool, list[WorkerCrashed], Path],
) -> None:
    pool, deaths, _ = moody
    with pytest.raises(UnreadableDocument):
        pool.read(b"/docs/rubbish.txt")
    assert "not a JSON-RPC message" in deaths[0].details
    assert pool.read(b"/docs/fine.txt").title == "fine"


def test_a_reader_killed_from_outside_costs_nothing(pool: ReaderPool, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    large.write_text("The tide gauge reads well today. " * 60_000)
    victim = pool._slots[0].worker
    pool.read(os.fsencode(sample_dir() / "equipment.md"))

    def kill() -> None:
        pid = victim.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    threading.Timer(0.1, kill).start()
    assert len(pool.read(os.fsencode(large)).passages) > 1000


def test_the_viewer_shows_the_place(pool: ReaderPool) -> None:
    handbook = os.fsencode(sample_dir() / "station-handbook.pdf")
    passage = pool.read(handbook).passages[-1]
    shown = pool.view(handbook, passage.start, passage.end, None, 600)
    assert (shown["kind"], shown["page"], shown["pages"]) == ("page", passage.page, 4)
    assert shown["boxes"]
    assert all(0 <= box["x0"] < box["x1"] <= 1 for box in shown["boxes"])
    other = pool.view(handbook, passage.start, passage.end, 1, 600)
    assert (other["page"], other["boxes"]) == (1, [])
    notes = os.fsencode(sample_dir() / "equipment.md")
    passage = pool.read(notes).passages[1]
    shown = pool.view(notes, passage.start, passage.end, None, 600)
    assert shown["text"][shown["mark_start"] : shown["mark_end"]] == passage.text
