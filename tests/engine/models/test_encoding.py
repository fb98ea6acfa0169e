from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Cancelled, ModelUnavailable
from engine.models import embedders
from engine.models.bert import is_plain_bert
from engine.models.encoding import (
    MIN_COSINE,
    Encoder,
    available_backends,
    batches_by_length,
    likely_fastest,
    measure,
)
from engine.work.jobs import CallbackJob

TEXTS = [
    "Whetstone sharpens a small model on your own documents.",
    "",
    "Zażółć gęślą jaźń — 日本語の文書",
    "word " * 700,
    "\x00 \ud800 [SEP] [MASK] <|im_end|>",
    *(f"Row {n}: " + "the hotel limit is 130 EUR per night. " * n for n in range(12)),
]

REFERENCE = """
import json, sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True)
texts = json.load(sys.stdin)
json.dump(model.encode(texts, show_progress_bar=False).tolist(), sys.stdout)
"""


@pytest.fixture(scope="session")
def folder(starter: Path) -> Path:
    return starter / embedders.STARTER_NAME


@pytest.fixture(scope="session")
def encoder(folder: Path) -> Encoder:
    return Encoder(folder, 256, available_backends()[0])


def test_our_forward_pass_is_what_sentence_transformers_computes(
    folder: Path, encoder: Encoder
) -> None:
    """The contract behind `engine.models.bert`: same vectors, cut at the same length."""
    assert is_plain_bert(folder)
    sound = [text for text in TEXTS if text.isprintable()]
    done = subprocess.run(
        [sys.executable, "-c", REFERENCE, str(folder)],
        input=json.dumps(sound),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    expected = np.array(json.loads(done.stdout), np.float32)
    assert (encoder.encode(sound, 2) * expected).sum(1).min() > 0.99999


def test_other_architectures_go_through_sentence_transformers(
    folder: Path, encoder: Encoder, tmp_path: Path
) -> None:
    """A folder we do not claim to know (here: told to pool twice) loads the general way."""
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    modules = json.loads((other / "modules.json").read_text())
    modules.append({**modules[2], "idx": 3, "name": "3", "path": "3_Normalize"})
    (other / "modules.json").write_text(json.dumps(modules))
    (other / "3_Normalize").mkdir()
    assert not is_plain_bert(other)
    script = (
        "import json, sys, pathlib\n"
        "from engine.models.encoding import Encoder, available_backends\n"
        "e = Encoder(pathlib.Path(sys.argv[1]), 256, available_backends()[0])\n"
        "json.dump(e.encode(json.load(sys.stdin), 2).tolist(), sys.stdout)\n"
    )
    texts = TEXTS[5:9]
    done = subprocess.run(
        [sys.executable, "-c", script, str(other)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = np.array(json.loads(done.stdout), np.float32)
    assert (encoder.encode(texts, 2) * found).sum(1).min() > 0.99999


def test_vectors_have_length_one_and_do_not_depend_on_their_batch(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS, 2)
    assert together.shape == (len(TEXTS), 384)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encoder.encode([text], 1) for text in TEXTS])
    assert (together * alone).sum(1).min() > 0.99999


def test_every_backend_is_correct_and_one_is_chosen(folder: Path) -> None:
    rows = measure(folder, 256, TEXTS[5:13], threads=2)
    assert [row["backend"] for row in rows] == [b.name for b in available_backends()]
    assert sum(row["chosen"] for row in rows) == 1
    assert all(row["passages_per_second"] > 0 for row in rows)
    assert min(row["min_cosine"] for row in rows if row["chosen"]) >= MIN_COSINE
    assert rows[0]["speedup"] == 1.0


def test_the_unmeasured_choice_is_one_that_runs_here() -> None:
    backends = available_backends()
    assert likely_fastest(backends) in backends
    assert likely_fastest(backends[:1]) == backends[0]


def test_encoding_stops_when_cancelled(encoder: Encoder) -> None:
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        encoder.encode(TEXTS, 2, job)


@pytest.mark.parametrize("harm", ["cut", "no tokenizer", "no config"])
def test_a_damaged_model_is_refused_with_a_reason(
    folder: Path, tmp_path: Path, harm: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    if harm == "cut":
        data = (copy / "model.safetensors").read_bytes()
        (copy / "model.safetensors").write_bytes(data[:5_000_000])
    elif harm == "no tokenizer":
        (copy / "tokenizer.json").unlink()
    else:
        (copy / "config.json").write_text("{}")
    with pytest.raises(ModelUnavailable):
        Encoder(copy, 256, available_backends()[0])


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 2048))
def test_batches_hold_every_text_once_and_keep_the_budget(
    lengths: list[int], budget: int
) -> None:
    groups = batches_by_length(lengths, budget)
    assert sorted(itertools.chain(*groups)) == list(range(len(lengths)))
    for group in groups:
        longest = max(1, *(lengths[index] for index in group))
        assert len(group) == 1 or len(group) * longest <= budget
