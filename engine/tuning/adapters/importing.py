"""A stranger's adapter: looked at, fitted to a model, tried in a child, then kept."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import EngineError, InvalidInput, ModelUnavailable, WorkerCrashed
from engine.files import show_path
from engine.models.gguf import GgufContents, read_contents
from engine.models.registry import GENERATOR_ENVIRONMENT, ModelRegistry
from engine.tuning.adapters.cards import GGUF, SAFETENSORS
from engine.tuning.adapters.gguf_adapter import (
    Lora,
    check_fits,
    read_lora,
    to_peft,
    write_lora,
)
from engine.tuning.adapters.peft_folder import PeftFolder, read_peft, save_tensors
from engine.tuning.adapters.registry import AdapterRegistry
from engine.work.api import AdapterCard, ImportAdapterSpec, ModelCard
from engine.work.children import Worker
from engine.work.jobs import NULL_JOB, Job

TRIAL_LIMIT_S = 600.0
LEAST_EFFECT = 1e-9
"""An adapter that changes the next word's distribution by less (KL) does nothing."""


@dataclass
class _Stranger:
    """What was brought along: a GGUF file or a folder of peft's."""

    path: Path
    lora: Lora | None = None
    folder: PeftFolder | None = None
    reasons: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        own = self.lora.name if self.lora is not None else ""
        return own or self.path.stem


def import_adapter(
    registry: AdapterRegistry,
    models: ModelRegistry,
    spec: ImportAdapterSpec,
    job: Job = NULL_JOB,
) -> AdapterCard:
    """Check an adapter and keep a copy; what it was made from is not touched.

    It is marked as not proven here: nobody can say what its makers saw.

    Raises:
        InvalidInput: there is no such file, or no model it fits, or several.
        ModelUnavailable: it is no adapter that can be used; says why.
        StorageFull: no room.
        Cancelled: stopped; nothing is kept.
    """
    stranger = _read(Path(spec.path))
    with tempfile.TemporaryDirectory(prefix="adapter-") as name:
        folder = Path(name)
        model, contents = _fit(stranger, models, spec.model, folder)
        job.checkpoint()
        job.progress(0, 0, "trying the adapter")
        served = folder / (SAFETENSORS if _is_soft(stranger) else GGUF)
        effect = try_adapter(Path(model.path), served, job)
        if effect < LEAST_EFFECT:
            raise ModelUnavailable(
                "This adapter changes nothing in what the model says.",
                hint="It may be empty, or made for another model of the same shape.",
            )
        card = _card(stranger, model, contents, spec.name, effect)
        return registry.save(folder, card)


def try_adapter(model: Path, adapter: Path, job: Job = NULL_JOB) -> float:
    """Load model and adapter in a child of their own; a death is the adapter's fault.

    Returns:
        How much it changes the next word after a few words, KL in nats.

    Raises:
        ModelUnavailable: it cannot be loaded, or computes nonsense.
        Cancelled: stopped.
    """
    worker = Worker("generator", "The adapter check", GENERATOR_ENVIRONMENT)
    params = {"path": str(model), "adapter": str(adapter)}
    try:
        return float(worker.call("trial_adapter", params, job, timeout_s=TRIAL_LIMIT_S)["kl"])
    except WorkerCrashed as crash:
        raise ModelUnavailable(
            "This adapter stops llama.cpp when it is loaded, so it was not imported.",
            hint="Get it again, from a source you trust.",
            details=crash.details,
        ) from crash
    finally:
        worker.close()


def _read(path: Path) -> _Stranger:
    try:
        found = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(f"There is no file {show_path(str(path))}.") from error
    if found.is_dir():
        return _Stranger(found, folder=read_peft(found))
    return _Stranger(found, lora=read_lora(found))


def _is_soft(stranger: _Stranger) -> bool:
    return stranger.folder is not None and stranger.folder.soft is not None


def _fit(
    stranger: _Stranger, models: ModelRegistry, wanted: str | None, folder: Path
) -> tuple[ModelCard, GgufContents]:
    """The model it is for; its files for that model are in `folder` then."""
    candidates = [models.find(wanted)] if wanted else models.list()
    fitting: list[tuple[ModelCard, GgufContents]] = []
    for model in candidates:
        try:
            contents = read_contents(Path(model.path))
            _write(stranger, contents, folder)
            fitting.append((model, contents))
        except EngineError as error:
            if wanted:
                raise
            stranger.reasons.append(f"{model.id}: {error.message}")
    if not fitting:
        raise InvalidInput(
            "No model here fits this adapter.",
            hint="Add the model it was made for first.",
            details="\n".join(stranger.reasons),
        )
    if len(fitting) > 1:
        names = ", ".join(model.id for model, _ in fitting)
        raise InvalidInput(
            "Several models fit this adapter.", hint=f"Say which it was made for: {names}"
        )
    model, contents = fitting[0]
    _write(stranger, contents, folder)
    return model, contents


def _write(stranger: _Stranger, base: GgufContents, folder: Path) -> None:
    """Its files as they are kept, for this model.

    Raises:
        EngineError: it is not for this model; says why.
    """
    header = base.header
    if stranger.folder is not None and stranger.folder.soft is not None:
        width = stranger.folder.soft.shape[1]
        if width != header.width:
            raise InvalidInput(
                f"This adapter is for another model: its width is {width}, the model's "
                f"{header.width}."
            )
        save_tensors({"prompt_embeddings": stranger.folder.soft}, folder / SAFETENSORS)
        return
    if stranger.folder is not None and stranger.folder.lora is not None:
        lora = stranger.folder.lora
        write_lora(
            folder / GGUF,
            header,
            lora.factors,
            lora.rank,
            lora.alpha,
            stranger.folder.use_rslora,
            stranger.folder.alphas,
            precision="F32",
        )
        check_fits(read_lora(folder / GGUF), base)
    elif stranger.lora is not None:
        check_fits(stranger.lora, base)
        (folder / GGUF).write_bytes(stranger.path.read_bytes())
        read_lora(folder / GGUF)  # the bytes that are kept, not those looked at before
    back = to_peft(read_lora(folder / GGUF), header)
    save_tensors(
        {
            f"base_model.model.{module}.lora_{part}.weight": value
            for module, pair in back.factors.items()
            for part, value in (("A", pair.a), ("B", pair.b))
        },
        folder / SAFETENSORS,
    )


def _card(
    stranger: _Stranger, model: ModelCard, base: GgufContents, name: str, effect: float
) -> AdapterCard:
    card = AdapterCard(
        id="",
        name=name or stranger.name,
        base_sha256=model.sha256,
        base_name=model.name,
        architecture=base.header.architecture,
        metrics={"trial_kl": effect},
        settings={"from": show_path(stranger.path)},
        source="imported",
    )
    soft = stranger.folder.soft if stranger.folder is not None else None
    if soft is not None:
        card.method, card.rank, card.layers = "prompt", len(soft), 0
        return card
    lora = stranger.lora
    if lora is not None:
        modules = [tensor.split(".")[1] for tensor in lora.factors if tensor.startswith("blk.")]
        card.rank, card.alpha = lora.rank, lora.alpha
    else:
        assert stranger.folder is not None
        assert stranger.folder.lora is not None
        peft = stranger.folder.lora
        modules = [name.split(".")[2] for name in peft.factors if ".layers." in name]
        card.rank, card.alpha = peft.rank, peft.alpha
    card.layers = len(set(modules))
    return card
