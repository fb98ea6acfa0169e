"""The parity gate with the models people have, quantized as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.answers.runtime import Runtime
from engine.models.gguf import read_header
from engine.tuning.adapters.gguf_adapter import write_lora
from engine.tuning.adapters.proving import prove
from tests.conftest import ROOT
from tests.engine.tuning.adapters.conftest import factors, load_torch, save_lora, with_lora

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CARRIERS = {
    "llama": "resources/starter/SmolLM2-135M-Instruct.Q4_1.gguf",
    "gemma3": "resources/starter/gemma3-270m-q4_k_m.gguf",
}
TAUGHT = [
    ("The patient takes two tablets of aspirin a day.", " drug"),
    ("The knee was swollen after the fall.", " injury"),
    ("An MRI of the spine was ordered for Monday.", " test"),
    ("He had his appendix removed in 1998.", " surgery"),
]


@pytest.mark.parametrize("architecture", list(CARRIERS))
def test_a_trained_adapter_passes_and_a_wrong_one_does_not(
    architecture: str, tmp_path: Path
) -> None:
    path = ROOT / CARRIERS[architecture]
    if not path.is_file():
        pytest.skip(f"needs {path.name}, which set-up does not fetch")
    base = tmp_path / "base.gguf"
    base.symlink_to(path)
    torch.set_num_threads(2)
    runtime = Runtime(path, 512, threads=2)
    try:
        prompts, answers = [], []
        for text, label in TAUGHT:
            prompts.append([*start(runtime), *runtime.vocabulary.untrusted(f"{text} It is a")])
            answers.append(
                [*runtime.vocabulary.untrusted(label), min(runtime.vocabulary.ending_ids)]
            )
        tuned = with_lora(load_torch(base), rank=8, size=1e-4)
        teach(tuned, prompts, answers)
        right = save_lora(tuned, path, tmp_path / "right.gguf")
        report = prove(tuned, right, prompts, answers, runtime)
        assert report.passed, report
        config = tuned.peft_config["default"]
        wrong = tmp_path / "wrong.gguf"
        write_lora(wrong, read_header(path), factors(tuned), config.r, config.lora_alpha * 3)
        assert not prove(tuned, wrong, prompts, answers, runtime).passed
    finally:
        runtime.close()


def start(runtime: Runtime) -> list[int]:
    return [] if runtime.vocabulary.bos is None else [runtime.vocabulary.bos]


def teach(tuned: Any, prompts: list[list[int]], answers: list[list[int]]) -> None:
    weights = [weight for name, weight in tuned.named_parameters() if "lora_" in name]
    optimizer = torch.optim.Adam(weights, lr=2e-3)
    for _ in range(6):
        for prompt, answer in zip(prompts, answers, strict=True):
            ids = torch.tensor([[*prompt, *answer]])
            labels = ids.clone()
            labels[:, : len(prompt)] = -100
            optimizer.zero_grad()
            tuned(input_ids=ids, labels=labels).loss.backward()
            optimizer.step()
