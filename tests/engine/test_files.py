from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput, StorageFull
from engine.files import atomic_write, open_regular, sha256_file, show_path


@given(st.binary(max_size=60))
def test_any_file_name_is_shown_as_clean_text(raw: bytes) -> None:
    show_path(raw).encode("utf-8")


def test_good_names_are_shown_as_they_are() -> None:
    assert show_path("zażółć 😀.txt".encode()) == "zażółć 😀.txt"
    assert show_path(os.fsdecode(b"latin1-\xe9")) == "latin1-\\xe9"


def test_atomic_write_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    atomic_write(target, b"one")
    atomic_write(target, b"two")
    assert target.read_bytes() == b"two"
    assert os.listdir(target.parent) == ["file"]


def test_a_full_disk_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file"
    atomic_write(target, b"old")

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        atomic_write(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_place_that_is_no_folder_is_said_plainly(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.mkdir()
    with pytest.raises(InvalidInput, match="could not be written"):
        atomic_write(target, b"x")


def test_hash_reads_regular_files_only(tmp_path: Path) -> None:
    plain, link, fifo = tmp_path / "plain", tmp_path / "link", tmp_path / "fifo"
    plain.write_bytes(b"x" * 3_000_000)
    link.symlink_to(plain)
    os.mkfifo(fifo)
    seen: list[int] = []
    assert sha256_file(plain, seen.append) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert seen[-1] == 3_000_000
    for path in (link, fifo, tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError):
            sha256_file(path)
    with open_regular(os.fsencode(plain)) as stream:
        assert stream.read(3) == b"xxx"
