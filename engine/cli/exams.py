"""`whetstone exams list|show|import|make|remove`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.datasets import add_columns, checked, pairs, path_of, short
from engine.cli.output import Console, add_json
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("exams", help="questions to judge models by")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all exams")
    listing.set_defaults(run=run_list)
    importing = actions.add_parser(
        "import", help="keep JSON lines of questions with answers, or of texts with labels"
    )
    importing.add_argument("file", metavar="FILE")
    importing.add_argument("--name", default="", metavar="NAME")
    add_columns(importing)
    importing.set_defaults(run=run_import)
    making = actions.add_parser("make", help="make an exam of a dataset's held-out rows")
    making.add_argument("--dataset", required=True, metavar="ID")
    making.add_argument("--name", default="", metavar="NAME")
    making.add_argument("--limit", type=int, metavar="N", help="draw so many rows")
    making.add_argument("--seed", type=int, default=0, metavar="N")
    making.set_defaults(run=run_make)
    parsers = [listing, importing, making]
    for name, run, text in (
        ("show", run_show, "one exam and its first questions"),
        ("remove", run_remove, "delete an exam"),
    ):
        parser = actions.add_parser(name, help=text)
        parser.add_argument("exam", metavar="ID")
        parser.set_defaults(run=run)
        parsers.append(parser)
    for parser in parsers:
        add_json(parser)


def describe(row: api.ExamRow) -> str:
    """One exam in a line."""
    labels = f", {len(row.labels)} labels" if row.labels else ""
    return f"{row.id}: {row.name}, {row.task}, {row.rows} rows{labels}; from {row.source}"


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All exams."""
    rows = engine.exams.list().exams
    console.result(
        {"rows": [row.model_dump(mode="json") for row in rows]},
        lambda: "\n".join(map(describe, rows)) or "No exams: import one or make one.",
    )
    return 0


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One exam and its first questions."""
    view = engine.exams.show(api.ExamRef(exam=options.exam))
    data = view.exam.model_dump(mode="json") | {
        "first": [item.model_dump(mode="json") for item in view.first]
    }
    console.result(data, lambda: "\n".join([describe(view.exam), *map(_item, view.first)]))
    return 0


def _item(item: api.ExamItem) -> str:
    right = item.label or item.output or "; ".join(item.answers)
    told = short(right) if item.answerable else "(not to be answered)"
    return f"{item.id:>6}  {short(item.question or item.text)}\n{'':8}→ {told}"


def run_import(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Keep the questions of a file."""
    spec = checked(
        api.ImportExamSpec,
        path=path_of(options.file),
        name=options.name,
        task=options.task,
        columns=pairs(options.column, "ROLE"),
    )
    return _made(console, engine.import_exam(spec, console.job))


def run_make(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Make an exam of a dataset's held-out rows."""
    spec = checked(
        api.MakeExamSpec,
        dataset=options.dataset,
        name=options.name,
        limit=options.limit,
        seed=options.seed,
    )
    return _made(console, engine.exams.make(spec))


def _made(console: Console, report: api.ExamReport) -> int:
    head = f"{report.exam}: {report.name}, {report.task}, {report.rows} rows"
    console.result(report, lambda: "\n".join([head, *report.warnings]))
    return 0


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Delete an exam."""
    row = engine.exams.remove(api.ExamRef(exam=options.exam))
    console.result({"removed": row.id}, lambda: f"Removed {row.name}.")
    return 0
