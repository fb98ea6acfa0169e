"""Real folders that change while a library follows them."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Cancelled, InvalidInput
from engine.library.follower import Times, Touched
from engine.library.following import Following
from engine.library.libraries import Libraries
from engine.paths import Home
from engine.settings import Settings, save_settings
from engine.store.db import Store
from engine.work.api import FilesSpec, IndexingEvent, IndexSpec, LibraryView, SearchSpec
from engine.work.jobs import CallbackJob
from tests.engine.library.conftest import prose, write_notes

QUICK = Times(check_all=3600.0, scan=0.5, try_again=0.5, roots=0.2, tell=0.2, tidy=0.5)


class Followed:
    """A library that is followed, and what was told of it."""

    def __init__(self, libraries: Libraries, folder: Path, times: Times = QUICK) -> None:
        self.libraries = libraries
        self.folder = folder
        self.events: list[IndexingEvent] = []
        self.touched: list[tuple[str, str]] = []
        self.following = Following(
            libraries,
            self.events.append,
            lambda what: None,
            on_touched=self._note,
            times=times,
        )

    def _note(self, touched: Touched) -> None:
        self.touched += [(what, Path(path).name) for what, path in touched.files]

    def view(self) -> LibraryView:
        return self.libraries.find("notes")

    def names(self, query: str, method: str = "keyword") -> list[str]:
        spec = SearchSpec.model_validate({"query": query, "library": "notes", "method": method})
        return [Path(hit.path).name for hit in self.libraries.search(spec).passages]

    def disk(self) -> dict[str, str]:
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def index(self) -> dict[str, str]:
        """Path to SHA-256 of every file the library has read, with all its vectors."""
        store = Store(self.libraries.home)
        try:
            rows = store.connection().execute(
                "SELECT f.shown, c.sha256 FROM files f JOIN contents c USING (content_id)"
                " JOIN libraries l ON l.library_id = f.library_id"
                " WHERE l.name = 'notes' AND c.state = 'indexed'"
            )
            return {row["shown"]: row["sha256"] for row in rows}
        finally:
            store.close()

    def settles(self, within_s: float = 60.0) -> None:
        """Index and disk are the same, and the run that made them so is over."""
        eventually(lambda: self.index() == self.disk(), within_s)
        eventually(lambda: self.view().state != "indexing", within_s)
        time.sleep(0.1)  # it tells of a run right after the run


def eventually(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture
def followed(libraries: Libraries, folder: Path) -> Iterator[Followed]:
    write_notes(folder, 5)
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    followed = Followed(libraries, folder)
    followed.following.start()
    eventually(lambda: followed.view().following == "live")
    yield followed
    followed.following.close()
    assert followed.view().following in ("off", "paused")


def test_every_kind_of_change_is_taken_in(followed: Followed) -> None:
    folder = followed.folder
    (folder / "note000.txt").write_text("The lighthouse keeper counts puffins.")
    followed.settles()
    assert followed.names("puffins") == ["note000.txt"]
    assert followed.names("birds by the sea", "dense")[0] == "note000.txt"
    assert "note000.txt" not in followed.names(prose(0))

    (folder / "new.txt").write_text("An albatross circles the weather station.")
    followed.settles()
    assert followed.names("albatross") == ["new.txt"]

    (folder / "note001.txt").rename(folder / "moved.txt")
    shutil.copy(folder / "note002.txt", folder / "copy.txt")
    followed.settles()
    assert ("recognised", "moved.txt") in followed.touched
    assert ("recognised", "copy.txt") in followed.touched
    assert not {"moved.txt", "copy.txt"} & {n for what, n in followed.touched if what == "read"}
    assert followed.names(prose(1))[0] == "moved.txt"
    assert followed.view().passages == 6

    (folder / "note003.txt").unlink()
    followed.settles()
    assert "note003.txt" not in followed.names(prose(3))
    assert followed.view().following == "live"
    [*_, last] = [event for event in followed.events if event.ended]
    assert last.report is not None
    assert last.message == ""


def test_folders_come_go_and_are_renamed(followed: Followed) -> None:
    folder = followed.folder
    deep = folder / "a" / "b" / "c"
    deep.mkdir(parents=True)
    write_notes(deep, 3)
    (deep / "own.txt").write_text(prose("own"))
    followed.settles()
    reads = sum(what == "read" for what, _ in followed.touched)
    (folder / "a").rename(folder / "z")
    followed.settles()
    assert sum(what == "read" for what, _ in followed.touched) == reads
    shutil.rmtree(folder / "z")
    followed.settles()
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "back.txt").write_text(prose("back"))
    elsewhere.rename(folder / "elsewhere")
    followed.settles()
    (folder / "elsewhere").rename(elsewhere)
    followed.settles()
    assert len(followed.index()) == 5


def test_a_file_written_slowly_ends_right(followed: Followed) -> None:
    with open(followed.folder / "slow.txt", "w") as stream:
        for n in range(30):
            stream.write(f"Line {n} of the long walk home. ")
            stream.flush()
            time.sleep(0.1)
        stream.write("And then it was over, said the ptarmigan.")
    followed.settles()
    assert followed.names("ptarmigan") == ["slow.txt"]


def test_when_it_agrees_with_the_disk_is_true_and_moves_on(followed: Followed) -> None:
    eventually(lambda: followed.view().agreed_at != "")
    first = followed.view().agreed_at
    eventually(lambda: followed.view().agreed_at > first)
    (followed.folder / "new.txt").write_text(prose("new"))
    followed.settles()
    second = followed.view().agreed_at
    eventually(lambda: followed.view().agreed_at > second)


def test_a_folder_that_vanishes_is_lost_not_deleted(followed: Followed) -> None:
    away = followed.folder.with_name("away")
    followed.folder.rename(away)
    eventually(lambda: followed.view().following == "lost")
    view = followed.view()
    assert str(followed.folder) in view.following_reason
    assert view.files == 5
    assert followed.names(prose(1))[0] == "note001.txt"
    agreed = view.agreed_at
    time.sleep(1.0)
    assert followed.view().agreed_at == agreed

    followed.folder.mkdir()  # where a disk is mounted there is an empty folder while it is not
    time.sleep(1.0)
    assert followed.view().following == "lost"
    assert followed.view().files == 5

    followed.folder.rmdir()
    (away / "note001.txt").write_text("Written while it was away: a capercaillie.")
    away.rename(followed.folder)
    eventually(lambda: followed.view().following == "live")
    followed.settles()
    assert followed.names("capercaillie") == ["note001.txt"]


def test_a_folder_emptied_by_hand_is_empty(followed: Followed) -> None:
    for path in list(followed.folder.iterdir()):
        path.unlink()
    followed.settles()
    assert followed.view().files == 0
    assert followed.view().following == "live"


def test_where_nothing_is_announced_it_scans_and_says_so(
    libraries: Libraries, folder: Path
) -> None:
    """A folder whose name is no text cannot be watched on any system's notifier."""
    strange = os.fsencode(folder) + b"/caf\xe9"
    os.mkdir(strange)
    write_notes(folder, 1)
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    followed = Followed(libraries, folder)
    followed.following.start()
    try:
        eventually(lambda: followed.view().following == "scanning")
        assert "names that are no text" in followed.view().following_reason
        with open(strange + b"/in.txt", "w") as stream:
            stream.write("A wagtail hides in a folder with a strange name.")
        eventually(lambda: followed.names("wagtail") == ["in.txt"])
    finally:
        followed.following.close()


