"""Several libraries, filters and explanations, through the door that everyone uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.errors import InvalidInput, LibraryOutdated
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.paths import Home
from engine.store.db import Store
from engine.work.api import Filter, IndexSpec, SearchReport, SearchSpec
from engine.work.lease import CoreLease
from tests.engine.library.conftest import prose

CLOCK = """
import sys, time
from pathlib import Path
from engine.host.service import Engine
from engine.library import searching
from engine.paths import Home
from engine.work.api import SearchSpec

class Clock:
    loaded = []
    def perf_counter(self):
        self.loaded.append("lancedb" in sys.modules)
        return time.perf_counter()

searching.time = Clock()
with Engine(Home(Path(sys.argv[1]))) as engine:
    engine.search(SearchSpec(query="letter", library="letters", method="keyword"))
print(Clock.loaded[0])
"""
NOON = 1_714_564_800  # 2024-05-01T12:00Z


@dataclass(frozen=True)
class Made:
    """Two libraries, `letters` and `bills`, which share one document."""

    libraries: Libraries
    home: Home
    folder: Path

    def search(self, query: str, **kinds: object) -> SearchReport:
        return self.libraries.search(
            SearchSpec.model_validate({"query": query, "library": "letters", **kinds})
        )


@pytest.fixture(scope="module")
def made(
    starter: Path, tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, readers
) -> Iterator[Made]:
    home = Home(tmp_path_factory.mktemp("several"))
    folder = tmp_path_factory.mktemp("documents")
    for name in ("letters/2023", "letters/2024", "bills"):
        (folder / name).mkdir(parents=True)
    for n in range(6):
        (folder / "letters" / "2023" / f"letter{n}.txt").write_text(prose(f"l{n}"))
        (folder / "bills" / f"bill{n}.md").write_text(prose(f"b{n}"))
    shared = prose("shared", 60)
    (folder / "letters" / "2024" / "both.txt").write_text(shared)
    (folder / "letters" / "2023" / "copy.txt").write_text(shared)
    (folder / "bills" / "both.txt").write_text(shared)
    os.utime(folder / "letters" / "2024" / "both.txt", (NOON, NOON))
    store = Store(home)
    libraries = Libraries(home, store, readers, embedder, CoreLease(home))
    for name in ("letters", "bills"):
        libraries.index(IndexSpec(folder=str(folder / name), library=name))
    yield Made(libraries, home, folder)
    libraries.close()
    store.close()


def names(report: SearchReport) -> list[str]:
    return [Path(hit.path).name for hit in report.passages]


def test_a_document_of_two_libraries_appears_once_in_the_first_named(made: Made) -> None:
    ids = {view.name: view.id for view in made.libraries.list()}
    for first, second in (("letters", "bills"), ("bills", "letters")):
        for method in ("hybrid", "dense", "keyword"):
            report = made.search(
                "code zqsharedx",
                library=first,
                libraries=[second, first],
                method=method,
                top=20,
            )
            shared = [hit for hit in report.passages if "zqsharedx" in hit.text]
            assert [hit.library for hit in shared] == [ids[first]]
    report = made.search("code zqb3x zql3x", libraries=["bills"], top=4)
    assert {hit.library for hit in report.passages} == set(ids.values())


def test_one_library_alone_is_searched_as_before(made: Made) -> None:
    alone = made.search("amber basin cedar", top=20)
    again = made.search("amber basin cedar", libraries=["letters"], top=20)
    assert alone.passages == again.passages
    assert alone.explanation is None


@pytest.mark.parametrize("libraries", [[], ["bills"]])
@pytest.mark.parametrize("wanted", [Filter(), Filter(types=["Text"])])
def test_an_explanation_changes_nothing_and_tells_all(
    made: Made, libraries: list[str], wanted: Filter
) -> None:
    plain = made.search("amber basin zql2x", top=3, libraries=libraries, filter=wanted)
    told = made.search(
        "amber basin zql2x", top=3, libraries=libraries, filter=wanted, explain=True
    )
    assert told.passages == plain.passages
    explanation = told.explanation
    assert explanation is not None
    steps = [step.name for step in explanation.steps]
    assert steps == ["filter", "embed", "dense", "keyword", "fuse", "choose"]
    assert all(step.detail for step in explanation.steps)
    assert sum(step.milliseconds for step in explanation.steps) <= told.milliseconds + 0.01
    ranked = explanation.candidates
    assert [one.fused_rank for one in ranked] == list(range(1, len(ranked) + 1))
    assert [one.fused_score for one in ranked] == sorted(
        (one.fused_score for one in ranked), reverse=True
    )
    for one in ranked:
        assert one.fused_score == pytest.approx(one.dense_share + one.keyword_share)
        assert (one.dense_rank is None) == (one.dense_score is None)
        assert (one.keyword_rank is None) == (one.keyword_score is None)
        assert one.fate
    chosen = {one.chosen: one for one in ranked if one.chosen and "Number" in one.fate}
    assert {n: one.passage_id for n, one in chosen.items()} == {
        n: hit.passage_id for n, hit in enumerate(told.passages, 1)
    }
    assert any(one.chosen is None and "Left out" in one.fate for one in ranked)


def test_a_copy_counts_for_the_file_that_passes(made: Made) -> None:
    for wanted, folder in (
        (Filter(paths=["2023"]), "2023"),
        (Filter(paths=[str(made.folder / "letters" / "2024")]), "2024"),
        (Filter(since="2024-04-30", until="2024-05-02"), "2024"),
        (Filter(since="2024-05-03"), "2023"),
    ):
        [hit] = [
            hit
            for hit in made.search("zqsharedx", filter=wanted, top=20).passages
            if "zqsharedx" in hit.text
        ]
        assert Path(hit.path).parent.name == folder
        known = made.libraries.file_path("letters", hit.file_id)
        assert os.fsdecode(known) == hit.path


def test_a_filter_holds_in_every_library(made: Made) -> None:
    report = made.search("amber", libraries=["bills"], filter=Filter(types=["md"]), top=50)
    assert sorted(names(report)) == [f"bill{n}.md" for n in range(6)]
    file_ids = [hit.file_id for hit in report.passages[:2]]
    again = made.search("amber", libraries=["bills"], filter=Filter(file_ids=file_ids), top=50)
    assert {hit.file_id for hit in again.passages} == set(file_ids)


def test_nothing_passes(made: Made) -> None:
    report = made.search("amber", filter=Filter(paths=["/nowhere"]), explain=True)
    assert report.passages == []
    assert report.notice == "No file passes the filter."
    assert report.explanation is not None
    assert report.explanation.steps[0].detail.startswith("0 of 7 documents pass")
    with pytest.raises(InvalidInput, match="not a date"):
        made.search("", filter=Filter(since="soon"))


def test_what_can_be_filtered_by(made: Made) -> None:
    facets = made.libraries.facets("letters")
    assert [(one.value, one.files) for one in facets.types] == [("Text", 8)]
    root = os.path.realpath(made.folder / "letters")
    assert [(one.value, one.files) for one in facets.folders] == [
        (root, 8),
        (f"{root}/2023", 7),
        (f"{root}/2024", 1),
    ]
    assert facets.oldest == "2024-05-01T12:00:00Z"
    assert facets.newest > facets.oldest
    for one in facets.folders:
        found = made.search("amber", filter=Filter(paths=[one.value]), method="dense", top=50)
        assert all(hit.path.startswith(one.value + "/") for hit in found.passages)
        assert found.passages
    with pytest.raises(InvalidInput, match="no library"):
        made.libraries.facets("bogus")


def test_a_library_that_cannot_be_searched_is_left_out_and_named(
    made: Made, open_libraries: Callable[[], Libraries], home: Home
) -> None:
    libraries = open_libraries()
    for name in ("letters", "bills"):
        libraries.index(IndexSpec(folder=str(made.folder / name), library=name))
    both = SearchSpec(query="zqb1x", library="letters", libraries=["bills"])
    assert libraries.search(both).notice == ""
    damaged = home.library(libraries.find("letters").id)
    for manifest in damaged.rglob("*.manifest"):
        manifest.write_bytes(b"")
    libraries.close()
    report = libraries.search(both)
    assert report.notice == "Not searched, because it has to be rebuilt: letters."
    assert names(report)[0] == "bill1.md"
    shutil.rmtree(damaged)
    store = Store(home)
    with store.transaction() as connection:
        connection.execute("UPDATE libraries SET reader_version = 0 WHERE name = 'bills'")
    store.close()
    assert "bills" in libraries.search(both).notice
    with pytest.raises(LibraryOutdated):
        libraries.search(SearchSpec(query="zqb1x", library="bills"))
    with pytest.raises(InvalidInput, match="no library 'cards'"):
        libraries.search(SearchSpec(query="x", library="letters", libraries=["cards"]))


def test_loading_the_tables_library_is_no_part_of_a_search_s_time(made: Made) -> None:
    """Else the first search of every command would seem to take seconds."""
    command = [sys.executable, "-c", CLOCK, str(made.home.root)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["True"]
