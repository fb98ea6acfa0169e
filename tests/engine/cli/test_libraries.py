"""Libraries changed from the command line, and a folder watched by it, in real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from tests.conftest import ROOT


@pytest.fixture
def say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    monkeypatch.setenv("WHETSTONE_HOME", str(tmp_path / "home"))

    def said(*words: str) -> Any:
        status = main([*words, "--json"])
        out = capsys.readouterr().out
        assert status == 0, out
        return json.loads(out)

    return said


def test_libraries_are_renamed_paused_retried_and_lose_folders(
    say: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing here has passages, so no search model has to be loaded for it."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        (folder / "empty.txt").write_text("")
        (folder / "blank.md").write_text("   \n")
    say("index", str(one), "--library", "Old")
    say("index", str(two), "--library", "Old")
    assert say("libraries", "rename", "Old", "New")["name"] == "New"
    assert say("libraries", "pause", "New")["following"] == "paused"
    [row] = say("libraries", "list")["rows"]
    assert (row["following"], row["skipped"]) == ("paused", 4)
    assert main(["libraries", "list"]) == 0
    assert "paused" in capsys.readouterr().out
    (one / "more.txt").write_text("")
    assert say("libraries", "resume", "New")["files"] == 5
    again = say("libraries", "retry", "New", "blank.md")
    assert len(again["files"]["skipped"]) == 2
    assert main(["libraries", "retry", "New", "nothing-like-it"]) == 2
    capsys.readouterr()
    left = say("libraries", "remove-folder", "New", str(two))
    assert left["roots"] == [str(one)]
    assert left["files"] == 3
    assert main(["libraries", "remove-folder", "New", str(two)]) == 2
    assert main(["libraries", "rename", "New", " "]) == 2
    assert (two / "empty.txt").exists()
    assert main(["libraries", "show", "New"]) == 0
    shown = capsys.readouterr().out
    assert "agreed with the disk: 2" in shown
    assert "changes: off." in shown


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal on POSIX")
def test_a_folder_is_watched_until_ctrl_c(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", "index", str(folder), "--watch", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "WHETSTONE_HOME": str(tmp_path / "home")},
    )
    assert process.stderr is not None
    wait_for(process.stderr, "Watching")
    (folder / "letter.txt").write_text("The ferry leaves at noon.")
    wait_for(process.stderr, "read: ")
    (folder / "letter.txt").rename(folder / "note.txt")
    wait_for(process.stderr, "recognised: ")
    folder.rename(tmp_path / "away")
    wait_for(process.stderr, "cannot be reached")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    said = json.loads(out)
    assert said["library"] == "papers"
    assert [change["files"]["indexed"] for change in said["changes"]] == [1, 1]


def wait_for(lines: Any, words: str) -> None:
    for line in lines:
        if words in line:
            return
    raise AssertionError(f"it never said {words!r}")
