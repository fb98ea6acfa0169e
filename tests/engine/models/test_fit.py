"""Memory estimates and the choices that follow from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models.fit import (
    SMALLEST_CONTEXT,
    fit,
    gpu_layers_that_fit,
    kv_bytes_per_token,
    memory_needed,
)
from engine.models.gguf import GgufHeader, read_header


@pytest.fixture(scope="module")
def smol(starter: Path) -> GgufHeader:
    return read_header(starter / "SmolLM2-135M-Instruct.Q4_1.gguf")


def test_keys_and_values_of_the_starter_take_23_kb_a_token(smol: GgufHeader) -> None:
    assert kv_bytes_per_token(smol) == 30 * 3 * (64 + 64) * 2


def test_memory_grows_with_the_context_and_holds_the_weights(smol: GgufHeader) -> None:
    small, large = memory_needed(smol, 1024), memory_needed(smol, 8192)
    assert smol.tensor_bytes < small < large
    assert large - small >= 7168 * kv_bytes_per_token(smol)


def test_short_memory_means_a_shorter_context(smol: GgufHeader) -> None:
    roomy = fit(smol, available_bytes=8 << 30, gpu_free_bytes=0)
    tight = fit(smol, available_bytes=memory_needed(smol, 2048) * 10 // 9 + 1, gpu_free_bytes=0)
    hopeless = fit(smol, available_bytes=50 << 20, gpu_free_bytes=0)
    assert (roomy.context, roomy.fits) == (4096, True)
    assert (tight.context, tight.fits) == (2048, True)
    assert (hopeless.context, hopeless.fits) == (SMALLEST_CONTEXT, False)


def test_a_chosen_context_is_kept_up_to_what_the_model_can(smol: GgufHeader) -> None:
    assert fit(smol, wanted_context=6000, available_bytes=8 << 30).context == 6000
    assert fit(smol, wanted_context=100_000, available_bytes=8 << 30).context == 8192


def test_gpu_layers(smol: GgufHeader) -> None:
    assert gpu_layers_that_fit(smol, 4096, 0) == 0
    assert gpu_layers_that_fit(smol, 4096, 24 << 30) == smol.layers + 1
    some = gpu_layers_that_fit(smol, 4096, 400 << 20)
    assert 0 < some < smol.layers
    assert fit(smol, gpu_free_bytes=24 << 30, available_bytes=8 << 30).gpu_layers == 31
    chosen = fit(smol, gpu_layers=5, gpu_free_bytes=24 << 30, available_bytes=8 << 30)
    assert chosen.gpu_layers == 5
    without_gpu = fit(smol, gpu_free_bytes=0, available_bytes=8 << 30)
    assert without_gpu.gpu_layers == 0
