"""A GGUF file becomes a base for training: the same numbers, kept whole, made once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from engine.answers.mixing import log_softmax
from engine.answers.runtime import Runtime
from engine.errors import Cancelled, ModelUnavailable
from engine.files import sha256_file
from engine.paths import Home
from engine.tuning.bases import Base, base_folder, load_base, prepare_base
from engine.tuning.slimming import write_slim
from engine.work.jobs import CallbackJob
from tests.models import TOKENS, write_tiny_gguf


@pytest.fixture
def base(home: Home, tiny_gguf: Path) -> Base:
    return prepare_base(home, tiny_gguf, sha256_file(tiny_gguf))


def test_torch_computes_what_llama_cpp_computes(base: Base, tiny_gguf: Path) -> None:
    ids = [1, 300, 270, 265, 290, 301, 11, 12]
    runtime = Runtime(tiny_gguf, 256, threads=1, exact=True)
    try:
        served = runtime.compute({0: ids}, want="all")[0]
    finally:
        runtime.close()
    with torch.no_grad():
        trained = log_softmax(load_base(base)(torch.tensor([ids])).logits[0].numpy())
    divergence = (np.exp(trained) * (trained - log_softmax(served))).sum(1)
    assert divergence.max() < 0.001
    assert (trained.argmax(1) == served.argmax(1)).all()


def test_it_is_made_once(base: Base, home: Home, tiny_gguf: Path) -> None:
    card = base.folder / "base.json"
    made = card.stat().st_mtime_ns
    again = prepare_base(home, tiny_gguf, base.sha256)
    assert again == base
    assert card.stat().st_mtime_ns == made
    assert [path.name for path in base.folder.parent.iterdir()] == [base.sha256]
    assert sorted(os.listdir(base.folder)) == ["base.json", "config.json", "model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "base.json"])
def test_a_damaged_one_is_made_again(
    base: Base, home: Home, tiny_gguf: Path, name: str
) -> None:
    whole = (base.folder / name).read_bytes()
    (base.folder / name).write_bytes(whole[:-7] + b"garbage")
    prepare_base(home, tiny_gguf, base.sha256)
    assert (base.folder / name).read_bytes() == whole


def test_a_foreign_one_is_made_again(base: Base, home: Home, tiny_gguf: Path) -> None:
    card = json.loads((base.folder / "base.json").read_bytes())
    (base.folder / "base.json").write_text(json.dumps({**card, "sha256": "0" * 64}))
    prepare_base(home, tiny_gguf, base.sha256)
    assert json.loads((base.folder / "base.json").read_bytes()) == card


def test_tokens_are_left_out_and_all_else_kept(tiny_gguf: Path, tmp_path: Path) -> None:
    slim = tmp_path / "slim.gguf"
    write_slim(tiny_gguf, slim)
    whole, kept = gguf.GGUFReader(tiny_gguf), gguf.GGUFReader(slim)
    gone = set(whole.fields) - set(kept.fields)
    assert {name for name in gone if not name.startswith("tokenizer.")} == set()
    assert "tokenizer.ggml.tokens" in gone
    assert "tokenizer.ggml.bos_token_id" in kept.fields
    assert kept.fields["llama.vocab_size"].contents() == len(TOKENS)
    assert [(one.name, one.tensor_type) for one in kept.tensors] == [
        (one.name, one.tensor_type) for one in whole.tensors
    ]
    for one, other in zip(whole.tensors, kept.tensors, strict=True):
        assert np.array_equal(one.data, other.data)


def test_a_file_cut_off_meanwhile_is_an_error(tiny_gguf: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.gguf"
    half.write_bytes(tiny_gguf.read_bytes()[:3000])
    with pytest.raises(ModelUnavailable):
        write_slim(half, tmp_path / "slim.gguf")


def test_a_cancel_leaves_nothing(home: Home, tiny_gguf: Path) -> None:
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        prepare_base(home, tiny_gguf, "f" * 64, job)
    folder = base_folder(home, "f" * 64)
    assert not list(folder.parent.iterdir())


def test_what_cannot_be_trained_says_so(home: Home, tmp_path: Path) -> None:
    strange = write_tiny_gguf(tmp_path / "strange.gguf", architecture="mamba")
    with pytest.raises(ModelUnavailable, match="cannot be tuned"):
        prepare_base(home, strange, "e" * 64)
    with pytest.raises(ModelUnavailable, match="cannot be opened"):
        prepare_base(home, tmp_path / "gone.gguf", "e" * 64)
