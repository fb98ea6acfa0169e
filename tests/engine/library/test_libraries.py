from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from engine.errors import Cancelled, InvalidInput, LibraryBusy, LibraryOutdated
from engine.library.libraries import Libraries
from engine.paths import Home
from engine.store.db import Store
from engine.work.api import (
    FilesSpec,
    IndexReport,
    IndexSpec,
    PassageHit,
    RetrySpec,
    SearchSpec,
)
from engine.work.jobs import CallbackJob
from tests.engine.library.conftest import prose, write_notes


def index(libraries: Libraries, folder: Path, name: str | None = "notes") -> IndexReport:
    return libraries.index(IndexSpec(folder=str(folder), library=name))


def numbers(report: IndexReport) -> tuple[int, int, int, int, int]:
    files = report.files
    return (
        files.indexed,
        files.unchanged,
        len(files.skipped),
        files.removed,
        files.duplicates,
    )


def paths(
    libraries: Libraries, query: str, library: str = "notes", **kinds: object
) -> list[str]:
    spec = SearchSpec.model_validate({"query": query, "library": library, **kinds})
    return [Path(hit.path).name for hit in libraries.search(spec).passages]


def test_every_change_of_a_folder_is_counted_once(libraries: Libraries, folder: Path) -> None:
    write_notes(folder, 5)
    assert numbers(index(libraries, folder)) == (5, 0, 0, 0, 0)
    assert numbers(index(libraries, folder)) == (0, 5, 0, 0, 0)

    os.utime(folder / "note000.txt", (1, 1))  # touched, same bytes
    (folder / "note001.txt").write_text("The lighthouse keeper counts puffins.")
    (folder / "note002.txt").unlink()
    (folder / "note003.txt").rename(folder / "moved.txt")
    shutil.copy(folder / "note004.txt", folder / "copy.txt")
    (folder / "empty.txt").write_text("")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    # indexed: changed, moved, copy. removed: note002 and the old name of note003.
    assert numbers(index(libraries, folder)) == (3, 2, 2, 2, 1)
    assert numbers(index(libraries, folder)) == (0, 5, 2, 0, 0)
    assert paths(libraries, "puffins lighthouse")[0] == "note001.txt"
    assert "note002.txt" not in paths(libraries, prose(2))
    assert paths(libraries, prose(3))[0] == "moved.txt"
    assert prose(1) not in str(libraries.search(SearchSpec(query=prose(1), library="notes")))


def test_passages_are_found_by_meaning_by_words_and_by_both(
    libraries: Libraries, folder: Path
) -> None:
    (folder / "tax.md").write_text("# Taxes\n\n## Deadline\n\nReturns are due on 31 July.\n")
    (folder / "cat.md").write_text("# Pets\n\n## Cat\n\nThe kitten sleeps on the sofa.\n")
    report = index(libraries, folder)
    assert report.passages == 2
    assert paths(libraries, "baby feline resting", method="dense")[0] == "cat.md"
    assert paths(libraries, "July", method="keyword") == ["tax.md"]
    hit = libraries.search(SearchSpec(query="When are returns due?", library="notes")).passages[
        0
    ]
    assert Path(hit.path).name == "tax.md"
    assert hit.text == "Returns are due on 31 July." or "31 July" in hit.text
    assert "Deadline" in hit.heading
    assert (hit.ranks.dense, hit.ranks.keyword) == (1, 1)
    text = (folder / "tax.md").read_text()
    assert text[hit.start : hit.end] == hit.text


def test_roots_add_up_and_nested_ones_count_once(libraries: Libraries, folder: Path) -> None:
    inner, other = folder / "inner", folder.parent / "other"
    inner.mkdir()
    other.mkdir()
    write_notes(inner, 2)
    (folder / "top.txt").write_text(prose("top"))
    (other / "side.txt").write_text(prose("side"))
    assert numbers(index(libraries, inner)) == (2, 0, 0, 0, 0)
    assert numbers(index(libraries, folder)) == (1, 2, 0, 0, 0)
    assert numbers(index(libraries, other)) == (1, 0, 0, 0, 0)
    assert numbers(index(libraries, inner)) == (0, 2, 0, 0, 0)
    view = libraries.find("notes")
    assert sorted(view.roots) == sorted([str(folder), str(other)])
    assert view.files == 4
    os.symlink(folder, folder.parent / "link")
    assert numbers(index(libraries, folder.parent / "link")) == (0, 3, 0, 0, 0)


def test_a_folder_without_a_name_gets_a_library_of_its_own(
    libraries: Libraries, folder: Path
) -> None:
    write_notes(folder, 1)
    assert index(libraries, folder, None).library == "papers"
    assert index(libraries, folder, None).library == "papers"
    twin = folder.parent / "elsewhere" / "papers"
    twin.mkdir(parents=True)
    write_notes(twin, 1)
    assert index(libraries, twin, None).library == "papers 2"


