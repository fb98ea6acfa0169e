"""`whetstone datasets make`: questions and answers from a library's passages."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine.cli.output import Console
from engine.errors import InvalidInput
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine


def checked(kind: type[api.View], **fields: Any) -> Any:
    """A spec of what the user typed.

    Raises:
        InvalidInput: a value is out of its range.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = "-".join(str(part) for part in first["loc"]).replace("_", "-")
        raise InvalidInput(f"--{place}: {first['msg']}.", details=str(error)) from error


def add_make(actions: Groups) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = actions.add_parser(
        "make", help="make questions and answers from a library's passages"
    )
    parser.add_argument("--library", required=True, metavar="NAME")
    parser.add_argument(
        "--count", type=int, default=100, metavar="N", help="questions with an answer (100)"
    )
    parser.add_argument(
        "--unanswerable",
        type=float,
        default=0.2,
        metavar="S",
        help="questions without one, for each of those (0.2)",
    )
    parser.add_argument("--model", metavar="M", help="who writes them (the default model)")
    parser.add_argument("--name", default="", metavar="NAME")
    parser.add_argument(
        "--anyway", action="store_true", help="go on with a model that is found too weak"
    )
    parser.add_argument(
        "--share", type=float, default=0.1, metavar="S", help="hold so much out (0.1)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.set_defaults(run=run_make)
    return parser


def run_make(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Make questions and answers from a library."""
    spec = checked(
        api.MakeExamplesSpec,
        library=options.library,
        count=options.count,
        unanswerable=options.unanswerable,
        model=options.model,
        name=options.name,
        anyway=options.anyway,
        share=options.share,
        seed=options.seed,
    )

    def on_event(kind: str, data: Any) -> None:
        if kind == "sample":
            console.note(data["sentence"])

    console.on_event = on_event
    report = engine.make_examples(spec, console.job)
    lines = [
        f"{report.dataset}: {report.name}, {report.answerable} questions with an answer and "
        f"{report.unanswerable} without",
        f"    {report.train} to train on, {report.heldout} held out",
        *report.warnings,
    ]
    console.result(report, lambda: "\n".join(lines))
    return 0
