from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import Cancelled, ModelUnavailable
from engine.models.cross_encoding import CrossEncoder, is_plain_bert_scorer
from engine.models.rerankers import read_reranker
from engine.work.jobs import CallbackJob
from tests.rerankers import WINNER

QUERY = "which note is the winner?"
TEXTS = [
    "The note is here.",
    f"The note is the {WINNER}.",
    "",
    "word " * 300,
    "Zażółć gęślą jaźń — 日本語の文書 [SEP] [MASK]",
    *(f"Row {n}: " + "the hotel limit is 130 EUR per night. " * n for n in range(12)),
]

REFERENCE = """
import json, pathlib, sys
from sentence_transformers import CrossEncoder as Model
import torch
from engine.models.cross_encoding import CrossEncoder
from engine.models.rerankers import read_reranker

query, texts = json.load(sys.stdin)
found = {}
for folder in sys.argv[1:]:
    info = read_reranker(pathlib.Path(folder))
    model = Model(
        folder, device="cpu", local_files_only=True, activation_fn=torch.nn.Identity(),
        max_length=info.max_tokens,
    )
    pairs = [(query, text) for text in texts]
    found[info.name] = {
        "reference": [float(x) for x in model.predict(pairs, show_progress_bar=False)],
        "ours": CrossEncoder(info).score(query, texts, 2),
        "general": CrossEncoder(info, general=True).score(query, texts, 2),
    }
json.dump(found, sys.stdout)
"""


def test_scores_are_those_of_sentence_transformers(rerankers: Path) -> None:
    """The contract behind our own forward pass, and another architecture the general way."""
    folders = [str(rerankers / name) for name in ("random", "winner", "roberta")]
    done = subprocess.run(
        [sys.executable, "-c", REFERENCE, *folders],
        input=json.dumps([QUERY, TEXTS]),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert is_plain_bert_scorer(read_reranker(rerankers / "random"))
    assert not is_plain_bert_scorer(read_reranker(rerankers / "roberta"))
    for name, scores in found.items():
        assert np.ptp(scores["reference"]) > 0.01, name  # not all alike
        for way in ("ours", "general"):
            assert np.allclose(scores[way], scores["reference"], atol=2e-5), (name, way)


def test_the_order_is_that_of_the_model_and_not_of_the_batch(rerankers: Path) -> None:
    model = CrossEncoder(read_reranker(rerankers / "winner"))
    texts = [f"the note {'w' * n}" for n in range(20)]
    texts[13] = f"{WINNER} {WINNER} {WINNER}"
    texts[5] = f"the note {WINNER}"
    scores = model.score("a question", texts, 2)
    assert sorted(range(20), key=lambda n: -scores[n])[:2] == [13, 5]
    alone = [model.score("a question", [text], 1)[0] for text in texts]
    assert np.allclose(scores, alone, atol=1e-5)
    assert model.score("a question", [], 1) == []


def test_any_text_is_scored(rerankers: Path) -> None:
    for name in ("random", "winner"):
        model = CrossEncoder(read_reranker(rerankers / name))
        scores = model.score("\ud800 \x00" * 900, ["", "\udfff", "x" * 9000], 2)
        assert np.isfinite(scores).all()


def test_a_cancel_is_noticed_between_batches(rerankers: Path) -> None:
    model = CrossEncoder(read_reranker(rerankers / "winner"))
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        model.score("a question", TEXTS, 2, job)


def test_damaged_weights_are_told_in_plain_words(rerankers: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(rerankers / "winner", folder)
    weights = (folder / "model.safetensors").read_bytes()
    for damaged in (weights[: len(weights) // 2], b"not a model", b""):
        (folder / "model.safetensors").write_bytes(damaged)
        with pytest.raises(ModelUnavailable, match="'mine' cannot be loaded"):
            CrossEncoder(read_reranker(folder))
    # Bytes that are numbers, but none to compute with.
    (folder / "model.safetensors").write_bytes(weights[:-2000] + b"\xff" * 2000)
    with pytest.raises(ModelUnavailable):
        CrossEncoder(read_reranker(folder))
