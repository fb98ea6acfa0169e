"""A copy of a small model in a quantization that this processor reads prompts fastest with.

llama.cpp multiplies whole batches quickly in some quantizations only: a prompt in Q4_1 takes
twice as long as in Q8_0, while single tokens take the same (`python -m tests.benchmarks
answering`). For a model of a hundred megabytes the larger copy costs a second once and some
memory; its weights are those of the file, rounded to 8 bits.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import llama_cpp

_api: Any = llama_cpp

SLOW = ("Q4_1", "Q5_0", "Q5_1")
"""Quantizations without a fast way to multiply whole batches."""
MOST_BYTES = 256 << 20
"""Larger models are bound by memory where a copy would double it."""


def wanted(quantization: str, size_bytes: int, gpu_layers: int) -> bool:
    """Whether a copy would help: a small model, on the processor, in a slow quantization."""
    return gpu_layers == 0 and size_bytes <= MOST_BYTES and quantization in SLOW


def fast_copy(source: Path, target: Path, threads: int) -> Path:
    """The copy at `target`, made now unless it is there; `source` when it cannot be made.

    Args:
        source: a GGUF file that llama.cpp has loaded before.
        target: where the copy stays.
        threads: to compute with.
    """
    if target.exists():
        return target
    handle, name = -1, ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
        params: Any = _api.llama_model_quantize_default_params()
        params.ftype = _api.LLAMA_FTYPE_MOSTLY_Q8_0
        params.allow_requantize = True
        params.nthread = threads
        code = _api.llama_model_quantize(
            os.fsencode(source), os.fsencode(name), ctypes.byref(params)
        )
        if code == 0:
            os.replace(name, target)
            return target
        print(f"fast copy: llama.cpp refused with {code}", file=sys.stderr, flush=True)
    except OSError as error:
        print(f"fast copy: {error!r}", file=sys.stderr, flush=True)
    if name:
        Path(name).unlink(missing_ok=True)
    return source
