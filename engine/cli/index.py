"""`whetstone index FOLDER [--watch]`: read a folder into a library, and keep it current."""

from __future__ import annotations

import argparse
import threading
import time
from typing import TYPE_CHECKING, Any

from engine.cli.output import Console, add_json
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine
    from engine.library.follower import Touched

_SHOWN = 20


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("index", help="read a folder into a library")
    parser.add_argument("folder", metavar="FOLDER", help="your documents; only ever read")
    parser.add_argument(
        "--library", metavar="NAME", help="library to fill (default: named after the folder)"
    )
    parser.add_argument(
        "--watch", action="store_true", help="stay, and take in what changes, until Ctrl-C"
    )
    parser.add_argument(
        "--scans",
        choices=("settings", "none", "all"),
        default="settings",
        help="scanned pages and pictures to read by OCR: those within the seconds a file that"
        " the settings allow (default), none, or all",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Index and report; files that cannot be read do not change the exit status."""
    spec = api.IndexSpec(folder=options.folder, library=options.library, scans=options.scans)
    report = engine.index(spec, console.job)
    if options.watch:
        return _watch(engine, report, console)
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


def _watch(engine: Engine, report: api.IndexReport, console: Console) -> int:
    """Say what changes until Ctrl-C; with --json all of it is one document at the end."""
    from engine.library.following import Following

    changes: list[dict[str, Any]] = []
    stood = threading.Event()

    def on_indexing(event: api.IndexingEvent) -> None:
        if event.ended and event.report is not None:
            changes.append(event.report.model_dump(mode="json"))
            for entry in event.report.files.skipped[:_SHOWN]:
                console.note(f"{_clock()}  not readable: {entry.path}: {entry.reason}")
        elif event.ended and event.message:
            console.note(f"{_clock()}  {event.message}")

    def on_touched(touched: Touched) -> None:
        for what, path in touched.files:
            console.note(f"{_clock()}  {what}: {path}")

    following = Following(
        engine.libraries,
        on_indexing,
        lambda what: stood.set(),
        only=report.library_id,
        on_touched=on_touched,
    )
    if not console.as_json:
        console.note(describe(report))
    following.start()
    standing = ""
    try:
        while not console.job.cancelled:
            if stood.wait(0.2):
                stood.clear()
                standing = _tell_standing(engine, report.library_id, standing, console)
    finally:
        following.close()
    console.result(
        {**report.model_dump(mode="json"), "changes": changes}, lambda: "Stopped watching."
    )
    return 0


def _tell_standing(engine: Engine, library_id: str, before: str, console: Console) -> str:
    """Say how changes are noticed when that is news; gives what was said."""
    view = engine.libraries.find(library_id)
    words = {
        "live": "Watching: changes are taken in as they happen. Ctrl-C ends it.",
        "paused": "Paused. Nothing is taken in until you resume it.",
        "off": "",
    }
    now = words.get(view.following, view.following_reason)
    if view.following == "live" and view.following_reason:
        now = f"{now} {view.following_reason}"
    if now and now != before:
        console.note(f"{_clock()}  {now}")
        return now
    return before


def _clock() -> str:
    return time.strftime("%H:%M:%S")
