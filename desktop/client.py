"""Talks to the engine host: starts it, asks it, starts it again when it dies.

The host is a child process speaking `engine.work.messages`, one JSON message a line. Lines
are parsed and checked in a thread of their own, so that neither a big message nor loading
pydantic holds up the window; what reaches the window are typed objects of `engine.work.api`.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from desktop.strings import english
from engine.errors import Cancelled, EngineError, WorkerCrashed

if TYPE_CHECKING:
    from engine.work.api import View

log = logging.getLogger("whetstone.client")
host_log = logging.getLogger("whetstone.host")

BIG_LINE_BYTES = 1_000_000
CANCEL_GRACE_MS = 12_000
"""The host gives its own children ten seconds; after this the window stops waiting."""
LEAVE_MS = 3000
RESTARTS_ALLOWED = 5
RESTART_WINDOW_S = 60.0
STDERR_TAIL_LINES = 60


class Call(QObject):
    """One request in flight. It ends exactly once: `succeeded` or `failed`, then `finished`."""

    progress = Signal(float, float, str, object)
    """done, total, note, seconds left or None."""
    said = Signal(str, object)
    succeeded = Signal(object)
    failed = Signal(object)
    finished = Signal()

    def __init__(self, client: EngineClient, request_id: int, method: str) -> None:
        super().__init__(client)
        self.id = request_id
        self.method = method
        self.ended = False
        self.begun = time.monotonic()
        self._client = client
        self._cancelling = False

    def cancel(self) -> None:
        """Ask for an end; it comes as `failed` with `Cancelled`."""
        if self.ended or self._cancelling:
            return
        self._cancelling = True
        self._client.send_cancel(self.id)
        QTimer.singleShot(CANCEL_GRACE_MS, self, lambda: self.end(Cancelled()))

    def end(self, outcome: View | EngineError) -> None:
        """Deliver the outcome; later ones are ignored."""
        if self.ended:
            return
        self.ended = True
        if isinstance(outcome, EngineError):
            self.failed.emit(outcome)
        else:
            self.succeeded.emit(outcome)
            self._client.call_ended.emit(self.method, time.monotonic() - self.begun)
        self.finished.emit()
        self.deleteLater()


class _Parser(threading.Thread):
    """Turns lines into (kind, owner, value) and hands them over through a signal."""

    def __init__(self, deliver: Any) -> None:
        super().__init__(name="messages", daemon=True)
        self._lines: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._deliver = deliver
        self._methods: dict[tuple[int, int], str] = {}

    def expect(self, generation: int, request_id: int, method: str) -> None:
        """Remember what the response to `request_id` will be."""
        self._methods[generation, request_id] = method

    def feed(self, generation: int, line: bytes) -> None:
        self._lines.put((generation, line))

    def end(self) -> None:
        self._lines.put(None)

    def stop(self) -> None:
        self.end()
        if self.is_alive():
            self.join(timeout=5)

    def run(self) -> None:
        import engine.work.api
        import engine.work.children  # noqa: F401 - loads pydantic here, not in the GUI thread

        self._deliver(0, "loaded", 0, None)
        while (item := self._lines.get()) is not None:
            generation, line = item
            try:
                parsed = self._parse(generation, parse_line(line))
            except Exception as error:
                log.warning("unreadable line from the engine: %s", error)
                parsed = ("rubbish", 0, f"{line[:200]!r}\n{error}")
            self._deliver(generation, *parsed)

    def _parse(self, generation: int, data: dict[str, Any]) -> tuple[str, int, Any]:
        from engine.work import api

        if "method" in data:
            params = data.get("params") or {}
            if data["method"] == "worker":
                return "worker", 0, api.WorkerEvent.model_validate(params)
            if data["method"] == "indexing":
                return "indexing", 0, api.IndexingEvent.model_validate(params)
            return str(data["method"]), int(params.get("id", 0)), params
        owner = int(data["id"])
        method = self._methods.pop((generation, owner), "")
        if "error" in data:
            raw = data["error"]
            return (
                "end",
                owner,
                EngineError.from_dict(raw.get("data") or {"message": raw["message"]}),
            )
        if not method:
            return "end", owner, None
        return "end", owner, api.METHODS[method][1].model_validate(data["result"])


def parse_line(line: bytes) -> dict[str, Any]:
    """One JSON object. A big one is parsed step by step in Python.

    The C parser keeps the interpreter lock for the whole of a message, and with it the
    window; the Python one gives way every few milliseconds and still reads strings in C.

    Raises:
        ValueError: it is no JSON object.
    """
    text = line.decode("utf-8")
    if len(line) < BIG_LINE_BYTES:
        data = json.loads(text)
    else:
        decoder = json.JSONDecoder()
        decoder.scan_once = py_make_scanner(decoder)
        data = decoder.decode(text)
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    return data


class EngineClient(QObject):
    """The window's end of the wire.

    Args:
        command: the command line of the host; by default the product's own.
        environment: variables on top of the usual ones, e.g. for tests.
    """

    changed = Signal(list)
    """Views that are stale: libraries, models, conversations."""
    worker = Signal(object)
    """A child of the host died and came back (`WorkerEvent`)."""
    call_ended = Signal(str, float)
    """A request succeeded: its method, and the seconds it took."""
    left = Signal()
    """The host has ended after `leave`."""
    indexing = Signal(object)
    """How far a run is that nobody asked for (`IndexingEvent`)."""
    up = Signal()
    """A host is running; everything shown should be asked for anew."""
    crashed = Signal(object, bool)
    """The host died: the `WorkerCrashed`, and whether it is started again."""
    _parsed = Signal(int, str, int, object)

    def __init__(
        self,
        command: Sequence[str] | None = None,
        environment: dict[str, str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._command = list(command) if command is not None else None
        self._extra = dict(environment or {})
        self._ids = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self._process: QProcess | None = None
        self._generation = 0
        self._buffer = bytearray()
        self._stderr: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
        self._deaths: deque[float] = deque(maxlen=RESTARTS_ALLOWED + 1)
        self._closing = False
        self._leaving: QProcess | None = None
        """The host while it ends, after `leave`."""
        self._loaded = False
        self._wanted = False
        self._rubbish = ""
        self._parsed.connect(self._take)
        self._parser = _Parser(self._parsed.emit)

    # --- life of the host -----------------------------------------------------------------

    @property
    def running(self) -> bool:
        """True while a host process is there."""
        return (
            self._process is not None
            and self._process.state() != QProcess.ProcessState.NotRunning
        )

    @property
    def pid(self) -> int:
        """Process id of the host, 0 when there is none."""
        return int(self._process.processId()) if self._process is not None else 0

    def start(self) -> None:
        """Start the host, once the messages are loaded; `up` says when requests may be sent."""
        self._wanted = True
        if not self._parser.is_alive() and not self._loaded:
            self._parser.start()
        if self.running or self._closing or not self._loaded:
            return
        self._generation += 1
        self._buffer.clear()
        self._stderr.clear()
        self._rubbish = ""
        process = QProcess(self)
        process.setProcessEnvironment(self._environment())
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_stderr)
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._broke)
        self._process = process
        command = self._command or _host_command()
        process.start(command[0], command[1:])
        self.up.emit()

    def try_again(self) -> None:
        """Start again after giving up."""
        self._deaths.clear()
        self.start()

    def leave(self) -> None:
        """Begin to end the host in good order (its input ends); `left` says when it has.

        The event loop goes on meanwhile; a host that takes over three seconds is killed.
        """
        if self._closing:
            return
        self._closing = True
        self._leaving, self._process = self._process, None
        self._parser.end()
        for call in list(self._calls.values()):
            call.ended = True  # whoever waits is being closed as well
        self._calls.clear()
        process = self._leaving
        if process is None or process.state() == QProcess.ProcessState.NotRunning:
            QTimer.singleShot(0, self, self._gone)
            return
        process.finished.connect(self._gone)
        process.closeWriteChannel()
        # Not with the process as context: its signals are blocked when it is freed, so a
        # timer would not learn of that, and would fire at nothing.
        QTimer.singleShot(LEAVE_MS, self, self._lose_patience)

    def _gone(self) -> None:
        self.left.emit()

    def _lose_patience(self) -> None:
        if self._leaving is not None:
            self._leaving.kill()

    def close(self) -> None:
        """End the host, and wait until it has ended. Safe to call twice."""
        self.leave()
        process, self._leaving = self._leaving, None
        if process is not None:
            process.blockSignals(True)
            running = process.state() != QProcess.ProcessState.NotRunning
            if running and not process.waitForFinished(LEAVE_MS):
                process.kill()
                process.waitForFinished(2000)
            process.deleteLater()
        self._parser.stop()

    def _environment(self) -> QProcessEnvironment:
        from engine.work.children import child_environment

        result = QProcessEnvironment()
        for name, value in {**child_environment(), **self._extra}.items():
            result.insert(name, value)
        if not getattr(sys, "frozen", False):
            # The host is entered as a module: it must find the package from any folder.
            root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
            known = os.environ.get("PYTHONPATH")
            result.insert("PYTHONPATH", f"{root}{os.pathsep}{known}" if known else root)
        return result

    # --- requests -------------------------------------------------------------------------

    def request(self, method: str, params: dict[str, Any] | None = None) -> Call:
        """Send a request of `engine.work.api.METHODS`; connect to what it returns."""
        call = Call(self, next(self._ids), method)
        self._calls[call.id] = call
        call.finished.connect(lambda: self._calls.pop(call.id, None))
        if not self.running:
            QTimer.singleShot(0, call, lambda: call.end(self._crash()))
            return call
        self._parser.expect(self._generation, call.id, method)
        self._write({"jsonrpc": "2.0", "id": call.id, "method": method, "params": params or {}})
        return call

    def send_cancel(self, request_id: int) -> None:
        """Tell the host to end a request; used by `Call.cancel`."""
        if self.running:
            self._write({"jsonrpc": "2.0", "method": "cancel", "params": {"id": request_id}})

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        line = json.dumps(message, ensure_ascii=True, separators=(",", ":")) + "\n"
        self._process.write(line.encode("ascii"))

    # --- what comes back ------------------------------------------------------------------

    def _read(self) -> None:
        if self._process is None:
            return
        data = self._process.readAllStandardOutput().data()
        if b"\n" not in data:
            self._buffer += data
            return
        *lines, rest = bytes(data).split(b"\n")
        lines[0] = bytes(self._buffer) + lines[0]
        self._buffer = bytearray(rest)
        for line in lines:
            if line.strip():
                self._parser.feed(self._generation, line)

    def _read_stderr(self) -> None:
        if self._process is None:
            return
        text = self._process.readAllStandardError().data().decode("utf-8", "replace")
        for line in text.splitlines():
            self._stderr.append(line[:2000])
            host_log.info("%s", line[:2000])

    def _take(self, generation: int, kind: str, owner: int, value: Any) -> None:
        if kind == "loaded":
            self._loaded = True
            if self._wanted:
                self.start()
            return
        if generation != self._generation or self._closing:
            return
        if kind == "changed":
            self.changed.emit(list(value.get("what") or []))
        elif kind == "worker":
            self.worker.emit(value)
        elif kind == "indexing":
            self.indexing.emit(value)
        elif kind == "rubbish":
            self._rubbish = str(value)
            if self._process is not None:
                self._process.kill()
        elif (call := self._calls.get(owner)) is None or call.ended:
            return
        elif kind == "progress":
            note, eta_s = str(value.get("note", "")), value.get("eta_s")
            call.progress.emit(float(value["done"]), float(value["total"]), note, eta_s)
        elif kind == "event":
            call.said.emit(str(value["kind"]), value["data"])
        elif kind == "end":
            call.end(value)

    # --- deaths ---------------------------------------------------------------------------

    def _broke(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._stderr.append(self._process.errorString())
            self._ended()

    def _ended(self) -> None:
        process, self._process = self._process, None
        if process is None or self._closing:
            return
        self._process = process
        self._read_stderr()
        self._process = None
        crash = self._crash(process.exitCode())
        process.deleteLater()
        log.error("the engine ended: %s", crash.details)
        now = time.monotonic()
        self._deaths.append(now)
        recent = [moment for moment in self._deaths if now - moment < RESTART_WINDOW_S]
        again = len(recent) <= RESTARTS_ALLOWED
        self._generation += 1
        for call in list(self._calls.values()):
            call.end(crash)
        self.crashed.emit(crash, again)
        if again:
            # The first start comes at once, later ones ever more slowly.
            QTimer.singleShot(200 * (2 ** (len(recent) - 1) - 1), self, self.start)

    def _crash(self, code: int | None = None) -> WorkerCrashed:
        said = f"{english.HOST_UNREADABLE}\n{self._rubbish}\n" if self._rubbish else ""
        tail = "\n".join(self._stderr)
        return WorkerCrashed(
            english.HOST_CRASH_MESSAGE,
            hint=english.HOST_CRASH_HINT,
            details=f"{said}exit code {code}\n{tail}",
        )


def _host_command() -> list[str]:
    from engine.work.children import entry_command

    return entry_command("engine")
