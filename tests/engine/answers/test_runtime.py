"""llama.cpp through its low-level calls: reuse, stops, errors."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine.answers.runtime import BATCH_TOKENS, Runtime
from engine.answers.vocabulary import Segment
from engine.errors import Cancelled, InvalidInput, ModelUnavailable
from engine.work.jobs import CallbackJob

LONG = "The station keeps a log of wind, rain and snow for every day of the year. "


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelUnavailable):
        Runtime(path, 128)


def test_loading_can_be_cancelled(starter: Path) -> None:
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        Runtime(starter / "SmolLM2-135M-Instruct.Q4_1.gguf", 128, job=job)


def test_tokens_and_pieces_are_inverse(starter_runtime: Runtime) -> None:
    text = "Grüße, 你好 🙂\n\tcode { }"
    ids = starter_runtime.vocabulary.untrusted(text)
    assert b"".join(starter_runtime.vocabulary.piece(i) for i in ids).decode() == text


def test_sentencepiece_text_in_segments_gets_no_stray_spaces(tiny_runtime: Runtime) -> None:
    whole = tiny_runtime.vocabulary.prompt([Segment("one two three", False)]).ids
    parts = tiny_runtime.vocabulary.prompt(
        [Segment("x", True), Segment("one", False), Segment(" two", False)]
    ).ids
    text = b"".join(tiny_runtime.vocabulary.piece(i) for i in parts).decode()
    assert text.replace("▁", " ").strip() == "xone two"
    assert whole[0] == tiny_runtime.vocabulary.bos


def test_a_shared_beginning_is_not_computed_again(starter_runtime: Runtime) -> None:
    runtime = starter_runtime
    runtime.forget()
    first = runtime.vocabulary.prompt(
        [Segment(LONG * 10, False), Segment("What fell?", False)]
    ).ids
    second = runtime.vocabulary.prompt(
        [Segment(LONG * 10, False), Segment("Who wrote it?", False)]
    ).ids
    shared = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert runtime.read_prompt(first) == 0
    runtime.read_token(int(runtime.logits().argmax()))
    assert runtime.read_prompt(second) == shared
    warm = runtime.logits().copy()
    assert runtime.read_prompt(second) == len(second) - 1
    runtime.forget()
    assert runtime.read_prompt(second) == 0
    cold = runtime.logits().copy()
    # Batches of another shape round differently; the meaning is the same.
    assert np.abs(warm - cold).max() < 0.2 * np.abs(cold).max()
    assert warm.argmax() == cold.argmax()


def test_a_stop_ends_a_long_prompt_and_the_state_stays_sound(starter_runtime: Runtime) -> None:
    runtime = starter_runtime
    runtime.forget()
    tokens = runtime.vocabulary.prompt([Segment(LONG * 90, False)]).ids
    assert len(tokens) > 2 * BATCH_TOKENS
    job = CallbackJob()
    timer = threading.Timer(0.2, job.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        runtime.read_prompt(tokens, job)
    timer.join()
    short = runtime.vocabulary.prompt([Segment("The capital of France is", False)]).ids
    runtime.read_prompt(short)
    assert runtime.vocabulary.piece(int(runtime.logits().argmax())).decode().strip()
    after_stop = runtime.logits().copy()
    runtime.forget()
    runtime.read_prompt(short)
    assert np.array_equal(after_stop, runtime.logits())


def test_a_cancelled_job_stops_before_computing(starter_runtime: Runtime) -> None:
    job = CallbackJob()
    job.cancel()
    starter_runtime.forget()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        starter_runtime.read_prompt(
            starter_runtime.vocabulary.prompt([Segment(LONG * 90, False)]).ids, job
        )
    assert time.monotonic() - start < 30


def test_a_prompt_too_long_for_the_context_is_refused(tiny_runtime: Runtime) -> None:
    with pytest.raises(InvalidInput, match="tokens"):
        tiny_runtime.read_prompt([5] * tiny_runtime.context)
    with pytest.raises(InvalidInput):
        tiny_runtime.read_prompt([])
    assert tiny_runtime.read_prompt([5] * (tiny_runtime.context - 1)) == 0


def test_the_room_in_the_context_shrinks_as_it_fills(tiny_runtime: Runtime) -> None:
    tiny_runtime.forget()
    assert tiny_runtime.room == tiny_runtime.context
    tiny_runtime.read_prompt([5] * 10)
    assert tiny_runtime.room == tiny_runtime.context - 10
