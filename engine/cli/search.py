"""`whetstone search Q --library NAME`: find passages."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from engine.cli.batch import add_batch, is_batch, run_batch
from engine.cli.output import Console, add_json, place
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("search", help="find passages in a library")
    parser.add_argument("query", metavar="Q", nargs="?", help="what to look for")
    parser.add_argument("--library", metavar="NAME", required=True)
    parser.add_argument("--top", type=int, default=10, metavar="K", help="passages (10)")
    parser.add_argument(
        "--method",
        choices=["hybrid", "dense", "keyword"],
        default="hybrid",
        help="by meaning and words (hybrid), by meaning (dense), by words (keyword)",
    )
    add_batch(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Search once, or once for every row of a file."""

    def search(query: str) -> api.SearchReport:
        return engine.search(
            api.SearchSpec(
                query=query, library=options.library, top=options.top, method=options.method
            ),
            console.job,
        )

    if is_batch(options, options.query):
        engine.libraries.find(options.library)  # a wrong name is one error, not one a row
        return run_batch(options, console, search)
    report = search(options.query)
    console.result(report, lambda: describe(report))
    return 0


def describe(report: api.SearchReport) -> str:
    """The report for a person."""
    lines = [report.notice] if report.notice else []
    for number, hit in enumerate(report.passages, 1):
        lines.append(f"{number}. {place(hit.path, hit.page, hit.heading)}")
        text = textwrap.shorten(hit.text, 240, placeholder=" …")
        lines += textwrap.wrap(text, 92, initial_indent="   ", subsequent_indent="   ")
    if not report.passages:
        lines.append("Nothing found.")
    lines.append(f"{report.milliseconds:.0f} ms")
    return "\n".join(lines)
