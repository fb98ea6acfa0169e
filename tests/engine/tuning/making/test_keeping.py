"""Steps are kept through a kill, thrown away with another mark, and made by one at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LibraryBusy
from engine.paths import Home
from engine.tuning.making.keeping import Kept, forget_library, kept_for

MARK = {"version": 1, "model": "m"}


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 400), steps=st.integers(0, 5))
def test_a_kill_at_any_byte_loses_the_last_step_alone(
    tmp_path_factory: pytest.TempPathFactory, cut: int, steps: int
) -> None:
    path = tmp_path_factory.mktemp("kept") / "k.jsonl"
    one = Kept(path, MARK)
    sizes = [path.stat().st_size]
    for n in range(steps):
        one.add(f"s{n}", {"gave": "é" * n})
        sizes.append(path.stat().st_size)
    data = path.read_bytes()[:cut]
    path.write_bytes(data)
    again = Kept(path, MARK)
    whole = max(0, sum(size <= len(data) for size in sizes) - 1)
    assert [again.get(f"s{n}") is not None for n in range(steps)] == [
        n < whole for n in range(steps)
    ]
    again.add("more", {"gave": 1})
    assert Kept(path, MARK).get("more") == {"step": "more", "gave": 1}


def test_another_mark_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    Kept(path, MARK).add("s", {})
    assert Kept(path, {**MARK, "model": "other"}).get("s") is None
    assert Kept(path, MARK).get("s") is None


def test_one_at_a_time_and_gone_with_the_library(home: Home) -> None:
    with kept_for(home, "lib", "key", MARK) as kept:
        kept.add("s", {})
        with pytest.raises(LibraryBusy), kept_for(home, "lib", "key", MARK):
            pass
        with kept_for(home, "other", "key", MARK) as other:
            other.add("s", {})
    with kept_for(home, "lib", "key", MARK) as kept:
        assert kept.get("s") is not None
    forget_library(home, "lib")
    with kept_for(home, "lib", "key", MARK) as kept:
        assert kept.get("s") is None
        kept.remove()
    with kept_for(home, "other", "key", MARK) as kept:
        assert kept.get("s") is not None
