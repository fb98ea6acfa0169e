"""Recall of follow-up questions as asked and made to stand alone by the conversation.

Every question of mtrag-un that has a conversation before it and a document that answers it.
The rewriting was chosen on this set, so its figures flatter it. What must hold: rewritten
questions find no less than the same ones as asked, beyond the paired interval.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.answers import followups
from engine.answers.prompts import Exchange
from engine.work.api import IndexSpec, SearchSpec
from tests.benchmarks.corpus import QA, Parts, documents, opened, paired_interval

SET = "mtrag-un"
DEPTHS = (1, 5)


@dataclass(frozen=True)
class FollowUp:
    """A question in a conversation, and the documents that answer it."""

    question: str
    turns: tuple[Exchange, ...]
    gold_docs: frozenset[str]


def main() -> list[dict[str, Any]]:
    """Search for every follow-up both ways, and for comparison with the question before it."""
    asked = questions()
    leaning = np.array([followups.leans(one.question) for one in asked])
    started = time.perf_counter()
    rewritten = [
        followups.query(one.question, followups.standalone(one.question, one.turns))
        for one in asked
    ]
    each_ms = (time.perf_counter() - started) * 1000 / len(asked)
    ways = {
        "as asked": [one.question for one in asked],
        "after the question before": [
            f"{one.turns[-1].question} {one.question}" for one in asked
        ],
        "rewritten": rewritten,
    }
    with opened() as parts:
        parts.libraries.index(IndexSpec(folder=str(documents(SET)), library=SET))
        found = {
            way: np.array([hits(parts, *pair) for pair in zip(queries, asked, strict=True)])
            for way, queries in ways.items()
        }
    rows = figures("follow-ups", found, np.ones(len(asked), dtype=bool))
    rows += figures("those rewritten", found, leaning)
    rows.append({"name": "rewriting one question", "value": round(each_ms, 3), "unit": "ms"})
    return rows


def questions() -> list[FollowUp]:
    """Answerable questions with a conversation before them."""
    lines = (QA / SET / "qa.jsonl").read_text("utf-8").strip().split("\n")
    rows = [json.loads(line) for line in lines]
    return [
        FollowUp(
            row["question"], exchanges(row["extra"]["history"]), frozenset(row["gold_docs"])
        )
        for row in rows
        if row["extra"].get("history") and row["gold_docs"]
    ]


def exchanges(said: list[dict[str, Any]]) -> tuple[Exchange, ...]:
    """Question and answer in turn, as the set has them."""
    texts = [entry["text"] for entry in said]
    return tuple(Exchange(*pair) for pair in zip(texts[::2], texts[1::2], strict=False))


def hits(parts: Parts, query: str, asked: FollowUp) -> list[float]:
    """1 or 0 for every depth: was a passage of an answering document among the first k?"""
    spec = SearchSpec(query=query, library=SET, top=max(DEPTHS))
    passages = parts.libraries.search(spec).passages
    good = [Path(hit.path).name in asked.gold_docs for hit in passages]
    return [float(any(good[:depth])) for depth in DEPTHS]


def figures(
    what: str, found: dict[str, np.ndarray], chosen: np.ndarray
) -> list[dict[str, Any]]:
    """Rows for the report, and how rewriting compares with the question as asked."""
    rows: list[dict[str, Any]] = []
    for column, depth in enumerate(DEPTHS):
        part = {way: outcome[chosen, column] for way, outcome in found.items()}
        for way, outcome in part.items():
            low, high = paired_interval(outcome)
            rows.append(row(f"{what} {way} recall@{depth}", outcome, low, high))
        difference = part["rewritten"] - part["as asked"]
        low, high = paired_interval(difference)
        verdict = "not worse" if high >= 0 else "WORSE"
        print(
            f"{what} rewritten-asked@{depth}: {difference.mean():+.3f} "
            f"[{low:+.3f}, {high:+.3f}] {verdict}"
        )
        note = f"{verdict}; {len(difference)} questions"
        rows.append(
            row(f"{what} rewritten minus as asked recall@{depth}", difference, low, high, note)
        )
    return rows


def row(
    name: str, values: np.ndarray, low: float, high: float, note: str = "chosen on"
) -> dict[str, Any]:
    """One line of the report."""
    return {
        "name": name,
        "value": round(float(values.mean()), 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "unit": "",
        "note": note,
    }
