"""A run learns from what was there when it began; what it is judged by chooses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import InvalidInput, StorageDamaged
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.adapters.registry import AdapterRegistry
from engine.tuning.datasets.storing import (
    find_dataset,
    remove_dataset,
    replace_examples,
    save_dataset,
    writing,
)
from engine.tuning.datasets.types import Dataset, Example
from engine.tuning.training.sources import gather, put_aside
from engine.work.api import AdapterCard, TuneSpec


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    store = Store(home)
    yield store
    store.close()


def examples(count: int) -> list[Example]:
    return [
        Example(
            id=str(n),
            input=f"text {n}",
            output="ab" if n % 2 else "cd",
            group=f"group {n // 3}",
            split="heldout" if n % 10 == 0 else "train",
        )
        for n in range(count)
    ]


@pytest.fixture
def spec(home: Home, store: Store) -> TuneSpec:
    row = save_dataset(home, store, "signs", "classification", "test", examples(40), 0)
    return TuneSpec(dataset=row.id, name="signs")


def test_what_changes_later_changes_nothing(home: Home, store: Store, spec: TuneSpec) -> None:
    keep = home.runs / "one" / "sources"
    begun = gather(spec, home, store, keep)
    with writing(home):
        replace_examples(home, store, find_dataset(home, store, spec.dataset), examples(7))
    assert len(gather(spec, home, store).examples) == 7
    again = gather(spec, home, store, keep)
    assert again.examples == begun.examples
    assert again.dataset.sha256 == begun.dataset.sha256
    assert again.dataset.labels == begun.dataset.labels
    remove_dataset(home, store, spec.dataset)
    with pytest.raises(InvalidInput):
        gather(spec, home, store)
    assert gather(spec, home, store, keep).examples == begun.examples


@pytest.mark.parametrize("name", ["sources.json", "examples.jsonl"])
def test_a_damaged_copy_says_so(home: Home, store: Store, spec: TuneSpec, name: str) -> None:
    keep = home.runs / "one" / "sources"
    gather(spec, home, store, keep)
    (keep / name).write_bytes(b'{"id"')
    with pytest.raises(StorageDamaged):
        gather(spec, home, store, keep)


@pytest.mark.parametrize("method", ["lora", "prompt"])
def test_the_adapter_it_goes_on_from_is_kept_too(
    home: Home, store: Store, spec: TuneSpec, tiny_gguf: Path, method: str
) -> None:
    models = ModelRegistry(home, store)
    model = models.add(tiny_gguf)
    folder = home.root / "made"
    folder.mkdir()
    name = "soft_prompt" if method == "prompt" else "base_model.x.lora_A.weight"
    save_file({name: torch.ones(2, 3)}, folder / "adapter.safetensors")
    (folder / "adapter.gguf").write_bytes(b"GGUF")
    card = AdapterCard.model_validate(
        {
            "id": "",
            "name": "first",
            "base_sha256": model.sha256,
            "method": method,
            "dataset": spec.dataset,
        }
    )
    adapters = AdapterRegistry(home, store, models)
    parent = adapters.save(folder, card)
    further = spec.model_copy(update={"from_adapter": parent.id})
    keep = home.runs / "one" / "sources"
    begun = gather(further, home, store, keep)
    assert len(begun.earlier) == 4
    adapters.remove(parent.id)
    remove_dataset(home, store, spec.dataset)
    again = gather(further, home, store, keep)
    assert again.parent is not None
    assert again.parent.id == parent.id
    assert again.earlier == begun.earlier
    assert {n: t.tolist() for n, t in again.start.items()} == {name: [[1.0] * 3] * 2}


def test_whole_groups_of_the_training_side_are_put_aside(tmp_path: Path) -> None:
    rows = examples(300)
    dataset = Dataset("d", "d", "classification", ["ab", "cd"], tmp_path)
    train, aside = put_aside(dataset, rows, 1)
    assert sorted(one.id for one in [*train, *aside]) == sorted(
        one.id for one in rows if one.split == "train"
    )
    assert 15 <= len(aside) <= 40
    assert not {one.group for one in train} & {one.group for one in aside}
    assert put_aside(dataset, list(rows), 1) == (train, aside)
    assert put_aside(dataset, rows, 2)[1] != aside


def test_of_few_examples_none_is_put_aside(tmp_path: Path) -> None:
    dataset = Dataset("d", "d", "classification", ["ab", "cd"], tmp_path)
    train, aside = put_aside(dataset, examples(10), 0)
    assert (len(train), aside) == (9, [])
