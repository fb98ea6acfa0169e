"""A finished training becomes an adapter: written, proven in llama.cpp, kept with its card."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import torch as safetensors_torch
from torch import Tensor

from engine.answers.adapters import SOFT_PROMPT_KEY
from engine.answers.runtime import Runtime
from engine.errors import StorageFull
from engine.models.gguf import QUANTIZATIONS
from engine.models.registry import ModelRegistry, slug
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.adapters.exporting import quantize_apart
from engine.tuning.adapters.gguf_adapter import write_lora
from engine.tuning.adapters.merging import Change, rewrite_model
from engine.tuning.adapters.naming import tensor_of, to_gguf_rows
from engine.tuning.adapters.proving import prove
from engine.tuning.adapters.registry import AdapterRegistry
from engine.tuning.datasets.types import Example
from engine.tuning.prompting import wording_version
from engine.tuning.training.loop import Outcome, TrainingData
from engine.tuning.training.packs import Tokenized
from engine.tuning.training.preparing import Subject
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import SOFT_NAME, Tuned
from engine.work.api import AdapterCard, ModelCard, ParityReport
from engine.work.jobs import NULL_JOB, Job

_save_file = cast(Callable[..., None], cast(Any, safetensors_torch).save_file)

_A, _B = ".lora_A.weight", ".lora_B.weight"
_PROVEN = 32


class _WithSoftPrompt:
    """A model with its soft prompt, as the proof calls one."""

    def __init__(self, model: Any, soft: Tensor) -> None:
        self._model, self._soft = model, soft
        self._on = True

    def parameters(self) -> Iterator[Tensor]:
        return self._model.parameters()

    @contextlib.contextmanager
    def disable_adapter(self) -> Generator[None]:
        self._on = False
        try:
            yield
        finally:
            self._on = True

    def __call__(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        states = self._model.get_input_embeddings()(input_ids)
        if self._on:
            states = torch.cat([self._soft[None].to(states.dtype), states], dim=1)
        return self._model(inputs_embeds=states)


def write_files(folder: Path, subject: Subject, settings: Settings, outcome: Outcome) -> Path:
    """Write `adapter.safetensors` and, for LoRA, `adapter.gguf`; gives the one to serve.

    Raises:
        StorageFull: no room.
        TrainingFailed: numbers that cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = outcome.adapter
    if settings.method == "prompt":
        tensors = {SOFT_PROMPT_KEY: tensors[SOFT_NAME]}
    path = folder / "adapter.safetensors"
    try:
        _save_file(dict(tensors), str(path))
    except (OSError, SafetensorError) as error:
        raise StorageFull(
            "The adapter could not be written; the disk may be full. The training is kept.",
            hint="Free some space and resume the run.",
            details=str(error),
        ) from error
    if settings.method == "prompt":
        return path
    gguf = folder / "adapter.gguf"
    write_lora(
        gguf,
        subject.header,
        lora_pairs(outcome.adapter),
        settings.rank,
        settings.alpha,
        use_rslora=settings.rslora,
        name=subject.spec.name,
    )
    return gguf


def keep_model(
    folder: Path,
    subject: Subject,
    outcome: Outcome,
    home: Home,
    store: Store,
    job: Job = NULL_JOB,
) -> ModelCard:
    """Write a full fine-tuning as a model of the source's quantization, and add it.

    It is tried in a child of its own, as any model that is added.

    Raises:
        StorageFull: no room; the run keeps what was trained.
        ModelUnavailable: the source is gone, or llama.cpp refuses the result.
    """
    folder.mkdir(parents=True, exist_ok=True)
    header = subject.header
    changes: dict[str, Change] = {}
    for name, tensor in outcome.adapter.items():
        place = tensor_of(header, name.removesuffix(".weight"))
        changes[place] = _replaced_by(to_gguf_rows(header, place, tensor.numpy()))
    wide, made = folder / "wide.gguf", folder / f"{slug(subject.spec.name)}.gguf"
    for left in (wide, made):
        left.unlink(missing_ok=True)
    rewrite_model(subject.base.gguf, wide, changes, job)
    same = header.quantization in QUANTIZATIONS
    quantize_apart(wide, made, header.quantization if same else "Q8_0", job)
    wide.unlink()
    return ModelRegistry(home, store).add(made, job)


