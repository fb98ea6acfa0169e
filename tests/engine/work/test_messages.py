from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError, InvalidInput, WorkerCrashed
from engine.work.messages import Notification, Request, Response, decode, encode

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.integers(0, 2**31), st.text(min_size=1), st.dictionaries(st.text(), JSON, max_size=4))
def test_a_request_survives_the_wire_on_one_line(
    number: int, method: str, params: dict[str, object]
) -> None:
    request = Request(id=number, method=method, params=params)
    line = encode(request)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == request


@given(JSON)
def test_a_result_survives_the_wire(result: object) -> None:
    assert decode(encode(Response(id=1, result=result))) == Response(id=1, result=result)


def test_lone_surrogates_of_file_names_survive() -> None:
    note = Notification(method="progress", params={"note": "caf\udce9"})
    assert decode(encode(note)) == note


@given(st.binary(max_size=200))
def test_rubbish_is_a_crash_and_nothing_else(line: bytes) -> None:
    try:
        decode(line)
    except WorkerCrashed:
        return
    assert json.loads(line)["jsonrpc"] == "2.0"


def test_deep_nesting_is_a_crash_and_nothing_else() -> None:
    with pytest.raises(WorkerCrashed):
        decode(b"[" * 200_000)


def test_every_error_kind_comes_back_as_itself() -> None:
    for kind, cls in EngineError.kinds.items():
        back = EngineError.from_dict(
            {"kind": kind, "message": "m", "hint": "h", "details": "d"}
        )
        assert type(back) is cls
        assert (back.message, back.hint, back.details) == ("m", "h", "d")
    assert type(EngineError.from_dict({"kind": "Unheard", "message": "m"})) is EngineError
    assert Response.failed(7, InvalidInput("no")).error is not None
