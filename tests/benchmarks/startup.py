"""How long a person waits: for the window, and for the first answer from an empty home."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.first_paint import MARK

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5


def main() -> list[dict[str, Any]]:
    """Window shown (warm, median of five) and `whetstone demo` in an empty home."""
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        home = Path(folder) / "home"
        first_paint_s(home)  # warms the file cache and makes the home
        shown = [first_paint_s(home) for _ in range(RUNS)]
        demo_s, reports = demo(Path(folder) / "fresh")
    indexed = reports["index"]["files"]["indexed"]
    return [
        {
            "name": "window shown, process start to first paint",
            "value": round(statistics.median(shown), 3),
            "unit": "s",
            "low": round(min(shown), 3),
            "high": round(max(shown), 3),
            "note": f"median of {RUNS}, warm, off-screen",
        },
        {
            "name": "`whetstone demo` in an empty home, start to finished answer",
            "value": round(demo_s, 1),
            "unit": "s",
            "note": f"indexes {indexed} files, loads the model, answers",
        },
        {
            "name": "of which indexing the sample folder",
            "value": round(float(reports["index"]["seconds"]), 1),
            "unit": "s",
        },
        {
            "name": "of which first token, model already loaded",
            "value": round(float(reports["ask"]["timings"]["first_token_ms"])),
            "unit": "ms",
        },
    ]


def first_paint_s(home: Path) -> float:
    """Seconds from starting the process to the window's first paint event."""
    start = time.monotonic()  # one clock for all processes of a machine
    ended = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.first_paint"],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    painted = [line for line in ended.stdout.splitlines() if line.startswith(MARK)]
    if not painted:
        raise RuntimeError(f"the window was never painted:\n{ended.stderr[-2000:]}")
    return float(painted[0].removeprefix(MARK)) - start


def demo(home: Path) -> tuple[float, dict[str, Any]]:
    """Seconds `whetstone demo` takes, and what it reports."""
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "engine.cli.main", "demo", "--json"],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if ended.returncode not in (0, 3):  # 3: the small model gave an answer without a source
        raise RuntimeError(f"whetstone demo failed:\n{ended.stderr[-2000:]}")
    return time.monotonic() - start, json.loads(ended.stdout)


def environment(home: Path) -> dict[str, str]:
    """This environment with a home of its own and no display."""
    chosen = {"WHETSTONE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    return {**os.environ, **chosen}