def _documents(examples: Sequence[Example]) -> dict[str, str]:
    """The documents of a library that the examples were made of: path → SHA-256 then."""
    return {
        str(one.source["path"]): str(one.source["sha256"])
        for one in examples
        if one.source.get("path") and one.source.get("sha256")
    }


def _replaced_by(rows: NDArray[np.float32]) -> Change:
    return lambda weight: rows


def lora_pairs(
    adapter: Mapping[str, Tensor],
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Module path → (A, B), from tensors under peft's names."""
    return {
        name.removesuffix(_A): (
            adapter[name].numpy(),
            adapter[name.removesuffix(_A) + _B].numpy(),
        )
        for name in adapter
        if name.endswith(_A)
    }


def prove_files(
    file: Path,
    tuned: Tuned,
    subject: Subject,
    data: TrainingData,
    outcome: Outcome,
    threads: int,
    job: Job = NULL_JOB,
) -> ParityReport:
    """Run held-out prompts in torch and in llama.cpp over the quantized base.

    Raises:
        ModelUnavailable: llama.cpp refuses the file or the base.
        NotEnoughMemory: both models do not fit beside each other.
    """
    examples = data.heldout or data.validation or data.train
    step = max(1, len(examples) // _PROVEN)
    chosen: list[Tokenized] = examples[::step][:_PROVEN]
    longest = max(len(one.ids) for one in chosen)
    model = tuned.peft
    if model is None:
        model = _WithSoftPrompt(tuned.model, outcome.adapter[SOFT_NAME])
    room = longest + tuned.soft_tokens + 64
    runtime = Runtime(subject.base.gguf, max(256, room), threads=threads, job=job)
    torch.set_num_threads(threads)
    try:
        with torch.no_grad():
            return prove(
                model,
                file,
                [list(one.ids[: one.answer]) for one in chosen],
                [list(one.ids[one.answer :]) for one in chosen],
                runtime,
                job=job,
            )
    finally:
        runtime.close()


def keep(
    folder: Path,
    subject: Subject,
    settings: Settings,
    outcome: Outcome,
    parity: ParityReport,
    run: str,
    home: Home,
    store: Store,
) -> AdapterCard:
    """Put the adapter among the others, with its card.

    Raises:
        StorageFull: no room; the run keeps it.
    """
    position, dataset, parent = outcome.position, subject.dataset, subject.parent
    card = AdapterCard(
        id="",
        name=subject.spec.name,
        base_sha256=subject.model.sha256,
        base_name=subject.model.name,
        architecture=subject.header.architecture,
        method="prompt" if settings.method == "prompt" else "lora",
        rank=settings.soft_tokens if settings.method == "prompt" else settings.rank,
        alpha=settings.alpha,
        layers=settings.upper_layers or subject.header.layers,
        task=dataset.task,
        labels=dataset.labels,
        wording=wording_version(dataset.task),
        dataset=dataset.id,
        dataset_name=dataset.name,
        dataset_sha256=dataset.sha256,
        documents=_documents(subject.sources.examples),
        settings=settings.model_dump(),
        metrics={
            "steps": position.step,
            "seconds": round(position.seconds, 1),
            "train_loss": position.interval_loss or position.train_loss,
            "heldout_loss": outcome.heldout_loss,
            "heldout_before": position.heldout_first,
            "heldout_exact": outcome.heldout_exact,
            "warnings": position.warnings,
        },
        parity=parity,
        lineage=[*parent.lineage, parent.id] if parent else [],
        run=run,
    )
    registry = AdapterRegistry(home, store, ModelRegistry(home, store))
    return registry.save(folder, card)
