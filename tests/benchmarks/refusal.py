"""Refusals: the rule fitted anew, and its curve of risk against coverage.

Fitted on tatqa and mtrag-un, with questions whose documents were taken away beside mtrag-un's
own unanswerable ones; covidqa is only tested on. All by retrieval: the model's own probability
has no weight in the shipped rule (with the starter it told nothing on the choosing sets). A
question costs a search, so all are asked: all of covidqa and mtrag-un, 300 of tatqa.

Risk is the share of answered questions that have no answer in the documents; coverage the
share of answerable questions that are answered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.answers import followups
from engine.answers.prompts import Exchange
from engine.answers.refusing import SHIPPED, THRESHOLD, Signals, Weights, confidence, look
from engine.paths import Home
from engine.work.api import IndexSpec, PassageHit, SearchSpec
from tests.benchmarks.corpus import BENCH, QA, Parts, documents, opened

PASSAGES = 4
"""As many as a person is shown, and the rule looks at."""
DEEP = 14
SETS = ("tatqa", "mtrag-un", "covidqa")
FITTED_ON = ("tatqa", "mtrag-un")
MOST_OF_TATQA = 300
SEED = 3
RIDGE = 0.01
WANTED_REFUSED, WANTED_FALSE = 0.70, 0.15

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A question with what was found for it. `kind`: answerable, unanswerable, or taken away
    (answerable, but its documents were left out of what was found)."""

    kind: str
    signals: Signals
    hits: list[PassageHit]
    row: Row


def main() -> list[Row]:
    """The fit, and the curve at several thresholds."""
    cases: dict[str, list[Case]] = {}
    with opened(Home(BENCH / "home")) as parts:
        for name in SETS:
            if documents(name).is_dir():
                parts.libraries.index(IndexSpec(folder=str(documents(name)), library=name))
                cases[name] = collect(parts, name)
                print(f"{name}: {len(cases[name])} questions looked up", flush=True)
    rows: list[Row] = []
    if set(FITTED_ON) <= set(cases):
        fitted = fit([cases[name] for name in FITTED_ON])
        names = ("cosine", "BM25 a word", "words together", "bias")
        for label, new, kept in zip(
            names,
            (*fitted.each[:3], fitted.bias),
            (*SHIPPED.each[:3], SHIPPED.bias),
            strict=True,
        ):
            rows.append(_row(f"weight of {label}, fitted anew", new, f"shipped: {kept:g}"))
    for name, found in cases.items():
        rows += curve(name, found)
    return rows


def collect(parts: Parts, name: str) -> list[Case]:
    """Every question of a set with its signals."""
    lines = (QA / name / "qa.jsonl").read_text("utf-8").strip().split("\n")
    asked = [row for row in map(json.loads, lines) if _clean(name, row)]
    if name == "tatqa":
        order = np.random.default_rng(SEED).permutation(len(asked))
        asked = [asked[n] for n in order[:MOST_OF_TATQA]]
    cases: list[Case] = []
    for row in asked:
        question = followups.standalone(row["question"], said(row))
        spec = SearchSpec(
            query=followups.query(row["question"], question), library=name, top=DEEP
        )
        hits = parts.libraries.search(spec).passages
        kind = "answerable" if row["answerable"] else "unanswerable"
        shown = hits[:PASSAGES]
        cases.append(Case(kind, look(question, shown, None), shown, row))
        rest = [hit for hit in hits if hit.path.rsplit("/", 1)[-1] not in row["gold_docs"]]
        if row["answerable"] and len(rest) >= PASSAGES:
            shown = rest[:PASSAGES]
            cases.append(Case("taken away", look(question, shown, None), shown, row))
    return cases


def said(row: Row) -> list[Exchange]:
    """The turns before a question, where it has any."""
    turns = [turn["text"] for turn in row.get("extra", {}).get("history") or []]
    return [
        Exchange(turns[n], turns[n + 1] if n + 1 < len(turns) else "")
        for n in range(0, len(turns), 2)
    ]


def _clean(name: str, row: Row) -> bool:
    if row["answerable"]:
        return row["type"] in ("span", "ANSWERABLE", "extractive")
    if name == "mtrag-un":
        return row["type"] == "UNANSWERABLE"
    return not row["extra"].get("answer_text_also_in_kept_docs")


def fit(sets: Sequence[Sequence[Case]]) -> Weights:
    """Logistic regression by Newton's method, both kinds weighing the same in every set."""
    values, truths, weights = [], [], []
    for cases in sets:
        for case in cases:
            yes = case.kind == "answerable"
            values.append(case.signals.values()[:3])
            truths.append(float(yes))
            weights.append(1 / sum((other.kind == "answerable") == yes for other in cases))
    x, y, w = np.asarray(values), np.asarray(truths), np.asarray(weights)
    w /= w.sum()
    mean, scale = x.mean(axis=0), x.std(axis=0)
    z = np.c_[(x - mean) / scale, np.ones(len(x))]
    ridge = RIDGE * np.array([1.0, 1.0, 1.0, 0.0])
    beta = np.zeros(4)
    for _ in range(50):
        p = 1 / (1 + np.exp(-z @ beta))
        gradient = z.T @ (w * (p - y)) + ridge * beta
        hessian = (z.T * (w * p * (1 - p))) @ z + np.diag(ridge + 1e-9)
        beta -= np.linalg.solve(hessian, gradient)
    each = beta[:3] / scale
    return Weights(
        (float(each[0]), float(each[1]), float(each[2]), 0.0), float(beta[3] - each @ mean)
    )


def curve(name: str, cases: Sequence[Case]) -> list[Row]:
    """At several thresholds: who is refused, and what that leaves."""
    sure = {
        kind: np.array([confidence(case.signals) for case in cases if case.kind == kind])
        for kind in ("answerable", "unanswerable", "taken away")
    }
    no = "unanswerable" if len(sure["unanswerable"]) else "taken away"
    yes_scores, no_scores = sure["answerable"], sure[no]
    better = (yes_scores[:, None] > no_scores[None]).mean()
    counts = f"{len(yes_scores)} answerable, {len(no_scores)} {no}"
    role = "fitted on" if name in FITTED_ON else "test"
    rows = [_row(f"{name}: answerable above {no} (AUC)", float(better), f"{counts}; {role}")]
    for threshold in (0.2, 0.3, THRESHOLD, 0.45, 0.55):
        false = float((yes_scores < threshold).mean())
        refused = float((no_scores < threshold).mean())
        answered = (yes_scores >= threshold).sum() + (no_scores >= threshold).sum()
        risk = float((no_scores >= threshold).sum() / max(answered, 1))
        here = "default " if threshold == THRESHOLD else ""
        at = f"{name}, {here}threshold {threshold:g}"
        wanted = f"wanted: {WANTED_REFUSED:.2f} or more; " if here else ""
        least = f"wanted: {WANTED_FALSE:.2f} or less; " if here else ""
        rows += [
            _row(f"{at}: refused of the {no}", refused, f"{wanted}{role}"),
            _row(f"{at}: refused of the answerable", false, f"{least}{role}"),
            _row(f"{at}: risk at coverage {1 - false:.2f}", risk, role),
        ]
    return rows


def _row(name: str, value: float, note: str) -> Row:
    return {"name": name, "value": round(value, 3), "unit": "", "note": note}
