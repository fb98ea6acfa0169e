"""Real kills at random moments: nothing lost, nothing doubled, nothing done twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.library.filling import WINDOW
from engine.library.following import Following
from engine.library.libraries import Libraries
from engine.library.tables import Tables
from engine.paths import Home
from engine.store.db import Store
from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger
from engine.work.api import FilesSpec, IndexSpec, SearchSpec
from engine.work.jobs import NULL_JOB
from tests.engine.library.conftest import prose, write_notes

INDEXER = """
import sys
from pathlib import Path
from engine.documents.pool import ReaderPool
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.store.db import Store
from engine.work.api import IndexSpec
from engine.work.jobs import CallbackJob
from engine.work.lease import CoreLease

if __name__ == "__main__":
    home = Home(Path(sys.argv[1]))
    store, lease, info = Store(home), CoreLease(home), starter_embedder()
    embedder, readers = Embedder(info, store, lease), ReaderPool(info.tokenizer)
    libraries = Libraries(home, store, readers, embedder, lease)
    said = lambda done, total, note, eta: print(int(done), int(total), note, flush=True)
    libraries.index(IndexSpec(folder=sys.argv[2], library="notes"), CallbackJob(said))
    for part in (libraries, embedder, readers, store):
        part.close()
    print("finished", flush=True)
"""


FOLLOWER = INDEXER.replace(
    '    libraries.index(IndexSpec(folder=sys.argv[2], library="notes"), CallbackJob(said))\n',
    """
    from engine.library.following import Following
    told = lambda event: print(int(event.done), int(event.total), event.note, flush=True)
    Following(libraries, told, lambda what: print("following", flush=True)).start()
    sys.stdin.read()