def test_pause_and_resume_outlive_restarts(
    followed: Followed, open_libraries: Callable[[], Libraries]
) -> None:
    followed.following.pause("notes")
    eventually(lambda: not followed.libraries.left_to_others(followed.view().id))
    (followed.folder / "meanwhile.txt").write_text("A dipper walks under water.")
    other = open_libraries()
    assert other.find("notes").following == "paused"
    again = Followed(other, followed.folder)
    again.following.start()
    time.sleep(1.5)
    assert again.names("dipper") == []
    again.following.close()
    other.resume("notes")  # as another process would: the follower notices by itself
    eventually(lambda: followed.view().following == "live")
    followed.settles()
    assert followed.names("dipper") == ["meanwhile.txt"]


def test_a_run_asked_for_goes_before_and_all_is_done(
    libraries: Libraries, open_libraries: Callable[[], Libraries], folder: Path
) -> None:
    write_notes(folder, 60, words=60)
    other = folder.with_name("other")
    other.mkdir()
    (other / "asked.txt").write_text("The bittern booms in the reeds.")
    libraries.index(IndexSpec(folder=str(other), library="notes"))
    libraries.ledger.add_root(libraries.find("notes").id, os.fsencode(folder))
    followed = Followed(libraries, folder)
    followed.following.start()
    try:
        eventually(lambda: any(event.total for event in followed.events))
        (other / "asked2.txt").write_text("A corncrake calls at night.")
        report = open_libraries().index(IndexSpec(folder=str(other), library="notes"))
        assert report.files.indexed + report.files.unchanged == 2
        eventually(lambda: followed.view().pending_passages == 0)
        eventually(lambda: len(followed.index()) == 62)
    finally:
        followed.following.close()


