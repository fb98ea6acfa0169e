from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.paths import Home
from engine.store import measurements
from engine.store.db import Store
from engine.store.ledger import Ledger, ReadContent, SeenFile, covers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(Home(tmp_path / "home"))
    yield store
    store.close()


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store)


def new_library(ledger: Ledger, name: str = "notes") -> str:
    return ledger.create(name, "embedder-1", 1, 1).library_id


def read(ledger: Ledger, library: str, sha256: str, *paths: bytes, passages: int = 3) -> int:
    [content_id] = ledger.open_contents(library, [sha256])
    files = tuple(SeenFile(path, 10, 20) for path in paths)
    ledger.commit_read(
        library, [ReadContent(content_id, files, title="T", kind="text", passages=passages)]
    )
    return content_id


def test_a_library_is_found_by_id_and_by_name_in_any_case(ledger: Ledger) -> None:
    made = ledger.create("Field notes", "e", 1, 1)
    assert ledger.find(made.library_id) == made
    assert ledger.find("field NOTES") == made
    assert ledger.find("other") is None
    assert ledger.create("FIELD notes", "e", 1, 1) == made


def test_roots_never_nest(ledger: Ledger) -> None:
    library = new_library(ledger)
    for path in (b"/a/b", b"/a/b/c", b"/a/bc", b"/a/b"):
        ledger.add_root(library, path)
    assert ledger.roots(library) == [b"/a/b", b"/a/bc"]
    ledger.add_root(library, b"/a")
    assert ledger.roots(library) == [b"/a"]
    ledger.add_root(library, b"/")
    assert ledger.roots(library) == [b"/"]


def test_a_pending_content_does_not_count_and_is_forgotten(ledger: Ledger) -> None:
    library = new_library(ledger)
    ledger.see(library, [SeenFile(b"/a", 1, 1)])
    [content_id] = ledger.open_contents(library, ["aa"])
    assert ledger.content_by_hash(library, "aa") is None
    assert ledger.live_contents(library, [content_id]) == {}
    assert ledger.totals(library).waiting == 1
    ledger.drop_unfinished(library)
    assert ledger.open_contents(library, ["aa"]) > [content_id]  # ids are never used twice


def test_reading_then_embedding_moves_a_file_through_its_states(ledger: Ledger) -> None:
    library = new_library(ledger)
    ledger.see(library, [SeenFile(b"/a", 1, 1)])

    def state() -> str:
        return ledger.page_of_files(library, None, "", 0, 10)[1][0]["state"]

    assert state() == "waiting"
    content_id = read(ledger, library, "aa", b"/a")
    assert state() == "read"
    ledger.commit_embedded([(content_id, 2)])
    assert state() == "read"
    ledger.commit_embedded([(content_id, 3)])
    assert state() == "indexed"
    assert ledger.totals(library).passages == 3


def test_a_changed_file_keeps_its_old_passages_until_the_new_are_committed(
    ledger: Ledger,
) -> None:
    library = new_library(ledger)
    old = read(ledger, library, "aa", b"/a")
    ledger.see(library, [SeenFile(b"/a", 11, 21)])
    assert old in ledger.live_contents(library, [old])
    new = read(ledger, library, "bb", b"/a")
    assert set(ledger.live_contents(library, [old, new])) == {new}
    assert ledger.content_by_hash(library, "aa") is None


def test_equal_files_share_a_content_until_the_last_is_gone(ledger: Ledger) -> None:
    library = new_library(ledger)
    content = read(ledger, library, "aa", b"/a", b"/b")
    known = ledger.known_files(library)
    ledger.drop_files([known[b"/a"].file_id])
    ledger.drop_unfinished(library)
    assert ledger.live_contents(library, [content])[content].path == b"/b"
    ledger.drop_files([known[b"/b"].file_id])
    ledger.drop_unfinished(library)
    assert ledger.stored_contents(library) == []


def test_a_skipped_file_loses_its_content_and_names_its_reason(ledger: Ledger) -> None:
    library = new_library(ledger)
    content = read(ledger, library, "aa", b"/a")
    ledger.see(library, [SeenFile(b"/a", 10, 20, "Permission denied.")])
    assert ledger.live_contents(library, [content]) == {}
    assert ledger.totals(library).skipped == 1
    [row] = ledger.page_of_files(library, "skipped", "", 0, 10)[1]
    assert row["reason"] == "Permission denied."


def test_stale_content_serves_until_it_is_read_anew(ledger: Ledger) -> None:
    library = new_library(ledger)
    old = read(ledger, library, "aa", b"/a")
    ledger.renew(library, "embedder-1", 2, 1, forget=False)
    assert ledger.known_files(library)[b"/a"].stale
    assert old in ledger.live_contents(library, [old])
    new = read(ledger, library, "aa", b"/a")
    assert not ledger.known_files(library)[b"/a"].stale
    assert set(ledger.live_contents(library, [old, new])) == {new}


def test_forgetting_starts_a_new_generation(ledger: Ledger) -> None:
    library = new_library(ledger)
    content = read(ledger, library, "aa", b"/a")
    before = ledger.find(library)
    ledger.renew(library, "embedder-2", 1, 1, forget=True)
    after = ledger.find(library)
    assert before is not None
    assert after is not None
    assert after.generation == before.generation + 1
    assert after.embedder == "embedder-2"
    assert ledger.live_contents(library, [content]) == {}
    assert ledger.totals(library).waiting == 1


def test_removing_one_library_leaves_the_other(ledger: Ledger) -> None:
    one, two = new_library(ledger, "one"), new_library(ledger, "two")
    read(ledger, one, "aa", b"/a")
    kept = read(ledger, two, "aa", b"/a")
    ledger.remove(one)
    assert [record.library_id for record in ledger.libraries()] == [two]
    assert set(ledger.live_contents(two, [kept])) == {kept}


