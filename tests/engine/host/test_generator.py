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
TASK: dict[str, Any] = {"mode": "none", "prompts": [PROMPT], "max_tokens": 40}


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
            TASK,
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
        worker.call("generate", TASK)
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


def test_a_small_model_in_a_slow_quantization_is_read_from_a_faster_copy(
    worker: Worker, starter: Path, tmp_path: Path
) -> None:
    path = starter / "SmolLM2-135M-Instruct.Q4_1.gguf"
    load: dict[str, Any] = {
        "path": str(path),
        "context": 512,
        "sha256": "ab" * 32,
        "states": str(tmp_path),
        "states_bytes": 1 << 26,
    }
    worker.call("load", load)
    copy = tmp_path / f"{'ab' * 16}.q8_0.gguf"
    assert copy.stat().st_size > path.stat().st_size
    capital = {"role": "user", "content": [{"text": "What is the capital of France?"}]}
    task = {**TASK, "prompts": [{**PROMPT, "turns": [PROMPT["turns"][0], capital]}]}
    assert "Paris" in worker.call("generate", task)["text"]
    made = copy.stat().st_mtime_ns
    worker.call("unload", {})
    worker.call("load", load)
    assert copy.stat().st_mtime_ns == made
    # Where no copy can be made, the file itself is read.
    worker.call("load", {**load, "states": str(copy / "no folder")})
    assert "Paris" in worker.call("generate", task)["text"]


def test_passages_are_prepared_and_forgotten(
    worker: Worker, model: Path, tmp_path: Path
) -> None:
    worker.call(
        "load",
        {"path": str(model), "context": 512, "states": str(tmp_path), "states_bytes": 1 << 26},
    )
    passage = {
        "role": "user",
        "content": [{"text": "hello there", "kept": True}, {"text": " why"}],
    }
    prompt = {**PROMPT, "turns": [PROMPT["turns"][0], passage]}
    assert worker.call("prepare", {"prompts": [prompt]}) == {"computed": 1}
    assert worker.call("prepare", {"prompts": [prompt, prompt]}) == {"computed": 0}
    task = {**TASK, "mode": "token", "prompts": [prompt, prompt], "prior": [0.0, -1.0]}
    made = worker.call("generate", task)
    assert made["text"] == "weiß!"
    assert made["reused_tokens"] > 0
    worker.call("forget", {})
    worker.call("unload", {})
    assert len(list(tmp_path.glob("*.state"))) == 2  # the instructions, and with the passage
