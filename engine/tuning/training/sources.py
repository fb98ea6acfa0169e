"""What a training learns from, as it was when the run began: kept with the run.

The dataset may be edited or removed while a run is paused, and the adapter it goes on from
too; a run that goes on must find what it began with. The copy goes when the run has ended.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors import torch as safetensors_torch
from torch import Tensor

from engine.answers.adapters import SOFT_PROMPT_KEY
from engine.errors import InvalidInput, StorageDamaged
from engine.files import atomic_write, storage_error
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.adapters.registry import AdapterRegistry
from engine.tuning.datasets.splitting import split
from engine.tuning.datasets.storing import load_dataset, to_lines
from engine.tuning.datasets.types import Dataset, Example
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import SOFT_NAME
from engine.work.api import AdapterCard, TuneSpec

_load_file = cast(Callable[..., dict[str, Tensor]], cast(Any, safetensors_torch).load_file)

VALIDATION_SHARE = 0.1
MOST_VALIDATION = 256
FEWEST_TRAIN = 10
"""With fewer examples to learn from, none of them is put aside."""
_CARD, _ROWS = "sources.json", "examples.jsonl"
_EARLIER, _START = "earlier.jsonl", "start.safetensors"


@dataclass(frozen=True)
class Sources:
    """The examples, and the adapter that is tuned further with some of its own examples."""

    dataset: Dataset
    examples: list[Example]
    parent: AdapterCard | None = None
    start: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    earlier_of: Dataset | None = None
    earlier: list[Example] = field(default_factory=list[Example])


def gather(spec: TuneSpec, home: Home, store: Store, keep: Path | None = None) -> Sources:
    """Read all that a spec names.

    Args:
        spec: names the dataset and the adapter.
        home: the data folder.
        store: its database.
        keep: where a copy is kept; one that is there is read in place of what is there now.

    Raises:
        InvalidInput: the dataset or the adapter is not there or cannot be used.
        StorageDamaged: the examples or the copy cannot be read back.
        StorageFull: no room for the copy.
    """
    if keep is not None and (keep / _CARD).exists():
        return _read(keep)
    dataset = load_dataset(home, store, spec.dataset)
    parent = file = None
    if spec.from_adapter:
        adapters = AdapterRegistry(home, store, ModelRegistry(home, store))
        parent = adapters.find(spec.from_adapter)
        file = adapters.folder(parent) / "adapter.safetensors"
    examples = dataset.examples()
    count = sum(one.split == "train" for one in examples)
    earlier_of, earlier = _earlier(parent, home, store, count, spec.seed)
    start = _read_start(file, parent) if file and parent else dict[str, Tensor]()
    sources = Sources(dataset, examples, parent, start, earlier_of, earlier)
    if keep is not None:
        _write(sources, keep, file)
    return sources


def put_aside(
    dataset: Dataset, examples: Sequence[Example], seed: int
) -> tuple[list[Example], list[Example]]:
    """The examples to learn from, and a part of them by which the best state is chosen.

    Whole groups, drawn with the seed. What is held out must not choose: it is what the report
    judges by.
    """
    train = [one for one in examples if one.split == "train"]
    if len(train) < FEWEST_TRAIN:
        return train, []
    share = min(VALIDATION_SHARE, MOST_VALIDATION / len(train))
    drawn = split(train, dataset.task, share, seed)
    aside = {one.id for one in drawn if one.split == "heldout"}
    return (
        [one for one in train if one.id not in aside],
        [one for one in train if one.id in aside],
    )


def _earlier(
    parent: AdapterCard | None, home: Home, store: Store, count: int, seed: int
) -> tuple[Dataset | None, list[Example]]:
    """Some examples the adapter learnt from before, so that it does not forget them."""
    if parent is None or not parent.dataset:
        return None, []
    try:
        dataset = load_dataset(home, store, parent.dataset)
    except InvalidInput:
        return None, []  # it was removed meanwhile
    examples = dataset.examples("train")
    wanted = min(len(examples), round(count * Settings().replay_share))
    return dataset, random.Random(f"{seed} replay").sample(examples, wanted)


def _read_start(path: Path, parent: AdapterCard) -> dict[str, Tensor]:
    try:
        return _named(_load_file(str(path)))
    except (OSError, SafetensorError) as error:
        raise InvalidInput(
            f"{parent.name} cannot be tuned further: it has no safetensors file.",
            hint="Tune further from an adapter that was tuned here.",
            details=str(error),
        ) from error


def _named(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """An adapter's tensors under the names they have while training."""
    return {SOFT_NAME if name == SOFT_PROMPT_KEY else name: t for name, t in tensors.items()}


def _write(sources: Sources, keep: Path, start: Path | None) -> None:
    """Keep a copy, as a whole or not at all."""
    part = keep.with_name(f".{keep.name}.tmp")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        atomic_write(part / _ROWS, to_lines(sources.examples))
        atomic_write(part / _EARLIER, to_lines(sources.earlier))
        if start is not None:
            shutil.copyfile(start, part / _START)
        parent = sources.parent
        facts = {
            "dataset": _facts(sources.dataset),
            "earlier_of": _facts(sources.earlier_of) if sources.earlier_of else None,
            "parent": parent.model_dump(mode="json") if parent else None,
        }
        atomic_write(part / _CARD, json.dumps(facts, indent=2).encode())
        shutil.rmtree(keep, ignore_errors=True)
        os.replace(part, keep)
    except OSError as error:
        raise storage_error(error, keep) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _read(keep: Path) -> Sources:
    try:
        facts = json.loads((keep / _CARD).read_bytes())
        dataset = Dataset(**facts["dataset"], path=keep / _ROWS)
        earlier_of = None
        if facts["earlier_of"]:
            earlier_of = Dataset(**facts["earlier_of"], path=keep / _EARLIER)
        parent = facts["parent"] and AdapterCard.model_validate(facts["parent"])
        start = _named(_load_file(str(keep / _START))) if parent else dict[str, Tensor]()
        earlier = earlier_of.examples() if earlier_of else []
        return Sources(dataset, dataset.examples(), parent, start, earlier_of, earlier)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        ValidationError,
        SafetensorError,
    ) as error:
        raise StorageDamaged(
            "This training cannot be resumed: its copy of the examples is damaged.",
            hint="Start it again. Earlier adapters are kept.",
            details=f"{keep}: {error}",
        ) from error


def _facts(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "name": dataset.name,
        "task": dataset.task,
        "labels": dataset.labels,
        "sha256": dataset.sha256,
    }
