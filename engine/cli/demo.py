"""`whetstone demo`: the main job on the sample folder, in the terminal."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from engine.cli.ask import answer_one
from engine.cli.index import describe as describe_index
from engine.cli.output import Console, add_json
from engine.errors import InvalidInput
from engine.paths import resources_dir, sample_dir
from engine.work import api

if TYPE_CHECKING:
    from engine.cli.main import Groups
    from engine.host.service import Engine

LIBRARY = "Sample"


def add_parser(groups: Groups) -> None:
    """Declare the command."""
    parser = groups.add_parser("demo", help="index the sample folder and ask it a question")
    parser.add_argument("question", nargs="?", metavar="Q", help="default: one that fits")
    add_json(parser)
    parser.set_defaults(run=run)


def run(engine: Engine, options: argparse.Namespace, console: Console) -> int:
    """Index, ask, and show the place the answer came from."""
    spec = api.IndexSpec(folder=str(sample_dir()), library=LIBRARY)
    indexed = engine.index(spec, console.job)
    question = options.question or sample_question()
    if not console.as_json:
        console.note(f"{describe_index(indexed)}\n\nQuestion: {question}\n")
    ask = api.AskSpec(question=question, library=indexed.library_id, conversation="")
    if console.as_json:
        report = engine.ask(ask, console.job)
        both = {"index": indexed.model_dump(mode="json"), "ask": report.model_dump(mode="json")}
        console.result(both, str)
    else:
        answer_one(console, lambda: engine.ask(ask, console.job))
    return 0


def sample_question() -> str:
    """The first question that goes with the sample folder.

    Raises:
        InvalidInput: the installation lacks its sample.
    """
    path = resources_dir() / "sample-questions.jsonl"
    try:
        return str(json.loads(path.read_text("utf-8").splitlines()[0])["question"])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InvalidInput(
            "The sample that belongs to Whetstone is missing.",
            hint="Run the set-up again.",
            details=str(error),
        ) from error