""",
)


def start_indexer(home: Home, folder: Path, script: str = INDEXER) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(home.root), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def kill_after_word(process: subprocess.Popen[str], word: str, delay_s: float) -> bool:
    """Kill -9 `delay_s` after a line with `word`; False when it finished before."""
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            break
    time.sleep(delay_s)
    os.kill(process.pid, signal.SIGKILL)
    ended = process.wait()
    process.stdout.close()
    if process.stdin is not None:
        process.stdin.close()
    return ended == -signal.SIGKILL


def stored(home: Home) -> tuple[dict[str, int], Counter[int], Counter[int]]:
    """Passages by file name, how often each passage id is stored, and each vector id."""
    store = Store(home)
    ledger = Ledger(store)
    library = ledger.find("notes")
    assert library is not None
    tables = Tables(home.library(library.library_id) / str(library.generation), 384)
    files = {
        Path(row["shown"]).name: row["passages"] or 0
        for row in ledger.page_of_files(library.library_id, None, "", 0, 10_000)[1]
    }
    result = (
        files,
        Counter(tables.passage_ids().tolist()),
        Counter(tables.vector_ids().tolist()),
    )
    tables.close()
    store.close()
    return result


def committed_vectors(home: Home) -> int:
    store = Store(home)
    row = store.connection().execute("SELECT COALESCE(SUM(embedded), 0) AS n FROM contents")
    embedded = int(row.fetchone()["n"])
    store.close()
    return embedded


def check_complete(home: Home, count: int, libraries: Libraries) -> None:
    files, passages, vectors = stored(home)
    assert len(files) == count
    assert all(files.values())
    assert len(passages) == sum(files.values())
    assert set(passages.values()) == {1}
    assert vectors == passages
    page = libraries.files(FilesSpec(library="notes", limit=10_000))
    assert {row.state for row in page.rows} == {"indexed"}
    for n in (0, count // 2, count - 1):
        spec = SearchSpec(query=f"code zq{n}x", library="notes")
        hits = libraries.search(spec).passages
        assert Path(hits[0].path).name == f"note{n:03d}.txt"


def survive(
    home: Home, folder: Path, open_libraries: Callable[[], Libraries], seed: int, kills: int
) -> None:
    chance = random.Random(seed)
    count = 150
    write_notes(folder, count, words=150)
    for _ in range(kills):
        word = chance.choice(["Looking", "Reading", "Understanding", "Understanding"])
        kill_after_word(start_indexer(home, folder), word, chance.uniform(0, 2.5))
    done = committed_vectors(home)
    libraries = open_libraries()
    report = libraries.index(IndexSpec(folder=str(folder), library="notes"))
    assert report.files.indexed + report.files.unchanged == count
    check_complete(home, count, libraries)
    total = sum(stored(home)[0].values())
    # What was committed is not computed again; at most one window more may be adopted.
    assert total - done - WINDOW <= report.passages <= total - done
    again = libraries.index(IndexSpec(folder=str(folder), library="notes"))
    assert (again.files.unchanged, again.passages) == (count, 0)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_few_kills_lose_and_double_nothing(
    home: Home, folder: Path, open_libraries: Callable[[], Libraries]
) -> None:
    survive(home, folder, open_libraries, seed=7, kills=2)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("seed", range(6))
def test_many_kills_lose_and_double_nothing(
    home: Home, folder: Path, open_libraries: Callable[[], Libraries], seed: int
) -> None:
    survive(home, folder, open_libraries, seed=100 + seed, kills=5)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_kill_while_following_is_made_good_at_the_next_start(
    home: Home, folder: Path, open_libraries: Callable[[], Libraries]
) -> None:
    write_notes(folder, 20)
    libraries = open_libraries()
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    chance = random.Random(3)
    for count in (60, 100):
        process = start_indexer(home, folder, FOLLOWER)
        assert process.stdout is not None
        assert "following" in process.stdout.readline()
        write_notes(folder, count, words=150)  # edits the old ones, adds others
        kill_after_word(process, "Reading", chance.uniform(0.1, 1.5))
    assert libraries.find("notes").following == "off"  # whoever followed is dead
    for n in range(0, 100, 2):
        (folder / f"note{n:03d}.txt").rename(folder / f"moved{n:03d}.txt")
    for n in range(0, 100, 2):
        (folder / f"moved{n:03d}.txt").rename(folder / f"note{n:03d}.txt")
    agreed = libraries.find("notes").agreed_at
    following = Following(libraries, lambda event: None, lambda what: None)
    following.start()
    deadline = time.monotonic() + 120
    while libraries.find("notes").agreed_at == agreed:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    following.close()
    check_complete(home, 100, libraries)


def test_a_pause_stops_the_run_of_another_process_and_lasts(
    home: Home, folder: Path, open_libraries: Callable[[], Libraries]
) -> None:
    write_notes(folder, 150, words=150)
    process = start_indexer(home, folder)
    assert process.stdout is not None
    for line in process.stdout:
        if "Understanding" in line:
            break
    libraries = open_libraries()
    libraries.pause("notes")
    rest = process.stdout.read()
    assert process.wait(timeout=60) != 0
    process.stdout.close()
    if process.stdin is not None:
        process.stdin.close()
    assert "finished" not in rest
    view = open_libraries().find("notes")
    assert view.following == "paused"
    assert view.state == "ready"
    assert view.waiting == 0
    assert view.pending_passages > 0
    assert libraries.search(SearchSpec(query="code zq7x", library="notes")).passages
    libraries.resume("notes")
    libraries.follow_up("notes", None, NULL_JOB)
    check_complete(home, 150, libraries)


def test_rows_the_ledger_does_not_vouch_for_are_ignored_and_removed(
    home: Home, folder: Path, open_libraries: Callable[[], Libraries]
) -> None:
    """The states a kill can leave between a write to a table and its commit, made by hand."""
    write_notes(folder, 6)
    libraries = open_libraries()
    report = libraries.index(IndexSpec(folder=str(folder), library="notes"))
    store = Store(home)
    tables = Tables(home.library(report.library_id) / "1", 384)
    contents = Ledger(store).stored_contents(report.library_id)
    first, second, third = (content.content_id for content in contents[:3])
    rows = tables.fetch_range(first * PASSAGES_PER_CONTENT, (first + 1) * PASSAGES_PER_CONTENT)
    ids = tables.vector_ids()
    vector = open_libraries()._embedder.embed_passages(["orphan"])  # pyright: ignore
    tables.add_passages([_as_content(row, 999_999) for row in rows.values()])
    tables.add_vectors([999_999 * PASSAGES_PER_CONTENT], vector)
    with store.transaction() as connection:
        # vectors stored, not committed; a vector lost; a vector stored twice
        connection.execute(
            "UPDATE contents SET embedded = 0, state = 'read' WHERE content_id = ?", (first,)
        )
    tables.delete_vectors([second * PASSAGES_PER_CONTENT])
    tables.add_vectors([third * PASSAGES_PER_CONTENT], vector)
    hits = libraries.search(SearchSpec(query=prose(0), library="notes", top=50)).passages
    assert len({hit.passage_id for hit in hits}) == len(hits) == 6
    tables.close()
    store.close()
    report = libraries.index(IndexSpec(folder=str(folder), library="notes"))
    assert report.passages == 2  # the lost one and the doubled one; the uncommitted is adopted
    check_complete(home, 6, libraries)
    assert sorted(stored(home)[2]) == sorted(ids.tolist())


def _as_content(row, content_id: int):
    from dataclasses import replace

    return replace(row, passage_id=content_id * PASSAGES_PER_CONTENT + row.ordinal)
