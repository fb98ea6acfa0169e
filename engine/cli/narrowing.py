"""Which libraries and which of their files count: shared by `search` and `ask`."""

from __future__ import annotations

import argparse
import os

from engine.work import api

_HERE = tuple(f"{start}{sep}" for start in (".", "..") for sep in {"/", os.sep})


def add_narrowing(parser: argparse.ArgumentParser, needed: bool, note: str = "") -> None:
    """Declare `--library`, which may be repeated, and the filters."""
    parser.add_argument(
        "--library",
        metavar="NAME",
        action="append",
        required=needed,
        help=f"where to look; may be given several times{note}",
    )
    group = parser.add_argument_group("only some files")
    group.add_argument(
        "--path",
        metavar="G",
        action="append",
        default=[],
        help="a folder, a file, or a glob such as '*.pdf' or 'contracts/**/2024*'; several: "
        "any of them",
    )
    group.add_argument(
        "--type",
        metavar="T",
        action="append",
        default=[],
        help="a kind of document (PDF, Word, Spreadsheet) or a suffix (.pdf); several: any",
    )
    group.add_argument(
        "--since", metavar="D", default="", help="changed on this date or later (2024-05-31)"
    )
    group.add_argument(
        "--until", metavar="D", default="", help="changed on this date or before"
    )


def libraries_of(options: argparse.Namespace) -> tuple[str | None, list[str]]:
    """The main library, None when none was named, and the others."""
    named: list[str] = options.library or []
    return (named[0] if named else None), named[1:]


def filter_of(options: argparse.Namespace) -> api.Filter:
    """What was said about files; "./x" and "../x" are meant from the current folder."""
    return api.Filter(
        paths=[_from_here(path) for path in options.path],
        types=options.type,
        since=options.since,
        until=options.until,
    )


def _from_here(path: str) -> str:
    if path in (".", "..") or path.startswith(_HERE):
        return os.path.abspath(path)
    return path
