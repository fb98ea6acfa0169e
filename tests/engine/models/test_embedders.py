from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import ModelUnavailable
from engine.models import embedders


def test_the_starter_embedder_is_described_and_sound(starter: Path) -> None:
    info = embedders.starter_embedder()
    assert (info.dimensions, info.max_tokens) == (384, 256)
    assert info.tokenizer.is_file()
    embedders.check_weights(info)


def test_a_missing_embedder_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedders, "starter_dir", lambda: tmp_path)
    with pytest.raises(ModelUnavailable) as caught:
        embedders.starter_embedder()
    assert "set-up" in caught.value.hint


def test_damaged_weights_are_noticed(starter: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(starter / embedders.STARTER_NAME, copy)
    info = replace(embedders.starter_embedder(), path=copy)
    embedders.check_weights(info)
    stamp = embedders.weights_stamp(info)
    with info.weights.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x7f")
    os.utime(info.weights, ns=(1, 1))
    assert embedders.weights_stamp(info) != stamp
    with pytest.raises(ModelUnavailable):
        embedders.check_weights(info)
    info.weights.unlink()
    with pytest.raises(ModelUnavailable):
        embedders.weights_stamp(info)
