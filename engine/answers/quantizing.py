"""A model file in another quantization, by llama.cpp. In a child: a bad file may abort it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

import llama_cpp

from engine.errors import InvalidInput, ModelUnavailable
from engine.models.gguf import QUANTIZATIONS

_api: Any = llama_cpp


def quantize(source: Path, target: Path, quantization: str, threads: int) -> None:
    """Write `source` in a quantization to `target`; weights of that type stay as they are.

    Args:
        source: a model file.
        target: where the result goes.
        quantization: a key of `QUANTIZATIONS`.
        threads: to compute with.

    Raises:
        InvalidInput: there is no such quantization.
        ModelUnavailable: llama.cpp refuses.
    """
    if quantization not in QUANTIZATIONS:
        raise InvalidInput(
            f"A model cannot be written as {quantization!r}.",
            hint=f"Possible are: {', '.join(QUANTIZATIONS)}.",
        )
    params: Any = _api.llama_model_quantize_default_params()
    params.ftype = QUANTIZATIONS[quantization]
    params.allow_requantize = True
    params.nthread = threads
    code = _api.llama_model_quantize(
        os.fsencode(source), os.fsencode(target), ctypes.byref(params)
    )
    if code != 0:
        target.unlink(missing_ok=True)
        raise ModelUnavailable(
            f"llama.cpp cannot write this model as {quantization}.",
            hint="Choose another quantization, or see whether the disk is full.",
            details=f"llama_model_quantize: {code}",
        )
