"""With the starter models: examples made of a real library, and an exam taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.paths import Home

NOTES = {
    "ferry": "The ferry Margit leaves the northern harbour at 7:40 every morning.",
    "keeper": "The keeper of the lighthouse counts the gulls on the western cliff daily.",
}


@pytest.fixture
def say(home: Home, starter: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def said(*words: str, statuses: tuple[int, ...] = (0,)) -> Any:
        assert main([*words, "--json"]) in statuses
        return json.loads(capsys.readouterr().out)

    return said


def test_examples_and_an_exam(say: Any, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / f"{name}.txt").write_text(text)
    say("index", str(folder), "--library", "notes")
    make = ["datasets", "make", "--library", "notes", "--count", "2", "--anyway"]
    made = say(*make, statuses=(0, 3))
    if "error" in made:
        # The smallest of models need not manage it; it says so, and keeps what it tried.
        assert "of 2 passages gave a usable example" in made["error"]["message"]
        kept = next((home.datasets / "making").glob("*.jsonl"))
        assert len(kept.read_bytes().splitlines()) == 3
        assert say("datasets", "list")["rows"] == []
    else:
        rows = say("datasets", "show", made["dataset"])["examples"]
        assert made["rows"] == len(rows)
        for row in rows:
            if row["source"]["answerable"]:
                assert row["source"]["quote"] in row["context"] in NOTES.values()
    exam = tmp_path / "exam.jsonl"
    questions = [
        {"id": "a", "question": "What is the capital of France?", "answers": ["Paris"]},
        {"id": "b", "question": "What is the capital of Spain?", "answers": ["Madrid"]},
    ]
    exam.write_text("".join(json.dumps(one) + "\n" for one in questions))
    report = say("compare", "--exam", str(exam), "--arms", "base")
    arm = report["arms"][0]
    assert 0 < arm["score"] <= 1
    assert arm["low"] <= arm["score"] <= arm["high"]
    assert 0 < arm["first_token_ms"] <= arm["total_ms"]
    assert arm["peak_mb"] > 50
    assert arm["disk_mb"] > 50
    again = say("compare", "--exam", str(exam), "--arms", "base")
    assert again == report