def test_strange_names_and_special_files_are_handled(
    libraries: Libraries, folder: Path
) -> None:
    raw = os.fsencode(folder) + b"/latin1-\xe9\xff.txt"
    with open(raw, "wb") as stream:
        stream.write(b"ZEBRA in a file whose name is no text")
    os.symlink("/etc/passwd", folder / "link.txt")
    os.mkfifo(folder / "pipe.txt")
    report = index(libraries, folder)
    assert numbers(report) == (1, 0, 2, 0, 0)  # the link and the pipe, never opened
    [hit] = libraries.search(SearchSpec(query="ZEBRA", library="notes")).passages
    assert libraries.file_path("notes", hit.file_id) == raw
    assert not libraries.file_changed("notes", hit.file_id)
    os.utime(raw, (1, 1))
    assert libraries.file_changed("notes", hit.file_id)
    os.unlink(raw)
    assert libraries.file_changed("notes", hit.file_id)


def test_our_own_data_folder_is_left_out(libraries: Libraries, home: Home) -> None:
    (home.root.parent / "note.txt").write_text(prose("beside the home"))
    (home.root / "secret.txt").write_text(prose("inside the home"))
    assert numbers(index(libraries, home.root.parent)) == (1, 0, 0, 0, 0)


def test_files_are_listed_with_state_and_reason(libraries: Libraries, folder: Path) -> None:
    write_notes(folder, 3)
    (folder / "empty.txt").write_text("")
    index(libraries, folder)
    page = libraries.files(FilesSpec(library="notes"))
    assert page.total == 4
    assert {row.name: row.state for row in page.rows} == {
        "empty.txt": "skipped",
        "note000.txt": "indexed",
        "note001.txt": "indexed",
        "note002.txt": "indexed",
    }
    [skipped] = libraries.files(FilesSpec(library="notes", state="skipped")).rows
    assert "empty" in skipped.reason
    [one] = libraries.files(FilesSpec(library="notes", match="NOTE001")).rows
    assert (one.passages, one.kind, one.title) == (1, "Text", "note001")


def test_another_process_sees_what_was_written_at_once(
    open_libraries: Callable[[], Libraries], folder: Path
) -> None:
    writer, reader = open_libraries(), open_libraries()
    write_notes(folder, 2)
    index(writer, folder)
    assert paths(reader, prose(0))[0] == "note000.txt"
    (folder / "new.txt").write_text("An albatross circles the weather station.")
    index(writer, folder)
    assert paths(reader, "albatross")[0] == "new.txt"
    writer.remove("notes")
    with pytest.raises(InvalidInput):
        paths(reader, "albatross")


def test_only_one_writes(libraries: Libraries, folder: Path, home: Home) -> None:
    write_notes(folder, 1)
    report = index(libraries, folder)
    lock = FileLock(home.locks / f"library-{report.library_id}.lock", is_singleton=False)
    with lock:
        assert libraries.find("notes").state == "indexing"
        with pytest.raises(LibraryBusy):
            index(libraries, folder)
        with pytest.raises(LibraryBusy):
            libraries.remove("notes")
        assert paths(libraries, prose(0)) == ["note000.txt"]
    assert libraries.find("notes").state == "ready"


@pytest.mark.parametrize("what", ["embedder", "reader_version"])
def test_an_outdated_library_refuses_politely_and_is_rebuilt(
    libraries: Libraries, folder: Path, home: Home, what: str
) -> None:
    write_notes(folder, 2)
    index(libraries, folder)
    store = Store(home)
    with store.transaction() as connection:
        connection.execute(f"UPDATE libraries SET {what} = '0'")
    store.close()
    assert libraries.find("notes").state == "outdated"
    with pytest.raises(LibraryOutdated):
        paths(libraries, "x")
    with pytest.raises(LibraryOutdated):
        index(libraries, folder)
    report = libraries.reindex("notes")
    assert numbers(report) == (2, 0, 0, 0, 0)
    assert libraries.find("notes").state == "ready"
    assert paths(libraries, prose(1))[0] == "note001.txt"
    assert numbers(libraries.reindex("notes")) == (0, 2, 0, 0, 0)


def test_a_damaged_manifest_costs_nothing(
    open_libraries: Callable[[], Libraries], folder: Path, home: Home
) -> None:
    libraries = open_libraries()
    write_notes(folder, 4)
    report = index(libraries, folder)
    for table in ("passages", "vectors"):
        versions = home.library(report.library_id) / "1" / f"{table}.lance" / "_versions"
        newest = min(versions.glob("*.manifest"))  # named by 2^64 - 1 - version
        newest.write_bytes(newest.read_bytes()[:20])
    fresh = open_libraries()
    paths(fresh, prose(2))  # may find less, but does not fail
    index(fresh, folder)
    for n in range(4):
        assert paths(fresh, prose(n))[0] == f"note{n:03d}.txt"
    assert fresh.find("notes").passages == 4


