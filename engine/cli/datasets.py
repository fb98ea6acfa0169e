"""`whetstone datasets list|show|import|preview|make|check|edit|rename|remove|from-feedback`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.cli import making
from engine.cli.making import checked as checked
from engine.cli.output import Console, add_json
from engine.errors import InvalidInput
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

_TASKS = ("answers", "instruction", "classification", "entities", "fields")
_SHOWN_CHARACTERS = 100
_BAR_CHARACTERS = 40


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser("datasets", help="examples to tune a model with")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all datasets")
    listing.set_defaults(run=run_list)
    showing = actions.add_parser("show", help="one dataset and its rows")
    showing.add_argument("dataset", metavar="ID")
    showing.add_argument("--search", default="", metavar="WORDS")
    showing.add_argument("--split", choices=("train", "heldout"))
    showing.add_argument("--label", default="", metavar="LABEL")
    showing.add_argument("--offset", type=int, default=0, metavar="N")
    showing.add_argument("--limit", type=int, default=10, metavar="N")
    showing.set_defaults(run=run_show)
    renaming = actions.add_parser("rename", help="give a dataset another name")
    renaming.add_argument("dataset", metavar="ID")
    renaming.add_argument("name", metavar="NAME")
    renaming.set_defaults(run=run_rename)
    removing = actions.add_parser("remove", help="delete a dataset")
    removing.add_argument("dataset", metavar="ID")
    removing.set_defaults(run=run_remove)
    feedback = actions.add_parser(
        "from-feedback", help="make examples of answers you corrected or rejected"
    )
    feedback.add_argument("--dataset", default="", metavar="ID", help="add to this one")
    feedback.add_argument("--name", default="", metavar="NAME", help="name of a new one")
    feedback.set_defaults(run=run_from_feedback)
    parsers = [listing, showing, renaming, removing, feedback, making.add_make(actions)]
    for parser in (*parsers, *_add_imports(actions), _add_check(actions), _add_edit(actions)):
        add_json(parser)


def _add_imports(actions: Groups) -> list[argparse.ArgumentParser]:
    parsers: list[argparse.ArgumentParser] = []
    for name, run, text in (
        ("import", run_import, "make a dataset of a CSV, TSV, JSON, JSON Lines or CoNLL file"),
        ("preview", run_preview, "show what an import would make of a file"),
    ):
        parser = actions.add_parser(name, help=text)
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--name", default="", metavar="NAME")
        add_columns(parser)
        parser.add_argument("--heldout", default="", metavar="FILE", help="held-out rows")
        parser.add_argument(
            "--part",
            action="append",
            default=[],
            metavar="NAME=train|heldout|leave",
            help="where a part of the file goes",
        )
        parser.add_argument("--labels", type=int, metavar="N", help="keep so many labels")
        parser.add_argument(
            "--per-label", type=int, metavar="K", help="train on so many rows of each label"
        )
        parser.add_argument(
            "--share",
            type=float,
            default=0.1,
            metavar="S",
            help="hold so much out where the file does not say what (0.1)",
        )
        parser.add_argument("--seed", type=int, default=0, metavar="N")
        parser.set_defaults(run=run)
        parsers.append(parser)
    return parsers


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Say what the columns of a file are."""
    parser.add_argument("--task", choices=_TASKS, help="what kind of examples (recognised)")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help="what a column is: input, output, context, system, history, messages, group, "
        "split or id",
    )


def _add_check(actions: Groups) -> argparse.ArgumentParser:
    parser = actions.add_parser("check", help="look for what would spoil a tuning")
    parser.add_argument("dataset", metavar="ID")
    parser.add_argument("--model", metavar="ID", help="count tokens as this model does")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="longer rows are overlong")
    parser.add_argument(
        "--words-only", action="store_true", help="do not compare rows by their meaning"
    )
    parser.set_defaults(run=run_check)
    return parser


def _add_edit(actions: Groups) -> argparse.ArgumentParser:
    parser = actions.add_parser("edit", help="change a row, add one, or delete some")
    parser.add_argument("dataset", metavar="ID")
    parser.add_argument("--row", default="", metavar="ID", help="without it a row is added")
    parser.add_argument("--delete", nargs="+", default=[], metavar="ROW")
    for name in ("input", "output", "context", "system", "group"):
        parser.add_argument(f"--{name}", metavar="TEXT")
    parser.add_argument("--split", choices=("train", "heldout"))
    parser.set_defaults(run=run_edit)
    return parser


def describe(row: api.DatasetRow) -> str:
    """One dataset in two lines."""
    labels = f", {len(row.labels)} labels" if row.labels else ""
    problem = f"\n    {row.problem}" if row.problem else ""
    return (
        f"{row.id}: {row.name}, {row.task}, {row.rows} rows\n"
        f"    {row.train} to train on, {row.heldout} held out{labels}; from {row.source}"
        f"{problem}"
    )


