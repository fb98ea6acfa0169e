"""Adapters as peft keeps them: a folder with adapter_config.json and a safetensors file.

https://huggingface.co/docs/peft/main/en/developer_guides/checkpoint
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors import numpy as safetensors_numpy

from engine.answers.generation import MAX_SOFT_TOKENS, SOFT_PROMPT_KEY
from engine.errors import ModelUnavailable
from engine.files import atomic_write, open_regular, show_path
from engine.tuning.adapters.gguf_adapter import MAX_ADAPTER_BYTES, MAX_RANK, Factors, PeftLora
from engine.tuning.adapters.naming import bare

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_MAX_CONFIG_BYTES = 1 << 20
_WEIGHT = re.compile(r"^(?P<module>.+)\.lora_(?P<part>[AB])(?:\.default)?\.weight$")
# Typed in part only; `Any` here keeps that out of the rest.
_safetensors: Any = safetensors
_save_file: Any = cast(Any, safetensors_numpy).save_file
_FORMS: dict[str, Any] = {"F32": np.float32, "F16": np.float16, "F64": np.float64}


@dataclass(frozen=True)
class PeftFolder:
    """What a folder holds: a LoRA, or the embeddings of a soft prompt (tokens, width)."""

    lora: PeftLora | None
    alphas: dict[str, float]
    """Module → an alpha of its own."""
    use_rslora: bool
    soft: NDArray[np.float32] | None
    base_name: str


def read_peft(folder: Path) -> PeftFolder:
    """Read a stranger's adapter; nothing in it is run or unpickled.

    Raises:
        ModelUnavailable: it is none that can be used here; says why.
    """
    config = _config(folder / CONFIG)
    kind = str(config.get("peft_type", "")).upper()
    tensors = _tensors(folder / WEIGHTS)
    base_name = str(config.get("base_model_name_or_path") or "")[:200]
    if kind == "PROMPT_TUNING":
        return PeftFolder(None, {}, False, _soft(tensors), base_name)
    if kind != "LORA":
        raise ModelUnavailable(f"An adapter of the kind {kind[:40]!r} cannot be used here.")
    for key in ("use_dora", "modules_to_save", "fan_in_fan_out", "trainable_token_indices"):
        if config.get(key):
            raise ModelUnavailable(
                f"This adapter uses {key}, which llama.cpp cannot apply.",
                hint="Only plain LoRA and rsLoRA can be used.",
            )
    if config.get("bias", "none") != "none" or any("lora_" not in name for name in tensors):
        raise ModelUnavailable("This adapter changes more than the weights of layers.")
    factors = _factors(tensors)
    rank = max(one.a.shape[0] for one in factors.values())
    alpha = _positive(config.get("lora_alpha"), "lora_alpha")
    alphas = _alphas(config.get("alpha_pattern"), factors)
    ranks = {name: f.a.shape[0] for name, f in factors.items() if f.a.shape[0] != rank}
    lora = PeftLora(rank, alpha, factors, ranks)
    return PeftFolder(lora, alphas, bool(config.get("use_rslora")), None, base_name)


def write_peft(folder: Path, lora: PeftLora, base_name: str) -> None:
    """Write an adapter as peft reads it.

    Raises:
        StorageFull: no room.
    """
    tensors: dict[str, NDArray[np.float32]] = {}
    for module, (a, b) in lora.factors.items():
        tensors[f"base_model.model.{module}.lora_A.weight"] = np.ascontiguousarray(a)
        tensors[f"base_model.model.{module}.lora_B.weight"] = np.ascontiguousarray(b)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "rank_pattern": {re.escape(name): rank for name, rank in lora.ranks.items()},
        "target_modules": sorted(lora.factors),
        "bias": "none",
        "inference_mode": True,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(tensors, folder / WEIGHTS)
    write_config(folder, config)


def write_soft(folder: Path, soft: NDArray[np.float32], base_name: str) -> None:
    """Write a soft prompt as peft reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors({SOFT_PROMPT_KEY: soft}, folder / WEIGHTS)
    config = {
        "peft_type": "PROMPT_TUNING",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name,
        "num_virtual_tokens": len(soft),
        "token_dim": soft.shape[1],
        "inference_mode": True,
    }
    write_config(folder, config)


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Write adapter_config.json."""
    atomic_write(folder / CONFIG, json.dumps(config, indent=2).encode() + b"\n")


def save_tensors(tensors: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Write tensors as a safetensors file."""
    _save_file({name: np.ascontiguousarray(one) for name, one in tensors.items()}, path)


