"""`whetstone libraries list|show|remove`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.output import Console, add_json, size
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

_ROWS_AT_ONCE = 1000


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("libraries", help="list, show or remove libraries")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all libraries")
    listing.set_defaults(run=run_list)
    showing = actions.add_parser("show", help="one library with the state of every file")
    showing.add_argument("library", metavar="NAME")
    showing.set_defaults(run=run_show)
    removing = actions.add_parser("remove", help="forget a library; your files stay")
    removing.add_argument("library", metavar="NAME")
    removing.set_defaults(run=run_remove)
    for parser in (listing, showing, removing):
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
    """One library in one line."""
    return (
        f"{view.name}  ({view.id})  {view.files} files, {view.passages} passages, "
        f"{view.skipped} not readable, {size(view.size_bytes)}, {view.state}"
    )


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

    def text() -> str:
        lines = [describe(view), *(f"  folder {root}" for root in view.roots)]
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
