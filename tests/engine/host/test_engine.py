"""The engine host as the window meets it: a real process spoken to in JSON-RPC lines."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.errors import Cancelled, InvalidInput, WorkerCrashed
from engine.host.engine import handlers, typed
from engine.host.service import Engine
from engine.paths import Home
from engine.work import api
from engine.work.children import Child, entry_command
from engine.work.jobs import NULL_JOB, CallbackJob
from engine.work.messages import Notification

ROOT = Path(__file__).parents[3]


class Host:
    """The host process and what it said outside of requests."""

    def __init__(self, home: Path) -> None:
        self.said: list[Notification] = []
        environment = {"WHETSTONE_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.child = Child(entry_command("engine"), "The engine", environment, self.said.append)

    def call(self, method: str, spec: api.View | None = None, **options: Any) -> Any:
        params = (spec or api.Empty()).model_dump(mode="json")
        result = self.child.call(method, params, timeout_s=170, **options)
        return api.METHODS[method][1].model_validate(result)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("station")
    (folder / "rota.md").write_text(
        "# Rota\n\nOn Tuesdays the night watch is kept by Ingrid Solberg.\n\n"
        "# Generator\n\nThe diesel generator is tested every second Friday.\n"
    )
    (folder / "tide.txt").write_text("The tide gauge stands at the north pier.\n")
    return folder


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Host]:
    host = Host(tmp_path_factory.mktemp("home"))
    report = host.call("index", api.IndexSpec(folder=str(folder), library="Station"))
    assert report.files.indexed == 2
    yield host
    host.child.close()


def test_every_method_of_the_contract_is_served(tmp_path: Path) -> None:
    with Engine(Home(tmp_path)) as engine:
        assert set(handlers(engine)) == set(api.METHODS)


def test_what_models_computed_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    with Engine(Home(tmp_path)) as engine:
        engine.home.states.mkdir(exist_ok=True)
        state, other = engine.home.states / "a.state", engine.home.states / "note.txt"
        state.write_bytes(b"x" * 100)
        other.write_text("not a state")
        typed("states.clear", handlers(engine)["states.clear"])({}, NULL_JOB)
        assert not state.exists()
        assert other.exists()


def test_state_shows_what_a_fresh_window_needs(host: Host) -> None:
    state = host.call("state")
    (library,) = state.libraries
    assert (library.name, library.files, library.state) == ("Station", 2, "ready")
    assert state.indexing == []
    assert any(model.default for model in state.models)


def test_views_are_told_when_they_are_stale(host: Host) -> None:
    stale = [note.params["what"] for note in host.said if note.method == "changed"]
    assert ["libraries"] in stale


def test_bad_parameters_are_refused_and_the_host_lives(host: Host) -> None:
    with pytest.raises(InvalidInput):
        host.child.call("search", {"query": 5})
    with pytest.raises(InvalidInput):
        host.child.call("libraries.files", {"library": "Nothing"})
    assert host.call("libraries.list").libraries


def test_ask_streams_sources_before_tokens_and_is_kept(host: Host) -> None:
    events: list[tuple[str, Any]] = []
    report = host.call(
        "ask",
        api.AskSpec(question="Who keeps the night watch on Tuesdays?", library="Station"),
        on_event=lambda kind, data: events.append((kind, data)),
    )
    kinds = [kind for kind, _ in events]
    assert kinds.index("sources") < kinds.index("token")
    streamed = "".join(data["text"] for kind, data in events if kind == "token")
    assert streamed.strip()
    assert "Solberg" in report.answer
    assert all(citation.verified for citation in report.citations)
    (row,) = host.call("conversations.list").conversations
    kept = host.call("conversations.show", api.ConversationRef(conversation=row.id))
    assert kept.turns[0].answer == report.answer
    host.call("conversations.remove", api.ConversationRef(conversation=row.id))
    assert host.call("conversations.list").conversations == []


def test_view_shows_the_place_of_a_hit(host: Host) -> None:
    hits = host.call("search", api.SearchSpec(query="diesel generator test", library="Station"))
    hit = hits.passages[0]
    view = host.call(
        "view",
        api.ViewSpec(library="Station", file_id=hit.file_id, start=hit.start, end=hit.end),
    )
    assert view.kind == "text"
    assert view.text[view.mark_start : view.mark_end] == hit.text
    assert not view.changed


def test_a_followed_folder_is_current_and_says_so(host: Host, folder: Path) -> None:
    host.call("follow")
    host.call("follow")  # twice is once
    library = api.LibraryRef(library="Station")

    def view() -> api.LibraryView:
        [one] = host.call("libraries.list").libraries
        return one

    def eventually(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def finds(word: str) -> bool:
        spec = api.SearchSpec(query=word, library="Station", method="keyword")
        return bool(host.call("search", spec).passages)

    eventually(lambda: view().following == "live")
    (folder / "guests.txt").write_text("The glaciologist arrives on Thursday.\n")
    eventually(lambda: finds("glaciologist"))
    eventually(lambda: any(note.method == "indexing" for note in host.said))
    told = [note.params for note in host.said if note.method == "indexing"]
    assert {one["name"] for one in told} == {"Station"}

    host.call("libraries.pause", library)
    (folder / "guests.txt").write_text("The seismologist arrives on Friday.\n")
    assert view().following == "paused"
    host.call("libraries.resume", library)
    eventually(lambda: finds("seismologist"))
    eventually(lambda: view().following == "live" and view().pending_passages == 0)
    [row] = host.call("libraries.files", api.FilesSpec(library="Station", match="guests")).rows
    report = host.call(
        "libraries.retry", api.RetrySpec(library="Station", file_ids=[row.file_id])
    )
    assert (report.files.indexed, report.files.unchanged) == (1, 0)
    renamed = host.call(
        "libraries.rename", api.RenameLibrarySpec(library="Station", name="Hut")
    )
    assert renamed.name == "Hut"
    host.call("libraries.rename", api.RenameLibrarySpec(library="Hut", name="Station"))
    (folder / "guests.txt").unlink()
    eventually(lambda: view().files == 2 and view().state == "ready")


def test_an_answer_can_be_stopped_at_once(host: Host) -> None:
    job = CallbackJob()
    stopped_at: list[float] = []

    def stop(kind: str, data: Any) -> None:
        if kind == "token" and not stopped_at:
            stopped_at.append(time.monotonic())
            job.cancel()

    spec = api.AskSpec(question="Tell me a very long story about the pier.", library="Station")
    try:
        report = host.call("ask", spec, job=job, on_event=stop)
        assert report.stopped
    except Cancelled:
        pass
    assert time.monotonic() - stopped_at[0] < 3


def test_a_killed_generator_costs_one_line_and_one_answer(host: Host) -> None:
    host.call("models.warm")
    generator = find_child(host, "engine.host.generator")
    killed: list[bool] = []

    def kill(kind: str, data: Any) -> None:
        if kind == "token" and not killed:
            killed.append(True)
            os.kill(generator.pid, signal.SIGKILL)

    spec = api.AskSpec(question="Tell me everything about the tide gauge.", library="Station")
    with pytest.raises(WorkerCrashed):
        host.call("ask", spec, on_event=kill)
    lines = [note.params for note in host.said if note.method == "worker"]
    assert [line["worker"] for line in lines] == ["generator"]
    again = api.AskSpec(question="Where does the tide gauge stand?", library="Station")
    assert "pier" in host.call("ask", again).answer


def test_a_killed_embedder_leaves_keyword_search_and_comes_back(host: Host) -> None:
    spec = api.SearchSpec(query="night watch", library="Station")
    host.call("search", spec)
    os.kill(find_child(host, "engine.host.embedder").pid, signal.SIGKILL)
    assert host.call("search", spec).passages
    deadline = time.monotonic() + 60
    while host.call("search", spec).notice and time.monotonic() < deadline:
        time.sleep(0.5)
    after = host.call("search", spec)
    assert after.notice == ""
    assert after.passages[0].ranks.dense is not None


def test_the_host_takes_its_children_along_when_it_is_killed(
    tmp_path: Path, folder: Path
) -> None:
    host = Host(tmp_path)
    host.call("index", api.IndexSpec(folder=str(folder)))
    children = psutil.Process(host.child.pid).children(recursive=True)
    assert children
    host.child.kill()
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []


def find_child(host: Host, module: str) -> psutil.Process:
    for process in psutil.Process(host.child.pid).children(recursive=True):
        if module in process.cmdline():
            return process
    raise AssertionError(f"no child runs {module}")
