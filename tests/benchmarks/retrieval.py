"""Recall of search by meaning, by words and by both, on every question set.

A question counts as answered within k when one of the first k passages comes from a gold
document and holds a gold answer (for sets without answer spans: comes from a gold document).
Hybrid must be on no set worse than the better of the two beyond the paired interval.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from engine.work.api import IndexSpec, SearchSpec
from tests.benchmarks.corpus import (
    SETS,
    TESTING,
    Parts,
    Question,
    documents,
    opened,
    paired_interval,
    questions,
)

DEPTHS = (1, 5, 10)
METHODS = ("dense", "keyword", "hybrid")


def main() -> list[dict[str, Any]]:
    """Index what is not indexed yet, ask, and return recall with intervals."""
    rows: list[dict[str, Any]] = []
    print(f"{'set':12}{'method':10}" + "".join(f"   @{k:<4}" for k in DEPTHS))
    with opened() as parts:
        for name in SETS:
            parts.libraries.index(IndexSpec(folder=str(documents(name)), library=name))
            found = {
                method: np.array([hits(parts, name, method, q) for q in questions(name)])
                for method in METHODS
            }
            for method in METHODS:
                shares = found[method].mean(axis=0)
                print(f"{name:12}{method:10}" + "".join(f"{share:7.3f}" for share in shares))
            rows.extend(figures(name, found))
    return rows


def hits(parts: Parts, library: str, method: str, question: Question) -> list[float]:
    """1 or 0 for every depth: was an answering passage among the first k?"""
    spec = SearchSpec(
        query=question.text,
        library=library,
        top=max(DEPTHS),
        method=cast(Literal["hybrid", "dense", "keyword"], method),
    )
    passages = parts.libraries.search(spec).passages
    good = [question.answered_by(Path(hit.path).name, hit.text) for hit in passages]
    return [float(any(good[:depth])) for depth in DEPTHS]


def figures(name: str, found: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Rows for the report, and the verdict at every depth."""
    rows: list[dict[str, Any]] = []
    role = "test" if name in TESTING else "chosen on"
    for column, depth in enumerate(DEPTHS):
        for method in METHODS:
            low, high = paired_interval(found[method][:, column])
            rows.append(
                {
                    "name": f"{name} {method} recall@{depth}",
                    "value": round(float(found[method][:, column].mean()), 3),
                    "low": round(low, 3),
                    "high": round(high, 3),
                    "unit": "",
                    "note": role,
                }
            )
        better = max(("dense", "keyword"), key=lambda m: found[m][:, column].mean())
        difference = found["hybrid"][:, column] - found[better][:, column]
        low, high = paired_interval(difference)
        verdict = "not worse" if high >= 0 else "WORSE"
        print(
            f"{name:12}hybrid-{better}@{depth}: {difference.mean():+.3f}"
            f" [{low:+.3f}, {high:+.3f}] {verdict}"
        )
        rows.append(
            {
                "name": f"{name} hybrid minus {better} recall@{depth}",
                "value": round(float(difference.mean()), 3),
                "low": round(low, 3),
                "high": round(high, 3),
                "unit": "",
                "note": verdict,
            }
        )
    return rows
