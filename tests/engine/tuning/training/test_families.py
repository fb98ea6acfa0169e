"""Every family: converted, it learns, and llama.cpp computes what was learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch

from engine.answers.tokenizing import Tokenizer
from engine.errors import ModelUnavailable
from engine.files import sha256_file
from engine.models.gguf import read_header
from engine.paths import Home
from engine.tuning.adapters.gguf_adapter import write_lora
from engine.tuning.bases import prepare_base
from engine.tuning.families import FAMILIES
from engine.tuning.training.loop import Outcome, Training, TrainingData
from engine.tuning.training.packs import Tokenized, make_pack, shared_prefix, tokenize
from engine.tuning.training.preparing import Subject
from engine.tuning.training.replay import base_answers
from engine.tuning.training.saving import lora_pairs, prove_files
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import Tuned
from tests.architectures import ARCHITECTURES, write_architecture
from tests.engine.tuning.training.conftest import LABELS, Audience, example_of, one_thread

SETTINGS = Settings(rank=4, epochs=3, batch_examples=4, learning_rate=5e-3)


def test_all_of_them_are_tried() -> None:
    assert set(ARCHITECTURES) == FAMILIES


@pytest.mark.parametrize("upper_layers", [0, 1])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_learns_and_is_served_as_it_learnt(
    home: Home, tmp_path: Path, architecture: str, upper_layers: int
) -> None:
    path = write_architecture(tmp_path / "model.gguf", architecture)
    base = prepare_base(home, path, sha256_file(path))
    with Tokenizer(path) as tokenizer:
        rows = tokenize(tokenizer, "classification", LABELS, [example_of(n) for n in range(32)])
        replay = base_answers(base, tokenizer, one_thread)
    settings = SETTINGS.model_copy(update={"upper_layers": upper_layers})
    tuned = Tuned(base, settings, {})
    check_pack(tuned, rows)
    data = TrainingData(rows[:20], rows[20:26], rows[26:], replay)
    outcome = Training(tuned, data, tmp_path, one_thread, Audience()).run()
    first = outcome.position.heldout_first
    assert first is not None
    assert outcome.heldout_loss < 0.8 * first
    prove(path, base, tuned, data, outcome, settings)


def check_pack(tuned: Tuned, rows: list[Tokenized]) -> None:
    """Layers run in part on a pack give what the whole model gives for an example alone."""
    pack = make_pack(rows, [0, 3, 5], shared_prefix(rows))
    with torch.no_grad():
        found = tuned.decoder.scores(tuned.outputs(pack))
        wanted = torch.cat(
            [
                tuned.model(torch.tensor([rows[at].ids])).logits[0, rows[at].answer - 1 : -1]
                for at in (0, 3, 5)
            ]
        )
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=2e-3)


def prove(
    path: Path,
    base: Any,
    tuned: Tuned,
    data: TrainingData,
    outcome: Outcome,
    settings: Settings,
) -> None:
    file, header = path.with_name("adapter.gguf"), read_header(path)
    write_lora(
        file, header, lora_pairs(outcome.adapter), settings.rank, settings.alpha, name="x"
    )
    subject = Subject(*cast(Any, (None, None, header, base, None, data)))
    report = prove_files(file, tuned, subject, data, outcome, 1)
    assert report.passed, report.reasons
    assert report.kl < 0.01 * report.effect_kl


def test_another_family_is_refused_before_anything_is_done(home: Home, tmp_path: Path) -> None:
    path = write_architecture(tmp_path / "model.gguf", "llama")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"llama", b"mamba"))
    with pytest.raises(ModelUnavailable, match="cannot be tuned"):
        prepare_base(home, path, "a" * 64)
