"""Writes the figures of .bench/report.json down: all of them into docs/figures.md, the ones
a reader looks for into README.md, between its two marks.

usage: python -m tests.benchmarks.readme
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from tests.benchmarks.__main__ import ORDER, REPORT, ROOT, table

BEGIN = "<!-- figures: written by `python -m tests.benchmarks.readme`, do not edit -->"
END = "<!-- end of figures -->"
SHOWN = [
    "startup",
    "window",
    "first_search",
    "change",
    "size",
    "indexing",
    "scans",
    "latency",
    "filters",
    "answering",
]
"""What the README lists row by row; formats and retrieval have tables of their own there."""
_RECALL = re.compile(r"^(\S+) (dense|keyword|hybrid) recall@(\d+)$")


def main() -> int:
    """Replace the part between the marks; 1 when there is no report or no marks."""
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    if not REPORT.exists() or BEGIN not in text or END not in text:
        print("Run `make bench` first; README.md must hold the two marks.", file=sys.stderr)
        return 1
    report = json.loads(REPORT.read_text("utf-8"))
    machine = report["machine"]
    where = (
        f"Measured on: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, Python {machine['python']}, no graphics card."
    )
    others = table(report, SHOWN)
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    parts = (where, others, formats(report), recalls(report))
    middle = "\n\n".join(part for part in parts if part)
    readme.write_text(f"{before}{BEGIN}\n{middle}\n{END}{after}", "utf-8")
    whole = (
        "# Figures\n\nWritten by `python -m tests.benchmarks.readme` after `make bench`.\n\n"
    )
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs" / "figures.md").write_text(
        f"{whole}{where}\n\n{table(report, ORDER)}\n", "utf-8"
    )
    return 0


def formats(report: dict[str, Any]) -> str:
    """A line a kind of file; "" when it was not measured."""
    cells: dict[str, list[str]] = {}
    for row in report["benchmarks"].get("formats", {}).get("rows", []):
        name, _, measured = row["name"].partition(": ")
        if measured == "files indexed":
            against = row["note"].partition(" reads;")[0].removeprefix("that ")
            cells[name] = [against, f"{row['value']} {row['unit']}"]
        elif measured == "characters recovered" and name in cells:
            cells[name].append(f"{row['value']:.3f}")
    if not cells:
        return ""
    lines = [
        "Files indexed and characters recovered, of those the plain library reads:",
        "",
        "| Files | Library | Indexed | Characters |",
        "|---|---|---:|---:|",
    ]
    lines += [f"| {name} | " + " | ".join(row) + " |" for name, row in cells.items()]
    return "\n".join(lines)


def recalls(report: dict[str, Any]) -> str:
    """Recall as one table, a line a question set; "" when it was not measured."""
    cells: dict[str, dict[str, dict[str, float]]] = {}
    for row in report["benchmarks"].get("retrieval", {}).get("rows", []):
        found = _RECALL.match(row["name"])
        if found:
            name, method, depth = found.groups()
            cells.setdefault(name, {}).setdefault(method, {})[depth] = row["value"]
    if not cells:
        return ""
    lines = [
        "Recall@1 / @5 / @10 (intervals in [docs/figures.md](docs/figures.md)):",
        "",
        "| Questions | by meaning | by words | both |",
        "|---|---:|---:|---:|",
    ]
    for name, methods in cells.items():
        shown = [
            " / ".join(f"{share:.2f}" for share in methods[method].values())
            for method in ("dense", "keyword", "hybrid")
        ]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
