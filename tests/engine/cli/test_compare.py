"""`whetstone compare` and `datasets make`: one JSON document, and an end that says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.compare import describe
from engine.cli.main import main
from engine.paths import Home
from engine.work import api


@pytest.fixture
def say(home: Home, capsys: pytest.CaptureFixture[str]) -> Any:
    def said(*words: str, status: int = 0) -> Any:
        assert main([*words, "--json"]) == status
        return json.loads(capsys.readouterr().out)

    return said


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    path = tmp_path / "e.jsonl"
    rows = [{"text": f"text {n}", "label": "xy"[n % 2]} for n in range(2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["compare"],
        ["compare", "--exam", "gone"],
        ["compare", "--exam", "EXAM"],
        ["compare", "--exam", "EXAM", "--arms", ""],
        ["compare", "--exam", "EXAM", "--arms", "base,base"],
        ["compare", "--exam", "EXAM", "--arms", "base,magic"],
        ["compare", "--exam", "EXAM", "--adapter", "gone"],
        ["compare", "--exam", "EXAM", "--arms", "base", "--model", "gone"],
        ["compare", "--exam", "EXAM", "--limit", "0"],
        ["datasets", "make", "--library", "gone"],
        ["datasets", "make", "--library", "gone", "--count", "0"],
        ["datasets", "make", "--library", "gone", "--unanswerable", "2"],
    ],
)
def test_what_cannot_be_done_ends_with_2(say: Any, exam: Path, words: list[str]) -> None:
    given = [str(exam) if word == "EXAM" else word for word in words]
    assert say(*given, status=2)["error"]["message"]


def test_a_comparison_for_a_person() -> None:
    figure = api.Interval(value=0.5, low=0.25, high=0.75)
    arm = api.ArmReport(
        arm="base",
        score=0.5,
        low=0.25,
        high=0.75,
        first_token_ms=12,
        total_ms=34,
        peak_mb=56,
        disk_mb=78,
        metrics={"accuracy": figure},
        confusion=[api.Confusion(label="x", answered="", rows=3)],
    )
    report = api.CompareReport(
        comparison="c",
        exam="",
        exam_name="Exam",
        task="classification",
        metric="accuracy",
        rows=4,
        model="m",
        model_name="Model",
        labels=["x"],
        arms=[arm],
        verdict="So it is.",
    )
    said = describe(report)
    assert "accuracy 50.0% (25.0% to 75.0%)" in said
    assert "3× x → no label" in said
    assert said.endswith("So it is.")
