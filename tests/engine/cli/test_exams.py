"""`whetstone exams`: every action, as text and as one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.paths import Home


@pytest.fixture
def say(home: Home, capsys: pytest.CaptureFixture[str]) -> Any:
    def said(*words: str, status: int = 0) -> Any:
        assert main([*words, "--json"]) == status
        return json.loads(capsys.readouterr().out)

    return said


def test_exams_are_imported_made_shown_and_removed(
    say: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text(
        '{"id": "1", "question": "Who?", "answers": ["Ada"]}\n'
        '{"id": "2", "question": "Where?", "answers": [], "answerable": false}\n'
    )
    made = say("exams", "import", str(questions))
    assert (made["name"], made["rows"], made["warnings"]) == ("q", 2, [])
    table = tmp_path / "t.csv"
    table.write_text(
        "text,label\n" + "".join(f"word{n * 7},{'xy'[n % 2]}\n" for n in range(40))
    )
    say("datasets", "import", str(table), "--share", "0.5")
    other = say("exams", "make", "--dataset", "t", "--limit", "10", "--name", "Ten")
    assert (other["rows"], other["labels"]) == (10, ["x", "y"])
    assert [row["name"] for row in say("exams", "list")["rows"]] == ["Ten", "q"]
    assert say("exams", "show", "q")["first"][1]["answerable"] is False
    for words in (["list"], ["show", "q"], ["show", "Ten"]):
        assert main(["exams", *words]) == 0
        assert capsys.readouterr().out
    assert say("exams", "remove", "q") == {"removed": made["exam"]}
    assert len(say("exams", "list")["rows"]) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["show", "gone"],
        ["remove", "gone"],
        ["import", "gone.jsonl"],
        ["make", "--dataset", "gone"],
        ["make", "--dataset", "gone", "--limit", "0"],
    ],
)
def test_what_cannot_be_done_ends_with_2(say: Any, words: list[str]) -> None:
    assert say("exams", *words, status=2)["error"]["message"]
