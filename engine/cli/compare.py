"""`whetstone compare`: let arms answer an exam, and say which did better."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.datasets import checked, path_of
from engine.cli.output import Console, add_json
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

_CONFUSED = 8
_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".txt", ".conll")


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("compare", help="let a model answer an exam, as it is and tuned")
    parser.add_argument(
        "--exam",
        default="",
        metavar="ID|FILE",
        help="without it, the held-out rows of --dataset",
    )
    parser.add_argument("--dataset", default="", metavar="ID", help="whose labels count")
    parser.add_argument(
        "--adapter",
        default="",
        metavar="A",
        help="for the arm tuned (the newest one tuned with the dataset, or what is enabled)",
    )
    parser.add_argument("--model", default="", metavar="M")
    parser.add_argument("--arms", default="base,tuned", metavar="A,B", help="base, tuned")
    parser.add_argument("--limit", type=int, metavar="N", help="draw so many rows")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    add_json(parser)
    parser.set_defaults(run=run_compare)


def run_compare(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Let every arm answer every row."""
    exam = options.exam
    if exam and Path(path_of(exam)).is_file() and exam.lower().endswith(_SUFFIXES):
        exam = path_of(exam)
    spec = checked(
        api.CompareSpec,
        exam=exam,
        dataset=options.dataset,
        adapter=options.adapter,
        model=options.model,
        arms=[name.strip() for name in options.arms.split(",") if name.strip()],
        limit=options.limit,
        seed=options.seed,
    )
    report = engine.compare(spec, console.job)
    console.result(report, lambda: describe(report))
    return 0


def describe(report: api.CompareReport) -> str:
    """A comparison for a person: a line an arm, what was mixed up, the verdict."""
    lines = [f"{report.exam_name}: {report.rows} rows, {report.task}, {report.model_name}"]
    for arm in report.arms:
        figures = ", ".join(
            f"{name} {one.value:.1%} ({one.low:.1%} to {one.high:.1%})"
            for name, one in arm.metrics.items()
        )
        lines.append(f"{arm.arm:>6}  {figures}")
        lines.append(
            f"        first token {arm.first_token_ms:.0f} ms, whole {arm.total_ms:.0f} ms, "
            f"{arm.peak_mb:.0f} MB of memory, {arm.disk_mb:.0f} MB of disk"
        )
        wrong = [one for one in arm.confusion if one.label != one.answered]
        for one in wrong[:_CONFUSED]:
            lines.append(f"        {one.rows}× {one.label} → {one.answered or 'no label'}")
    return "\n".join([*lines, *report.warnings, report.verdict])
