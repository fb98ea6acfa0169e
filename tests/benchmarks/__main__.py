"""Runs the benchmarks one after the other, each in a process of its own, and prints one table.

usage: python -m tests.benchmarks [NAME…]      default: all, in the order below
Writes .bench/report.json; a run of some keeps the others' earlier figures.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / ".bench" / "report.json"
ORDER = [
    "startup",
    "window",
    "formats",
    "scans",
    "retrieval",
    "several",
    "followups",
    "indexing",
    "first_search",
    "change",
    "size",
    "latency",
    "filters",
    "answering",
    "states",
    "modes",
    "prior",
    "refusal",
    "training",
]
LIMIT_S = 3 * 3600.0

Row = dict[str, Any]


def main() -> int:
    """Run what was named; 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ORDER))
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.into:
        return run_here(options.names[0], options.into)
    names = options.names or [name for name in ORDER if exists(name)]
    for name in names:
        if not exists(name):
            parser.error(f"there is no benchmark {name!r}")
    results = {name: run(name) for name in names}
    report = merged(results)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print()
    print(table(report, names))
    print(f"\nwritten to {REPORT.relative_to(ROOT)}")
    return 1 if any("error" in result for result in results.values()) else 0


def exists(name: str) -> bool:
    """True when the benchmark is part of this checkout."""
    return importlib.util.find_spec(f"tests.benchmarks.{name}") is not None


def run_here(name: str, into: Path) -> int:
    """The child's part: call the module and write its figures down."""
    rows = importlib.import_module(f"tests.benchmarks.{name}").main()
    into.write_text(json.dumps(rows), "utf-8")
    return 0


def run(name: str) -> dict[str, Any]:
    """Run one benchmark in a child; its output goes straight to the terminal."""
    print(f"== {name}", flush=True)
    into = REPORT.parent / f"{name}.json"
    into.parent.mkdir(exist_ok=True)
    into.unlink(missing_ok=True)
    start = time.monotonic()
    command = [sys.executable, "-m", "tests.benchmarks", name, "--into", str(into)]
    ended = subprocess.run(command, cwd=ROOT, timeout=LIMIT_S, check=False)
    result: dict[str, Any] = {
        "seconds": round(time.monotonic() - start, 1),
        "full": bool(os.environ.get("FULL")),
        "at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    if ended.returncode != 0 or not into.exists():
        return {**result, "rows": [], "error": f"exit status {ended.returncode}"}
    return {**result, "rows": as_rows(json.loads(into.read_text("utf-8")))}


def as_rows(figures: Any) -> list[Row]:
    """The figures as rows, whether a benchmark returned rows or a plain mapping."""
    if isinstance(figures, list):
        return figures
    if isinstance(figures, dict):
        return [{"name": name, "value": value, "unit": ""} for name, value in figures.items()]
    return []


def merged(results: dict[str, Any]) -> dict[str, Any]:
    """The new results over those of earlier runs on this checkout."""
    try:
        earlier = json.loads(REPORT.read_text("utf-8"))["benchmarks"]
    except (OSError, ValueError, KeyError):
        earlier = {}
    return {"machine": machine(), "benchmarks": {**earlier, **results}}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return {
        "cpu": model,
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def figure(row: Row) -> str:
    """A value with its interval and unit, as a person reads it."""

    def short(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        return (
            f"{value:,}"
            if isinstance(value, int) and not isinstance(value, bool)
            else str(value)
        )

    text = short(row.get("value"))
    if row.get("low") is not None and row.get("high") is not None:
        text += f" ({short(row['low'])} to {short(row['high'])})"
    return f"{text} {row.get('unit', '')}".strip()


def table(report: dict[str, Any], names: list[str]) -> str:
    """The report as a Markdown table, which is also what the README shows."""
    lines = ["| Benchmark | Measured | Figure | Note |", "|---|---|---:|---|"]
    for name in names:
        result = report["benchmarks"].get(name)
        if result is None:
            continue
        for row in result["rows"]:
            cells = [name, str(row.get("name", "")), figure(row), str(row.get("note", ""))]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        if "error" in result:
            lines.append(f"| {name} | failed | | {result['error']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
