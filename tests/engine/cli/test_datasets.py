"""`whetstone datasets`: every action, as text and as one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.paths import Home

WORDS = (
    "alder birch cedar dogwood elder fir ginkgo hazel ivy juniper kapok larch maple"
    " nutmeg oak pine quince rowan spruce teak"
)


@pytest.fixture
def say(home: Home, capsys: pytest.CaptureFixture[str]) -> Any:
    def said(*words: str, status: int = 0) -> Any:
        assert main(["datasets", *words, "--json"]) == status
        return json.loads(capsys.readouterr().out)

    return said


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "moods.csv"
    words = WORDS.split()
    rows = [f"{word} {other} today,{'good' if n % 2 else 'bad'}"
            for n, word in enumerate(words) for other in words[:3]]  # fmt: skip
    path.write_text("message,mood,said by\n" + "".join(f"{row},me\n" for row in rows))
    return path


def test_a_file_is_previewed_imported_shown_changed_and_removed(
    say: Any, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = say("preview", str(table))
    assert view["task"] == "classification"
    assert view["columns"] == {"input": "message", "output": "mood"}
    assert say("list") == {"rows": []}
    other = ("--task", "instruction", "--column", "output=message", "--column", "input=mood")
    corrected = say("preview", str(table), *other)
    assert corrected["first"][0]["input"] == "bad"
    made = say("import", str(table), "--name", "Moods")
    assert (made["rows"], made["train"], made["heldout"], made["warnings"]) == (60, 54, 6, [])
    (row,) = say("list")["rows"]
    assert (row["id"], row["name"]) == (made["dataset"], "Moods")
    shown = say("show", "moods", "--search", "oak", "--limit", "2")
    assert (shown["total"], len(shown["examples"])) == (3, 2)
    assert shown["label_rows"] == {"bad": 30, "good": 30}
    edited = say("edit", "Moods", "--row", "1", "--output", "odd")
    assert edited["row"]["output"] == "odd"
    assert edited["dataset"]["labels"] == ["bad", "good", "odd"]
    assert say("edit", "Moods", "--input", "new", "--output", "good")["row"]["id"] == "61"
    assert say("edit", "Moods", "--delete", "1", "61")["dataset"]["rows"] == 59
    assert say("rename", "Moods", "Trees")["name"] == "Trees"
    report = say("check", "Trees", "--words-only")
    assert report["rows"] == 59
    assert isinstance(report["warnings"], list)
    for words in (["list"], ["show", "Trees"], ["check", "Trees", "--words-only"],
                  ["preview", str(table)]):  # fmt: skip
        assert main(["datasets", *words]) == 0
        assert capsys.readouterr().out
    assert say("remove", "Trees") == {"removed": made["dataset"]}
    assert say("list") == {"rows": []}


@pytest.mark.parametrize(
    "words",
    [
        ["show", "gone"],
        ["import", "gone.csv"],
        ["remove", "gone"],
        ["rename", "gone", "x"],
        ["check", "gone"],
        ["from-feedback"],
        ["import", "TABLE", "--column", "input"],
        ["import", "TABLE", "--column", "input=gone"],
        ["import", "TABLE", "--labels", "0"],
        ["import", "TABLE", "--labels", "9"],
        ["import", "TABLE", "--part", "x=nowhere"],
        ["import", "TABLE", "--part", "x=train"],
        ["import", "TABLE", "--share", "2"],
        ["import", "TABLE", "--heldout", "gone.csv"],
    ],
)
def test_what_cannot_be_done_ends_with_2(say: Any, table: Path, words: list[str]) -> None:
    words = [str(table) if word == "TABLE" else word for word in words]
    assert say(*words, status=2)["error"]["message"]


def test_broken_rows_are_told_by_their_lines(say: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = (
        '{"prompt": "Say %d in words, please", "completion": "It is number %d, of course."}\n'
    )
    path.write_text("".join(good % (n, n) for n in range(9)) + "{broken\n")
    made = say("import", str(path))
    assert (made["rows"], made["broken_total"], made["task"]) == (9, 1, "instruction")
    assert made["broken"][0]["line"] == 10
    assert "line 10" in made["warnings"][0]


def test_the_corpora_import_with_one_command_each(say: Any, corpora: Path) -> None:
    folder = corpora / "tuning"
    clinc = say("import", str(folder / "clinc150/data_full.json"), "--labels", "20",
                "--per-label", "40", "--name", "clinc20")  # fmt: skip
    assert (clinc["train"], clinc["heldout"], len(clinc["labels"])) == (800, 600, 20)
    mts = folder / "mts-dialog"
    notes = say("import", str(mts / "MTS-Dialog-TrainingSet.csv"), "--heldout",
                str(mts / "MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv"))  # fmt: skip
    assert (notes["train"], notes["heldout"], len(notes["labels"])) == (1201, 200, 20)
    wnut = say("import", str(folder / "wnut17/wnut17train.conll"), "--heldout",
               str(folder / "wnut17/emerging.test.annotated"))  # fmt: skip
    assert (wnut["train"], wnut["heldout"], wnut["task"]) == (3394, 1287, "entities")


def test_rows_are_compared_and_counted_by_real_models(
    say: Any, starter: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    same = [
        ("How do I reset my password?", "help"),
        ("What is the way to reset my password?", "help"),
        ("The ferry leaves at noon.", "plan"),
    ]
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in same))
    say("import", str(path), "--share", "0")
    report = say("check", "a", "--model", "smollm2-135m-instruct.q4_1", "--max-tokens", "16")
    assert report["compared_by"] == ["words", "meaning"]
    assert "SmolLM2" in report["tokens_by"]
    kinds = {one["kind"]: one for one in report["findings"]}
    assert kinds["near duplicates"]["rows"] == ["2"]
    assert kinds["overlong"]["count"] == 3
