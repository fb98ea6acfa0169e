"""What a training will take, measured on the user's own examples, and what fits the time.

A few real steps are done on a model that is thrown away. Their speed is a token's price; the
packs of a whole epoch are counted exactly, since the order of the examples is known.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from engine import hardware
from engine.files import free_bytes
from engine.tuning.bases import Base
from engine.tuning.training.loop import TrainingData
from engine.tuning.training.packs import (
    Tokenized,
    make_pack,
    order_batches,
    shared_prefix,
    split_packs,
)
from engine.tuning.training.scoring import Lease, Scored
from engine.tuning.training.settings import Settings
from engine.tuning.training.threads import use
from engine.tuning.training.tuned import Tuned
from engine.work.api import TuneSpec
from engine.work.jobs import NULL_JOB, Job

MEASURE_S = 8.0
COMFORTABLE_S = 600.0
"""Without a limit of the user's, all layers learn if that takes no longer than this."""
MAX_TOKENS = 1024
_STEPS_WANTED = 300
_SPARE = 0.9
_LEAST_S = 10.0
_REPLAY_TOKENS = 700
_MEMORY_SPARE = 1.1
_PROVING = 40
"""Examples' worth of work that proving and saving take, both engines together."""


@dataclass(frozen=True)
class Speed:
    """Seconds a computed token: learning, scoring, filling the kept states; a step's rest."""

    learn: float
    score: float
    fill: float
    step: float
    memory_bytes: int
    load: float = 0.0
    """Seconds to load the model."""


@dataclass(frozen=True)
class Estimate:
    """What a training takes: `seconds` of training, `prove` of writing and proving."""

    seconds: float
    prove: float
    tokens_per_second: float
    memory_bytes: int
    disk_bytes: int


