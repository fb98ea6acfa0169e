"""Adapters for the tiny models, made without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from engine.models.gguf import read_contents
from engine.tuning.adapters.gguf_adapter import write_lora
from engine.tuning.adapters.naming import module_of


def write_random_lora(path: Path, base: Path, seed: int = 0, size: float = 0.3) -> Path:
    """A LoRA of rank 2 on every weight of the layers of `base`."""
    contents, random = read_contents(base), np.random.default_rng(seed)
    tensors: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, place in contents.tensors.items():
        if name.startswith("blk.") and len(place.shape) == 2:
            a = random.normal(size=(2, place.shape[1])).astype(np.float32)
            b = random.normal(size=(place.shape[0], 2)).astype(np.float32) * np.float32(size)
            tensors[module_of(contents.header, name)] = (a, b)
    write_lora(path, contents.header, tensors, 2, 1.0)
    return path


def write_soft_prompt(path: Path, width: int, tokens: int = 5, seed: int = 0) -> Path:
    """Random embeddings as prompt tuning leaves them."""
    soft = np.random.default_rng(seed).normal(size=(tokens, width)).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"prompt_embeddings": soft}, path)
    return path