def test_lost_data_is_reported_and_rebuilt(
    open_libraries: Callable[[], Libraries], folder: Path, home: Home
) -> None:
    write_notes(folder, 3)
    report = index(open_libraries(), folder)
    shutil.rmtree(home.library(report.library_id) / "1" / "passages.lance" / "data")
    libraries = open_libraries()
    report = libraries.reindex("notes")
    assert report.passages == 3
    assert paths(libraries, prose(1))[0] == "note001.txt"
    assert libraries.find("notes").state == "ready"


def test_a_cancelled_run_keeps_what_is_done(libraries: Libraries, folder: Path) -> None:
    write_notes(folder, 30)

    def stop_when_stored(kind: str, data: object) -> None:
        if kind == "stored":
            job.cancel()

    job = CallbackJob(on_event=stop_when_stored)
    with pytest.raises(Cancelled):
        libraries.index(IndexSpec(folder=str(folder), library="notes"), job)
    states = {row.state for row in libraries.files(FilesSpec(library="notes")).rows}
    assert states & {"read", "indexed"}
    report = index(libraries, folder)
    assert report.files.indexed + report.files.unchanged == 30
    assert libraries.find("notes").waiting == 0


def test_wrong_requests_are_answered_in_words(libraries: Libraries, folder: Path) -> None:
    with pytest.raises(InvalidInput, match="no folder"):
        index(libraries, folder / "missing")
    with pytest.raises(InvalidInput, match="no folder"):
        libraries.index(IndexSpec(folder="a\x00b"))
    with pytest.raises(InvalidInput, match="needs a name"):
        index(libraries, folder, "  ")
    with pytest.raises(InvalidInput, match="no library"):
        libraries.find("nothing")
    index(libraries, folder)
    with pytest.raises(InvalidInput):
        libraries.file_path("notes", 99)
    assert libraries.find("notes").state == "empty"
    assert libraries.search(SearchSpec(query="x", library="notes")).passages == []
    libraries.remove("notes")
    assert libraries.list() == []


def test_a_file_is_read_again_when_asked_and_no_other(
    libraries: Libraries, folder: Path
) -> None:
    write_notes(folder, 4)
    shutil.copy(folder / "note001.txt", folder / "twin.txt")
    index(libraries, folder)
    rows = {row.name: row for row in libraries.files(FilesSpec(library="notes")).rows}
    before = {hit.passage_id for n in range(4) for hit in hits(libraries, prose(n))}
    report = libraries.retry(RetrySpec(library="notes", file_ids=[rows["note001.txt"].file_id]))
    assert numbers(report) == (2, 0, 0, 0, 1)  # the file and the one equal to it
    after = {hit.passage_id for n in range(4) for hit in hits(libraries, prose(n))}
    assert len(before & after) == 3
    assert len(after) == 4
    assert numbers(index(libraries, folder)) == (0, 5, 0, 0, 0)
    with pytest.raises(InvalidInput):
        libraries.retry(RetrySpec(library="notes", file_ids=[999]))


def hits(libraries: Libraries, query: str) -> list[PassageHit]:
    return libraries.search(SearchSpec(query=query, library="notes")).passages


def test_what_lacks_vectors_is_told(libraries: Libraries, folder: Path) -> None:
    write_notes(folder, 30)

    def stop_when_stored(kind: str, data: object) -> None:
        if kind == "stored":
            job.cancel()

    job = CallbackJob(on_event=stop_when_stored)
    with pytest.raises(Cancelled):
        libraries.index(IndexSpec(folder=str(folder), library="notes"), job)
    view = libraries.find("notes")
    assert view.pending_passages > 0
    assert view.agreed_at == ""
    index(libraries, folder)
    assert libraries.find("notes").pending_passages == 0
    assert libraries.find("notes").agreed_at <= libraries.find("notes").updated_at


def test_a_folder_that_is_lost_does_not_keep_the_others_waiting(
    libraries: Libraries, folder: Path
) -> None:
    other = folder.with_name("other")
    other.mkdir()
    write_notes(folder, 2)
    (other / "side.txt").write_text(prose("side"))
    index(libraries, folder)
    index(libraries, other)
    agreed = libraries.find("notes").agreed_at
    folder.rename(folder.with_name("away"))
    (other / "new.txt").write_text(prose("new"))
    assert numbers(libraries.reindex("notes")) == (1, 1, 0, 0, 0)
    assert libraries.find("notes").files == 4
    assert libraries.find("notes").agreed_at == agreed
    folder.mkdir()
    with pytest.raises(InvalidInput, match="kept"):
        index(libraries, folder)
    assert paths(libraries, prose(1))[0] == "note001.txt"
    view = libraries.remove_root("notes", str(folder))
    assert (view.files, view.passages) == (2, 2)
