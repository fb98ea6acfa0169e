"""The base of a training: a GGUF file's weights, converted once for torch and kept.

transformers reads the file and dequantizes it; the result is kept as safetensors with its
configuration under `models/bases/<sha256>/`.
Matrices are kept as float16 (closer to what any quantization says than its own step), all
else as float32. Nothing but transformers' own code is run, and nothing is looked for online.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import gguf as gguf_names
import torch
import transformers
from safetensors import SafetensorError
from safetensors import torch as safetensors_torch
from torch import Tensor

from engine.errors import EngineError, ModelUnavailable, NotEnoughMemory, StorageFull
from engine.files import atomic_write, free_bytes, sha256_file, show_path, storage_error
from engine.models.gguf import read_header
from engine.paths import Home
from engine.tuning.families import why_untrainable
from engine.tuning.slimming import write_slim
from engine.work.jobs import NULL_JOB, Job

# Typed loosely or not at all; `Any` here keeps that out of the rest.
_transformers: Any = transformers
_save_file = cast(Callable[..., None], cast(Any, safetensors_torch).save_file)

FORMAT = 1
_WEIGHTS, _CONFIG, _CARD = "model.safetensors", "config.json", "base.json"
_FLOAT16_LIMIT = 60_000.0
_POLL_S = 0.1
_SPARE_BYTES = 128 << 20
_T = TypeVar("_T")


@dataclass(frozen=True)
class Base:
    """A converted base: its folder, the GGUF file it came from and that file's SHA-256."""

    folder: Path
    gguf: Path
    sha256: str
    size_bytes: int


def base_folder(home: Home, sha256: str) -> Path:
    """Where the converted base of the GGUF file of this hash is kept."""
    return home.models / "bases" / sha256


def prepare_base(home: Home, gguf: Path, sha256: str, job: Job = NULL_JOB) -> Base:
    """The converted base of a GGUF file; converts it when there is none that is whole.

    Args:
        home: the data folder.
        gguf: the model file.
        sha256: its hash, by which the result is found again.
        job: gets progress; a cancel leaves nothing behind.

    Raises:
        ModelUnavailable: the file is gone, damaged, or of a family that cannot be trained.
        NotEnoughMemory: the weights do not fit into memory.
        StorageFull: there is no room for the result.
        Cancelled: stopped.
    """
    folder = base_folder(home, sha256)
    size = _whole(folder, sha256)
    if size:
        return Base(folder, gguf, sha256, size)
    header = read_header(gguf)
    if reason := why_untrainable(header):
        raise ModelUnavailable(reason, hint="Choose another model to tune.")
    needed = header.parameters * 2 + header.size_bytes + _SPARE_BYTES
    if free_bytes(home.models) < needed:
        raise StorageFull(
            f"Tuning this model needs {needed / 2**30:.1f} GB of free disk.",
            hint="Free some space and start again.",
        )
    part = folder.with_name(f".{sha256[:16]}-{os.getpid()}.tmp")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _convert(gguf, part, sha256, job)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Base(folder, gguf, sha256, _whole(folder, sha256))


def load_base(base: Base, dtype: torch.dtype = torch.float32, eager: bool = False) -> Any:
    """The base as a transformers model, its weights frozen.

    Args:
        base: from `prepare_base`.
        dtype: of weights and activations.
        eager: attention in plain steps, for models whose scores are capped (Gemma 2).

    Raises:
        ModelUnavailable: it cannot be read.
        NotEnoughMemory: it does not fit.
    """

    def load() -> Any:
        return _transformers.AutoModelForCausalLM.from_pretrained(
            str(base.folder),
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation="eager" if eager else "sdpa",
        )

    model = _reported(load)
    model.requires_grad_(False)
    model.eval()
    return model


def _whole(folder: Path, sha256: str) -> int:
    """Bytes of a converted base; 0 when it is missing, foreign or damaged."""
    try:
        card = json.loads((folder / _CARD).read_bytes())
        if card["format"] != FORMAT or card["sha256"] != sha256:
            return 0
        for name, digest in card["files"].items():
            if name not in (_WEIGHTS, _CONFIG) or sha256_file(folder / name) != digest:
                return 0
        return (folder / _WEIGHTS).stat().st_size if len(card["files"]) == 2 else 0
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def _convert(gguf: Path, part: Path, sha256: str, job: Job) -> None:
    job.progress(0, 0, "converting the model, once")
    part.mkdir(parents=True)
    # Alone in a folder: transformers would also read what else lies beside the file.
    write_slim(gguf, part / "model.gguf")
    _transformers.utils.logging.disable_progress_bar()

    def read() -> Any:
        return _transformers.AutoModelForCausalLM.from_pretrained(
            str(part),
            gguf_file="model.gguf",
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
        )

    with _names_once():
        model = _reported(lambda: _patiently(read, job))
    config = model.config.to_dict()
    config.pop("quantization_config", None)
    config.pop("_name_or_path", None)
    config["dtype"] = "float32"
    tied = bool(config.get("tie_word_embeddings"))
    weights = {
        name: _kept(tensor)
        for name, tensor in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    del model
    job.checkpoint()
    _save_file(weights, str(part / _WEIGHTS), metadata={"format": "pt"})
    (part / _CONFIG).write_text(json.dumps(config, indent=2, default=str), "utf-8")
    (part / "model.gguf").unlink()
    files = {name: sha256_file(part / name) for name in (_WEIGHTS, _CONFIG)}
    card = {"format": FORMAT, "sha256": sha256, "from": show_path(gguf.name), "files": files}
    atomic_write(part / _CARD, json.dumps(card, indent=2).encode())


@contextmanager
def _names_once() -> Generator[None]:
    """Let transformers, which asks gguf for its table of names once a module, get it once."""
    whole: Any = gguf_names
    before = whole.get_tensor_name_map
    whole.get_tensor_name_map = functools.lru_cache(before)
    try:
        yield
    finally:
        whole.get_tensor_name_map = before


def _kept(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().contiguous()
    if tensor.dim() < 2 or float(tensor.abs().max()) > _FLOAT16_LIMIT:
        return tensor
    return tensor.to(torch.float16)


def _patiently(work: Callable[[], _T], job: Job) -> _T:
    """Run `work` in a thread and watch the job meanwhile.

    transformers cannot be stopped in the middle: a cancel leaves it to end by itself, with
    nothing on the disk.
    """
    outcome: list[_T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="convert", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_S)
        job.checkpoint()
    if failure:
        raise failure[0]
    return outcome[0]


def _reported(load: Callable[[], Any]) -> Any:
    """Run `load`; what transformers raises becomes an error of ours."""
    try:
        return load()
    except EngineError:
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise NotEnoughMemory(
            "There is not enough memory to train this model.",
            hint="Close other programs, or choose a smaller model.",
            details=repr(error),
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
        raise ModelUnavailable(
            "This model cannot be read for training.",
            hint="Choose another model; the file may be damaged.",
            details=f"{type(error).__name__}: {error}",
        ) from error
