"""The benchmark runner: what benchmarks return becomes a report, a table, a README part."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as runner
from tests.benchmarks import readme, startup
from tests.conftest import ROOT

ROWS = [
    {"name": "recall@5", "value": 0.91234, "unit": "", "low": 0.9, "high": 0.93},
    {"name": "a|b", "value": 1234567, "unit": "rows", "note": "odd name"},
]


def test_a_mapping_becomes_rows() -> None:
    rows = runner.as_rows({"p50_ms": 31.5})
    assert rows == [{"name": "p50_ms", "value": 31.5, "unit": ""}]
    assert runner.as_rows(None) == []


def test_the_table_shows_figures_intervals_and_failures() -> None:
    report = {"benchmarks": {"one": {"rows": ROWS}, "two": {"rows": [], "error": "exit 1"}}}
    lines = runner.table(report, ["one", "two", "not run"]).splitlines()
    assert lines[2] == "| one | recall@5 | 0.912 (0.9 to 0.93) |  |"
    assert lines[3] == "| one | a\\|b | 1,234,567 rows | odd name |"
    assert lines[4] == "| two | failed | | exit 1 |"
    assert len(lines) == 5


def test_an_earlier_run_keeps_the_others_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "REPORT", tmp_path / "report.json")
    runner.REPORT.write_text(json.dumps(runner.merged({"one": {"rows": ROWS}})), "utf-8")
    report = runner.merged({"two": {"rows": []}})
    assert set(report["benchmarks"]) == {"one", "two"}
    assert report["machine"]["threads"] >= 1


def test_the_readme_gets_the_figures_between_its_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (ROOT / "README.md").read_text("utf-8")
    assert before.count(readme.BEGIN) == 1
    assert before.count(readme.END) == 1
    (tmp_path / "README.md").write_text(before, "utf-8")
    report = tmp_path / "report.json"
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    monkeypatch.setattr(readme, "REPORT", report)
    figures = {"machine": runner.machine(), "benchmarks": {"startup": {"rows": ROWS}}}
    report.write_text(json.dumps(figures), "utf-8")
    assert readme.main() == 0
    once = (tmp_path / "README.md").read_text("utf-8")
    assert "recall@5" in once
    assert once.split(readme.END)[1] == before.split(readme.END)[1]
    assert readme.main() == 0
    assert (tmp_path / "README.md").read_text("utf-8") == once


def test_every_listed_benchmark_can_be_run() -> None:
    for name in runner.ORDER:
        assert runner.exists(name), f"{name} is listed but missing"


@pytest.mark.bench
@pytest.mark.timeout(600)
def test_every_benchmark_imports_and_has_a_main() -> None:
    for name in runner.ORDER:
        assert callable(importlib.import_module(f"tests.benchmarks.{name}").main)


@pytest.mark.bench
@pytest.mark.timeout(600)
def test_startup_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "RUNS", 1)
    rows = startup.main()
    assert len(rows) == 4
    assert all(row["value"] > 0 for row in rows)


def test_an_unknown_benchmark_is_bad_usage() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "no-such"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "no-such" in ended.stderr