def test_file_names_that_are_no_text_survive(ledger: Ledger) -> None:
    library = new_library(ledger)
    path = b"/x/latin1-\xe9\xff.txt"
    read(ledger, library, "aa", path)
    [row] = ledger.page_of_files(library, None, "LATIN1", 0, 10)[1]
    assert bytes(row["path"]) == path
    assert row["shown"] == "/x/latin1-\\xe9\\xff.txt"
    file = ledger.file(library, row["file_id"])
    assert file is not None
    assert file.path == path
    assert ledger.page_of_files(library, None, "\udce9", 0, 10)[0] == 0


def test_files_come_in_pages_and_filtered(ledger: Ledger) -> None:
    library = new_library(ledger)
    ledger.see(library, [SeenFile(b"/d/%03d.txt" % n, 1, 1) for n in range(25)])
    total, rows = ledger.page_of_files(library, "waiting", ".txt", 20, 10)
    assert total == 25
    assert [row["shown"] for row in rows] == [f"/d/{n:03d}.txt" for n in range(20, 25)]
    assert ledger.page_of_files(library, "indexed", "", 0, 10) == (0, [])
    assert ledger.page_of_files(library, None, "100%_", 0, 10)[0] == 0


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"a", b"ab", b"a/b", b"a/b/c", b"b", b"a b"]), max_size=6))
def test_roots_cover_what_was_added_and_nothing_twice(paths: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Home(Path(folder)))
        ledger = Ledger(store)
        library = new_library(ledger)
        for path in paths:
            ledger.add_root(library, b"/" + path)
        roots = ledger.roots(library)
        store.close()
    assert all(any(covers(root, b"/" + path) for root in roots) for path in paths)
    assert not any(a != b and covers(a, b) for a in roots for b in roots)


def test_measurements_are_remembered_for_this_machine(store: Store) -> None:
    assert measurements.recall(store, "embedder") is None
    measurements.remember(store, "embedder", [{"backend": "x", "rate": 1.5}])
    measurements.remember(store, "embedder", {"later": True})
    assert measurements.recall(store, "embedder") == {"later": True}
    with store.transaction() as connection:
        connection.execute("UPDATE measurements SET machine = 'another'")
    assert measurements.recall(store, "embedder") is None


def test_files_are_sorted_and_paged_in_both_directions(store: Store) -> None:
    ledger = Ledger(store)
    library = new_library(ledger)
    seen = [
        SeenFile(b"/z/alpha.txt", 30, 3),
        SeenFile(b"/a/Beta.txt", 10, 2),
        SeenFile(b"/m/gamma.txt", 20, 1),
        SeenFile(b"/m/delta.png", 20, 4, "No text."),
    ]
    ledger.see(library, seen)

    def names(sort: str, descending: bool = False, **page: int) -> list[str]:
        offset, limit = page.get("offset", 0), page.get("limit", 10)
        rows = ledger.page_of_files(library, None, "", offset, limit, sort, descending)[1]
        return [row["name"] for row in rows]

    assert names("name") == ["alpha.txt", "Beta.txt", "delta.png", "gamma.txt"]
    assert names("name", True) == names("name")[::-1]
    assert names("modified") == ["gamma.txt", "Beta.txt", "alpha.txt", "delta.png"]
    assert names("size")[0] == "Beta.txt"
    assert names("size", True) == names("size")[::-1]
    assert names("state")[0] == "delta.png"  # skipped before waiting
    for sort in ("name", "modified", "size", "kind", "state"):
        paged = names(sort, limit=2) + names(sort, offset=2, limit=2)
        assert paged == names(sort)


def test_a_library_is_paused_renamed_and_its_standing_noted(store: Store) -> None:
    ledger = Ledger(store)
    library, other = new_library(ledger), ledger.create("Other", "e", 1, 1).library_id
    before = ledger.pauses(library)
    ledger.pause(library)
    assert ledger.pauses(library) == before + 1
    assert [record.paused for record in ledger.libraries()].count(1) == 1
    ledger.resume(library)
    assert ledger.pauses(library) == before + 1
    ledger.note_agreed(library, "2026-01-02T00:00:00Z")
    ledger.note_agreed(library, "2026-01-01T00:00:00Z")  # never goes back
    ledger.note_following(library, "lost", "The disk is gone.")
    record = ledger.find(library)
    assert record is not None
    assert (record.agreed_at, record.paused) == ("2026-01-02T00:00:00Z", 0)
    assert (record.following, record.following_reason) == ("lost", "The disk is gone.")
    with pytest.raises(InvalidInput):
        ledger.rename(library, "OTHER")
    ledger.rename(library, "Third")
    assert ledger.find("third") is not None
    assert ledger.pauses("nothing") == -1
    assert other


def test_a_root_taken_out_takes_its_files_and_no_others(store: Store) -> None:
    ledger = Ledger(store)
    library = new_library(ledger)
    for root in (b"/a", b"/ab"):
        ledger.add_root(library, root)
        ledger.note_identity(library, root, "1:2")
    ledger.see(library, [SeenFile(b"/a/x", 1, 1), SeenFile(b"/a/b/y", 1, 1)])
    ledger.see(library, [SeenFile(b"/ab/z", 1, 1)])
    assert len(ledger.known_below(library, b"/a")) == 2
    ledger.remove_root(library, b"/a")
    assert list(ledger.known_files(library)) == [b"/ab/z"]
    assert ledger.root_identities(library) == {b"/ab": "1:2"}
