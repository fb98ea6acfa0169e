from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import Cancelled, ModelUnavailable, WorkerCrashed
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.store.db import Store
from engine.work.api import FilesSpec, IndexSpec, SearchSpec
from engine.work.jobs import CallbackJob
from engine.work.lease import CoreLease
from tests.engine.library.conftest import prose, write_notes

RUBBISH = """
import os
from engine.work.serve import serve

def embed(params, job):
    os.write(real, b"all your vectors\\n")

real = os.dup(1)
serve({"hello": lambda params, job: {}, "embed": embed})
"""

MakeEmbedder = Callable[..., Embedder]


@pytest.fixture
def make_embedder(home: Home, starter: Path) -> Iterator[MakeEmbedder]:
    """Embedders of this test alone, which may be killed."""
    made: list[Embedder] = []
    store = Store(home)

    def make(**options: object) -> Embedder:
        info = options.pop("info", starter_embedder())
        embedder = Embedder(info, store, CoreLease(home), **options)  # pyright: ignore
        made.append(embedder)
        return embedder

    yield make
    for embedder in made:
        embedder.close()
    store.close()


def test_questions_and_passages_share_one_space(embedder: Embedder) -> None:
    texts = [prose(n, words=n) for n in range(0, 60, 7)]
    vectors = embedder.embed_passages(texts)
    assert vectors.shape == (len(texts), 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-2)
    for text, vector in zip(texts, vectors, strict=True):
        assert float(embedder.embed_query(text) @ vector) > 0.99
    assert embedder.embed_passages([]).shape == (0, 384)
    assert embedder.embed_query("\ud800 \x00").shape == (384,)


def test_repeated_texts_get_equal_vectors_in_their_places(embedder: Embedder) -> None:
    texts = [prose(1), prose(2), prose(1), prose(3), prose(2), prose(1)]
    vectors = embedder.embed_passages(texts)
    assert vectors.shape == (6, embedder.info.dimensions)
    for row, text in enumerate(texts):
        assert np.array_equal(vectors[row], vectors[texts.index(text)])
    distinct = embedder.embed_passages([prose(1), prose(2), prose(3)])
    assert np.min(np.sum(vectors[[0, 1, 3]] * distinct, axis=1)) > 0.999


def test_backends_are_measured_once_and_remembered(
    make_embedder: MakeEmbedder, home: Home
) -> None:
    embedder = make_embedder()
    assert embedder.measured() == []
    timings = embedder.measure_backends(texts=[prose(n, 20) for n in range(8)])
    assert [timing.chosen for timing in timings].count(True) == 1
    pid = embedder.pid
    later = make_embedder()
    assert later.measure_backends() == timings
    assert later.pid is None  # nothing was started for it
    assert later.backend() == embedder.backend() != ""
    assert embedder.embed_query("still the same child").shape == (384,)
    assert embedder.pid == pid


