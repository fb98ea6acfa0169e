"""The wire: JSON-RPC 2.0, one message a line, over a child's stdin and stdout.

https://www.jsonrpc.org/specification, with three conventions on top:

- While request `id` runs, its server may send the notifications `progress`
  {id, done, total, note, eta_s} and `event` {id, kind, data}.
- The client may send the notification `cancel` {id}; the request then ends with an
  error of kind `Cancelled`. A request ends exactly once: by result or by error.
- The server may send `changed` {what: [...]} at any time: views named there are stale.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import EngineError, WorkerCrashed

PROTOCOL_VERSION = 1
ENGINE_ERROR_CODE = -32000
MAX_LINE_BYTES = 256 * 1024 * 1024


class Message(BaseModel):
    """Base of everything on the wire; unknown fields are an error, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(Message):
    """A call that wants exactly one `Response`."""

    jsonrpc: Literal["2.0"] = "2.0"
    id: int
    method: str
    params: dict[str, Any] = Field(default_factory=dict[str, Any])


class Notification(Message):
    """A message without an answer."""

    jsonrpc: Literal["2.0"] = "2.0"
    method: str
    params: dict[str, Any] = Field(default_factory=dict[str, Any])


class ErrorObject(Message):
    """JSON-RPC error; `data` is `EngineError.to_dict()`."""

    code: int = ENGINE_ERROR_CODE
    message: str
    data: dict[str, str] = Field(default_factory=dict[str, str])


class Response(Message):
    """The end of a request: `result`, or `error` when it failed."""

    jsonrpc: Literal["2.0"] = "2.0"
    id: int
    result: Any = None
    error: ErrorObject | None = None

    @staticmethod
    def failed(request_id: int, error: EngineError) -> Response:
        """The response that carries `error`."""
        return Response(
            id=request_id, error=ErrorObject(message=error.message, data=error.to_dict())
        )


AnyMessage = Request | Notification | Response


def encode(message: AnyMessage) -> bytes:
    """One line of UTF-8 JSON with its newline; lone surrogates are escaped, never raised on."""
    data = message.model_dump(exclude_none=True)
    if isinstance(message, Response) and message.error is None:
        data["result"] = message.result
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> AnyMessage:
    """Parse one line.

    Raises:
        WorkerCrashed: the line is not a JSON-RPC 2.0 message.
    """
    try:
        data = json.loads(line)
        if "method" in data:
            return (Request if "id" in data else Notification).model_validate(data)
        return Response.model_validate(data)
    except (ValueError, ValidationError, TypeError, RecursionError) as error:
        shown = line[:200].decode("utf-8", "replace")
        raise WorkerCrashed(
            "A part of Whetstone sent something unreadable and is being restarted.",
            details=f"not a JSON-RPC message: {shown!r} ({error})",
        ) from error
