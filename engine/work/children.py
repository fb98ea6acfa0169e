"""The parent's side of the wire: spawn a child, call it, notice when it dies, kill it.

Children are spawned, never forked. A call ends exactly once: with its result, with the
error the child sent, or with `WorkerCrashed` when the child died, hung or spoke rubbish.
"""

from __future__ import annotations

import itertools
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from engine.errors import Cancelled, EngineError, WorkerCrashed
from engine.work.jobs import NULL_JOB, Job
from engine.work.messages import (
    MAX_LINE_BYTES,
    AnyMessage,
    Notification,
    Request,
    Response,
    decode,
    encode,
)

CANCEL_GRACE_S = 10.0
STDERR_TAIL_LINES = 60
_POLL_S = 0.05
_QUIET_ENV = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
}


def entry_command(entry: str) -> list[str]:
    """The command line that starts process `entry` of `engine.host` (or "desktop").

    A frozen program has no python to call: it is entered again through its own executable.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, "--process", entry]
    module = "desktop" if entry == "desktop" else f"engine.host.{entry}"
    return [sys.executable, "-m", module]


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with every library told to stay offline and quiet."""
    return {**os.environ, **_QUIET_ENV, **(extra or {})}


class _Call:
    """A request in flight: what its server sends is queued here for the waiting caller."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[AnyMessage | EngineError] = queue.SimpleQueue()


class Child:
    """One running child process. It never restarts itself; `Worker` does that.

    Args:
        command: the full command line; see `entry_command`.
        name: what the user calls it in messages, e.g. "The reader".
        environment: variables on top of `child_environment`.
        on_notification: called (from the reading thread) with every notification that
            belongs to no request.
    """

    def __init__(
        self,
        command: Sequence[str],
        name: str,
        environment: Mapping[str, str] | None = None,
        on_notification: Callable[[Notification], None] | None = None,
    ) -> None:
        self.name = name
        self._on_notification = on_notification
        self._calls: dict[int, _Call] = {}
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._ids = itertools.count(1)
        self._stderr: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
        self._ended: WorkerCrashed | None = None
        self._process = self._spawn(command, environment)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._threads = [
            threading.Thread(
                target=self._read_stdout, args=(self._process.stdout,), daemon=True
            ),
            threading.Thread(
                target=self._read_stderr, args=(self._process.stderr,), daemon=True
            ),
        ]
        for thread in self._threads:
            thread.start()

    def _spawn(
        self, command: Sequence[str], environment: Mapping[str, str] | None
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=child_environment(environment),
                close_fds=True,
                # A Ctrl-C in the terminal is for the parent, which cancels in good order.
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerCrashed(
                f"{self.name} could not be started.",
                hint="Check that Whetstone is installed completely and memory is free.",
                details=str(error),
            ) from error

    @property
    def pid(self) -> int:
        """Process id, for resource measurements and for tests that kill it."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False once the process has ended or was given up."""
        return self._ended is None and self._process.poll() is None

    def call(
        self,
        method: str,
        params: Mapping[str, Any],
        job: Job = NULL_JOB,
        timeout_s: float | None = None,
        on_event: Callable[[str, Any], None] | None = None,
    ) -> Any:
        """Send a request and wait for its end.

        Progress and (without `on_event`) partial results go to `job`. When `job` is
        cancelled the child is told; if it has not ended the request after ten seconds of
        grace it is killed. A job cancelled before sends nothing.

        Raises:
            EngineError: whatever kind the child answered with.
            Cancelled: the job was cancelled; in the job's own words, not the child's.
            WorkerCrashed: the child died, spoke rubbish, or took longer than `timeout_s`.
        """
        job.checkpoint()
        call, request_id = _Call(), next(self._ids)
        with self._lock:
            if self._ended is not None:
                raise self._ended
            self._calls[request_id] = call
        try:
            self._send(Request(id=request_id, method=method, params=dict(params)))
            return self._wait(request_id, call, job, timeout_s, on_event)
        finally:
            with self._lock:
                self._calls.pop(request_id, None)

    def close(self, grace_s: float = 2.0) -> None:
        """End the child: close its input, wait `grace_s`, then kill it."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError:
            pass
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def kill(self) -> None:
        """End the child at once (SIGKILL on POSIX)."""
        self._process.kill()
        self._reap()

    def _reap(self) -> None:
        self._process.wait()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass

    def _send(self, message: AnyMessage) -> None:
        assert self._process.stdin is not None
        try:
            with self._write_lock:
                self._process.stdin.write(encode(message))
                self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._crash() from error

    def _wait(
        self,
        request_id: int,
        call: _Call,
        job: Job,
        timeout_s: float | None,
        on_event: Callable[[str, Any], None] | None,
    ) -> Any:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        kill_at, reason = math.inf, None
        while True:
            try:
                message = call.inbox.get(timeout=_POLL_S)
            except queue.Empty:
                message = None
            if isinstance(message, EngineError):
                raise reason or message
            if isinstance(message, Response):
                return _result(message, reason)
            if isinstance(message, Notification):
                _forward(message, job, on_event)
            now = time.monotonic()
            if reason is None:
                try:
                    job.checkpoint()
                except Cancelled as cancelled:
                    reason, kill_at = cancelled, now + CANCEL_GRACE_S
                    self._send(Notification(method="cancel", params={"id": request_id}))
            elif now > kill_at:
                self.kill()
                raise reason
            if deadline is not None and now > deadline:
                self.kill()
                raise WorkerCrashed(
                    f"{self.name} did not answer within {timeout_s:g} seconds and was stopped.",
                    details=self._tail(),
                )

    def _read_stdout(self, stream: BinaryIO) -> None:
        """Route every line; a line that is no message means the child cannot be trusted."""
        failure: WorkerCrashed | None = None
        try:
            while line := stream.readline(MAX_LINE_BYTES):
                self._route(decode(line))
        except WorkerCrashed as error:
            failure = error
            self._process.kill()
        except (OSError, ValueError):
            pass  # closed under us by close() or kill()
        self._process.wait()
        self._threads[1].join(timeout=2)
        ended = self._crash(failure)
        with self._lock:
            self._ended = ended
            waiting = list(self._calls.values())
        for call in waiting:
            call.inbox.put(ended)

    def _route(self, message: AnyMessage) -> None:
        if isinstance(message, Request):
            raise WorkerCrashed("A part of Whetstone asked instead of answering.")
        owner = message.id if isinstance(message, Response) else message.params.get("id")
        with self._lock:
            call = self._calls.get(owner) if isinstance(owner, int) else None
        if call is not None:
            call.inbox.put(message)
        elif isinstance(message, Notification) and owner is None and self._on_notification:
            self._on_notification(message)

    def _read_stderr(self, stream: BinaryIO) -> None:
        try:
            while line := stream.readline(4096):
                self._stderr.append(line.decode("utf-8", "replace").rstrip())
        except (OSError, ValueError):
            pass

    def _tail(self) -> str:
        return "\n".join(self._stderr)

    def _crash(self, cause: WorkerCrashed | None = None) -> WorkerCrashed:
        code = self._process.poll()
        said = f"{cause.details}\n" if cause else ""
        return WorkerCrashed(
            f"{self.name} stopped unexpectedly.",
            hint="It is started again by itself; try once more.",
            details=f"{said}exit code {code}\n{self._tail()}",
        )


def _result(response: Response, reason: Cancelled | None) -> Any:
    """What the child answered; that it stopped is said in the words of `reason`."""
    if response.error is None:
        return response.result
    error = EngineError.from_dict(response.error.data or {"message": response.error.message})
    if reason is not None and isinstance(error, Cancelled):
        raise reason
    raise error


def _forward(
    message: Notification, job: Job, on_event: Callable[[str, Any], None] | None
) -> None:
    params = message.params
    if message.method == "progress":
        job.progress(params["done"], params["total"], params.get("note", ""))
    elif message.method == "event":
        (on_event or job.emit)(params["kind"], params["data"])


class Worker:
    """A child that is started when first needed and again after it died.

    Args:
        entry: process name for `entry_command`, e.g. "embedder".
        name: what the user calls it, e.g. "The embedder".
        environment: variables on top of `child_environment`.
        on_death: called once for every unexpected end, with the crash.
        command: overrides the command line (for tests).
    """

    def __init__(
        self,
        entry: str,
        name: str,
        environment: Mapping[str, str] | None = None,
        on_death: Callable[[WorkerCrashed], None] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self._command = list(command) if command is not None else entry_command(entry)
        self._environment = dict(environment or {})
        self._on_death = on_death
        self._child: Child | None = None
        self._lock = threading.Lock()

    def child(self) -> Child:
        """The running child, started now when there is none."""
        with self._lock:
            if self._child is None or not self._child.alive:
                if self._child is not None:
                    self._child.kill()
                self._child = Child(self._command, self.name, self._environment)
            return self._child

    @property
    def pid(self) -> int | None:
        """Process id of the running child, None when there is none."""
        with self._lock:
            return self._child.pid if self._child is not None and self._child.alive else None

    def call(
        self,
        method: str,
        params: Mapping[str, Any],
        job: Job = NULL_JOB,
        timeout_s: float | None = None,
        on_event: Callable[[str, Any], None] | None = None,
    ) -> Any:
        """`Child.call` on the running child; a crash is reported to `on_death` and raised.

        The next call gets a fresh child. A cancel that ended in a kill is not a death.
        """
        child = self.child()
        try:
            return child.call(method, params, job, timeout_s, on_event)
        except WorkerCrashed as crash:
            if self._on_death is not None:
                self._on_death(crash)
            raise

    def close(self) -> None:
        """End the child if it runs; a later call starts a new one."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.close()
