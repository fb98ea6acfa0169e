"""`whetstone doctor`: is everything there, and how fast is it here?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json, size
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("doctor", help="check this installation and this machine")
    add_json(parser)
    parser.set_defaults(run=run)


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Examine; exit 3 when a check failed."""
    from engine.host.doctor import examine

    report = examine(engine, console.job)
    console.result(report, lambda: describe(report, engine.storage()))
    return 0 if all(check.ok for check in report.checks) else 3


def describe(report: api.DoctorReport, storage: api.StorageReport) -> str:
    """The report for a person, with the sizes of what is kept."""
    kept = [f"{part.name} {size(part.size_bytes)}" for part in storage.parts if part.size_bytes]
    lines = [
        f"Whetstone {report.version}, Python {report.python}, {report.system}",
        f"{report.cpu}, {report.cores} cores, {size(report.memory_available_bytes)} of "
        f"{size(report.memory_bytes)} memory free, GPU: {report.gpu}",
        f"Data in {report.home}: {', '.join(kept)}",
        "",
    ]
    for check in report.checks:
        lines.append(f"{'ok ' if check.ok else 'BAD'} {check.name}: {check.detail}")
        if check.hint:
            lines.append(f"    {check.hint}")
    if report.embedder_backends:
        lines += ["", "Search model, ways to run it here:"]
    for timing in report.embedder_backends:
        lines.append(
            f"{'->' if timing.chosen else '  '} {timing.backend}: "
            f"{timing.passages_per_second:.0f} passages/s, {timing.speedup:.2f} times float32, "
            f"least cosine {timing.min_cosine:.4f}"
        )
    lines += ["", ", ".join(f"{name} {found}" for name, found in report.versions.items())]
    return "\n".join(lines)
