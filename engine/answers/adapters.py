"""Adapters of a loaded model: files read once, put on and taken off between two answers.

With `runtime` a place that calls llama.cpp. A LoRA file is loaded by llama.cpp and may be
mixed with others, each at a scale of its own. A soft prompt (prompt tuning, Lester et al.
2021, arXiv 2104.08691) is a safetensors file with the embeddings of tokens that no vocabulary
has; they are read before everything else.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from engine import hardware
from engine.answers.generation import (
    MAX_SOFT_TOKENS,
    SOFT_PROMPT_KEY,
    SOFT_PROMPT_SUFFIX,
    AdapterUse,
)
from engine.errors import InvalidInput, ModelUnavailable, NotEnoughMemory
from engine.files import open_regular, show_path

_api: Any = llama_cpp

KEPT = 6
"""So many adapters stay in memory; those used longest ago go first."""
MAX_BYTES = 4 << 30
MAX_SCALE = 10.0
_SCALED_AGAIN = ("gemma", "gemma2")
"""Architectures whose embeddings llama.cpp multiplies by √width even when they are given."""


@dataclass(frozen=True)
class _Loaded:
    """A file in memory. `stamp` tells whether the file is still the one that was read."""

    stamp: tuple[int, int]
    digest: str
    lora: Any = None
    soft: NDArray[np.float32] | None = None


class Adapters:
    """What is loaded of adapters for one model and its context.

    Args:
        model: llama.cpp's model pointer.
        context: llama.cpp's context pointer.
        width: of the model's embeddings.
    """

    def __init__(self, model: Any, context: Any, width: int) -> None:
        self._model = model
        self._context = context
        self._width = width
        again = _architecture(model) in _SCALED_AGAIN
        self._soft_factor = np.float32(1.0 / math.sqrt(width) if again else 1.0)
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self.identity = ""
        """Of what is in use: the files' contents and their scales; "" for none."""
        self.soft: NDArray[np.float32] | None = None
        """Embeddings to be read first, (tokens, width), or None."""

    def use(self, wanted: Sequence[AdapterUse]) -> bool:
        """Put on exactly these.

        Returns:
            Whether that changes anything: then nothing computed before holds any more.

        Raises:
            InvalidInput: a scale out of range, or several soft prompts.
            ModelUnavailable: a file is gone, or is no adapter for this model.
            NotEnoughMemory: there is no room for it.
        """
        scales = _scales(wanted)
        found = [(self._load(Path(path)), scale) for path, scale in scales.items()]
        soft = [one.soft for one, _ in found if one.soft is not None]
        if len(soft) > 1:
            raise InvalidInput("Only one adapter made by prompt tuning can be used at a time.")
        identity = " ".join(f"{one.digest}:{scale:.6g}" for one, scale in found)
        self._trim(set(scales))
        if identity == self.identity:
            return False
        loras = [(one.lora, scale) for one, scale in found if one.lora is not None]
        array = (_api.llama_adapter_lora_p_ctypes * max(1, len(loras)))()
        factors = (ctypes.c_float * max(1, len(loras)))()
        for at, (lora, scale) in enumerate(loras):
            array[at], factors[at] = lora, scale
        code = _api.llama_set_adapters_lora(self._context, array, len(loras), factors)
        if code != 0:
            raise ModelUnavailable(
                "The adapter could not be put on this model.", details=f"code {code}"
            )
        self.identity, self.soft = identity, soft[0] if soft else None
        return True

    def _load(self, path: Path) -> _Loaded:
        key = os.fsdecode(path)
        try:
            status = path.stat()
        except OSError as error:
            raise _gone(path, error) from error
        stamp = (status.st_size, status.st_mtime_ns)
        known = self._loaded.get(key)
        if known is not None and known.stamp == stamp:
            self._loaded.move_to_end(key)
            return known
        _check_room(status.st_size)
        try:
            with open_regular(path) as stream:
                data = stream.read(MAX_BYTES)
        except OSError as error:
            raise _gone(path, error) from error
        digest = hashlib.blake2b(data, digest_size=20).hexdigest()
        if path.suffix == SOFT_PROMPT_SUFFIX:
            made = _Loaded(stamp, digest, soft=self._soft_prompt(data))
        else:
            lora = _api.llama_adapter_lora_init(self._model, os.fsencode(path))
            if not lora:
                raise ModelUnavailable(
                    f"{show_path(path)} is no adapter for this model.",
                    hint="Choose the model it was made for, or get the file again.",
                )
            made = _Loaded(stamp, digest, lora=lora)
        if known is not None:
            self._free(key)
        self._loaded[key] = made
        return made

    def _soft_prompt(self, data: bytes) -> NDArray[np.float32]:
        try:
            found = load_tensors(data)[SOFT_PROMPT_KEY]
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise ModelUnavailable(
                "This file holds no soft prompt.", details=f"{type(error).__name__}: {error}"
            ) from error
        soft = np.ascontiguousarray(found, np.float32)
        if soft.ndim != 2 or soft.shape[1] != self._width or not np.isfinite(soft).all():
            raise ModelUnavailable(
                "This adapter was made for another model.",
                hint="Choose the model it was made for.",
                details=f"embeddings {soft.shape}, the model's width is {self._width}",
            )
        if not 0 < len(soft) <= MAX_SOFT_TOKENS:
            raise ModelUnavailable(f"A soft prompt of {len(soft)} tokens cannot be used.")
        return np.ascontiguousarray(soft * self._soft_factor, np.float32)

    def _trim(self, in_use: set[str]) -> None:
        for key in list(self._loaded):
            if len(self._loaded) <= KEPT:
                return
            if key not in in_use:
                self._free(key)

    def _free(self, key: str) -> None:
        gone = self._loaded.pop(key)
        if gone.lora is None:
            return
        if gone.digest in self.identity:
            # It may be in use: llama.cpp must let go of it before it is freed.
            _api.llama_set_adapters_lora(self._context, None, 0, None)
            self.identity, self.soft = "freed", None
        _api.llama_adapter_lora_free(gone.lora)

    def close(self) -> None:
        """Free all of them, while the model is still there."""
        for key in list(self._loaded):
            self._free(key)


def _architecture(model: Any) -> str:
    buffer = ctypes.create_string_buffer(64)
    size = _api.llama_model_meta_val_str(model, b"general.architecture", buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if size > 0 else ""


def _scales(wanted: Sequence[AdapterUse]) -> dict[str, float]:
    """Path → scale of those that do anything; the same file twice counts with both scales.

    The order is that of the paths: adding up does not depend on it, nor may a state's name.
    """
    scales: dict[str, float] = {}
    for one in wanted:
        scales[one.path] = scales.get(one.path, 0.0) + one.scale
    for scale in scales.values():
        if not math.isfinite(scale) or abs(scale) > MAX_SCALE:
            raise InvalidInput(
                f"An adapter's scale lies between -{MAX_SCALE:g} and {MAX_SCALE:g}."
            )
    return {path: scales[path] for path in sorted(scales) if scales[path] != 0.0}


def _check_room(size_bytes: int) -> None:
    if size_bytes > MAX_BYTES or size_bytes * 2 > hardware.memory_available_bytes():
        raise NotEnoughMemory(
            f"There is not enough memory for this adapter ({size_bytes / 2**20:.0f} MB).",
            hint="Close other programs, or use fewer adapters at once.",
        )


def _gone(path: Path, error: OSError) -> ModelUnavailable:
    return ModelUnavailable(
        f"The adapter's file {show_path(path)} is gone or cannot be read.",
        hint="Ask without it, or import the adapter again.",
        details=str(error),
    )
