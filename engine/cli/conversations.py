"""`whetstone conversations list|show|search|rename|rate|export|remove|clear`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.ask import describe as describe_answer
from engine.cli.output import Console, add_json
from engine.errors import Cancelled, InvalidInput
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

_MATCH = {ord("\u2068"): "«", ord("\u2069"): "»"}


def add_parser(groups: Groups) -> None:
    """Declare the commands."""
    group = groups.add_parser(
        "conversations", help="list, find, export or remove conversations"
    )
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all conversations, the one used last first")
    listing.set_defaults(run=run_list)
    showing = actions.add_parser("show", help="one conversation with its answers and sources")
    showing.add_argument("conversation", metavar="ID")
    showing.add_argument("--turn", type=int, metavar="N", help="only this question")
    showing.add_argument("--version", type=int, metavar="V", help="an earlier answer to it")
    showing.set_defaults(run=run_show)
    searching = actions.add_parser("search", help="find conversations by what was said")
    searching.add_argument("query", metavar="WORDS")
    searching.add_argument("--top", type=int, default=50, metavar="K", help="hits (50)")
    searching.set_defaults(run=run_search)
    renaming = actions.add_parser("rename", help="give a conversation another title")
    renaming.add_argument("conversation", metavar="ID")
    renaming.add_argument("title", metavar="TITLE")
    renaming.set_defaults(run=run_rename)
    rating = actions.add_parser("rate", help="say what you think of an answer")
    rating.add_argument("conversation", metavar="ID")
    rating.add_argument("turn", type=int, metavar="N")
    rating.add_argument("verdict", choices=["up", "down", "none"])
    rating.add_argument("--correction", default="", metavar="TEXT", help="the right answer")
    rating.set_defaults(run=run_rate)
    exporting = actions.add_parser("export", help="a conversation as a file others can read")
    exporting.add_argument("conversation", metavar="ID")
    exporting.add_argument("--format", choices=["md", "html", "json"], default="md")
    exporting.add_argument(
        "--out", metavar="FILE", help="file or folder to write to (default: print it)"
    )
    exporting.set_defaults(run=run_export)
    removing = actions.add_parser("remove", help="forget one conversation")
    removing.add_argument("conversation", metavar="ID")
    removing.set_defaults(run=run_remove)
    clearing = actions.add_parser("clear", help="forget all conversations")
    clearing.add_argument("--yes", action="store_true", help="do not ask first")
    clearing.set_defaults(run=run_clear)
    for parser in (
        listing,
        showing,
        searching,
        renaming,
        rating,
        exporting,
        removing,
        clearing,
    ):
        add_json(parser)


def run_list(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """All conversations, one a line."""
    rows = engine.list_conversations().conversations
    console.result(
        {"rows": [row.model_dump(mode="json") for row in rows]},
        lambda: "\n".join(map(describe, rows)) or "No conversations yet.",
    )
    return 0


def describe(row: api.ConversationRow) -> str:
    """One conversation in one line."""
    questions = "1 question" if row.turns == 1 else f"{row.turns} questions"
    return f"{row.id}  {row.title}  ({questions}, {row.updated_at})"


def run_show(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """One conversation, or one of its turns, or an earlier answer of that."""
    if options.version is not None and options.turn is None:
        raise InvalidInput("--version needs --turn.")
    if options.version is not None:
        spec = api.VersionSpec(
            conversation=options.conversation, turn=options.turn, version=options.version
        )
        report = engine.answer_version(spec)
        console.result(report, lambda: _turn(report))
        return 0
    from engine.store import conversations

    shown = conversations.show(engine.store, options.conversation)
    if options.turn is not None:
        found = [turn for turn in shown.turns if turn.turn == options.turn]
        if not found:
            raise InvalidInput(f"This conversation has no question number {options.turn}.")
        console.result(found[0], lambda: _turn(found[0]))
        return 0
    console.result(shown, lambda: "\n\n".join([shown.title, *map(_turn, shown.turns)]))
    return 0


def _turn(report: api.AnswerReport) -> str:
    lines = [f"{report.turn}. {report.question}"]
    if report.versions > 1:
        lines[0] += f"  ({report.versions} answers)"
    if report.rewritten:
        lines.append(f"Searched for: {report.rewritten}")
    lines += ["", report.answer, "", describe_answer(report)]
    if report.feedback is not None:
        lines.append(f"Rated: {report.feedback.verdict}")
        if report.feedback.correction:
            lines.append(f"Correction: {report.feedback.correction}")
    return "\n".join(lines)


def run_search(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Turns and titles that hold the words."""
    if options.top < 1:
        raise InvalidInput("The number of hits must be at least 1.")
    spec = api.ConversationQuery(query=options.query, limit=options.top)
    hits = engine.search_conversations(spec).hits

    def text() -> str:
        lines: list[str] = []
        for hit in hits:
            where = f", question {hit.turn}" if hit.turn else ""
            lines.append(f"{hit.conversation}  {hit.title}{where}")
            lines.append(f"    {' '.join(hit.snippet.split()).translate(_MATCH)}")
        return "\n".join(lines) or "Nothing found."

    console.result({"rows": [hit.model_dump(mode="json") for hit in hits]}, text)
    return 0


def run_rename(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Give a conversation another title."""
    spec = api.RenameConversationSpec(conversation=options.conversation, title=options.title)
    row = engine.rename_conversation(spec)
    console.result(row, lambda: describe(row))
    return 0


def run_rate(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Keep what the user thinks of an answer."""
    spec = api.FeedbackSpec(
        conversation=options.conversation,
        turn=options.turn,
        verdict=options.verdict,
        correction=options.correction,
    )
    report = engine.give_feedback(spec)
    console.result(report, lambda: "Kept.")
    return 0


def run_export(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Print a conversation, or write it to a file."""
    from engine.files import atomic_write

    spec = api.ExportSpec(conversation=options.conversation, format=options.format)
    exported = engine.export_conversation(spec)
    if options.out is None:
        console.result(exported, lambda: exported.text.rstrip("\n"))
        return 0
    out = Path(options.out).expanduser().absolute()
    if out.is_dir():
        out /= exported.name
    atomic_write(out, exported.text.encode("utf-8", "replace"))
    data = {"name": out.name, "out": str(out), "format": options.format}
    console.result(data, lambda: f"Written to {out}.")
    return 0


def run_remove(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Forget one conversation."""
    engine.remove_conversation(api.ConversationRef(conversation=options.conversation))
    console.result({"removed": options.conversation}, lambda: "Forgotten.")
    return 0


def run_clear(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Forget all conversations; a person at a terminal is asked first."""
    count = len(engine.list_conversations().conversations)
    what = "1 conversation" if count == 1 else f"{count} conversations"
    if not (options.yes or console.as_json) and sys.stdin.isatty():
        answer = input(f"Forget {what}? They cannot be brought back. [y/N] ")
        if answer.strip().casefold() not in ("y", "yes"):
            raise Cancelled()
    engine.clear_conversations()
    console.result({"removed": count}, lambda: f"Forgot {what}.")
    return 0
