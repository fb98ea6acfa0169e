"""What a look finds: order of reading, what is gone, and what only cannot be reached."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.library.looking import Looking, reading_order
from engine.library.reading import Candidate
from engine.paths import Home
from engine.store.db import Store
from engine.store.ledger import Ledger, ReadContent, SeenFile


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    store = Store(home)
    yield Ledger(store)
    store.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = Path(os.path.realpath(tmp_path)) / "root"
    root.mkdir()
    return root


@pytest.fixture
def library(ledger: Ledger, root: Path) -> str:
    library = ledger.create("notes", "e", 1, 1).library_id
    ledger.add_root(library, os.fsencode(root))
    return library


def look(ledger: Ledger, library: str, *paths: Path):
    looking = Looking(library, ledger, b"")
    roots = ledger.roots(library)
    if paths:
        return looking.at_paths(roots, [os.fsencode(path) for path in paths])
    return looking.at_roots(roots)


def hold(ledger: Ledger, library: str) -> None:
    """As if everything that waits had been read."""
    for number, (path, known) in enumerate(ledger.known_files(library).items()):
        about = os.lstat(path)
        [content] = ledger.open_contents(library, [f"{number}-{known.file_id}"])
        seen = SeenFile(path, about.st_size, about.st_mtime_ns)
        ledger.commit_read(library, [ReadContent(content, (seen,), kind="Text")])


def names(look) -> list[str]:
    return [os.path.basename(os.fsdecode(c.seen.path)) for c in look.candidates]


def test_small_files_go_first_and_the_newest_of_a_size(
    ledger: Ledger, library: str, root: Path
) -> None:
    made = [("old.txt", 10, 1), ("new.txt", 900, 9), ("large.txt", 80_000, 10)]
    made += [("larger.txt", 2_000_000, 20), ("middle.txt", 50_000, 5)]
    random.Random(4).shuffle(made)
    for name, size, time_s in made:
        (root / name).write_bytes(b"x" * size)
        os.utime(root / name, (time_s, time_s))
    found = look(ledger, library)
    assert names(found) == ["new.txt", "middle.txt", "old.txt", "large.txt", "larger.txt"]
    sizes = [reading_order(Candidate(SeenFile(b"/x", size, 0), None))[0] for _, size, _ in made]
    assert set(sizes) == {0, 1, 2}


def test_only_what_changed_is_looked_into(ledger: Ledger, library: str, root: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (root / name).write_text(name)
    look(ledger, library)
    hold(ledger, library)
    (root / "b.txt").write_text("changed")
    (root / "c.txt").unlink()
    found = look(ledger, library)
    assert names(found) == ["b.txt"]
    assert [os.path.basename(gone.path) for gone in found.gone] == [b"c.txt"]
    assert found.unchanged == 1
    assert not found.lost


def test_a_path_that_is_named_is_looked_into_whatever_its_time(
    ledger: Ledger, library: str, root: Path
) -> None:
    (root / "sub").mkdir()
    for name in ("a.txt", "sub/b.txt", "sub/c.txt"):
        (root / name).write_text(name)
    look(ledger, library)
    hold(ledger, library)
    assert names(look(ledger, library, root / "a.txt")) == ["a.txt"]
    assert names(look(ledger, library, root / "sub")) == []  # a folder: only what differs
    (root / "sub").rename(root / "ren")
    found = look(ledger, library, root / "sub", root / "ren", root / "ren" / "b.txt")
    assert sorted(names(found)) == ["b.txt", "c.txt"]
    assert len(found.gone) == 2
    (root / "a.txt").unlink()
    (root / "a.txt").mkdir()
    (root / "a.txt" / "in.txt").write_text("a folder where a file was")
    found = look(ledger, library, root / "a.txt")
    assert names(found) == ["in.txt"]
    assert [os.path.basename(gone.path) for gone in found.gone] == [b"a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_paths_behind_links_and_outside_are_passed_over(
    ledger: Ledger, library: str, root: Path
) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("not ours")
    os.symlink(outside, root / "link")
    look(ledger, library)
    assert names(look(ledger, library, root / "link" / "secret.txt")) == []
    assert names(look(ledger, library, outside / "secret.txt")) == []


def test_a_root_that_is_not_there_loses_nothing(
    ledger: Ledger, library: str, root: Path
) -> None:
    (root / "a.txt").write_text("a")
    look(ledger, library)
    hold(ledger, library)
    root.rename(root.with_name("away"))
    for found in (look(ledger, library), look(ledger, library, root / "a.txt")):
        assert list(found.lost) == [os.fsencode(root)]
        assert "kept" in found.lost[os.fsencode(root)]
        assert found.gone == []
    root.mkdir()  # an empty mount point
    for found in (look(ledger, library), look(ledger, library, root / "a.txt")):
        assert list(found.lost) == [os.fsencode(root)]
        assert found.gone == []
    (root / "other.txt").write_text("somebody uses the new folder: so it is meant")
    found = look(ledger, library)
    assert names(found) == ["other.txt"]
    assert len(found.gone) == 1
    (root / "other.txt").unlink()
    assert len(look(ledger, library).gone) == 2  # known by now, and really empty


def test_a_folder_that_cannot_be_opened_keeps_its_files(
    ledger: Ledger, library: str, root: Path
) -> None:
    (root / "closed").mkdir()
    (root / "closed" / "a.txt").write_text("a")
    look(ledger, library)
    hold(ledger, library)
    (root / "closed").chmod(0)
    try:
        if os.access(root / "closed", os.R_OK):
            pytest.skip("this user may open everything")
        found = look(ledger, library)
        assert found.gone == []
        assert "cannot be opened" in found.skipped[0].reason
    finally:
        (root / "closed").chmod(0o755)