def test_two_followers_of_one_home_share_the_work(
    followed: Followed, open_libraries: Callable[[], Libraries]
) -> None:
    second = Followed(open_libraries(), followed.folder)
    second.following.start()
    (followed.folder / "new.txt").write_text("A merganser dives.")
    followed.settles()
    followed.following.close()  # the other takes over
    eventually(lambda: second.view().following == "live")
    (followed.folder / "newer.txt").write_text("A goldeneye whistles.")
    second.settles()
    second.following.close()


def test_the_setting_turns_it_off(libraries: Libraries, folder: Path, home: Home) -> None:
    write_notes(folder, 1)
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    save_settings(home, Settings(follow=False))
    followed = Followed(libraries, folder)
    followed.following.start()
    (folder / "new.txt").write_text("A dunlin probes the mud.")
    time.sleep(1.5)
    assert followed.names("dunlin") == []
    assert followed.view().following == "off"
    assert "settings" in followed.view().following_reason
    save_settings(home, Settings(follow=True))
    followed.settles()
    followed.following.close()


def test_a_library_removed_or_changed_while_it_is_followed(
    followed: Followed, libraries: Libraries
) -> None:
    other = followed.folder.with_name("other")
    other.mkdir()
    (other / "side.txt").write_text("A shrike keeps a larder.")
    libraries.index(IndexSpec(folder=str(other), library="notes"))
    eventually(lambda: followed.view().following == "live")
    (other / "later.txt").write_text("A siskin feeds on alder.")
    eventually(lambda: followed.names("siskin") == ["later.txt"])
    libraries.remove_root("notes", str(other))
    assert followed.names("shrike") == []
    assert followed.view().roots == [str(followed.folder)]
    libraries.remove("notes")
    followed.following.refresh()
    with pytest.raises(InvalidInput):
        followed.view()
    libraries.index(IndexSpec(folder=str(followed.folder), library="notes"))
    eventually(lambda: followed.view().following == "live")


def test_a_library_of_another_version_says_so_and_is_followed_once_rebuilt(
    libraries: Libraries, folder: Path, home: Home
) -> None:
    write_notes(folder, 2)
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    store = Store(home)
    with store.transaction() as connection:
        connection.execute("UPDATE libraries SET reader_version = 0")
    store.close()
    followed = Followed(libraries, folder)
    followed.following.start()
    eventually(lambda: "another version" in followed.view().following_reason)
    assert followed.view().following == "off"
    libraries.reindex("notes")
    eventually(lambda: followed.view().following == "live")
    followed.following.close()


def test_files_deleted_and_replaced_while_they_are_read(
    libraries: Libraries, folder: Path
) -> None:
    """A run over files that go, change and come under its hands ends in the end's state."""
    write_notes(folder, 45, words=100)
    followed = Followed(libraries, folder)

    def vandal() -> None:
        for n in range(0, 45, 3):
            (folder / f"note{n:03d}.txt").unlink()
            (folder / f"note{n + 1:03d}.txt").write_text(prose(f"again {n}"))
            time.sleep(0.01)

    hands = threading.Thread(target=vandal)

    class Starter(CallbackJob):
        """Lets the hands begin with the first file that is read, however fast that is."""

        def progress(self, done: float, total: float, note: str = "") -> None:
            if note == "Reading" and not hands.ident:
                hands.start()

    libraries.index(IndexSpec(folder=str(folder), library="notes"), Starter())
    hands.join()
    followed.following.start()
    followed.settles()
    followed.following.close()
    rows = libraries.files(FilesSpec(library="notes")).rows
    assert len(rows) == 30
    assert {row.state for row in rows} == {"indexed"}


