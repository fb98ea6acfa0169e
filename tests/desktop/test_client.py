from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QElapsedTimer, QTimer

from desktop import client as client_module
from desktop.client import Call, EngineClient, parse_line
from engine.errors import Cancelled, EngineError, InvalidInput, ModelUnavailable, WorkerCrashed
from tests.desktop.conftest import SCRIPTED


@pytest.fixture
def client(qapp: Any, qtbot: Any) -> Iterator[EngineClient]:
    made = EngineClient(SCRIPTED, {"SCRIPT": "full"})
    with qtbot.waitSignal(made.up, timeout=20_000):
        made.start()
    yield made
    made.close()
    assert not made.running


def outcome(qtbot: Any, call: Call) -> Any:
    """What a call ended with, and that it ended once."""
    ends: list[Any] = []
    call.succeeded.connect(ends.append)
    call.failed.connect(ends.append)
    with qtbot.waitSignal(call.finished, timeout=20_000):
        pass
    assert len(ends) == 1
    return ends[0]


def test_a_request_ends_with_a_typed_result(client: EngineClient, qtbot: Any) -> None:
    state = outcome(qtbot, client.request("state"))
    assert type(state).__name__ == "HostState"
    assert state.libraries[0].name == "Clinic protocols"


def test_an_error_keeps_kind_hint_and_details(client: EngineClient, qtbot: Any) -> None:
    error = outcome(qtbot, client.request("ask", {"question": "fail"}))
    assert isinstance(error, ModelUnavailable)
    assert (error.hint, error.details) == ("Choose another model.", "ENOENT <b>x</b>")
    assert isinstance(outcome(qtbot, client.request("no.such")), InvalidInput)


def test_events_come_in_order_before_the_end(client: EngineClient, qtbot: Any) -> None:
    call = client.request("ask", {"question": "what?"})
    kinds: list[str] = []
    call.said.connect(lambda kind, data: kinds.append(kind))
    report = outcome(qtbot, call)
    assert kinds[:2] == ["sources", "loading"]
    assert set(kinds[2:]) == {"token"}
    assert report.citations[0].n == 1


def test_a_cancelled_request_ends_as_cancelled(client: EngineClient, qtbot: Any) -> None:
    call = client.request("ask", {"question": "hang"})
    with qtbot.waitSignal(call.said, timeout=10_000):
        pass
    QTimer.singleShot(0, call.cancel)
    assert isinstance(outcome(qtbot, call), Cancelled)
    assert client.running


def test_a_death_fails_what_is_in_flight_and_the_host_comes_back(
    client: EngineClient, qtbot: Any
) -> None:
    deaths: list[tuple[WorkerCrashed, bool]] = []
    client.crashed.connect(lambda crash, again: deaths.append((crash, again)))
    hanging = client.request("ask", {"question": "hang"})
    with qtbot.waitSignal(hanging.said, timeout=10_000):
        pass
    first = client.pid
    with qtbot.waitSignal(client.up, timeout=20_000):
        crashed = outcome(qtbot, client.request("ask", {"question": "crash"}))
    assert isinstance(crashed, WorkerCrashed)
    assert "a native library says goodbye" in crashed.details
    assert hanging.ended
    assert [again for _, again in deaths] == [True]
    assert client.pid not in (0, first)
    assert outcome(qtbot, client.request("state")).version == "0.1.0"


def test_rubbish_on_the_wire_counts_as_a_death(client: EngineClient, qtbot: Any) -> None:
    with qtbot.waitSignal(client.up, timeout=20_000):
        error = outcome(qtbot, client.request("ask", {"question": "rubbish"}))
    assert isinstance(error, WorkerCrashed)
    assert "what is this" in error.details


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_a_host_that_keeps_dying_is_given_up_and_can_be_tried_again(
    qapp: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "RESTARTS_ALLOWED", 1)
    made = EngineClient([sys.executable, "-c", "import sys; sys.exit('no library here')"])
    deaths: list[bool] = []
    made.crashed.connect(lambda crash, again: deaths.append(again))
    made.start()
    qtbot.waitUntil(lambda: deaths == [True, False], timeout=30_000)
    error = outcome(qtbot, made.request("state"))
    assert isinstance(error, WorkerCrashed)
    made.try_again()
    qtbot.waitUntil(lambda: len(deaths) == 4, timeout=30_000)
    made.close()


def test_a_command_that_does_not_exist_is_said(qapp: Any, qtbot: Any) -> None:
    made = EngineClient(["/does/not/exist"])
    deaths: list[EngineError] = []
    made.crashed.connect(lambda crash, again: deaths.append(crash))
    made.start()
    qtbot.waitUntil(lambda: bool(deaths), timeout=10_000)
    made.close()
    assert isinstance(deaths[0], WorkerCrashed)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_a_killed_host_leaves_no_process(client: EngineClient, qtbot: Any) -> None:
    pid = client.pid
    with qtbot.waitSignal(client.up, timeout=20_000):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_big_and_small_lines_are_read_alike(data: dict[str, Any]) -> None:
    line = json.dumps(data).encode()
    assert parse_line(line) == data
    padded = line + b" " * client_module.BIG_LINE_BYTES
    assert parse_line(padded) == data


@pytest.mark.parametrize("line", [b"[1]", b"nope", b"{", b"\xff"])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        parse_line(line)


def test_the_loop_turns_while_a_big_message_is_read(client: EngineClient, qtbot: Any) -> None:
    """Ten megabytes of rows arrive; the loop goes on turning in between."""
    rows = [{"path": f"/x/{i}", "reason": "damaged " * 8} for i in range(110_000)]
    report = {
        "library": "x",
        "library_id": "x",
        "passages": 1,
        "seconds": 1.0,
        "passages_per_second": 1.0,
        "files": {"skipped": rows},
    }
    line = json.dumps({"jsonrpc": "2.0", "id": 1_000_000, "result": report}).encode()
    assert len(line) > 8_000_000
    call = Call(client, 1_000_000, "index")
    client._calls[call.id] = call
    client._parser.expect(client._generation, call.id, "index")
    clock = QElapsedTimer()
    turns: list[int] = []
    beat = QTimer()
    beat.setInterval(0)
    beat.timeout.connect(lambda: turns.append(clock.restart()))
    clock.start()
    beat.start()
    client._parser.feed(client._generation, line)
    answer = outcome(qtbot, call)
    beat.stop()
    assert len(answer.files.skipped) == 110_000
    assert len(turns) > 50


def test_leaving_lets_the_loop_turn_and_ends_a_host_that_will_not_go(
    qapp: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LEAVE_MS", 400)
    made = EngineClient([sys.executable, "-c", "import time; time.sleep(60)"])
    with qtbot.waitSignal(made.up, timeout=20_000):
        made.start()
    turns: list[int] = []
    beat = QTimer()
    beat.setInterval(20)
    beat.timeout.connect(lambda: turns.append(1))
    beat.start()
    with qtbot.waitSignal(made.left, timeout=10_000):
        made.leave()
    assert len(turns) > 5
    made.close()
    assert not made.running


def test_how_far_an_unasked_run_is_comes_typed(client: EngineClient, qtbot: Any) -> None:
    told = {"library_id": "lib1", "name": "Papers", "done": 3, "total": 9, "eta_s": 1.5}
    line = json.dumps({"jsonrpc": "2.0", "method": "indexing", "params": told}).encode()
    with qtbot.waitSignal(client.indexing, timeout=10_000) as heard:
        client._parser.feed(client._generation, line)
    event = heard.args[0]
    assert (type(event).__name__, event.done, event.ended) == ("IndexingEvent", 3, False)
