"""The parity gate lets a right adapter through and none that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from engine.answers.runtime import Runtime
from engine.errors import InvalidInput, ModelUnavailable
from engine.models.gguf import read_header
from engine.tuning.adapters import gguf_adapter
from engine.tuning.adapters.gguf_adapter import write_lora
from engine.tuning.adapters.proving import prove
from engine.work.api import ParityReport
from tests.engine.tuning.adapters.conftest import factors, load_torch, save_lora, with_lora
from tests.models import EOS, IM_END

_RANDOM = np.random.default_rng(2)
PROMPTS = [[1, *_RANDOM.integers(3, 290, size=12).tolist()] for _ in range(6)]
ANSWERS = [[*_RANDOM.integers(3, 290, size=4).tolist(), IM_END] for _ in PROMPTS]


class Case:
    """A tiny llama in both engines with an adapter that has learnt to say the answers."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.tuned: Any = with_lora(load_torch(base), rank=8, size=0.001)
        self.runtime = Runtime(base, 256)
        weights = [w for n, w in self.tuned.named_parameters() if "lora_" in n]
        optimizer = torch.optim.Adam(weights, lr=0.02)
        for _ in range(40):
            for prompt, answer in zip(PROMPTS, ANSWERS, strict=True):
                ids = torch.tensor([[*prompt, *answer]])
                labels = ids.clone()
                labels[:, : len(prompt)] = -100
                optimizer.zero_grad()
                self.tuned(input_ids=ids, labels=labels).loss.backward()
                optimizer.step()

    def prove(self, adapter: Path) -> ParityReport:
        return prove(self.tuned, adapter, PROMPTS, ANSWERS, self.runtime)


@pytest.fixture(scope="module")
def case(tiny_of: Callable[[str], Path]) -> Iterator[Case]:
    one = Case(tiny_of("llama"))
    yield one
    one.runtime.close()


def write(case: Case, path: Path, change: Callable[[Any], Any], alpha: float = 8.0) -> Path:
    tensors = {name: change(pair) for name, pair in factors(case.tuned).items()}
    write_lora(path, read_header(case.base), tensors, 8, alpha)
    return path


def test_a_right_adapter_passes(case: Case, tmp_path: Path) -> None:
    report = case.prove(save_lora(case.tuned, case.base, tmp_path / "a.gguf"))
    assert report.passed, report.reasons
    assert report.reasons == []
    assert report.kl <= 0.01 * report.effect_kl
    assert report.effect_kl > 0.5
    assert report.top1 == report.ending == 1.0
    assert report.untuned_kl < 0.01
    assert report.prompts == len(PROMPTS)
    assert report.tokens == sum(map(len, ANSWERS))
    assert case.runtime.use_adapters([]) == ""


def test_a_misordered_adapter_is_caught(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of q and k as torch has them: llama.cpp turns other pairs of numbers."""
    monkeypatch.setattr(gguf_adapter, "to_gguf_rows", lambda base, tensor, rows: rows)
    report = case.prove(save_lora(case.tuned, case.base, tmp_path / "a.gguf"))
    assert not report.passed
    assert any("otherwise than was trained" in reason for reason in report.reasons)


@pytest.mark.parametrize("alpha", [8.0 / 8**0.5, 16.0, 4.0])
def test_a_misscaled_adapter_is_caught(case: Case, tmp_path: Path, alpha: float) -> None:
    report = case.prove(write(case, tmp_path / "a.gguf", lambda pair: pair, alpha))
    assert not report.passed
    assert any("otherwise than was trained" in reason for reason in report.reasons)


def test_an_adapter_that_is_not_applied_is_caught(case: Case, tmp_path: Path) -> None:
    nothing = write(case, tmp_path / "a.gguf", lambda pair: (pair[0], 0 * pair[1]))
    report = case.prove(nothing)
    assert not report.passed
    assert any("does not apply" in reason for reason in report.reasons)
    assert report.served_effect_kl < 1e-9 < report.effect_kl


def test_an_adapter_that_does_nothing_is_caught(
    tiny_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """As after a learning rate of zero: both engines agree, on the base."""
    import peft

    base = tiny_of("llama")
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear")
    tuned = peft.get_peft_model(load_torch(base), config).eval()
    runtime = Runtime(base, 256)
    try:
        report = prove(
            tuned, save_lora(tuned, base, tmp_path / "a.gguf"), PROMPTS, ANSWERS, runtime
        )
    finally:
        runtime.close()
    assert not report.passed
    assert report.top1 == 1.0
    assert any("changes nothing" in reason for reason in report.reasons)


def test_another_end_of_text_is_caught(case: Case, tmp_path: Path) -> None:
    """A file that unlearns the end of an answer, and nothing else of weight."""
    tensors = factors(case.tuned)
    last = [name for name in tensors if name.endswith("lm_head")]
    assert last == []  # the head is not adapted: so make the file adapt it
    rows = np.zeros((303, 1), np.float32)
    rows[[EOS, IM_END]] = -1.0
    hidden = np.ones((1, 64), np.float32) * 3.0
    write_lora(
        tmp_path / "a.gguf",
        read_header(case.base),
        {**tensors, "lm_head": (hidden, rows)},
        8,
        8.0,
    )
    wrong = case.prove(tmp_path / "a.gguf")
    assert not wrong.passed


def test_nothing_to_compare_or_no_adapter_is_an_error(case: Case, tmp_path: Path) -> None:
    adapter = save_lora(case.tuned, case.base, tmp_path / "a.gguf")
    with pytest.raises(InvalidInput, match="no held-out"):
        prove(case.tuned, adapter, [[1] * 400], [[2]], case.runtime)
    writer = gguf.GGUFWriter(tmp_path / "b.gguf", "llama")
    writer.add_type("adapter")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelUnavailable):
        prove(case.tuned, tmp_path / "b.gguf", PROMPTS, ANSWERS, case.runtime)
    assert case.prove(adapter).passed
