"""The reranker in real searches: a real child process, a real if tiny cross-encoder."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.documents.pool import ReaderPool
from engine.errors import Cancelled, InvalidInput, ModelUnavailable, WorkerCrashed
from engine.library.choosing import Hit
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.library.reranking import RERANKED, Reranker
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.settings import load_settings
from engine.store.db import Store
from engine.work.api import IndexSpec, SearchReport, SearchSpec
from engine.work.jobs import CallbackJob
from engine.work.lease import CoreLease
from tests.engine.library.conftest import prose
from tests.rerankers import WINNER

QUERY = "amber basin cedar"


@dataclass
class Made:
    """A library in which the note that wins is not the one a search finds first."""

    libraries: Libraries
    embedder: Embedder
    home: Home
    model: Path

    @property
    def reranker(self) -> Reranker:
        return self.libraries.reranker

    def search(self, **more: object) -> SearchReport:
        spec = {"query": QUERY, "library": "notes", "top": 5, **more}
        return self.libraries.search(SearchSpec.model_validate(spec))

    def names(self, **more: object) -> list[str]:
        return names(self.search(**more))


def names(report: SearchReport) -> list[str]:
    return [Path(hit.path).name for hit in report.passages]


@pytest.fixture(scope="module")
def whole(
    starter: Path,
    readers: ReaderPool,
    rerankers: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Made]:
    home = Home(tmp_path_factory.mktemp("reranked"))
    folder = tmp_path_factory.mktemp("notes")
    for n in range(40):
        (folder / f"note{n:02}.txt").write_text(prose(f"r{n}", 12))
    (folder / "first.txt").write_text("Amber basin, cedar. The cedar of the amber basin.")
    (folder / "wins.txt").write_text(f"The {WINNER} is an amber {WINNER} from a basin of kelp.")
    store = Store(home)
    embedder = Embedder(starter_embedder(), store, CoreLease(home))
    libraries = Libraries(home, store, readers, embedder, CoreLease(home))
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    yield Made(libraries, embedder, home, rerankers / "winner")
    libraries.close()
    embedder.close()
    store.close()


@pytest.fixture
def made(whole: Made, rerankers: Path, tmp_path: Path) -> Iterator[Made]:
    """With a copy of the model, which the test may spoil, set and switched on."""
    whole.model = tmp_path / "mine"
    shutil.copytree(rerankers / "winner", whole.model)
    whole.reranker.choose(str(whole.model))
    whole.reranker.switch(True)
    yield whole
    whole.reranker.choose("")


def test_the_first_candidates_are_read_again_and_ordered_anew(made: Made) -> None:
    plain, report = made.search(rerank=False), made.search()
    assert names(plain)[0] == "first.txt"
    # Equal scores keep their order behind it.
    assert names(report)[:2] == ["wins.txt", "first.txt"]
    assert report.notice == ""
    assert [hit.ranks.rerank for hit in report.passages] == [1, 2, 3, 4, 5]
    scores = [hit.rerank for hit in report.passages if hit.rerank is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 5
    assert all(hit.rerank is None and hit.ranks.rerank is None for hit in plain.passages)
    # What it was found with is not lost.
    before = {hit.passage_id: hit.score for hit in made.search(rerank=False, top=40).passages}
    assert all(hit.score == before[hit.passage_id] for hit in report.passages)


def test_an_explanation_changes_nothing_and_shows_the_step(made: Made) -> None:
    report = made.search(explain=True)
    assert report.passages == made.search().passages
    assert report.explanation is not None
    steps = {step.name: step for step in report.explanation.steps}
    assert list(steps) == ["filter", "embed", "dense", "keyword", "fuse", "rerank", "choose"]
    assert f"The first {RERANKED} read again" in steps["rerank"].detail
    candidates = report.explanation.candidates
    assert [one.fused_rank for one in candidates] == list(range(1, len(candidates) + 1))
    ranked = [one for one in candidates if one.rerank_rank is not None]
    assert ranked == candidates[:RERANKED]
    assert sorted(one.rerank_rank or 0 for one in ranked) == list(range(1, RERANKED + 1))
    [best] = [one for one in ranked if one.rerank_rank == 1]
    assert best.path.endswith("wins.txt")
    assert best.fate.endswith("then 1st by the reranker.")
    assert best.rerank_score == max(one.rerank_score or -99 for one in ranked)


def test_it_is_used_when_it_is_on_or_asked_for(made: Made) -> None:
    assert made.names()[0] == "wins.txt"
    view = made.reranker.switch(False)
    assert (view.on, view.folder) == (False, str(made.model))
    assert made.names()[0] != "wins.txt"
    assert made.names(rerank=True)[0] == "wins.txt"
    assert made.search(explain=True).explanation is not None
    made.reranker.choose("")
    report = made.search(rerank=True)
    assert report.notice == "Found without the reranker. No reranker is set."
    assert names(report) == made.names(rerank=False)
    with pytest.raises(InvalidInput, match="No reranker is set"):
        made.reranker.switch(True)


def test_nothing_found_is_nothing_to_rerank(made: Made) -> None:
    for more in ({"query": ""}, {"top": 0}, {"query": "qqq", "method": "keyword"}):
        report = made.search(**more)
        assert report.passages == []
        assert report.notice == ""


def test_a_new_model_is_off_until_somebody_turns_it_on(made: Made, rerankers: Path) -> None:
    assert made.reranker.choose(str(made.model)).on  # the same one again
    view = made.reranker.choose(str(rerankers / "random"))
    assert (view.name, view.on, view.measured) == ("random", False, [])
    assert load_settings(made.home).rerank is False


def test_what_cannot_be_used_leaves_what_was_set(
    made: Made, starter: Path, tmp_path: Path
) -> None:
    pickled = tmp_path / "pickled"
    shutil.copytree(made.model, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    damaged = tmp_path / "damaged"
    shutil.copytree(made.model, damaged)
    (damaged / "model.safetensors").write_bytes(b"no weights")
    for folder, kind, said in (
        (tmp_path / "nothing", InvalidInput, "no folder"),
        (pickled, ModelUnavailable, "pickle"),
        (damaged, ModelUnavailable, "cannot be loaded"),
        (starter / "all-MiniLM-L6-v2", ModelUnavailable, "no cross-encoder"),
    ):
        with pytest.raises(kind, match=said):
            made.reranker.choose(str(folder))
        view = made.reranker.view()
        assert (view.folder, view.on) == (str(made.model), True)
        assert made.names()[0] == "wins.txt"


def test_a_folder_deleted_meanwhile_is_told_and_the_search_goes_on(made: Made) -> None:
    moved = made.model.rename(made.model.with_name("elsewhere"))
    report = made.search()
    assert report.notice.startswith("Found without the reranker. The folder of the reranker")
    assert names(report) == made.names(rerank=False)
    view = made.reranker.view()
    assert (view.folder, view.on) == (str(made.model), True)
    assert "no folder" in view.problem
    moved.rename(made.model)
    assert made.search().notice == ""


def test_weights_damaged_meanwhile_are_told_until_they_are_sound_again(made: Made) -> None:
    weights = made.model / "model.safetensors"
    sound = weights.read_bytes()
    spoilt = made.model / "spoilt"
    spoilt.write_bytes(sound[:1000])
    spoilt.replace(weights)
    for _ in range(2):  # the second one is not tried again
        report = made.search()
        assert "cannot be loaded" in report.notice
        assert names(report) == made.names(rerank=False)
    weights.write_bytes(sound)
    report = made.search()
    assert report.notice == ""
    assert names(report)[0] == "wins.txt"


def test_a_slow_one_is_left_alone_and_vectors_still_work(made: Made, home: Home) -> None:
    store = Store(home)
    slow = Reranker(home, store, made.embedder, limit_s=0.0)
    slow.choose(str(made.model))
    slow.switch(True)
    pid = made.embedder.pid
    fast, made.libraries._searches._reranker = made.reranker, slow  # pyright: ignore
    try:
        report = made.search()
        assert report.notice == ("Found without the reranker. It took longer than 0 seconds.")
        assert names(report) == made.names(rerank=False)
        assert made.search(method="dense").passages
    finally:
        made.libraries._searches._reranker = fast  # pyright: ignore
        store.close()
    assert made.embedder.pid == pid  # nothing had to be killed
    assert made.names()[0] == "wins.txt"


def test_a_killed_process_comes_back_with_the_reranker(made: Made) -> None:
    assert made.embedder.pid is not None
    os.kill(made.embedder.pid, signal.SIGKILL)
    for _ in range(2):
        report = made.search()
        if not report.notice:
            break
    assert report.notice == ""
    assert names(report)[0] == "wins.txt"


def test_a_crash_while_it_reads_costs_only_the_order(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = made.embedder.rerank

    def crash(*given: object, **named: object) -> list[float]:
        assert made.embedder.pid is not None
        os.kill(made.embedder.pid, signal.SIGKILL)
        return real(*given, **named)  # pyright: ignore

    with monkeypatch.context() as patched:
        patched.setattr(made.embedder, "rerank", crash)
        report = made.search()
    assert report.notice.startswith("Found without the reranker.")
    assert names(report) == made.names(rerank=False)
    made.reranker.switch(True)  # the user's own try is not put off
    assert made.names()[0] == "wins.txt"


def test_a_cancel_is_a_cancel(made: Made) -> None:
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        made.libraries.search(SearchSpec(query=QUERY, library="notes"), job)
    with pytest.raises(Cancelled):
        made.reranker.rerank(QUERY, _hits(made), job)
    with pytest.raises(Cancelled):
        made.reranker.choose(str(made.model), job)
    assert made.names()[0] == "wins.txt"


def _hits(made: Made) -> list[Hit]:
    """The candidates of a search, as the search itself hands them over."""
    seen: list[Hit] = []
    real = made.reranker.rerank

    def look(query: str, hits: list[Hit], job: object) -> object:
        seen.extend(hits)
        return real(query, hits, job)  # pyright: ignore

    made.reranker.rerank = look  # pyright: ignore
    try:
        made.search()
    finally:
        del made.reranker.rerank
    assert seen
    return seen


def test_rubbish_instead_of_scores_is_a_crash(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rubbish in (None, ["x"], [1.0]):
        monkeypatch.setattr(
            made.embedder._worker, "call", lambda *a, rubbish=rubbish, **k: rubbish
        )
        with pytest.raises(WorkerCrashed, match="unreadable"):
            made.embedder.rerank(made.model, "q", ["a", "b"])
