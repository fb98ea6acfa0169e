"""The child's side of the wire: run requests in threads, answer each exactly once."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from engine.errors import EngineError, InvalidInput, WorkerCrashed
from engine.work.jobs import CallbackJob, Job
from engine.work.messages import AnyMessage, Notification, Request, Response, decode, encode

EXIT_OUT_OF_MEMORY = 70

Method = Callable[[dict[str, Any], Job], Any]
"""Takes JSON-ready parameters and a job, returns a JSON-ready result, raises EngineError."""


class Server:
    """Serves `methods` over two binary streams until the input ends.

    Args:
        methods: name → function. Functions run in threads of their own; a function that
            must not overlap with itself brings its own lock.
        reader: stream of requests.
        writer: stream of responses; nothing else may write to it.
    """

    def __init__(
        self, methods: Mapping[str, Method], reader: BinaryIO, writer: BinaryIO
    ) -> None:
        self._methods = methods
        self._reader = reader
        self._writer = writer
        self._write_lock = threading.Lock()
        self._jobs: dict[int, CallbackJob] = {}
        self._jobs_lock = threading.Lock()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification that belongs to no request."""
        self._send(Notification(method=method, params=params))

    def run(self) -> None:
        """Serve until end of input, then cancel what still runs."""
        for line in self._reader:
            if not line.strip():
                continue
            try:
                message = decode(line)
            except WorkerCrashed as error:
                print(error.details, file=sys.stderr, flush=True)
                continue
            if isinstance(message, Request):
                self._start(message)
            elif isinstance(message, Notification) and message.method == "cancel":
                self._cancel(message.params.get("id"))
        with self._jobs_lock:
            for job in self._jobs.values():
                job.cancel()

    def _start(self, request: Request) -> None:
        def on_progress(done: float, total: float, note: str, eta_s: float | None) -> None:
            self.notify(
                "progress",
                {"id": request.id, "done": done, "total": total, "note": note, "eta_s": eta_s},
            )

        def on_event(kind: str, data: object) -> None:
            self.notify("event", {"id": request.id, "kind": kind, "data": data})

        job = CallbackJob(on_progress, on_event)
        with self._jobs_lock:
            self._jobs[request.id] = job
        threading.Thread(
            target=self._answer, args=(request, job), name=request.method, daemon=True
        ).start()

    def _answer(self, request: Request, job: CallbackJob) -> None:
        try:
            response = self._call(request, job)
        finally:
            with self._jobs_lock:
                self._jobs.pop(request.id, None)
        self._send(response)

    def _call(self, request: Request, job: CallbackJob) -> Response:
        method = self._methods.get(request.method)
        if method is None:
            return Response.failed(
                request.id, InvalidInput(f"There is no method {request.method!r}.")
            )
        try:
            return Response(id=request.id, result=method(request.params, job))
        except EngineError as error:
            return Response.failed(request.id, error)
        except MemoryError:
            # The process is no longer to be trusted; the parent sees it end and says why.
            print(f"out of memory in {request.method}", file=sys.stderr, flush=True)
            os._exit(EXIT_OUT_OF_MEMORY)
        except Exception as error:
            return Response.failed(request.id, unexpected(request.method, error))

    def _cancel(self, request_id: object) -> None:
        with self._jobs_lock:
            job = self._jobs.get(request_id) if isinstance(request_id, int) else None
        if job is not None:
            job.cancel()

    def _send(self, message: AnyMessage) -> None:
        data = encode(message)
        with self._write_lock:
            try:
                self._writer.write(data)
                self._writer.flush()
            except (BrokenPipeError, ValueError):
                # The parent is gone; end of input will end this process too.
                return


def unexpected(method: str, error: Exception) -> EngineError:
    """A bug in `method`, said plainly, with its stack for the report."""
    return EngineError(
        "Something unexpected went wrong; nothing stored was changed by it.",
        hint="Copy the details and report them.",
        details=f"{method}: " + "".join(traceback.format_exception(error)),
    )


def take_stdout() -> BinaryIO:
    """Keep the real stdout for messages and point file descriptor 1 at stderr.

    Native libraries print to descriptor 1 as they please; after this their noise lands in
    stderr, whose tail becomes part of a crash report.
    """
    sys.stdout.flush()
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return channel


def serve(methods: Mapping[str, Method]) -> None:
    """Serve this process's stdin and stdout until the parent closes them.

    Ends the process without waiting for threads: native code may never return.
    """
    channel = take_stdout()
    Server(methods, sys.stdin.buffer, channel).run()
    sys.stderr.flush()
    os._exit(0)