def first_settings(spec: TuneSpec, examples: Sequence[Tokenized], layers: int) -> Settings:
    """Settings before anything was measured; what the user chose stands."""
    longest = max((len(example.ids) for example in examples), default=16)
    limit = spec.max_tokens or MAX_TOKENS
    batch = spec.batch_examples or 8
    steps = max(1, len(examples) // batch)
    epochs = spec.epochs or min(10, max(2, round(_STEPS_WANTED / steps)))
    rates = {"lora": 1e-3, "prompt": 3e-2, "full": 5e-5}
    rank = spec.rank or 16
    return Settings(
        method=spec.method,
        rank=rank,
        alpha=2.0 * rank,
        rslora=spec.rslora,
        upper_layers=min(spec.layers, layers) if spec.layers else 0,
        learning_rate=spec.learning_rate or rates[spec.method],
        epochs=epochs,
        batch_examples=batch,
        max_tokens=max(16, min(limit, longest)),
        patience=4 if spec.early_stopping else 0,
        seed=spec.seed,
    )


def choose(
    spec: TuneSpec,
    settings: Settings,
    layers: int,
    predict: Callable[[Settings], float],
    spent_s: float = 0.0,
) -> tuple[Settings, bool]:
    """Settings whose predicted seconds fit the user's minutes, the most thorough first.

    Args:
        spec: what the user chose.
        settings: to begin with.
        layers: of the model.
        predict: seconds that settings take, proving included.
        spent_s: of the minutes, those that are over already.

    Returns:
        The settings, and whether they fit; those that do not end when the time is up.
    """
    candidates = _candidates(spec, settings, layers)
    if not spec.minutes:
        quick = [one for one in candidates if predict(one) <= COMFORTABLE_S]
        same = [one for one in candidates if one.epochs == settings.epochs]
        return (quick[0] if quick and quick[0] in same else same[-1]), True
    limit = max(_LEAST_S, spec.minutes * 60 * _SPARE - spent_s)
    for one in candidates:
        if predict(one) <= limit:
            return one, True
    return candidates[-1].model_copy(update={"limit_s": limit}), False


def _candidates(spec: TuneSpec, settings: Settings, layers: int) -> list[Settings]:
    """From thorough to quick: fewer epochs cost less than fewer layers down to the half."""
    if settings.method == "prompt" or spec.layers:
        parts = [settings.upper_layers]
    else:
        parts = [0, -(-layers // 2), -(-layers // 3)]
    most = settings.epochs
    epochs = [most] if spec.epochs else list(dict.fromkeys((most, max(1, most // 2), 1)))
    found: list[Settings] = []
    for count in epochs:
        for part in parts[:2] if count == most else parts:
            quick = {} if spec.rank or count == most else {"rank": 8, "alpha": 16.0}
            found.append(
                settings.model_copy(update={"upper_layers": part, "epochs": count, **quick})
            )
    return found


def measure(
    base: Base,
    settings: Settings,
    data: TrainingData,
    lease: Lease,
    job: Job = NULL_JOB,
    budget_s: float = MEASURE_S,
) -> Speed:
    """Do some steps with a model that is thrown away, the heaviest group of all first.

    Raises:
        NotEnoughMemory: even those do not fit.
        Cancelled: stopped.
    """
    at = time.perf_counter()
    tuned = Tuned(base, settings, {})
    load = time.perf_counter() - at
    shared = len(shared_prefix(data.train))
    groups = [
        rows
        for batch in order_batches(data.train, settings.batch_examples, settings.seed, 0)
        for rows in split_packs(data.train, batch, shared, settings.pack_tokens)
    ]
    heaviest = max(groups, key=lambda rows: _computed(data.train, rows, shared))
    groups = [heaviest, heaviest, *groups, *groups[:4]]
    fill = score = 0.0
    filled = scored_tokens = 0
    learnt: list[tuple[int, float, int]] = []
    with tempfile.TemporaryDirectory() as folder, _peak_memory() as peak:
        keep = Path(folder) / "states.bin" if settings.keep_states else None
        scored = Scored(tuned, data.train, lease, keep)
        prefix = shared_prefix(data.train)
        begun = time.monotonic()
        for number, rows in enumerate(groups):
            job.checkpoint()
            job.progress(time.monotonic() - begun, budget_s, "measuring")
            size = _computed(data.train, rows, shared)
            if scored.lower is not None and scored.lower.missing(rows):
                with lease() as granted, tuned.computing():
                    use(tuned.threads.best(granted))
                    at = time.perf_counter()
                    scored.lower.fill(make_pack(data.train, rows, prefix))
                if number:
                    fill, filled = fill + time.perf_counter() - at, filled + size
            at = time.perf_counter()
            scored.learn(rows, 1.0)
            if number:  # the first one also sets things up
                learnt.append((torch.get_num_threads(), time.perf_counter() - at, size))
            if number % 4 == 1:
                at = time.perf_counter()
                scored.score(rows)
                score, scored_tokens = score + time.perf_counter() - at, scored_tokens + size
            if number > 4 and time.monotonic() - begun > budget_s:
                break
        step = _step_seconds(tuned)
        scored.close()
    best = tuned.threads.best(hardware.cpu().cores)
    kept = [one for one in learnt if one[0] == best] or learnt
    return Speed(
        learn=sum(seconds for _, seconds, _ in kept) / sum(size for _, _, size in kept),
        score=score / scored_tokens,
        fill=fill / filled if filled else 0.0,
        step=step,
        memory_bytes=peak[0],
        load=load,
    )


def _step_seconds(tuned: Tuned) -> float:
    """What the optimizer takes a step."""
    parameters = list(tuned.parameters().values())
    optimizer: Any = torch.optim.AdamW(parameters, lr=0.0, fused=True)
    times: list[float] = []
    for _ in range(3):
        at = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        times.append(time.perf_counter() - at)
    return statistics.median(times)


@contextmanager
def _peak_memory() -> Generator[list[int]]:
    """The most memory this process has while inside, looked at every few milliseconds."""
    process = psutil.Process()
    peak = [process.memory_info().rss]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=look, name="memory", daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _computed(examples: Sequence[Tokenized], rows: Sequence[int], shared: int) -> int:
    return shared + sum(len(examples[row].ids) - shared for row in rows)


def _packed_tokens(examples: Sequence[Tokenized], settings: Settings, epoch: int) -> int:
    """Tokens computed in an epoch, the common beginning once a group."""
    shared = len(shared_prefix(examples))
    batches = order_batches(examples, settings.batch_examples, settings.seed, epoch)
    return sum(
        _computed(examples, rows, shared) + settings.soft_tokens * (settings.method == "prompt")
        for batch in batches
        for rows in split_packs(examples, batch, shared, settings.pack_tokens)
    )


def _scored_tokens(examples: Sequence[Tokenized], most: int) -> float:
    """Tokens of at most so many of the examples."""
    tokens = sum(len(example.ids) for example in examples)
    return tokens * min(1.0, most / max(1, len(examples)))


def estimate(
    settings: Settings,
    data: TrainingData,
    speed: Speed,
    base: Base,
    trained: int,
) -> Estimate:
    """What a training takes.

    Args:
        settings: of the training.
        data: its examples.
        speed: as measured with these settings.
        base: the converted base.
        trained: how many numbers are trained.
    """
    tokens = _packed_tokens(data.train, settings, 0)
    steps = -(-len(data.train) // settings.batch_examples)
    own = sum(len(example.ids) for example in data.train)
    aside = _scored_tokens(data.validation, settings.validation_examples)
    judged = _scored_tokens(data.heldout, settings.report_examples)
    each = own / len(data.train)
    evaluations = settings.evaluations_per_epoch * settings.epochs + 1
    learning = settings.epochs * (tokens * speed.learn + steps * speed.step)
    whole = speed.score + speed.fill  # a forward pass through all layers
    filling = (own + aside) * speed.fill
    replay = sum(len(one.ids) for one in data.replay) or _REPLAY_TOKENS
    scoring = speed.score * evaluations * aside
    scoring += whole * (2 * judged + replay * (settings.epochs + 1))
    seconds = speed.load + learning + filling + scoring
    prove = _PROVING * each * whole * 3
    if settings.limit_s:
        seconds = min(seconds, settings.limit_s)
    memory = int(speed.memory_bytes * _MEMORY_SPARE) + trained * 8
    disk = trained * 4 * 5 + base.size_bytes
    return Estimate(seconds, prove, settings.epochs * own / max(learning, 1e-9), memory, disk)


def predictor(
    speed: Speed, measured: Settings, data: TrainingData, layers: int, base: Base, trained: int
) -> Callable[[Settings], float]:
    """Seconds for other settings, from what was measured with all layers learning.

    Upper layers alone cost their share of forward and backward, and the lower ones one
    forward pass an example.
    """

    def predict(settings: Settings) -> float:
        part = (settings.upper_layers or layers) / layers
        scaled = Speed(
            learn=speed.learn * part,
            score=speed.score * part,
            fill=speed.score * (1 - part),
            step=speed.step * part,
            memory_bytes=speed.memory_bytes,
            load=speed.load,
        )
        return _all(estimate(settings, data, scaled, base, trained))

    if measured.upper_layers and measured.upper_layers < layers:
        return lambda settings: _all(estimate(settings, data, speed, base, trained))
    return predict


def _all(made: Estimate) -> float:
    return made.seconds + made.prove


def fits_memory(needed: int) -> bool:
    """Whether a training of this size fits beside what runs now; what we hold is ours."""
    own = psutil.Process().memory_info().rss
    return needed <= (hardware.memory_available_bytes() + own) * _SPARE


def fits_disk(folder: Path, needed: int) -> bool:
    """Whether there is room for a training's files."""
    return needed <= free_bytes(folder)
