"""The probability of passages before the model reads: its two numbers learned anew.

p(z) ∝ exp(-RANK·place - SCORE·(best - score)), by maximum likelihood of the passages that hold
the answer, over a grid, on the choosing sets; tested on covidqa. Compared with equal weights
and with the best that the place alone can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.answers import prior
from engine.paths import Home
from engine.work.api import IndexSpec, PassageHit
from tests.benchmarks.corpus import BENCH, documents, opened, plain
from tests.benchmarks.refusal import FITTED_ON, SETS, collect

RANKS = np.arange(0.0, 1.7, 0.1)
SCORES = np.arange(0.0, 42.0, 2.0)

Row = dict[str, Any]
Choice = tuple[np.ndarray, np.ndarray]
"""Features of the passages of one question, (k, 2), and which hold the answer, (k,)."""


def main() -> list[Row]:
    """The best numbers for the choosing sets, and mean log-likelihoods on all."""
    found: dict[str, list[Choice]] = {}
    with opened(Home(BENCH / "home")) as parts:
        for name in SETS:
            if documents(name).is_dir():
                parts.libraries.index(IndexSpec(folder=str(documents(name)), library=name))
                found[name] = choices(name, collect(parts, name))
    if not set(FITTED_ON) <= set(found):
        return []
    fitted = [choice for name in FITTED_ON for choice in found[name]]
    rank, score = best(fitted, RANKS, SCORES)
    place, _ = best(fitted, RANKS, np.zeros(1))
    rows = [
        _row("RANK, learned anew", rank, f"shipped: {prior.RANK:g}"),
        _row("SCORE, learned anew", score, f"shipped: {prior.SCORE:g}"),
    ]
    for name, some in found.items():
        role = "fitted on" if name in FITTED_ON else "test"
        for label, numbers in (
            ("equal weights", (0.0, 0.0)),
            ("the place alone", (place, 0.0)),
            ("shipped", (prior.RANK, prior.SCORE)),
        ):
            note = f"{len(some)} questions; higher is better; {role}"
            rows.append(_row(f"log-likelihood, {name}, {label}", mean(some, *numbers), note))
    return rows


def choices(name: str, cases: Sequence[Any]) -> list[Choice]:
    """Questions with a passage among those found that holds the answer."""
    made: list[Choice] = []
    for case in cases:
        if case.kind != "answerable" or not case.hits:
            continue
        holds = np.array([_holds(name, case.row, hit) for hit in case.hits])
        if holds.any():
            top = case.hits[0].score
            features = [(-place, hit.score - top) for place, hit in enumerate(case.hits)]
            made.append((np.asarray(features), holds))
    return made


def _holds(name: str, row: Row, hit: PassageHit) -> bool:
    if hit.path.rsplit("/", 1)[-1] not in row["gold_docs"]:
        return False
    text = plain(hit.text)
    return name == "mtrag-un" or any(plain(str(gold)) in text for gold in row["answers"])


def mean(some: Sequence[Choice], rank: float, score: float) -> float:
    """Mean log-probability of the passages that hold the answer."""
    total = 0.0
    for features, holds in some:
        odds = features @ np.array([rank, score])
        shares = np.exp(odds - odds.max())
        total += np.log(shares[holds].sum() / shares.sum())
    return total / max(len(some), 1)


def best(some: Sequence[Choice], ranks: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """The numbers of the grid with the largest likelihood."""
    tried = {(rank, score): mean(some, rank, score) for rank in ranks for score in scores}
    rank, score = max(tried, key=tried.__getitem__)
    return float(rank), float(score)


def _row(name: str, value: float, note: str) -> Row:
    return {"name": name, "value": round(value, 3), "unit": "", "note": note}
