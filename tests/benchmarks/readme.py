"""Writes the figures of .bench/report.json into README.md, between its two marks.

usage: python -m tests.benchmarks.readme
"""

from __future__ import annotations

import json
import sys

from tests.benchmarks.__main__ import ORDER, REPORT, ROOT, table

BEGIN = "<!-- figures: written by `python -m tests.benchmarks.readme`, do not edit -->"
END = "<!-- end of figures -->"


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
        f"{machine['cpu']}, {machine['cores']} cores ({machine['threads']} threads), "
        f"{machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}."
    )
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    middle = f"{BEGIN}\nMeasured on: {where}\n\n{table(report, ORDER)}\n{END}"
    readme.write_text(before + middle + after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
