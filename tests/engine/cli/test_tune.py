"""`whetstone tune` and `runs` as a person and a script meet them, over runs on the disk."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.cli.main import main
from engine.paths import Home
from engine.tuning.run_folder import RunFolder
from engine.work.api import RunView, TuneLoss, TunePlan, TuneReport, TuneSpec
from engine.work.api.tuning import TuneSpans

PLAN = TunePlan(
    model="tiny",
    model_name="Tiny",
    method="lora",
    examples=40,
    heldout=10,
    left_out=2,
    epochs=3,
    steps=15,
    layers=1,
    layers_of=2,
    rank=8,
    max_tokens=64,
    learning_rate=1e-3,
    precision="float32",
    seconds=100.0,
    tokens_per_second=250.0,
    memory_bytes=1 << 30,
    disk_bytes=1 << 28,
    memory_available_bytes=1 << 33,
    fits=True,
)
REPORT = TuneReport(
    adapter="signs",
    method="lora",
    examples=40,
    steps=15,
    seconds=95.0,
    spans=TuneSpans(convert=20.0, measure=10.0, train=60.0, prove=5.0),
    tokens_per_second=240.0,
    loss=TuneLoss(train=0.2, heldout=0.3, before=4.0),
    heldout_exact=0.9,
    planned_seconds=100.0,
    warnings=["forgetting"],
)


def put(home: Home, state: str, **changes: Any) -> RunFolder:
    """A run on the disk as a training process would have left it."""
    folder = RunFolder(home.runs / "20260101-000000-aaaa")
    view = RunView.model_validate({"id": folder.id, "name": "signs", "state": state, **changes})
    folder.create(TuneSpec(dataset="d", name="signs"), view)
    folder.write_plan(PLAN)
    return folder


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_no_runs_and_unknown_ones(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list", "--json"]) == 0
    assert printed(capsys) == {"rows": []}
    assert main(["runs", "show", "nothing"]) == 2
    assert "There is no run" in capsys.readouterr().err


def test_what_cannot_begin_is_bad_input(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--dataset", "nothing", "--name", "x", "--json"]) == 2
    assert printed(capsys)["error"]["kind"] == "InvalidInput"
    assert main(["tune", "--dataset", "nothing", "--name", "x", "--epochs", "-1"]) == 2
    assert "epochs" in capsys.readouterr().err
    assert not list(home.runs.iterdir())


def test_a_run_is_shown_with_plan_and_report(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = put(home, "done", step=15, steps=15)
    folder.write_report(REPORT)
    folder.add_metrics({"kind": "step", "step": 1, "loss": 2.0})
    assert main(["runs", "show", "signs"]) == 0
    text = capsys.readouterr().out
    assert "40 examples (10 held out), 3 epochs, 15 steps, 1 of 2 layers, rank 8" in text
    assert "planned: 2 min" in text
    assert "of it: converting 20 s, measuring 10 s, training 60 s, proving 5 s" in text
    assert "held-out loss 4.000 before, 0.300 after; 90% answered to the letter" in text
    assert "Warning: forgetting" in text
    assert main(["runs", "show", "2026", "--json"]) == 0
    shown = printed(capsys)
    assert shown["lines"] == [{"kind": "step", "step": 1, "loss": 2.0}]
    assert shown["run"]["report"]["adapter"] == "signs"


def test_a_dead_process_shows_and_is_not_stopped_twice(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    put(home, "running", step=3, steps=15)
    assert main(["runs", "list"]) == 0
    assert "interrupted, step 3 of 15" in capsys.readouterr().out
    assert main(["runs", "pause", "signs"]) == 2
    assert "does not run" in capsys.readouterr().err


def test_a_run_that_trains_is_not_removed(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = put(home, "running")
    with folder.held():
        assert main(["runs", "remove", "signs"]) == 2
    assert "Stop or pause it first" in capsys.readouterr().err
    assert main(["runs", "remove", "signs", "--json"]) == 0
    assert printed(capsys) == {"removed": folder.id}
    assert not list(home.runs.iterdir())