def pairs(words: Sequence[str], what: str) -> dict[str, str]:
    """NAME=VALUE arguments as a table.

    Raises:
        InvalidInput: one has no "=".
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InvalidInput(f"{word!r} is no {what}=NAME.")
        found[name.strip()] = value.strip()
    return found


def path_of(typed: str) -> str:
    """A path as it is meant from where the command is given."""
    return os.path.abspath(os.path.expanduser(typed)) if typed else ""


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All datasets."""
    rows = engine.datasets.list().datasets
    console.result(
        {"rows": [row.model_dump(mode="json") for row in rows]},
        lambda: "\n".join(map(describe, rows)) or "No datasets: import a file with examples.",
    )
    return 0


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One dataset and a page of its rows."""
    spec = checked(
        api.RowsSpec,
        dataset=options.dataset,
        search=options.search,
        split=options.split,
        label=options.label,
        offset=options.offset,
        limit=options.limit,
    )
    view = engine.datasets.show(api.DatasetRef(dataset=options.dataset))
    page = engine.datasets.rows(spec)
    data = view.dataset.model_dump(mode="json") | {
        "label_rows": view.label_rows,
        "total": page.total,
        "examples": [row.model_dump(mode="json") for row in page.rows],
    }

    def text() -> str:
        labels = [f"    {label}: {count}" for label, count in view.label_rows.items()]
        found = f"{page.total} rows fit:" if page.total != view.dataset.rows else ""
        lines = [describe(view.dataset), *labels, found, *map(_example, page.rows)]
        return "\n".join(line for line in lines if line)

    console.result(data, text)
    return 0


def _example(row: api.ExampleRow) -> str:
    side = "held out" if row.split == "heldout" else "train"
    return f"{row.id:>6}  {side:8}  {short(row.input)}\n{'':18}→ {short(row.output)}"


def short(text: str) -> str:
    """A text on one line, cut where a table would."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"


def _spec(options: argparse.Namespace) -> api.ImportSpec:
    return checked(
        api.ImportSpec,
        path=path_of(options.file),
        name=options.name,
        task=options.task,
        columns=pairs(options.column, "ROLE"),
        heldout=path_of(options.heldout),
        parts=pairs(options.part, "PART"),
        labels=options.labels,
        per_label=options.per_label,
        share=options.share,
        seed=options.seed,
    )


def run_import(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Make a dataset of a file."""
    report = engine.import_examples(_spec(options), console.job)
    console.result(report, lambda: describe_import(report))
    return 0


def describe_import(report: api.ImportReport) -> str:
    """What was made, and what is to be known of it."""
    labels = f", {len(report.labels)} labels" if report.labels else ""
    lines = [
        f"{report.dataset}: {report.name}, {report.task}, {report.rows} rows{labels}",
        f"    {report.train} to train on, {report.heldout} held out",
        *report.warnings,
    ]
    return "\n".join(lines)


def run_preview(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """What an import would make of a file."""
    view = engine.preview_examples(_spec(options), console.job)

    def text() -> str:
        roles = ", ".join(f"{role} = {name}" for role, name in view.columns.items())
        lines = [
            f"{view.format}, {view.task} ({view.confidence:.0%} sure), {view.rows} rows: "
            f"{view.train} to train on, {view.heldout} held out",
            f"    {roles}",
            f"    columns: {', '.join(view.available)}",
            *view.warnings,
            *map(_example, view.first),
        ]
        return "\n".join(lines)

    console.result(view, text)
    return 0


def run_check(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Look for what would spoil a tuning."""
    spec = checked(
        api.CheckSpec,
        dataset=options.dataset,
        model=options.model,
        max_tokens=options.max_tokens,
        by_meaning=not options.words_only,
    )
    report = engine.check_examples(spec, console.job)
    warnings = [one.sentence for one in report.findings if one.severity != "note"]
    console.result(
        report.model_dump(mode="json") | {"warnings": warnings}, lambda: describe_check(report)
    )
    return 0


def describe_check(report: api.DatasetCheck) -> str:
    """Findings, the worst first, and how long the rows are."""
    lines: list[str] = []
    for one in report.findings:
        rows = f" (rows {', '.join(one.rows[:8])}{', …' if one.count > 8 else ''})"
        lines.append(f"{one.severity}: {one.sentence}{rows if one.rows else ''}")
        lines.append(f"    {one.advice}")
    if not lines:
        lines.append("Nothing was found that would spoil a tuning.")
    by = f"by {report.tokens_by}" if report.tokens_by else "estimated"
    lines.append(
        f"{report.tokens:,} tokens ({by}), {report.longest_tokens:,} in the longest row"
    )
    most = max((one.rows for one in report.histogram), default=0)
    for one in report.histogram:
        bar = "#" * -(-one.rows * _BAR_CHARACTERS // most) if most else ""
        lines.append(f"  up to {one.up_to:>6,}  {one.rows:>7,}  {bar}".rstrip())
    return "\n".join(lines)


def run_edit(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Change, add or delete rows."""
    spec = checked(
        api.EditRowSpec,
        dataset=options.dataset,
        id=options.row,
        remove=options.delete,
        input=options.input,
        output=options.output,
        context=options.context,
        system=options.system,
        group=options.group,
        split=options.split,
    )
    report = engine.datasets.edit_row(spec)
    changed = "" if report.row is None else _example(report.row) + "\n"
    console.result(report, lambda: changed + describe(report.dataset))
    return 0


def run_rename(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Give a dataset another name."""
    spec = api.RenameDatasetSpec(dataset=options.dataset, name=options.name)
    row = engine.datasets.rename(spec)
    console.result(row, lambda: f"It is called {row.name} now.")
    return 0


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Delete a dataset."""
    row = engine.datasets.remove(api.DatasetRef(dataset=options.dataset))
    console.result(
        {"removed": row.id}, lambda: f"Removed {row.name}. What was tuned with it is kept."
    )
    return 0


def run_from_feedback(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Make examples of corrected and rejected answers."""
    spec = api.FromFeedbackSpec(dataset=options.dataset, name=options.name)
    report = engine.datasets.from_feedback(spec)
    console.result(report, lambda: f"{report.added} new rows\n{describe_import(report)}")
    return 0
