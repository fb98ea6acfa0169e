"""`whetstone presets`: every action, as text and as one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from engine.paths import Home


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    """What `whetstone presets … --json` prints."""
    assert main(["presets", *words, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_presets_are_listed_saved_shown_and_removed(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = run(capsys, "list")["rows"]
    assert all(row["builtin"] for row in built)
    made = run(capsys, "save", "Mine", "--system", "Be kind.")
    file = tmp_path / "system.txt"
    file.write_text("Be very kind.\n", "utf-8")
    changed = run(capsys, "save", "Mine too", "--id", made["id"], "--file", str(file))
    assert run(capsys, "show", made["id"]) == changed
    assert run(capsys, "show", "mine TOO")["system"] == "Be very kind."
    assert len(run(capsys, "list")["rows"]) == len(built) + 1
    assert main(["presets", "list"]) == 0
    text = capsys.readouterr().out
    assert "Contracts  (comes with Whetstone)" in text
    assert "Mine too" in text
    assert run(capsys, "remove", "Mine too") == {"removed": made["id"]}
    assert run(capsys, "list")["rows"] == built


@pytest.mark.parametrize(
    "words",
    [
        ["show", "gone"],
        ["remove", "gone"],
        ["remove", "contracts"],
        ["save", "Contracts", "--system", "x"],
        ["save", "x", "--system", ""],
        ["save", "x", "--file", "/no/such/file"],
        ["save", "x", "--id", "gone", "--system", "y"],
    ],
)
def test_what_cannot_be_done_ends_with_2(
    home: Home, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "message" in run(capsys, *words, status=2)["error"]
