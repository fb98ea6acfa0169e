"""Questions from a file, rows to a file: shared by `search` and `ask`."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.cli.output import Console
from engine.errors import Cancelled, EngineError, InvalidInput, WorkerCrashed
from engine.files import storage_error
from engine.work import api


def add_batch(parser: argparse.ArgumentParser) -> None:
    """Declare `--questions` and `--out`."""
    parser.add_argument(
        "--questions", metavar="FILE", help="JSON lines with id and question; needs --out"
    )
    parser.add_argument("--out", metavar="FILE", help="where the rows go, as JSON lines")


def is_batch(options: argparse.Namespace, single: str | None) -> bool:
    """Whether the command runs over a file.

    Raises:
        InvalidInput: neither or both of a question and a file were given.
    """
    if (single is None) == (options.questions is None):
        raise InvalidInput("Give either one question or --questions FILE with --out FILE.")
    if (options.questions is None) != (options.out is None):
        raise InvalidInput("--questions and --out go together.")
    return options.questions is not None


def read_questions(path: str) -> list[dict[str, Any]]:
    """The rows of a questions file.

    Raises:
        InvalidInput: the file is missing or a row is not {"id", "question"}.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"The questions in {path!r} could not be read.",
            hint="It must be a UTF-8 file with one JSON object a line.",
            details=str(error),
        ) from error
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not str(row["question"]).strip():
                raise ValueError("the question is empty")
            rows.append(
                {
                    "id": row.get("id", number),
                    "question": str(row["question"]),
                    "history": _history(row.get("history") or []),
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidInput(
                f"Line {number} of {path!r} is not a question.",
                hint='Each line looks like {"id": "q1", "question": "…"}; "history" may hold '
                'the turns before, as [{"question": "…", "answer": "…"}].',
                details=str(error),
            ) from error
    return rows


def _history(turns: list[Any]) -> list[api.Said]:
    """Earlier turns: pairs of question and answer, or messages with a role and a text.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is neither.
    """
    said: list[api.Said] = []
    for turn in turns:
        if "question" in turn:
            said.append(
                api.Said(question=str(turn["question"]), answer=str(turn.get("answer") or ""))
            )
            continue
        role = str(turn.get("role") or turn["speaker"])
        text = str(turn["content"] if "content" in turn else turn["text"])
        if role == "user":
            said.append(api.Said(question=text))
        elif role in ("assistant", "agent") and said:
            said[-1].answer = f"{said[-1].answer} {text}".strip()
    return said


def run_batch(
    options: argparse.Namespace,
    console: Console,
    answer: Callable[[str, list[api.Said]], api.View],
) -> int:
    """Answer every question in order; one row each, `id` kept, failures among them.

    The rows are written as they come to FILE.part, which becomes FILE at the end; a
    cancelled run leaves FILE.part with what was done.
    """
    questions = read_questions(options.questions)
    out = Path(options.out)
    part = out.with_name(out.name + ".part")
    started, failed = time.monotonic(), 0
    try:
        with part.open("w", encoding="utf-8") as stream:
            for number, row in enumerate(questions):
                console.job.checkpoint()
                console.job.progress(number, len(questions), "questions")
                outcome = _one(row["question"], row["history"], answer)
                failed += "error" in outcome
                line = json.dumps({"id": row["id"], **outcome}, ensure_ascii=True)
                stream.write(line + "\n")
                stream.flush()
        os.replace(part, out)
    except OSError as error:
        raise storage_error(error, out) from error
    seconds = time.monotonic() - started
    summary = {
        "rows": len(questions),
        "failed": failed,
        "out": str(out.absolute()),
        "seconds": round(seconds, 3),
    }
    console.result(
        summary,
        lambda: f"{len(questions)} rows, {failed} failed, in {seconds:.1f} s: {out}",
    )
    return 0 if failed == 0 else 3


def _one(
    question: str,
    history: list[api.Said],
    answer: Callable[[str, list[api.Said]], api.View],
) -> dict[str, Any]:
    """One row; a child that died is given one more chance, like a person would."""
    for attempt in (1, 2):
        try:
            return {"question": question, **answer(question, history).model_dump(mode="json")}
        except Cancelled:
            raise
        except WorkerCrashed as error:
            if attempt == 2:
                return {"question": question, "error": error.to_dict()}
        except EngineError as error:
            return {"question": question, "error": error.to_dict()}
    raise AssertionError("unreachable")
