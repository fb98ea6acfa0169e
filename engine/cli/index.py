"""`whetstone index FOLDER`: read a folder into a library."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

_SHOWN = 20


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("index", help="read a folder into a library")
    parser.add_argument("folder", metavar="FOLDER", help="your documents; only ever read")
    parser.add_argument(
        "--library", metavar="NAME", help="library to fill (default: named after the folder)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Index and report; files that cannot be read do not change the exit status."""
    spec = api.IndexSpec(folder=options.folder, library=options.library)
    report = engine.index(spec, console.job)
    console.result(report, lambda: describe(report))
    return 0


def describe(report: api.IndexReport) -> str:
    """The report for a person."""
    files = report.files
    lines = [
        f"Library {report.library}: {files.indexed} read, {files.unchanged} unchanged, "
        f"{files.removed} removed, {files.duplicates} duplicates, "
        f"{len(files.skipped)} not readable.",
        f"{report.passages} passages in {report.seconds:.1f} s "
        f"({report.passages_per_second:.0f} a second).",
    ]
    lines += [f"  {entry.path}: {entry.reason}" for entry in files.skipped[:_SHOWN]]
    if len(files.skipped) > _SHOWN:
        lines.append(f"  … and {len(files.skipped) - _SHOWN} more; --json lists all.")
    return "\n".join(lines)
