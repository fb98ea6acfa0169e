"""The adapter file: what llama.cpp makes of it is what peft computes; nothing bad is read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.answers.generation import AdapterUse
from engine.answers.mixing import log_softmax
from engine.answers.runtime import Runtime
from engine.errors import EngineError, InvalidInput, ModelUnavailable, TrainingFailed
from engine.models.gguf import read_contents, read_header
from engine.tuning.adapters.gguf_adapter import (
    check_fits,
    read_lora,
    to_peft,
    write_lora,
)
from engine.tuning.adapters.naming import from_gguf_rows, tensor_of, to_gguf_rows
from tests.architectures import ARCHITECTURES
from tests.engine.tuning.adapters.conftest import factors, load_torch, save_lora, with_lora

TOKENS = [1, *np.random.default_rng(1).integers(3, 290, size=24).tolist()]


def torch_scores(model: object) -> np.ndarray:
    with torch.no_grad():
        return log_softmax(model(torch.tensor([TOKENS])).logits[0].numpy())  # type: ignore[operator]


def kl(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.exp(one) * (one - other)).sum(-1).mean())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_llama_cpp_computes_what_peft_does(
    tiny_of: Callable[[str], Path], tmp_path: Path, architecture: str
) -> None:
    base = tiny_of(architecture)
    tuned = with_lora(load_torch(base))
    wanted = torch_scores(tuned)
    with tuned.disable_adapter():
        untuned = torch_scores(tuned)
    adapter = save_lora(tuned, base, tmp_path / "a.gguf", precision="F32")
    runtime = Runtime(base, 256, exact=True)
    try:
        before = log_softmax(runtime.compute({0: TOKENS}, want="all")[0])
        runtime.use_adapters([AdapterUse(path=str(adapter))])
        found = log_softmax(runtime.compute({0: TOKENS}, want="all")[0])
        runtime.use_adapters([])
        after = log_softmax(runtime.compute({0: TOKENS}, want="all")[0])
    finally:
        runtime.close()
    effect = kl(wanted, untuned)
    assert effect > 0.02
    assert abs(kl(wanted, found)) < 1e-5 * max(1.0, effect)
    assert np.array_equal(before, after)
    assert kl(wanted, before) > 0.02


@pytest.mark.parametrize("options", [{"use_rslora": True}, {"rank_pattern": {"q_proj": 2}}])
def test_rslora_and_ranks_of_their_own(
    tiny_of: Callable[[str], Path], tmp_path: Path, options: dict[str, Any]
) -> None:
    base = tiny_of("llama")
    tuned = with_lora(load_torch(base), rank=8, **options)
    wanted = torch_scores(tuned)
    adapter = save_lora(tuned, base, tmp_path / "a.gguf", precision="F32")
    runtime = Runtime(base, 256, exact=True)
    try:
        runtime.use_adapters([AdapterUse(path=str(adapter))])
        found = log_softmax(runtime.compute({0: TOKENS}, want="all")[0])
    finally:
        runtime.close()
    assert abs(kl(wanted, found)) < 1e-4


# Every example writes the same file anew.
TMP_PATH = [HealthCheck.function_scoped_fixture]
MODULES = ("self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj")


@settings(max_examples=25, deadline=None, suppress_health_check=TMP_PATH)
@given(
    architecture=st.sampled_from(["llama", "qwen2"]),
    ranks=st.lists(st.integers(1, 9), min_size=3, max_size=3),
    alpha=st.floats(0.25, 64),
    rslora=st.booleans(),
    wrapped=st.booleans(),
    seed=st.integers(0, 999),
)
def test_what_is_written_is_read_back(
    tiny_of: Callable[[str], Path],
    tmp_path: Path,
    architecture: str,
    ranks: list[int],
    alpha: float,
    rslora: bool,
    wrapped: bool,
    seed: int,
) -> None:
    base = read_contents(tiny_of(architecture))
    random, path = np.random.default_rng(seed), tmp_path / "a.gguf"
    tensors: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for module, rank in zip(MODULES, ranks, strict=True):
        name = f"model.layers.1.{module}"
        rows, columns = base.tensors[tensor_of(base.header, name)].shape
        a = random.normal(size=(rank, columns)).astype(np.float32)
        b = random.normal(size=(rows, rank)).astype(np.float32)
        tensors[f"base_model.model.{name}" if wrapped else name] = (a, b)
    write_lora(path, base.header, tensors, max(ranks), alpha, rslora, precision="F32")
    lora = read_lora(path)
    check_fits(lora, base)
    back = to_peft(lora, base.header)
    for module, (a, b) in tensors.items():
        name = module.removeprefix("base_model.model.")
        rank = a.shape[0]
        wanted = alpha / (rank**0.5 if rslora else rank) * (b @ a)
        own = back.ranks.get(name, back.rank)
        found = back.alpha / own * (back.factors[name].b @ back.factors[name].a)
        assert own == rank
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


@given(heads=st.sampled_from([1, 2, 4]), seed=st.integers(0, 99))
@settings(deadline=None, suppress_health_check=TMP_PATH)
def test_the_order_of_rows_comes_back(
    tiny_of: Callable[[str], Path], heads: int, seed: int
) -> None:
    header = read_header(tiny_of("llama"))
    header = type(header)(**{**header.to_dict(), "heads": heads, "kv_heads": heads})
    rows = np.random.default_rng(seed).normal(size=(16, 3)).astype(np.float32)
    for tensor in ("blk.0.attn_q.weight", "blk.0.attn_k.weight"):
        there = to_gguf_rows(header, tensor, rows)
        assert not np.array_equal(there, rows)
        assert np.array_equal(from_gguf_rows(header, tensor, there), rows)
    assert to_gguf_rows(header, "blk.0.attn_v.weight", rows) is rows


def some(base: Path, a: float = 1.0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        "model.layers.0.self_attn.q_proj": (
            np.full((2, 64), a, np.float32),
            np.ones((64, 2), np.float32),
        )
    }


def test_what_cannot_be_expressed_is_refused(
    tiny_of: Callable[[str], Path], tmp_path: Path
) -> None:
    base, path = read_header(tiny_of("llama")), tmp_path / "a.gguf"
    good = some(tiny_of("llama"))["model.layers.0.self_attn.q_proj"]
    with pytest.raises(InvalidInput, match="cannot express"):
        write_lora(path, base, {"model.embed_tokens": good}, 2, 4.0)
    with pytest.raises(InvalidInput, match="alpha 0"):
        write_lora(path, base, {"model.layers.0.self_attn.q_proj": good}, 2, 0.0)
    with pytest.raises(TrainingFailed):
        write_lora(path, base, some(tiny_of("llama"), float("nan")), 2, 4.0)
    with pytest.raises(TrainingFailed):
        write_lora(path, base, some(tiny_of("llama"), 1e5), 2, 4.0)
    strange = type(base)(**{**base.to_dict(), "architecture": "mamba"})
    with pytest.raises(InvalidInput, match="not supported"):
        write_lora(path, strange, some(tiny_of("llama")), 2, 4.0)
    assert not list(tmp_path.iterdir())


def test_an_adapter_of_another_model_is_refused(
    tiny_of: Callable[[str], Path], tmp_path: Path
) -> None:
    llama, path = tiny_of("llama"), tmp_path / "a.gguf"
    write_lora(path, read_header(llama), some(llama), 2, 4.0)
    lora = read_lora(path)
    check_fits(lora, read_contents(llama))
    with pytest.raises(InvalidInput, match="architecture"):
        check_fits(lora, read_contents(tiny_of("qwen2")))
    wide = dict(lora.factors)
    one = wide["blk.0.attn_q.weight"]
    wide["blk.0.attn_q.weight"] = type(one)(one.a[:, :32], one.b)
    with pytest.raises(InvalidInput, match="another model"):
        check_fits(type(lora)("llama", "", 4.0, wide), read_contents(llama))


def raw_adapter(path: Path, **tensors: np.ndarray) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    for name, value in tensors.items():
        writer.add_tensor(name.replace("__", "."), value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_damaged_and_hostile_files_are_refused(
    tiny_of: Callable[[str], Path], tmp_path: Path
) -> None:
    base, path = tiny_of("llama"), tmp_path / "a.gguf"
    with pytest.raises(ModelUnavailable, match="not a LoRA"):
        read_lora(base)
    a, b = np.ones((2, 64), np.float32), np.ones((64, 2), np.float32)
    with pytest.raises(ModelUnavailable, match="pairs"):
        read_lora(raw_adapter(path, w__lora_a=a))
    with pytest.raises(ModelUnavailable, match="fit each other"):
        read_lora(raw_adapter(path, w__lora_a=a, w__lora_b=np.ones((64, 3), np.float32)))
    with pytest.raises(ModelUnavailable, match="no number"):
        read_lora(raw_adapter(path, w__lora_a=a * np.nan, w__lora_b=b))
    assert read_lora(raw_adapter(path, w__lora_a=a, w__lora_b=b)).rank == 2
    whole = path.read_bytes()
    for cut in range(0, len(whole), 37):
        path.write_bytes(whole[:cut])
        with pytest.raises(EngineError):
            read_lora(path)
    random = np.random.default_rng(3)
    for _ in range(200):
        data = bytearray(whole)
        at = int(random.integers(0, 400))
        struct.pack_into("<Q", data, at, int(random.integers(0, 1 << 63)))
        path.write_bytes(data)
        try:
            read_lora(path)
        except EngineError:
            continue


def test_bfloat16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    a = np.random.default_rng(0).normal(size=(2, 64)).astype(np.float32)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    kind = gguf.GGMLQuantizationType.BF16
    for name, value in (("w.lora_a", a), ("w.lora_b", np.ones((64, 2), np.float32))):
        writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    lora = read_lora(path)
    np.testing.assert_allclose(lora.factors["w"].a, a, rtol=0.01)
    assert lora.scale_of("w") == 1.0  # no alpha: llama.cpp scales by nothing


def test_peft_modules_are_what_the_file_names(tiny_of: Callable[[str], Path]) -> None:
    for architecture in ARCHITECTURES:
        base = tiny_of(architecture)
        tensors = read_contents(base).tensors
        for module in factors(with_lora(load_torch(base))):
            assert tensor_of(read_header(base), module) in tensors
