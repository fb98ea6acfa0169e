"""Adapters for other programs: GGUF, peft, Ollama, or merged into the model."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from engine import hardware
from engine.errors import InvalidInput, StorageFull
from engine.files import free_bytes, show_path, storage_error
from engine.models.gguf import QUANTIZATIONS, read_contents
from engine.models.registry import GENERATOR_ENVIRONMENT
from engine.tuning.adapters.cards import GGUF, SAFETENSORS
from engine.tuning.adapters.gguf_adapter import Lora, check_fits, read_lora, to_peft
from engine.tuning.adapters.merging import changes_of, merge, rewritten_bytes
from engine.tuning.adapters.peft_folder import read_soft, write_peft, write_soft
from engine.tuning.adapters.registry import AdapterRegistry
from engine.work.api import AdapterCard, ExportAdapterSpec, ExportedAdapter, ModelCard
from engine.work.children import Worker
from engine.work.jobs import NULL_JOB, Job

_SPARE_BYTES = 64 << 20
_USUAL = "Q4_K_M"
_QUANTIZE_LIMIT_S = 4 * 3600.0


def export_adapter(
    registry: AdapterRegistry, spec: ExportAdapterSpec, job: Job = NULL_JOB
) -> ExportedAdapter:
    """Write an adapter where it is asked for; the adapter and its model are only read.

    Raises:
        InvalidInput: there is no such adapter, the place is taken or cannot be written, or
            it cannot be had in that form.
        ModelUnavailable: a file is gone or damaged.
        StorageFull: no room; nothing is left behind.
        Cancelled: stopped; nothing is left behind.
    """
    card = registry.find(spec.adapter)
    out = Path(spec.out)
    if out.is_dir() and spec.format in ("gguf", "merged"):
        out = out / f"{card.id}.gguf"
    if out.exists():
        raise InvalidInput(
            f"{show_path(out)} is there already and is not written over.",
            hint="Choose another place.",
        )
    part = out.with_name(f".{out.name[:80]}.{uuid.uuid4().hex[:8]}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _write(registry, card, spec, part, job)
        os.rename(part, out)
    except OSError as error:
        raise storage_error(error, out) from error
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)
    files = sorted(out.iterdir()) if out.is_dir() else [out]
    return ExportedAdapter(
        path=show_path(out),
        files=[show_path(file) for file in files],
        size_bytes=sum(file.stat().st_size for file in files),
    )


def _write(
    registry: AdapterRegistry,
    card: AdapterCard,
    spec: ExportAdapterSpec,
    part: Path,
    job: Job,
) -> None:
    folder = registry.folder(card)
    if card.method == "prompt" and spec.format != "safetensors":
        raise InvalidInput(
            f"{card.name} is a soft prompt, which a GGUF file cannot hold.",
            hint="Export it as safetensors.",
        )
    if spec.format == "gguf":
        _need(part, card.size_bytes)
        shutil.copyfile(folder / GGUF, part)
    elif spec.format == "merged":
        _merge(registry.model_of(card), read_lora(folder / GGUF), spec, part, job)
    elif spec.format == "ollama":
        _need(part, card.size_bytes)
        part.mkdir()
        shutil.copyfile(folder / GGUF, part / GGUF)
        model = registry.model_of(card)
        (part / "Modelfile").write_text(modelfile(model), "utf-8")
    elif card.method == "prompt":
        write_soft(part, read_soft(folder / SAFETENSORS), card.base_name)
    else:
        _need(part, 3 * card.size_bytes)
        header = read_contents(Path(registry.model_of(card).path)).header
        write_peft(part, to_peft(read_lora(folder / GGUF), header), card.base_name)


def modelfile(model: ModelCard) -> str:
    """What Ollama builds the model from; it takes the chat template out of the GGUF file.

    https://github.com/ollama/ollama/blob/main/docs/modelfile.md
    """
    return (
        f"# ollama create NAME -f Modelfile\n"
        f"FROM {_quoted(model.path)}\n"
        f"ADAPTER ./{GGUF}\n"
        f"PARAMETER temperature 0\n"
        f"PARAMETER num_ctx {model.context_used}\n"
    )


def _quoted(path: str) -> str:
    return f'"{path}"' if any(char.isspace() for char in path) else path


def _merge(model: ModelCard, lora: Lora, spec: ExportAdapterSpec, part: Path, job: Job) -> None:
    quantization = spec.quantization.upper() or model.quantization
    if not spec.quantization and quantization not in QUANTIZATIONS:
        quantization = _USUAL
    if quantization not in QUANTIZATIONS:
        raise InvalidInput(
            f"A model cannot be written as {spec.quantization!r}.",
            hint=f"Possible are: {', '.join(QUANTIZATIONS)}.",
        )
    base = Path(model.path)
    contents = read_contents(base)
    check_fits(lora, contents)
    whole = rewritten_bytes(contents, changes_of(lora))
    _need(part, 2 * whole)  # the merged weights, and beside them what is made of them
    wide = part.with_name(f"{part.name}.wide")
    try:
        merge(base, wide, lora, spec.scale, job)
        job.progress(0, 0, f"writing it as {quantization}")
        quantize_apart(wide, part, quantization, job)
    finally:
        wide.unlink(missing_ok=True)


def quantize_apart(source: Path, target: Path, quantization: str, job: Job) -> None:
    """Quantize a model in a child: llama.cpp may abort, and it cannot be stopped otherwise.

    Raises:
        ModelUnavailable: llama.cpp refuses it.
        WorkerCrashed: llama.cpp aborted.
        Cancelled: stopped.
    """
    worker = Worker("generator", "The model writer", GENERATOR_ENVIRONMENT)
    params = {
        "source": str(source),
        "target": str(target),
        "quantization": quantization,
        "threads": hardware.cpu().cores,
    }
    try:
        worker.call("quantize", params, job, timeout_s=_QUANTIZE_LIMIT_S)
    finally:
        worker.close()


def _need(place: Path, size_bytes: int) -> None:
    if free_bytes(place.parent) < size_bytes + _SPARE_BYTES:
        raise StorageFull(
            f"There is no room for this ({size_bytes / 2**20:,.0f} MB are needed).",
            hint="Free some space, or choose another disk.",
        )
