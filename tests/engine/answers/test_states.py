"""Kept states: found again, within their limits, never wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.answers.states import SUFFIX, PassageStates, clear, size_bytes, state_key, trim

MB = 1 << 20


def stored(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob(f"*{SUFFIX}")}


def test_a_state_is_found_again_by_another_process(tmp_path: Path) -> None:
    first = PassageStates(tmp_path, MB)
    first.put("one", b"x" * 1000)
    assert first.get("one") == b"x" * 1000
    first.flush()
    assert PassageStates(tmp_path, MB).get("one") == b"x" * 1000
    assert PassageStates(tmp_path, MB).has("one")
    assert PassageStates(tmp_path, MB).get("two") is None


def test_without_a_folder_or_a_limit_nothing_is_written(tmp_path: Path) -> None:
    for states in (PassageStates(None, MB), PassageStates(tmp_path, 0)):
        states.put("one", b"abc")
        states.flush()
        assert states.get("one") == b"abc"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "longer", "header"])
def test_a_damaged_state_is_missing_and_goes_away(tmp_path: Path, damage: str) -> None:
    states = PassageStates(tmp_path, MB)
    states.put("one", bytes(range(256)) * 10)
    states.flush()
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    data = path.read_bytes()
    broken = {
        "cut": data[:-1],
        "flip": data[:100] + bytes([data[100] ^ 1]) + data[101:],
        "empty": b"",
        "longer": data + b"x",
        "header": b"\0" + data[1:],
    }[damage]
    path.write_bytes(broken)
    fresh = PassageStates(tmp_path, MB)
    assert fresh.get("one") is None
    assert not path.exists()
    fresh.put("one", b"anew")
    fresh.flush()
    assert PassageStates(tmp_path, MB).get("one") == b"anew"


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    states = PassageStates(tmp_path, 10_000, memory_bytes=8)
    for number, key in enumerate("abc"):
        states.put(key, bytes(2400))
        states.flush()
        os.utime(tmp_path / f"{key}{SUFFIX}", (number, number))
    assert states.get("a") is not None  # used now
    states.put("d", bytes(2400))
    states.flush()
    assert stored(tmp_path) == {"a", "c", "d"} or stored(tmp_path) == {"a", "b", "c", "d"}
    states.put("e", bytes(2400))
    states.flush()
    assert stored(tmp_path) == {"a", "d", "e", "c"}
    assert size_bytes(tmp_path) <= 10_000
    clear(tmp_path)
    assert size_bytes(tmp_path) == 0


def test_memory_keeps_to_its_limit_and_the_disk_helps_out(tmp_path: Path) -> None:
    states = PassageStates(tmp_path, MB, memory_bytes=1000)
    for key in "abcdefgh":
        states.put(key, key.encode() * 200)
    states.flush()
    assert states._in_memory <= 1000  # pyright: ignore[reportPrivateUsage]
    assert states.get("a") == b"a" * 200
    states.forget()
    assert states._in_memory == 0  # pyright: ignore[reportPrivateUsage]
    assert states.get("h") == b"h" * 200


def test_a_state_that_would_push_out_all_others_is_not_kept(tmp_path: Path) -> None:
    states = PassageStates(tmp_path, 4000, memory_bytes=1000)
    states.put("huge", bytes(3900))
    states.flush()
    assert states.get("huge") is None


def test_what_a_killed_process_left_half_written_goes(tmp_path: Path) -> None:
    left = tmp_path / f".one{SUFFIX}.abc.tmp"
    left.write_bytes(b"half")
    trim(tmp_path, MB)
    assert left.exists()  # perhaps somebody writes it now
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))
    trim(tmp_path, MB)
    assert not left.exists()


def test_a_folder_that_cannot_be_written_costs_only_the_state(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    states = PassageStates(tmp_path / "file" / "states", MB)
    states.put("one", b"abc")
    states.flush()
    assert states.get("one") == b"abc"
    assert "passage state not kept" in capfd.readouterr().err


@given(st.lists(st.integers(0, 2**31 - 1)), st.lists(st.integers(0, 2**31 - 1)), st.text())
def test_keys_differ_where_anything_differs(one: list[int], two: list[int], who: str) -> None:
    assert (state_key(who, one) == state_key(who, two)) == (one == two)
    assert state_key(who, one) != state_key(who + " adapter", one)


def test_what_is_of_use_for_a_while_stays_in_memory_until_it_is_dropped(tmp_path: Path) -> None:
    states = PassageStates(tmp_path, MB)
    states.put("one", b"x" * 100, brief=True)
    states.put("two", b"y" * 100, brief=True)
    states.flush()
    assert list(tmp_path.iterdir()) == []
    states.drop("one")
    states.drop("never there")
    assert states.in_memory() == ["two"]
    assert states.get("one") is None
    assert states.get("two") == b"y" * 100
