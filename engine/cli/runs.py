"""`whetstone runs list|show|pause|resume|stop|remove`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json, duration
from engine.cli.tune import describe_plan, describe_report, follow
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("runs", help="trainings: look, pause, resume, stop")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all runs")
    listing.set_defaults(run=run_list)
    parsers = [listing]
    for name, run, text in (
        ("show", run_show, "how a run stands, with its metrics"),
        ("pause", run_pause, "write a checkpoint and free the machine"),
        ("resume", run_resume, "go on, and follow it to its end"),
        ("stop", run_stop, "end it now and keep the best, and wait for that"),
        ("remove", run_remove, "forget a run; its adapter stays"),
    ):
        parser = actions.add_parser(name, help=text)
        parser.add_argument("run_ref", metavar="RUN")
        parser.set_defaults(run=run)
        parsers.append(parser)
    for parser in parsers:
        add_json(parser)


def describe(view: api.RunView) -> str:
    """A run in one line."""
    at = f", step {view.step} of {view.steps}" if view.steps else ""
    left = f", about {duration(view.eta_s)} left" if view.eta_s else ""
    return f"{view.id}: {view.name}, {view.state}{at}{left}"


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All runs, the newest first."""
    runs = engine.tuning.list().runs
    console.result(
        {"rows": [run.model_dump(mode="json") for run in runs]},
        lambda: "\n".join(map(describe, runs)) or "No runs yet.",
    )
    return 0


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One run."""
    shown = engine.tuning.show(api.MetricsSpec(run=options.run_ref))

    def text() -> str:
        view = shown.run
        lines = [describe(view)]
        if view.note:
            lines.append(view.note)
        if view.plan is not None:
            lines.append(describe_plan(view.plan))
        if view.report is not None:
            lines.append(describe_report(view.report))
        if view.error is not None:
            lines.append(view.error.get("message", ""))
        return "\n".join(lines)

    console.result(shown, text)
    return 0


def run_pause(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Pause a run and wait until it has."""
    view = engine.tuning.pause(api.RunRef(run=options.run_ref), console.job)
    console.result(view, lambda: describe(view))
    return 0


def run_resume(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Go on and follow."""
    view = engine.tuning.resume(api.RunRef(run=options.run_ref))
    return follow(engine, view.id, console)


def run_stop(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Stop a run, keep the best, follow it to its end."""
    view = engine.tuning.stop(api.RunRef(run=options.run_ref), console.job)
    return follow(engine, view.id, console)


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Forget a run."""
    view = engine.tuning.runs.find(options.run_ref)
    engine.tuning.remove(api.RunRef(run=view.id))
    console.result({"removed": view.id}, lambda: f"Removed {view.name}.")
    return 0
