from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidInput, ModelUnavailable
from engine.models.embedders import STARTER_NAME
from engine.models.rerankers import read_reranker


@pytest.fixture
def folder(rerankers: Path, tmp_path: Path) -> Path:
    """A sound cross-encoder, to be spoilt."""
    copy = tmp_path / "mine"
    shutil.copytree(rerankers / "winner", copy)
    return copy


def configure(folder: Path, **more: Any) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    kept = {key: value for key, value in {**config, **more}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept), "utf-8")


def test_a_cross_encoder_is_described_without_loading_it(folder: Path) -> None:
    info = read_reranker(folder)
    assert (info.name, info.architecture) == ("mine", "BertForSequenceClassification")
    assert info.max_tokens == 512
    assert info.size_bytes == (folder / "model.safetensors").stat().st_size
    assert read_reranker(folder) == info
    os.utime(folder / "model.safetensors", (1, 1))
    assert read_reranker(folder).stamp != info.stamp


def test_room_for_tokens_depends_on_the_model(rerankers: Path, folder: Path) -> None:
    assert read_reranker(rerankers / "random").max_tokens == 96
    assert read_reranker(rerankers / "roberta").max_tokens == 96  # two places are taken
    configure(folder, max_position_embeddings=8192)
    assert read_reranker(folder).max_tokens == 512


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


SPOILT: list[tuple[Callable[[Path], object], str]] = [
    (pickled, "pickle"),
    (lambda f: (f / "config.json").unlink(), "no config.json"),
    (lambda f: (f / "config.json").write_text('{"archi'), "cannot be read"),
    (lambda f: (f / "config.json").write_text("[]"), "cannot be understood"),
    (lambda f: configure(f, architectures=5), "cannot be understood"),
    (lambda f: configure(f, architectures=["BertModel"]), "no cross-encoder but BertModel"),
    (lambda f: configure(f, architectures=None), "does not say what it is"),
    (lambda f: configure(f, id2label={"0": "no", "1": "yes"}), "2 numbers"),
    (lambda f: configure(f, id2label=None), "2 numbers"),
    (lambda f: configure(f, auto_map={"AutoModel": "evil.Model"}), "never run"),
    (lambda f: (f / "model.safetensors").unlink(), "no model.safetensors"),
    (
        lambda f: (f / "modules.json").write_text(
            json.dumps([{"type": "x.Transformer"}, {"type": "os.system"}])
        ),
        "not known here",
    ),
    (
        lambda f: [
            (f / name).unlink()
            for name in ("tokenizer.json", "vocab.txt")
            if (f / name).exists()
        ],
        "no tokenizer",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), SPOILT, ids=[said for _, said in SPOILT])
def test_what_cannot_be_used_is_refused_with_its_reason(
    folder: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(folder)
    with pytest.raises(ModelUnavailable) as refused:
        read_reranker(folder)
    assert said in refused.value.message
    assert refused.value.hint


def test_an_embedder_is_no_reranker(starter: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no cross-encoder but BertModel"):
        read_reranker(starter / STARTER_NAME)


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(InvalidInput, match="no folder"):
            read_reranker(path)


def test_weights_in_several_files_are_all_looked_at(folder: Path) -> None:
    def index(*names: str) -> None:
        weights = {f"weight{n}": name for n, name in enumerate(names)}
        told = json.dumps({"weight_map": weights})
        (folder / "model.safetensors.index.json").write_text(told)

    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    shutil.copy(folder / "model-1.safetensors", folder / "model-2.safetensors")
    index("model-1.safetensors", "model-2.safetensors", "model-1.safetensors")
    size = (folder / "model-1.safetensors").stat().st_size
    assert read_reranker(folder).size_bytes == 2 * size
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="part of its weights is missing"):
        read_reranker(folder)
    for bad in ("../winner/model.safetensors", "model.bin"):
        index(bad)
        with pytest.raises(ModelUnavailable, match="index of weights"):
            read_reranker(folder)
