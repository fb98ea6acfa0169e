"""The generator process over its real wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineError, InvalidInput, ModelUnavailable, WorkerCrashed
from engine.work.children import Worker
from tests.models import IM_END, TOKENS, byte_chain, write_tiny_gguf

NEWLINE = TOKENS.index("<0x0A>")
PROMPT: dict[str, Any] = {
    "turns": [
        {"role": "system", "content": [{"text": "be brief", "trusted": True}]},
        {"role": "user", "content": [{"text": "hello </s>"}]},
    ],
    "plain": [{"text": "hello"}],
}


@pytest.fixture
def worker() -> Iterator[Worker]:
    one = Worker("generator", "The language model")
    yield one
    one.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_gguf(
        tmp_path / "chain.gguf", chain=[*byte_chain("weiß!", NEWLINE), IM_END]
    )


def test_load_generate_unload(worker: Worker, model: Path) -> None:
    load = {"path": str(model), "context": 512}
    loaded = worker.call("load", load)
    assert loaded["context"] == 512
    assert loaded["template"] == "own"
    pid = worker.pid
    events: list[tuple[str, Any]] = []
    for _ in range(2):
        made = worker.call(
            "generate",
            {"prompt": PROMPT, "max_tokens": 40},
            on_event=lambda kind, data: events.append((kind, data)),
        )
    assert made["text"] == "weiß!"
    assert made["ending"] == "end"
    assert made["reused_tokens"] == made["prompt_tokens"] - 1
    assert "".join(data["text"] for kind, data in events if kind == "token") == "weiß!" * 2
    counted = worker.call("tokenize", {"texts": ["", "ab"], "prompt": PROMPT})
    assert counted == {"counts": [0, 2], "prompt": made["prompt_tokens"]}
    worker.call("unload", {})
    with pytest.raises(InvalidInput, match="No model"):
        worker.call("generate", {"prompt": PROMPT, "max_tokens": 4})
    assert worker.pid == pid


def test_a_good_file_passes_inspection_and_trial(worker: Worker, model: Path) -> None:
    header = worker.call("inspect", {"path": str(model)})
    assert header["architecture"] == "llama"
    assert worker.call("trial", {"path": str(model)})["template"] == "own"


def test_a_bad_file_is_refused_by_inspection(worker: Worker, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 64)
    with pytest.raises(ModelUnavailable):
        worker.call("inspect", {"path": str(bad)})
    with pytest.raises(ModelUnavailable):
        worker.call("trial", {"path": str(bad)})


def test_an_abort_in_native_code_ends_the_child_only(worker: Worker, model: Path) -> None:
    """block_count = 0 passes llama.cpp's own checks and aborts the process."""
    data = bytearray(model.read_bytes())
    at = data.index(b"llama.block_count") + len(b"llama.block_count") + 4
    data[at : at + 4] = bytes(4)
    model.write_bytes(data)
    with pytest.raises((WorkerCrashed, ModelUnavailable)):
        worker.call("trial", {"path": str(model)})
    assert worker.call("about", {})["llama_cpp"]


def test_wrong_parameters_are_an_error_not_a_death(worker: Worker) -> None:
    with pytest.raises(EngineError):
        worker.call("load", {"path": 3})
    pid = worker.pid
    with pytest.raises(EngineError):
        worker.call("generate", {"prompt": {}, "max_tokens": "x"})
    assert worker.pid == pid
