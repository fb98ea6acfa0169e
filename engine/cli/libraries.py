"""`whetstone libraries`: list, show, remove and all else that is done to a library."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.index import describe as describe_run
from engine.cli.output import Console, add_json, size
from engine.errors import InvalidInput
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

_ROWS_AT_ONCE = 1000


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("libraries", help="list, show, change or remove libraries")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all libraries")
    listing.set_defaults(run=run_list)
    showing = actions.add_parser("show", help="one library with the state of every file")
    showing.add_argument("library", metavar="NAME")
    showing.set_defaults(run=run_show)
    removing = actions.add_parser("remove", help="forget a library; your files stay")
    removing.add_argument("library", metavar="NAME")
    removing.set_defaults(run=run_remove)
    renaming = actions.add_parser("rename", help="give a library another name")
    renaming.add_argument("library", metavar="NAME")
    renaming.add_argument("name", metavar="NEW")
    renaming.set_defaults(run=run_rename)
    pausing = actions.add_parser("pause", help="stop its run; changes are not noticed")
    pausing.add_argument("library", metavar="NAME")
    pausing.set_defaults(run=run_pause)
    resuming = actions.add_parser("resume", help="go on after a pause")
    resuming.add_argument("library", metavar="NAME")
    resuming.set_defaults(run=run_resume)
    retrying = actions.add_parser("retry", help="read some files again")
    retrying.add_argument("library", metavar="NAME")
    retrying.add_argument("files", metavar="FILE", nargs="+", help="path, or a part of it")
    retrying.add_argument(
        "--scans", action="store_true", help="read scanned pages too, whatever they cost"
    )
    retrying.set_defaults(run=run_retry)
    dropping = actions.add_parser("remove-folder", help="take a folder out; your files stay")
    dropping.add_argument("library", metavar="NAME")
    dropping.add_argument("folder", metavar="FOLDER")
    dropping.set_defaults(run=run_remove_folder)
    calibrating = actions.add_parser(
        "calibrate", help='measure when to say "Not in these documents"'
    )
    calibrating.add_argument("library", metavar="NAME")
    calibrating.add_argument("--model", metavar="M", help="model id (default: the default)")
    calibrating.set_defaults(run=run_calibrate)
    changing = (removing, renaming, pausing, resuming, retrying, dropping, calibrating)
    for parser in (listing, showing, *changing):
        add_json(parser)


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All libraries, one a line."""
    found = engine.list_libraries()
    console.result(
        {"rows": [view.model_dump(mode="json") for view in found.libraries]},
        lambda: "\n".join(map(describe, found.libraries)) or "No libraries yet.",
    )
    return 0


def describe(view: api.LibraryView) -> str:
    """One library in one line: what is in it, and how it stands."""
    parts = [
        f"{view.files} files",
        f"{view.passages} passages",
        f"{view.skipped} not readable",
        size(view.size_bytes),
    ]
    if view.waiting:
        parts.append(f"{view.waiting} still to be read")
    if view.pending_passages:
        parts.append(f"{view.pending_passages} passages found by their words only so far")
    if view.following in ("paused", "lost"):
        parts.append(view.following)
    return f"{view.name}  ({view.id})  {', '.join(parts)}, {view.state}"


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One library and all its files."""
    view = engine.libraries.find(options.library)
    rows: list[api.FileRow] = []
    while True:
        spec = api.FilesSpec(library=view.id, offset=len(rows), limit=_ROWS_AT_ONCE)
        page = engine.libraries.files(spec)
        rows += page.rows
        if not page.rows or len(rows) >= page.total:
            break
    rows.sort(key=lambda row: row.path)

    def text() -> str:
        lines = [describe(view), *(f"  folder {root}" for root in view.roots)]
        lines.append(f"  agreed with the disk: {view.agreed_at or 'never yet'}")
        lines.append(f"  changes: {view.following}. {view.following_reason}".rstrip())
        lines += [
            f"  {row.state:8} {row.path}" + (f": {row.reason}" if row.reason else "")
            for row in rows
        ]
        return "\n".join(lines)

    data = {
        **view.model_dump(mode="json"),
        "rows": [row.model_dump(mode="json") for row in rows],
    }
    console.result(data, text)
    return 0


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Forget a library and its index."""
    view = engine.libraries.find(options.library)
    engine.remove_library(api.LibraryRef(library=view.id))
    console.result(
        {"removed": view.id}, lambda: f"Removed {view.name}. Your files are untouched."
    )
    return 0


def run_rename(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Give a library another name."""
    view = engine.rename_library(
        api.RenameLibrarySpec(library=options.library, name=options.name)
    )
    console.result(view, lambda: f"It is called {view.name} now.")
    return 0


def run_pause(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Stop a library's run and do not follow it."""
    engine.pause_library(api.LibraryRef(library=options.library))
    view = engine.libraries.find(options.library)
    console.result(view, lambda: f"Paused {view.name}. What was read can be searched.")
    return 0


def run_resume(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Let a library go on: an open window does, or else this command."""
    libraries = engine.libraries
    library_id = libraries.find(options.library).id
    engine.resume_library(api.LibraryRef(library=library_id))
    if not libraries.left_to_others(library_id):
        libraries.follow_up(library_id, None, console.job)
    view = libraries.find(library_id)
    console.result(view, lambda: describe(view))
    return 0


def run_retry(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Read some files again."""
    view = engine.libraries.find(options.library)
    file_ids: set[int] = set()
    for match in options.files:
        spec = api.FilesSpec(library=view.id, match=match, limit=_ROWS_AT_ONCE)
        found = {row.file_id for row in engine.libraries.files(spec).rows}
        if not found:
            raise InvalidInput(f"No file of {view.name!r} is called {match!r}.")
        file_ids |= found
    report = engine.retry(
        api.RetrySpec(
            library=view.id,
            file_ids=sorted(file_ids),
            scans="all" if options.scans else "settings",
        ),
        console.job,
    )
    console.result(report, lambda: describe_run(report))
    return 0


def run_remove_folder(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Take one folder out of a library."""
    view = engine.remove_root(api.RootSpec(library=options.library, folder=options.folder))
    console.result(view, lambda: f"{describe(view)}\nYour files are untouched.")
    return 0


def run_calibrate(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Measure when an answer from a library is to be refused."""
    spec = api.CalibrateSpec(library=options.library, model=options.model)
    report = engine.calibrate(spec, console.job)
    console.result(report, lambda: _calibrated(report))
    return 0


def _calibrated(report: api.CalibrationReport) -> str:
    others = report.without + report.elsewhere
    return "\n".join(
        [
            f"{report.library}, {report.model}: {report.reason}",
            f"  {report.made} questions made from it ({report.written} by the model): refused "
            f"{report.made_refused_after:.0%}, with the usual rule "
            f"{report.made_refused_before:.0%}",
            f"  {others} questions it does not answer: refused "
            f"{report.others_refused_after:.0%}, with the usual rule "
            f"{report.others_refused_before:.0%}",
            f"  told apart in {report.auc:.0%} of pairs",
        ]
    )