STEP = st.tuples(
    st.sampled_from(["write", "edit", "move", "delete", "copy", "folder", "rename", "wait"]),
    st.integers(0, 7),
    st.integers(0, 7),
)


@given(steps=st.lists(STEP, min_size=4, max_size=14))
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_after_any_changes_it_equals_a_fresh_index(
    libraries: Libraries, tmp_path: Path, steps: list[tuple[str, int, int]]
) -> None:
    folder = Path(os.path.realpath(tmp_path)) / "any"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_notes(folder, 3)
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    followed = Followed(libraries, folder)
    followed.following.start()
    try:
        for number, (what, one, two) in enumerate(steps):
            change(folder, what, one, two, number)
        followed.settles()
        libraries.index(IndexSpec(folder=str(folder), library="fresh"))
        assert contents(libraries, "notes") == contents(libraries, "fresh")
    finally:
        followed.following.close()
        for name in ("notes", "fresh"):
            try:
                libraries.remove(name)
            except InvalidInput:
                continue


def change(folder: Path, what: str, one: int, two: int, number: int) -> None:
    """One step of somebody who tidies up."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    folders = sorted([folder, *(path for path in folder.rglob("*") if path.is_dir())])
    where = folders[one % len(folders)]
    if what == "wait":
        time.sleep(0.1 * one)
    elif what == "write":
        (where / f"new{two}.txt").write_text(prose(f"step {number}"))
    elif what == "folder":
        (where / f"sub{two}").mkdir(exist_ok=True)
    elif what == "rename" and len(folders) > 1:
        chosen = folders[1 + two % (len(folders) - 1)]
        chosen.rename(folder / f"ren{number}")
    elif files:
        chosen = files[two % len(files)]
        if what == "edit":
            chosen.write_text(prose(f"edit {number}"))
        elif what == "delete":
            chosen.unlink()
        elif what == "move":
            chosen.rename(where / f"moved{number}.txt")
        elif what == "copy":
            shutil.copy(chosen, where / f"copy{number}.txt")


def contents(libraries: Libraries, name: str) -> list[tuple[str, str, str, int]]:
    rows = libraries.files(FilesSpec(library=name, limit=1000)).rows
    return sorted((row.path, row.state, row.kind, row.passages) for row in rows)


def test_a_paused_run_in_another_thread_stops(libraries: Libraries, folder: Path) -> None:
    write_notes(folder, 40, words=60)

    def pause_when_stored(kind: str, data: object) -> None:
        if kind == "stored":
            libraries.pause("notes")

    with pytest.raises(Cancelled, match="paused"):
        libraries.index(
            IndexSpec(folder=str(folder), library="notes"),
            CallbackJob(on_event=pause_when_stored),
        )
    assert libraries.find("notes").following == "paused"
    # What is asked for now is done all the same; it stays paused.
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    assert libraries.find("notes").pending_passages == 0
    assert libraries.find("notes").following == "paused"


def test_an_edit_goes_before_a_long_run_words_and_vectors(
    libraries: Libraries, folder: Path
) -> None:
    write_notes(folder, 400, words=120)
    libraries.ledger.add_root(made(libraries, folder), os.fsencode(folder))
    followed = Followed(libraries, folder)
    followed.following.start()
    try:
        eventually(lambda: any(event.note == "Understanding" for event in followed.events))
        waiting = followed.view().pending_passages
        (folder / "note007.txt").write_text("A nightjar churrs on the heath at dusk.")
        spec = SearchSpec(query="nightjar churrs", library="notes", method="dense", top=1)

        def found_by_meaning() -> bool:
            report = libraries.search(spec)
            hits = [Path(hit.path).name for hit in report.passages]
            return not report.notice and hits == ["note007.txt"]

        eventually(found_by_meaning)
        left = followed.view().pending_passages
        if not left:
            pytest.skip("vectors are computed too fast here to tell which came first")
        assert left < waiting
    finally:
        followed.following.close()


def made(libraries: Libraries, folder: Path) -> str:
    """A library that has read nothing yet."""
    empty = folder.with_name("empty")
    empty.mkdir()
    return libraries.index(IndexSpec(folder=str(empty), library="notes")).library_id
