"""Datasets are kept whole, whatever ends the process, and found by id, name or beginning."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import InvalidInput, StorageDamaged, StorageFull
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.datasets.editing import edit, page, show_dataset
from engine.tuning.datasets.storing import (
    find_dataset,
    list_datasets,
    load_dataset,
    remove_dataset,
    rename_dataset,
    save_dataset,
    to_lines,
)
from engine.tuning.datasets.types import Example, Said
from engine.work.api import EditRowSpec, RowsSpec
from tests.conftest import ROOT

EXAMPLES = [
    Example(
        id=str(n),
        input=f'text\u2028 {n} "q" \n',
        output="ab"[n % 2],
        split="heldout" if n > 7 else "train",
        history=[Said(question="a", answer="b")],
        source={"file": "f", "line": n},
    )
    for n in range(1, 11)
]


@pytest.fixture
def store(home: Home) -> Store:
    return Store(home)


def test_what_is_saved_comes_back(home: Home, store: Store) -> None:
    row = save_dataset(home, store, "My set", "classification", "a.csv", EXAMPLES, 7)
    assert (row.rows, row.train, row.heldout, row.labels) == (10, 7, 3, ["a", "b"])
    dataset = load_dataset(home, store, "my SET")
    assert dataset.examples() == EXAMPLES
    assert dataset.examples("heldout") == EXAMPLES[7:]
    assert row.sha256 == hashlib.sha256(dataset.path.read_bytes()).hexdigest()
    assert find_dataset(home, store, row.id[:5]) == find_dataset(home, store, row.id) == row
    shown = show_dataset(home, store, row.id)
    assert shown.label_rows == {"a": 5, "b": 5}
    assert shown.first[0].history[0].answer == "b"
    for gone in ("nothing", "", row.id[:2]):
        with pytest.raises(InvalidInput, match="There is no dataset"):
            find_dataset(home, store, gone)


def test_names_are_unique_and_can_be_changed(home: Home, store: Store) -> None:
    first, second = (
        save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES) for _ in range(2)
    )
    assert (first.name, second.name) == ("Set", "Set 2")
    assert [row.id for row in list_datasets(home, store)] == [second.id, first.id]
    assert rename_dataset(home, store, "Set 2", " a \n b ").name == "a b"
    with pytest.raises(InvalidInput, match="taken"):
        rename_dataset(home, store, second.id, "SET")
    with pytest.raises(InvalidInput, match="letter"):
        rename_dataset(home, store, second.id, " \n ")


def test_a_removed_dataset_leaves_nothing(home: Home, store: Store) -> None:
    row = save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES)
    assert remove_dataset(home, store, "Set").id == row.id
    assert list_datasets(home, store) == []
    assert list(home.datasets.iterdir()) == []


def test_rows_are_paged_searched_and_filtered(home: Home, store: Store) -> None:
    dataset = save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES).id

    def ids(**wanted: object) -> list[str]:
        spec = RowsSpec.model_validate({"dataset": dataset, **wanted})
        return [row.id for row in page(home, store, spec).rows]

    assert ids(limit=3, offset=2) == ["3", "4", "5"]
    assert page(home, store, RowsSpec(dataset=dataset, limit=1)).total == 10
    assert ids(search='TEXT 7 "q"') == ["7"]
    assert ids(split="heldout", label="a") == ["8", "10"]
    assert ids(ids=["2", "9"]) == ["2", "9"]


def test_rows_are_changed_added_and_removed(home: Home, store: Store) -> None:
    dataset = save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES)

    def change(**wanted: object):
        spec = EditRowSpec.model_validate({"dataset": dataset.id, **wanted})
        return edit(home, store, spec)

    changed = change(id="2", output=" c ")
    assert changed.row is not None
    assert (changed.row.output, changed.row.input) == ("c", EXAMPLES[1].input)
    assert changed.dataset.labels == ["a", "b", "c"]
    assert changed.dataset.sha256 != dataset.sha256
    added = change(input="new", output="a", split="heldout").row
    assert added is not None
    assert (added.id, added.split) == ("11", "heldout")
    # What asks the same stands on the same side.
    assert change(input="New!", output="b").row.split == "heldout"  # type: ignore[union-attr]
    left = change(remove=["1", "3", "11", "12"]).dataset
    assert (left.rows, left.heldout) == (8, 3)
    for wrong in (
        {"id": "99", "input": "x"},
        {"remove": ["99"]},
        {"id": "2", "output": " "},
        {"input": "", "output": "a"},
        {"remove": [str(n) for n in range(2, 11) if n != 3]},
    ):
        with pytest.raises(InvalidInput):
            change(**wrong)
    assert find_dataset(home, store, dataset.id) == left


def test_a_group_is_moved_as_a_whole(home: Home, store: Store) -> None:
    examples = [one.model_copy(update={"group": f"g{n % 3}"}) for n, one in enumerate(EXAMPLES)]
    examples = [
        one.model_copy(update={"split": "heldout" if one.group == "g0" else "train"})
        for one in examples
    ]
    row = save_dataset(home, store, "Set", "classification", "a.csv", examples)
    edit(home, store, EditRowSpec(dataset=row.id, id="1", split="train"))
    edit(home, store, EditRowSpec(dataset=row.id, id="2", split="heldout"))
    edit(home, store, EditRowSpec(dataset=row.id, id="3", group="g1"))
    sides = {}
    for one in load_dataset(home, store, row.id).examples():
        sides.setdefault(one.group, set()).add(one.split)
    assert sides == {"g0": {"train"}, "g1": {"heldout"}, "g2": {"train"}}


def test_entities_are_checked_when_edited(home: Home, store: Store) -> None:
    example = Example(id="1", input="Ada ran", output='[{"text": "Ada", "label": "per"}]')
    row = save_dataset(home, store, "Names", "entities", "a.conll", [example])
    with pytest.raises(InvalidInput, match="no JSON"):
        edit(home, store, EditRowSpec(dataset=row.id, id="1", output="Ada"))
    edit(home, store, EditRowSpec(dataset=row.id, id="1", output='[["Ada", "human"]]'))
    assert find_dataset(home, store, row.id).labels == ["human"]


def test_other_answers_go_with_the_output_they_belong_to(home: Home, store: Store) -> None:
    source = {"file": "f", "answers": ["a", "b"]}
    example = Example(id="1", input="q", output="a", source=source)
    row = save_dataset(home, store, "Set", "answers", "a.csv", [example])
    moved = edit(home, store, EditRowSpec(dataset=row.id, id="1", split="heldout")).row
    assert moved is not None
    assert moved.source == source
    changed = edit(home, store, EditRowSpec(dataset=row.id, id="1", output="c")).row
    assert changed is not None
    assert changed.source == {"file": "f"}


def test_a_row_that_is_behind_its_file_is_counted_anew(home: Home, store: Store) -> None:
    row = save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES)
    path = home.datasets / f"{row.id}.jsonl"
    path.write_bytes(to_lines(EXAMPLES[:4]))  # as after a kill between the file and the row
    os.utime(path, ns=(1, 1))
    (now,) = list_datasets(home, store)
    assert (now.rows, now.heldout) == (4, 0)
    assert now.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text("rubbish\n")
    assert "cannot be read" in list_datasets(home, store)[0].problem
    with pytest.raises(StorageDamaged):
        load_dataset(home, store, row.id).examples()
    path.unlink()
    assert "missing" in list_datasets(home, store)[0].problem
    assert remove_dataset(home, store, row.id).id == row.id


def test_what_a_kill_left_is_swept_away(home: Home, store: Store) -> None:
    for name in ("0123456789ab.jsonl", ".0123456789ab.jsonl.x.tmp"):
        (home.datasets / name).write_text("{}")
    row = save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES)
    assert [path.name for path in home.datasets.iterdir()] == [f"{row.id}.jsonl"]


def test_a_full_disk_keeps_what_was_there(
    home: Home, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES)

    def full(*names: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageFull):
        edit(home, store, EditRowSpec(dataset=row.id, remove=["1"]))
    with pytest.raises(StorageFull):
        save_dataset(home, store, "Other", "classification", "a.csv", EXAMPLES)
    monkeypatch.undo()
    assert list_datasets(home, store) == [row]
    assert load_dataset(home, store, row.id).examples() == EXAMPLES


_WRITER = """
import sys
from engine.paths import default_home
from engine.store.db import Store
from engine.tuning.datasets.editing import edit
from engine.work.api import EditRowSpec
home = default_home()
store = Store(home)
print("ready", flush=True)
for n in range(100000):
    edit(home, store, EditRowSpec(dataset=sys.argv[1], id="1", input="x" * (n % 3000 + 1)))
"""


def test_a_kill_at_any_moment_leaves_a_whole_dataset(home: Home, store: Store) -> None:
    row = save_dataset(home, store, "Set", "classification", "a.csv", EXAMPLES)
    draw = random.Random(5)
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITER, row.id],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(draw.uniform(0.05, 0.3))
            child.send_signal(signal.SIGKILL)
        now = find_dataset(home, store, row.id)
        dataset = load_dataset(home, store, row.id)
        examples = dataset.examples()
        assert [one.id for one in examples] == [one.id for one in EXAMPLES]
        assert set(examples[0].input) == {"x"} or examples[0] == EXAMPLES[0]
        assert now.sha256 == hashlib.sha256(Path(dataset.path).read_bytes()).hexdigest()
    assert edit(home, store, EditRowSpec(dataset=row.id, id="1", input="y")).row is not None
