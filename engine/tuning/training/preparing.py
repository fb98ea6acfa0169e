"""From a spec to a training that can begin: model, base, examples as tokens, plan."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import hardware
from engine.answers.tokenizing import Tokenizer
from engine.errors import InvalidInput, ModelUnavailable, NotEnoughMemory
from engine.models.gguf import GgufHeader, read_header
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.bases import Base, prepare_base
from engine.tuning.datasets.types import Dataset, Example
from engine.tuning.families import why_untrainable
from engine.tuning.training import planning
from engine.tuning.training.loop import TrainingData
from engine.tuning.training.packs import Tokenized, tokenize
from engine.tuning.training.replay import base_answers
from engine.tuning.training.scoring import Lease
from engine.tuning.training.settings import Settings
from engine.tuning.training.sources import Sources, gather, put_aside
from engine.tuning.training.tuned import Tuned, measured_precision
from engine.work.api import AdapterCard, MethodView, ModelCard, TunePlan, TuneSpec
from engine.work.api.tuning import TuneSpans
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease


@dataclass
class Subject:
    """What is trained and with what."""

    spec: TuneSpec
    model: ModelCard
    header: GgufHeader
    base: Base
    sources: Sources
    data: TrainingData
    """Everything tokenized, the overlong still in it."""
    convert_s: float = 0.0
    """What making the base took; nothing when there was one."""

    @property
    def dataset(self) -> Dataset:
        """What it learns from."""
        return self.sources.dataset

    @property
    def parent(self) -> AdapterCard | None:
        """The adapter that is tuned further."""
        return self.sources.parent


def prepare(
    spec: TuneSpec,
    home: Home,
    store: Store,
    job: Job = NULL_JOB,
    keep: Path | None = None,
) -> Subject:
    """Find everything a spec names, convert the base, tokenize the examples.

    Args:
        spec: what to train.
        home: the data folder.
        store: its database.
        job: progress; can cancel.
        keep: where a run keeps its copy of the examples (see `gather`).

    Raises:
        InvalidInput: the dataset, model or adapter is not there, or cannot be used together.
        ModelUnavailable: the model cannot be trained.
        StorageDamaged, StorageFull, NotEnoughMemory, Cancelled.
    """
    sources = gather(spec, home, store, keep)
    parent = sources.parent
    if parent is not None:
        if not spec.model:
            spec = spec.model_copy(update={"model": parent.model})
        if parent.method != spec.method:
            raise InvalidInput(f"{parent.name} was made with another method.")
    model = ModelRegistry(home, store).find(spec.model or None)
    if parent is not None and parent.base_sha256 != model.sha256:
        raise InvalidInput(
            f"{parent.name} belongs to another model than {model.name}.",
            hint="Leave the model out: it is then the adapter's own.",
        )
    gguf = Path(model.path)
    header = read_header(gguf)
    if reason := why_untrainable(header):
        raise ModelUnavailable(reason, hint="Choose another model to tune.")
    with Tokenizer(gguf) as tokenizer:
        begun = time.perf_counter()
        base = prepare_base(home, gguf, model.sha256, job)
        answers = base_answers(base, tokenizer, _lease(home, job))
        convert_s = time.perf_counter() - begun
        job.progress(0, 0, "reading the examples")
        data = _tokenized(sources, tokenizer, spec.seed, job)
    data.replay = answers
    return Subject(spec, model, header, base, sources, data, convert_s)


def _tokenized(sources: Sources, tokenizer: Tokenizer, seed: int, job: Job) -> TrainingData:
    """All examples as tokens, the earlier ones among those to learn from."""
    dataset, earlier_of = sources.dataset, sources.earlier_of
    train, validation = put_aside(dataset, sources.examples, seed)
    heldout = [one for one in sources.examples if one.split == "heldout"]

    def ids(of: Dataset, examples: Sequence[Example]) -> list[Tokenized]:
        job.checkpoint()
        return tokenize(tokenizer, of.task, of.labels, examples)

    earlier = ids(earlier_of, sources.earlier) if earlier_of else []
    return TrainingData(
        [*ids(dataset, train), *earlier], ids(dataset, validation), ids(dataset, heldout)
    )


def within(data: TrainingData, max_tokens: int) -> TrainingData:
    """The examples that are no longer than `max_tokens`."""

    def short(examples: Sequence[Tokenized]) -> list[Tokenized]:
        return [one for one in examples if len(one.ids) <= max_tokens]

    return TrainingData(
        short(data.train), short(data.validation), short(data.heldout), data.replay
    )


def make_plan(
    subject: Subject, home: Home, job: Job = NULL_JOB, spent_s: float = 0.0
) -> TunePlan:
    """Measure, choose settings, and say what the training will take.

    Args:
        subject: from `prepare`.
        home: the data folder.
        job: progress; can cancel.
        spent_s: of the user's minutes, those that are over already.

    Returns:
        The plan; of its spans only what is still to be done.

    Raises:
        InvalidInput: no example fits.
        NotEnoughMemory: nothing fits.
        Cancelled: stopped.
    """
    spec, base = subject.spec, subject.base
    config = json.loads((base.folder / "config.json").read_text("utf-8"))
    layers = int(config["num_hidden_layers"])
    settings = planning.first_settings(spec, subject.data.train, layers)
    settings = _like_parent(settings, subject.parent)
    precision = measured_precision(
        int(config["hidden_size"]), int(config.get("intermediate_size", 1024))
    )
    settings = settings.model_copy(update={"precision": precision})
    data = within(subject.data, settings.max_tokens)
    if not data.train:
        raise InvalidInput(
            "There is no example to learn from.",
            hint="Add examples, or allow longer ones with max_tokens.",
        )
    _check_memory(base)
    lease = _lease(home, job)
    begun = time.perf_counter()
    speed = planning.measure(base, settings, data, lease, job)
    spent_s += time.perf_counter() - begun
    trained = _trained(subject.header, settings)
    predict = planning.predictor(speed, settings, data, layers, base, trained)
    chosen, fits_minutes = planning.choose(spec, settings, layers, predict, spent_s)
    if chosen.upper_layers != settings.upper_layers or chosen.rank != settings.rank:
        speed = planning.measure(base, chosen, data, lease, job)
    made = planning.estimate(chosen, data, speed, base, _trained(subject.header, chosen))
    return _describe(subject, chosen, made, data, layers, fits_minutes)


def _like_parent(settings: Settings, parent: AdapterCard | None) -> Settings:
    """The shape of the adapter that is tuned further."""
    if parent is None:
        return settings
    shape = ("rank", "alpha", "rslora", "upper_layers", "soft_tokens")
    return settings.model_copy(
        update={key: parent.settings[key] for key in shape if key in parent.settings}
    )


def _check_memory(base: Base) -> None:
    needed = base.size_bytes * 2
    if not planning.fits_memory(needed):
        raise NotEnoughMemory(
            f"Training this model needs more than {needed / 2**30:.1f} GB of free memory.",
            hint="Close other programs, or choose a smaller model.",
        )


def _trained(header: GgufHeader, settings: Settings) -> int:
    """About how many numbers are trained."""
    if settings.method == "prompt":
        return settings.soft_tokens * header.width
    inner = header.parameters - header.vocabulary * header.width
    part = (settings.upper_layers or header.layers) / max(1, header.layers)
    if settings.method == "full":
        return int(header.parameters * part)
    # A matrix of n × n numbers gets 2 · n · rank of them.
    per_layer = inner / max(1, header.layers)
    return int(part * header.layers * settings.rank * 3.2 * per_layer / header.width)


def _lease(home: Home, job: Job) -> Lease:
    lease = CoreLease(home)

    @contextlib.contextmanager
    def hold() -> Generator[int]:
        with lease.hold("batch", job) as threads:
            yield threads

    return hold


def _describe(
    subject: Subject,
    settings: Settings,
    made: planning.Estimate,
    data: TrainingData,
    layers: int,
    fits_minutes: bool,
) -> TunePlan:
    reasons: list[str] = []
    memory = planning.fits_memory(made.memory_bytes)
    disk = planning.fits_disk(subject.base.folder, made.disk_bytes)
    if not memory:
        reasons.append("It needs more memory than is free.")
    if not disk:
        reasons.append("It needs more disk than is free.")
    if not fits_minutes:
        reasons.append("It will not get through in that time; it ends with the best so far.")
    if not data.validation:
        reasons.append(
            "There are too few examples to notice overfitting: the last state is kept."
        )
    if not data.heldout:
        reasons.append("Nothing is held out: how well it does will not be known.")
    examples = len(data.train) + len(data.validation) + len(data.heldout)
    given = subject.data
    before = len(given.train) + len(given.validation) + len(given.heldout)
    return TunePlan(
        model=subject.model.id,
        model_name=subject.model.name,
        method=settings.method,
        examples=len(data.train),
        validation=len(data.validation),
        heldout=len(data.heldout),
        left_out=before - examples,
        epochs=settings.epochs,
        steps=-(-len(data.train) // settings.batch_examples) * settings.epochs,
        layers=settings.upper_layers or layers,
        layers_of=layers,
        rank=settings.soft_tokens if settings.method == "prompt" else settings.rank,
        max_tokens=settings.max_tokens,
        learning_rate=settings.learning_rate,
        precision=settings.precision,
        seconds=made.seconds + made.prove,
        spans=TuneSpans(train=made.seconds, prove=made.prove),
        tokens_per_second=made.tokens_per_second,
        memory_bytes=made.memory_bytes,
        disk_bytes=made.disk_bytes,
        memory_available_bytes=hardware.memory_available_bytes(),
        fits=memory and disk,
        fits_minutes=fits_minutes,
        reasons=reasons,
        methods=_methods(subject.header),
        settings=settings.model_dump(),
    )


def _methods(header: GgufHeader) -> list[MethodView]:
    """All methods; a full fine-tuning keeps four float32 numbers for each of the model's."""
    needed = header.parameters * 16
    whole = planning.fits_memory(needed)
    why = "" if whole else f"It needs {needed / 2**30:.0f} GB of free memory."
    return [
        MethodView(method="lora", fits=True),
        MethodView(method="prompt", fits=True),
        MethodView(method="full", fits=whole, why=why),
    ]


def load_tuned(subject: Subject, settings: Settings) -> Tuned:
    """The model that learns, from the base or from the adapter it goes on from."""
    return Tuned(subject.base, settings, subject.sources.start)


def with_spent(plan: TunePlan, convert_s: float, measure_s: float) -> TunePlan:
    """The plan with what was done before it was made."""
    spans = plan.spans.model_copy(update={"convert": convert_s, "measure": measure_s})
    return plan.model_copy(update={"spans": spans, "seconds": spans.total()})
