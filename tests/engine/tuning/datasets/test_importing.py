"""Whole files to examples: parts, held-out files, cuts, and what is said about them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from engine.errors import Cancelled, InvalidInput
from engine.tuning.datasets.importing import ImportPlan, read_examples
from engine.work.jobs import CallbackJob


def parts_file(path: Path) -> Path:
    words = {"a": "apple", "b": "boat", "c": "castle", "d": "dune"}
    rows = [[f"{word} number {n}", label] for label, word in words.items() for n in range(12)]
    tests = [[f"{word} test {n}", label] for label, word in words.items() for n in range(3)]
    parts = {"oos_train": [["?", "oos"]], "train": rows, "val": rows[:5], "test": tests}
    path.write_text(json.dumps(parts, indent=1), "utf-8")
    return path


def test_parts_go_to_their_sides_and_the_rest_is_left_out(tmp_path: Path) -> None:
    path = parts_file(tmp_path / "a.json")
    made = read_examples(ImportPlan(path))
    assert Counter(one.split for one in made.examples) == {"train": 48, "heldout": 12}
    assert made.parts == {"oos_train": 1, "train": 48, "val": 5, "test": 12}
    assert "oos_train (1), val (5)" in made.warnings[0]
    assert made.labels == ["a", "b", "c", "d"]
    assert len({one.id for one in made.examples}) == 60
    more = read_examples(ImportPlan(path, parts={"oos_train": "train", "test": "leave"}))
    assert len(more.examples) == 49
    assert "oos" in more.labels
    assert any(one.split == "heldout" for one in more.examples)
    with pytest.raises(InvalidInput, match="no part 'gone'"):
        read_examples(ImportPlan(path, parts={"gone": "train"}))


def test_a_cut_keeps_all_held_out_rows_of_its_labels(tmp_path: Path) -> None:
    path = parts_file(tmp_path / "a.json")
    plan = ImportPlan(path, labels=2, per_label=5, seed=3)
    made = read_examples(plan)
    assert len(made.labels) == 2
    train = Counter(one.output for one in made.examples if one.split == "train")
    heldout = Counter(one.output for one in made.examples if one.split == "heldout")
    assert set(train.values()) == {5}
    assert heldout == dict.fromkeys(made.labels, 3)
    assert read_examples(plan).examples == made.examples
    drawn = {tuple(read_examples(ImportPlan(path, labels=2, seed=n)).labels) for n in range(9)}
    assert len(drawn) > 1
    with pytest.raises(InvalidInput, match="4 labels"):
        read_examples(ImportPlan(path, labels=9))


def test_a_file_of_its_own_is_held_out(tmp_path: Path) -> None:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("text,label\n" + "".join(f"good {n},a\nbad {n},b\n" for n in range(9)))
    test.write_text("label,text\na,fine\nc,poor\n,empty\n")
    made = read_examples(ImportPlan(train, heldout=test))
    assert Counter(one.split for one in made.examples) == {"train": 18, "heldout": 2}
    assert [one.input for one in made.examples[-2:]] == ["fine", "poor"]
    assert made.broken_total == 1
    assert "Held out but never trained on: c." in made.warnings
    assert made.examples[-1].source == {"file": "test.csv", "line": 3}


def test_a_split_column_is_followed_and_a_missing_one_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(
        "text\tlabel\tsplit\n"
        + "".join(f"row {n}\t{'xy'[n % 2]}\t{('train', 'dev')[n > 15]}\n" for n in range(20))
    )
    made = read_examples(ImportPlan(path))
    assert Counter(one.split for one in made.examples) == {"train": 16, "heldout": 4}
    path = tmp_path / "b.csv"
    path.write_text("text,label\n" + "".join(f"w{n * 37}q,{'xy'[n % 2]}\n" for n in range(40)))
    made = read_examples(ImportPlan(path, share=0.25))
    assert Counter(one.split for one in made.examples) == {"train": 30, "heldout": 10}


def test_what_gives_no_examples_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": "", "answer": "b"}\n')
    with pytest.raises(InvalidInput, match="Line 1: The input is empty"):
        read_examples(ImportPlan(path))
    path.write_text('{"question": "a", "answer": "b"}\n' * 3)
    assert "one group" in read_examples(ImportPlan(path)).warnings[0]
    with pytest.raises(InvalidInput, match="cut by labels"):
        read_examples(ImportPlan(path, labels=2))
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        read_examples(ImportPlan(path), job)


def test_the_corpora_import_as_they_lie(corpora: Path) -> None:
    folder = corpora / "tuning"
    clinc = read_examples(
        ImportPlan(folder / "clinc150" / "data_full.json", labels=20, per_label=40)
    )
    assert Counter(one.split for one in clinc.examples) == {"train": 800, "heldout": 600}
    mts = folder / "mts-dialog"
    notes = read_examples(
        ImportPlan(
            mts / "MTS-Dialog-TrainingSet.csv",
            heldout=mts / "MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv",
        )
    )
    assert (notes.meaning.task, len(notes.labels)) == ("classification", 20)
    assert notes.meaning.columns["input"] == "dialogue"
    assert Counter(one.split for one in notes.examples) == {"train": 1201, "heldout": 200}
    wnut = folder / "wnut17"
    named = read_examples(
        ImportPlan(wnut / "wnut17train.conll", heldout=wnut / "emerging.test.annotated")
    )
    assert Counter(one.split for one in named.examples) == {"train": 3394, "heldout": 1287}
    assert (len(named.labels), named.labels[0]) == (6, "corporation")
    assert not named.broken