def read_soft(path: Path) -> NDArray[np.float32]:
    """The embeddings of a soft prompt, (tokens, width).

    Raises:
        ModelUnavailable: the file is gone or holds none.
    """
    return _soft(_tensors(path))


def _config(path: Path) -> dict[str, Any]:
    try:
        with open_regular(path) as stream:
            data = stream.read(_MAX_CONFIG_BYTES + 1)
        if len(data) > _MAX_CONFIG_BYTES:
            raise ValueError("it is too large")
        found: object = json.loads(data)
        if not isinstance(found, dict):
            raise ValueError("it is no object")
        return cast("dict[str, Any]", found)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(
            f"{show_path(path)} is missing or cannot be read.",
            hint="A folder of peft's holds adapter_config.json and adapter_model.safetensors.",
            details=str(error),
        ) from error


def _tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with open_regular(path) as stream:
            data = stream.read(MAX_ADAPTER_BYTES + 1)
        if len(data) > MAX_ADAPTER_BYTES:
            raise ValueError("it is too large")
        return {name: _array(entry) for name, entry in _safetensors.deserialize(data)}
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
        raise ModelUnavailable(
            f"{show_path(path)} is missing, damaged, or no safetensors file.",
            hint="Adapters in other formats (.bin) are not read: they can hold programs.",
            details=str(error),
        ) from error


def _array(entry: Any) -> NDArray[np.float32]:
    form, shape, data = str(entry["dtype"]), [int(n) for n in entry["shape"]], entry["data"]
    if form == "BF16":
        wide = np.frombuffer(data, np.uint16).astype(np.uint32) << np.uint32(16)
        values = wide.view(np.float32)
    elif form in _FORMS:
        values = np.frombuffer(data, _FORMS[form]).astype(np.float32)
    else:
        raise ValueError(f"numbers of the kind {form}")
    if not np.isfinite(values).all():
        raise ValueError("it holds what is no number")
    return values.reshape(shape)


def _factors(tensors: dict[str, NDArray[np.float32]]) -> dict[str, Factors]:
    parts: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name, value in tensors.items():
        found = _WEIGHT.match(name)
        if found is None or value.ndim != 2:
            raise ModelUnavailable(f"This adapter changes {name[:80]!r}, which is no layer.")
        parts.setdefault(bare(found["module"]), {})[found["part"]] = value
    factors: dict[str, Factors] = {}
    for module, pair in parts.items():
        if set(pair) != {"A", "B"} or pair["A"].shape[0] != pair["B"].shape[1]:
            raise ModelUnavailable(f"This adapter is damaged: {module[:80]!r} lacks a part.")
        if not 0 < pair["A"].shape[0] <= MAX_RANK:
            raise ModelUnavailable(f"An adapter of rank {pair['A'].shape[0]} cannot be used.")
        factors[module] = Factors(pair["A"], pair["B"])
    if not factors:
        raise ModelUnavailable("This adapter is empty.")
    return factors


def _alphas(pattern: object, factors: dict[str, Factors]) -> dict[str, float]:
    """As peft matches its patterns: a key is the end of a module's path."""
    found: dict[str, float] = {}
    if not isinstance(pattern, dict):
        return found
    for key, value in cast("dict[object, object]", pattern).items():
        # The key is a stranger's: taken literally, never as an expression.
        ending = str(key).replace("\\.", ".").removeprefix("^").removesuffix("$")
        for module in factors:
            if module == ending or module.endswith(f".{ending}"):
                found.setdefault(module, _positive(value, "alpha_pattern"))
    return found


def _positive(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ModelUnavailable(f"This adapter's {what} is no number.")
    if not math.isfinite(value) or value <= 0:
        raise ModelUnavailable(f"This adapter's {what} is {value}.")
    return float(value)


def _soft(tensors: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    soft = tensors.get(SOFT_PROMPT_KEY)
    if soft is None or soft.ndim != 2 or not 0 < len(soft) <= MAX_SOFT_TOKENS:
        raise ModelUnavailable("This adapter holds no soft prompt that can be used.")
    return soft
