"""Both answers on held-out examples, over a real engine, a tiny model and a random adapter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Cancelled, InvalidInput
from engine.host.service import Engine
from engine.host.side_by_side import compare_answers
from engine.paths import Home
from engine.tuning.datasets.storing import save_dataset
from engine.tuning.datasets.types import Example
from engine.work import api
from engine.work.jobs import NULL_JOB, Job
from tests.adapters import write_random_lora
from tests.models import write_tiny_gguf


class Listening(Job):
    """Keeps what is said; can be cancelled after so many rows."""

    def __init__(self, most: int = 100) -> None:
        self.rows: list[dict[str, Any]] = []
        self._most = most

    def emit(self, kind: str, data: Any) -> None:
        if kind == "row":
            self.rows.append(data)

    def progress(self, done: float, total: float, note: str = "") -> None:
        assert done <= total

    def checkpoint(self) -> None:
        if len(self.rows) >= self._most:
            raise Cancelled()


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    with Engine(home) as made:
        yield made


def examples(heldout: int) -> list[Example]:
    return [
        Example(
            id=f"e{n}",
            input=f"text number {n}",
            output="yes" if n % 2 else "no",
            split="heldout" if n < heldout else "train",
        )
        for n in range(20)
    ]


def keep(engine: Engine, tmp: Path, heldout: int) -> api.AdapterCard:
    model = engine.models.add(write_tiny_gguf(tmp / "tiny.gguf"))
    row = save_dataset(
        engine.home, engine.store, "Words", "classification", "x.csv", examples(heldout), 0
    )
    folder = tmp / "made"
    folder.mkdir()
    write_random_lora(folder / "adapter.gguf", Path(model.path), 0)
    card = api.AdapterCard(
        id="",
        name="Words",
        base_sha256=model.sha256,
        base_name=model.name,
        rank=2,
        task="classification",
        labels=["no", "yes"],
        dataset=row.id,
    )
    return engine.adapters.registry.save(folder, card)


def test_rows_are_spread_over_the_heldout_ones_and_said_one_by_one(
    engine: Engine, tmp_path: Path
) -> None:
    card = keep(engine, tmp_path, heldout=8)
    job = Listening()
    made = compare_answers(engine, api.CompareAdapterSpec(adapter=card.id, rows=4), job)
    assert made.heldout == 8
    assert [row.id for row in made.rows] == ["e0", "e2", "e4", "e6"]
    assert [row["id"] for row in job.rows] == ["e0", "e2", "e4", "e6"]
    assert [row.expected for row in made.rows] == ["no"] * 4
    assert any(row.base != row.tuned for row in made.rows)
    # Greedy, so the same again; and no more rows than there are.
    again = compare_answers(engine, api.CompareAdapterSpec(adapter=card.id, rows=100), NULL_JOB)
    assert len(again.rows) == 8
    assert [again.rows[0], again.rows[2]] == made.rows[:2]


def test_it_ends_when_cancelled_and_refuses_what_cannot_be_compared(
    engine: Engine, tmp_path: Path
) -> None:
    card = keep(engine, tmp_path, heldout=4)
    job = Listening(most=1)
    with pytest.raises(Cancelled):
        compare_answers(engine, api.CompareAdapterSpec(adapter=card.id, rows=4), job)
    assert len(job.rows) == 1
    with pytest.raises(InvalidInput):
        compare_answers(engine, api.CompareAdapterSpec(run="none such"))
    edit = [one.id for one in examples(4) if one.split == "heldout"]
    engine.datasets.edit_row(api.EditRowSpec(dataset=card.dataset, remove=edit))
    with pytest.raises(InvalidInput, match="Nothing of Words is held out"):
        compare_answers(engine, api.CompareAdapterSpec(adapter=card.id))
