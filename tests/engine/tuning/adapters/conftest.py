"""Tiny models with adapters, in torch and as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.models.gguf import read_header
from engine.tuning.adapters.gguf_adapter import write_lora
from tests.architectures import write_architecture


@pytest.fixture(scope="session")
def tiny_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The tiny model of an architecture, written once."""
    folder = tmp_path_factory.mktemp("architectures")

    def write(architecture: str) -> Path:
        path = folder / f"{architecture}.gguf"
        return path if path.exists() else write_architecture(path, architecture)

    return write


def load_torch(path: Path) -> Any:
    """A GGUF file as transformers reads it, float32."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    ).eval()


def with_lora(
    model: Any, rank: int = 4, alpha: int = 8, size: float = 0.3, **options: Any
) -> Any:
    """The model with a random adapter on every linear weight, its effect of about `size`."""
    import peft

    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM", **options
    )
    tuned = peft.get_peft_model(model, config)
    torch.manual_seed(5)
    for name, weight in tuned.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=(size / weight.shape[1]) ** 0.5)
    return tuned.eval()


def factors(tuned: Any) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Module path → A and B of a peft model."""
    found: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
    for name, module in tuned.named_modules():
        if getattr(module, "lora_A", None):
            a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
            found[name] = (a.detach().numpy(), b.detach().numpy())
    return found


def save_lora(tuned: Any, base: Path, path: Path, **options: Any) -> Path:
    """The adapter of a peft model as a GGUF file."""
    config = tuned.peft_config["default"]
    write_lora(
        path,
        read_header(base),
        factors(tuned),
        config.r,
        float(config.lora_alpha),
        config.use_rslora,
        **options,
    )
    return path