def test_a_killed_embedder_fails_that_call_and_comes_back(
    make_embedder: MakeEmbedder,
) -> None:
    deaths: list[WorkerCrashed] = []
    embedder = make_embedder(on_death=deaths.append)
    embedder.warm()
    assert embedder.pid is not None
    os.kill(embedder.pid, signal.SIGSTOP)  # so that the call surely finds it dying
    killer = threading.Timer(0.3, os.kill, (embedder.pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(WorkerCrashed):
        embedder.embed_query("hello")
    killer.join()
    assert len(deaths) == 1
    assert embedder.embed_query("hello").shape == (384,)


def test_a_hanging_embedder_is_stopped_in_time(make_embedder: MakeEmbedder) -> None:
    embedder = make_embedder(query_timeout_s=0.5)
    embedder.warm()
    assert embedder.pid is not None
    os.kill(embedder.pid, signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(WorkerCrashed, match="did not answer"):
        embedder.embed_query("hello")
    assert time.monotonic() - start < 60  # not for ever
    assert embedder.embed_query("hello").shape == (384,)


def test_rubbish_on_stdout_is_a_crash_not_a_vector(make_embedder: MakeEmbedder) -> None:
    embedder = make_embedder(command=[sys.executable, "-c", RUBBISH])
    with pytest.raises(WorkerCrashed):
        embedder.embed_query("hello")


def test_a_cancel_stops_a_long_batch(embedder: Embedder) -> None:
    job = CallbackJob()
    threading.Timer(0.5, job.cancel).start()
    with pytest.raises(Cancelled):
        embedder.embed_passages([prose(n, 200) for n in range(3000)], job)


def test_search_goes_on_by_words_while_the_embedder_is_out(
    make_embedder: MakeEmbedder,
    open_libraries: Callable[..., Libraries],
    folder: Path,
) -> None:
    write_notes(folder, 3)
    open_libraries().index(IndexSpec(folder=str(folder), library="notes"))
    embedder = make_embedder(query_timeout_s=0.5)
    libraries = open_libraries(embedder)
    embedder.warm()
    spec = SearchSpec(query="zq1x", library="notes")
    for signal_number in (signal.SIGSTOP, signal.SIGKILL):
        assert embedder.pid is not None
        os.kill(embedder.pid, signal.SIGSTOP)
        threading.Timer(0.2, os.kill, (embedder.pid, signal_number)).start()
        report = libraries.search(spec)
        assert report.notice.startswith("Searched by words only.")
        assert [Path(hit.path).name for hit in report.passages] == ["note001.txt"]
        assert report.passages[0].ranks.dense is None
        report = libraries.search(spec)  # a fresh child, by meaning again
        assert report.notice == ""
        assert report.passages[0].ranks.dense is not None


def test_indexing_goes_on_after_the_embedder_was_killed(
    make_embedder: MakeEmbedder,
    open_libraries: Callable[..., Libraries],
    folder: Path,
) -> None:
    write_notes(folder, 60, words=120)
    embedder = make_embedder()
    libraries = open_libraries(embedder)
    embedder.warm()
    killed: list[int] = []

    def kill_once(kind: str, data: object) -> None:
        if kind == "stored" and not killed and embedder.pid is not None:
            killed.append(embedder.pid)
            os.kill(embedder.pid, signal.SIGKILL)

    job = CallbackJob(on_event=kill_once)
    report = libraries.index(IndexSpec(folder=str(folder), library="notes"), job)
    assert killed
    assert report.files.indexed == 60
    page = libraries.files(FilesSpec(library="notes"))
    assert {row.state for row in page.rows} == {"indexed"}


def test_files_are_found_by_words_when_the_embedder_never_works(
    make_embedder: MakeEmbedder,
    open_libraries: Callable[..., Libraries],
    folder: Path,
) -> None:
    write_notes(folder, 4)
    broken = open_libraries(make_embedder(command=[sys.executable, "-c", RUBBISH]))
    with pytest.raises(WorkerCrashed):
        broken.index(IndexSpec(folder=str(folder), library="notes"))
    assert {row.state for row in broken.files(FilesSpec(library="notes")).rows} == {"read"}
    report = broken.search(SearchSpec(query="zq2x", library="notes"))
    assert "by words only" in report.notice
    assert [Path(hit.path).name for hit in report.passages] == ["note002.txt"]

    working = open_libraries()
    report = working.search(SearchSpec(query="zq2x", library="notes"))
    assert "still being indexed" in report.notice
    assert working.index(IndexSpec(folder=str(folder), library="notes")).passages == 4
    assert working.search(SearchSpec(query="zq2x", library="notes")).notice == ""


def test_a_damaged_model_is_told_and_words_still_work(
    make_embedder: MakeEmbedder,
    open_libraries: Callable[..., Libraries],
    folder: Path,
    tmp_path: Path,
) -> None:
    write_notes(folder, 2)
    open_libraries().index(IndexSpec(folder=str(folder), library="notes"))
    copy = tmp_path / "model"
    shutil.copytree(starter_embedder().path, copy)
    (copy / "model.safetensors").write_bytes(b"not a model")
    embedder = make_embedder(info=replace(starter_embedder(), path=copy))
    with pytest.raises(ModelUnavailable, match="damaged"):
        embedder.embed_query("x")
    report = open_libraries(embedder).search(SearchSpec(query="zq0x", library="notes"))
    assert "damaged" in report.notice
    assert len(report.passages) == 1
