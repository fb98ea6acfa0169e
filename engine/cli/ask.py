"""`whetstone ask Q --library NAME`: an answer with its sources."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.cli.batch import add_batch, is_batch, run_batch
from engine.cli.narrowing import add_narrowing, filter_of, libraries_of
from engine.cli.output import Console, add_json, place
from engine.errors import InvalidInput
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("ask", help="answer a question from a library")
    parser.add_argument("question", metavar="Q", nargs="?")
    add_narrowing(
        parser,
        needed=False,
        note="; not needed with --mode none, nor with --conversation to stay where that was",
    )
    parser.add_argument("--model", metavar="M", help="model id (default: the default model)")
    parser.add_argument(
        "--adapter",
        metavar="A[:SCALE]|none",
        action="append",
        default=[],
        help="adapter by id or name, with its own model where none is named; again for several "
        "at once; none: the model as it is (default: what is enabled for the model)",
    )
    parser.add_argument(
        "--mode",
        choices=["auto", "joint", "token", "sequence", "none"],
        default="auto",
        help="joint: all passages in one prompt; none: the model alone; auto: choose",
    )
    parser.add_argument("--top", type=int, metavar="K", help="passages in the prompt")
    parser.add_argument("--conversation", metavar="ID", help="continue a conversation")
    parser.add_argument(
        "--replaces",
        type=int,
        metavar="N",
        help="ask in place of question N of the conversation; its answers are kept",
    )
    parser.add_argument(
        "--as-asked",
        action="store_true",
        help="search for a follow-up word for word, without the words it leans on",
    )
    parser.add_argument(
        "--preset", metavar="ID", help='preset for the system prompt; "" for none'
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="draw other words instead of the likeliest"
    )
    parser.add_argument(
        "--answer-anyway",
        action="store_true",
        help="answer even where the documents probably hold nothing about it",
    )
    add_batch(parser)
    add_json(parser)
    parser.set_defaults(run=run)


MODES = {
    "none": "Answered without documents",
    "joint": "All passages read together",
    "token": "Each passage read by itself, mixed word by word",
    "sequence": "Each passage read by itself, whole answers compared",
    "whole": "Read as a whole",
    "count": "Counted",
}
"""How an answer was made, in words."""
ONE_READ = "The best passage read"


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Ask once, or once for every row of a file."""
    adapter, mix = adapters_of(options.adapter)
    batch = is_batch(options, options.question)
    goes_on = options.conversation and not batch  # a file of questions is no conversation
    if not (options.library or goes_on or options.mode == "none"):
        raise InvalidInput(
            "Name the library to ask with --library.",
            hint="`whetstone libraries list` shows them; --mode none asks the model alone.",
        )
    library, others = libraries_of(options) if options.mode != "none" else (None, [])
    wanted = filter_of(options)

    def ask(question: str, history: list[api.Said]) -> api.AnswerReport:
        spec = api.AskSpec(
            question=question,
            library=library,
            libraries=others,
            filter=wanted,
            model=options.model,
            adapter=adapter,
            mix=mix,
            mode=options.mode,
            top=options.top,
            conversation="" if batch else options.conversation,
            history=history,
            replaces=options.replaces,
            rewrite=not options.as_asked,
            preset=options.preset,
            seed=options.seed,
            refuse=False if options.answer_anyway else None,
        )
        return engine.ask(spec, console.job)

    if batch:
        from engine.library.filtering import condition

        for name in [library, *others] if library is not None else []:
            engine.libraries.find(name)
        condition(wanted)  # a filter that says nothing is one error, not one a row
        engine.adapters.check(
            api.AskSpec(question="", model=options.model, adapter=adapter, mix=mix)
        )
        return run_batch(options, console, ask)
    answer_one(console, lambda: ask(options.question, []))
    return 0


def adapters_of(named: Sequence[str]) -> tuple[str, list[api.AdapterMix]]:
    """One adapter as it was trained, or several adapters with their scales.

    Raises:
        InvalidInput: a scale that is no number from -10 to 10.
    """
    if len(named) <= 1 and not any(":" in one for one in named):
        return (named[0] if named else ""), []
    mix: list[api.AdapterMix] = []
    for one in named:
        name, colon, scale = one.rpartition(":")
        try:
            strength = float(scale) if colon else 1.0
            mix.append(api.AdapterMix(adapter=name if colon else one, scale=strength))
        except ValueError as error:
            raise InvalidInput(
                f"{one!r} is no adapter with a scale.", hint="Write it as NAME:0.5."
            ) from error
    return "", mix


def answer_one(console: Console, ask: Any) -> api.AnswerReport:
    """Ask with sources first and the answer streamed, then the checked citations."""

    def show(kind: str, data: Any) -> None:
        if kind == "loading" and not console.as_json:
            console.note(f"Loading {data['model']} …")
        elif kind == "rewritten" and not console.as_json:
            console.note(f"Searching for: {data['question']}")
        elif kind == "token":
            console.stream(data["text"])

    console.on_event = show
    report: api.AnswerReport = ask()
    console.stream("\n\n")
    console.result(report, lambda: f"{describe(report)}{_go_on(report)}")
    return report


def _go_on(report: api.AnswerReport) -> str:
    """How to ask the next question of the same conversation."""
    kept = report.conversation
    return f"\nAsk on with: whetstone ask … --conversation {kept}" if kept else ""


def describe(report: api.AnswerReport) -> str:
    """What follows the streamed text: the evidence for each citation, and the timing."""
    lines = [report.notice] if report.notice else []
    if report.refused:
        lines.append(report.answer)
    unsupported = [one.text for one in report.sentences if not one.supported]
    if unsupported and report.citations:
        lines.append("Not found in the passages that were read:")
        lines += [f"  {textwrap.shorten(text, 160, placeholder=' …')}" for text in unsupported]
    for citation in report.citations:
        where = place(citation.path, citation.page, citation.heading, citation.place)
        lines.append(f"[{citation.n}] {where}")
        quote = textwrap.shorten(citation.quote, 400, placeholder=" …")
        lines += textwrap.wrap(
            f"“{quote}”", 92, initial_indent="    ", subsequent_indent="    "
        )
    if not report.citations and report.passages:
        lines.append("Closest passages:")
        lines += [
            f"  {n}. {place(hit.path, hit.page, hit.heading, hit.place)}"
            for n, hit in enumerate(report.passages, 1)
        ]
    if report.mode_reason:
        how = ONE_READ if report.read == 1 else MODES[report.mode]
        lines.append(f"{how}: {report.mode_reason}.")
    who = report.model or "no model"
    lines.append(
        f"{who}{f' with {report.adapter}' if report.adapter else ''} · "
        f"first word after {report.timings.first_token_ms / 1000:.1f} s · "
        f"{report.timings.total_ms / 1000:.1f} s · {report.tokens_per_second:.0f} tokens/s"
    )
    return "\n".join(lines)
