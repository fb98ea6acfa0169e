"""Rules that join meaning and words, each tried on a question set that did not choose it.

For every rule and every set, the weight of the dense scores is chosen on the other sets, by
the smallest loss against the better of the two searches over all depths, and recall is then
counted on the set left out. Not part of a plain `make bench`: run
`python -m tests.benchmarks fusion` (with FULL=1 on all questions).

The lists fused here are what each search shows, neighbours joined, so the figures lie a
little below those of `retrieval`, which runs the search as it is; the rules compare all the
same. A hundred questions a set settle the rule, not the weight: that takes FULL=1.

After the rules come the pairs of words (docs/adr/0021): what each weight adds to the shipped
rule, question by question, and what could be gained at all, had one known for every question
which of the two lists to show, or how to order the candidates.

Rules: TM2C2, min-max and z-scores as in Bruch, Gai and Ingber 2022, arXiv 2210.11934;
reciprocal ranks as in Cormack, Clarke and Buettcher 2009.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.library.fusion import (
    CANDIDATES,
    DENSE_WEIGHT,
    PAIRED,
    PAIRS_WEIGHT,
    add_pairs,
    fuse,
)
from engine.library.pairs import PairCounter
from engine.work.api import IndexSpec, SearchSpec
from tests.benchmarks.corpus import (
    SETS,
    Parts,
    Question,
    documents,
    opened,
    paired_interval,
    questions,
)

DEPTHS = (1, 5, 10)
WEIGHTS = tuple(round(0.3 + 0.05 * step, 2) for step in range(13))
PAIR_WEIGHTS = (0.1, 0.2, PAIRS_WEIGHT, 0.3, 0.4)
RRF_K = 60

Scored = list[tuple[int, float]]
Rule = Callable[[Scored, Scored, float], Scored]


class Case(NamedTuple):
    """What each search found, which of it answers the question, and its shares of pairs."""

    dense: Scored
    keyword: Scored
    right: set[int]
    pairs: dict[int, float]


def tm2c2(dense: Scored, keyword: Scored, weight: float) -> Scored:
    return [(one.passage, one.score) for one in fuse(dense, keyword, weight)]


def _convex(scale: Callable[[np.ndarray], np.ndarray]) -> Rule:
    def rule(dense: Scored, keyword: Scored, weight: float) -> Scored:
        total: dict[int, float] = {}
        for found, share in ((dense, weight), (keyword, 1 - weight)):
            if not found:
                continue
            scaled = scale(np.array([score for _, score in found]))
            least = float(scaled.min())
            for passage, _ in dense + keyword:
                total[passage] = total.get(passage, 0.0)
            places = {passage: float(s) for (passage, _), s in zip(found, scaled, strict=True)}
            for passage in total:
                total[passage] += share * places.get(passage, least)
        return sorted(total.items(), key=lambda item: (-item[1], item[0]))

    return rule


def reciprocal_ranks(dense: Scored, keyword: Scored, weight: float) -> Scored:
    total: dict[int, float] = {}
    for found, share in ((dense, weight), (keyword, 1 - weight)):
        for rank, (passage, _) in enumerate(found, 1):
            total[passage] = total.get(passage, 0.0) + share / (RRF_K + rank)
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


RULES: dict[str, Rule] = {
    "TM2C2": tm2c2,
    "min-max": _convex(lambda s: (s - s.min()) / max(1e-9, float(np.ptp(s)))),
    "z-scores": _convex(lambda s: (s - s.mean()) / max(1e-9, float(s.std()))),
    "reciprocal ranks": reciprocal_ranks,
}


def main() -> list[dict[str, Any]]:
    """Recall of every rule on every set left out, and of the weight that is shipped."""
    with opened() as parts:
        cases = {name: collect(parts, name) for name in SETS}
    alone = {
        name: np.maximum(
            recall(cases[name], lambda dense, keyword: dense),
            recall(cases[name], lambda dense, keyword: keyword),
        )
        for name in SETS
    }
    rows: list[dict[str, Any]] = []
    for label, rule in RULES.items():
        curves = {
            name: {weight: recall(cases[name], _weighted(rule, weight)) for weight in WEIGHTS}
            for name in SETS
        }
        for left_out in SETS:
            others = [name for name in SETS if name != left_out]
            weight = max(
                WEIGHTS,
                key=lambda w: min(float((curves[n][w] - alone[n]).min()) for n in others),
            )
            rows.append(_row(f"{label}, {left_out} left out", curves[left_out][weight], weight))
    for name in SETS:
        shipped = recall(cases[name], _weighted(tm2c2, DENSE_WEIGHT))
        rows.append(_row(f"shipped rule on {name}", shipped, DENSE_WEIGHT))
    for name in SETS:
        rows.extend(_pairs_rows(name, cases[name]))
    for row in rows:
        print(f"{row['name']:40}{row['value']:7.3f}  {row['note']}")
    return rows


def collect(parts: Parts, name: str) -> list[Case]:
    """Both searches for every question of a set."""
    parts.libraries.index(IndexSpec(folder=str(documents(name)), library=name))
    counter = PairCounter()
    return [_case(parts, counter, name, question) for question in questions(name)]


def _case(parts: Parts, counter: PairCounter, name: str, question: Question) -> Case:
    right: set[int] = set()
    texts: dict[int, str] = {}
    lists: list[Scored] = []
    for method in ("dense", "keyword"):
        spec = SearchSpec(query=question.text, library=name, top=CANDIDATES, method=method)
        found = parts.libraries.search(spec).passages
        lists.append([(hit.passage_id, hit.score) for hit in found])
        texts.update((hit.passage_id, hit.text) for hit in found)
        right |= {
            hit.passage_id
            for hit in found
            if question.answered_by(Path(hit.path).name, hit.text)
        }
    pairs = dict(zip(texts, counter.shares(question.text, list(texts.values())), strict=True))
    return Case(lists[0], lists[1], right, pairs)


def _weighted(rule: Rule, weight: float) -> Callable[[Scored, Scored], Scored]:
    return lambda dense, keyword: rule(dense, keyword, weight)


def recall(cases: list[Case], order: Callable[[Scored, Scored], Scored]) -> np.ndarray:
    """Share of the questions answered within each depth, shape (len(DEPTHS),)."""
    hits = np.zeros(len(DEPTHS))
    for case in cases:
        hits += _within(case, order(case.dense, case.keyword))
    return hits / max(1, len(cases))


def _within(case: Case, ranked: Scored) -> list[float]:
    """1 or 0 for every depth: was the question answered within it?"""
    good = [passage in case.right for passage, _ in ranked[: max(DEPTHS)]]
    return [float(any(good[:depth])) for depth in DEPTHS]


def _with_pairs(case: Case, weight: float) -> Scored:
    fused = fuse(case.dense, case.keyword)
    if not (case.dense and case.keyword):
        return [(one.passage, one.score) for one in fused]
    near = {one.passage: case.pairs[one.passage] for one in fused[:PAIRED]}
    return [(one.passage, one.score) for one in add_pairs(fused, near, weight)]


def _pairs_rows(name: str, cases: list[Case]) -> list[dict[str, Any]]:
    """What pairs of words add to the shipped rule on a set, and what there was to gain."""
    alone = {
        label: np.array([_within(case, found(case)) for case in cases])
        for label, found in (("dense", lambda c: c.dense), ("keyword", lambda c: c.keyword))
    }
    before = np.array([_within(case, tm2c2(*case[:2], DENSE_WEIGHT)) for case in cases])
    rows: list[dict[str, Any]] = []
    for weight in PAIR_WEIGHTS:
        after = np.array([_within(case, _with_pairs(case, weight)) for case in cases])
        rows.append(_gain(f"pairs of words {weight:g} on {name}", after, before))
    either = np.maximum(alone["dense"], alone["keyword"])
    rows.append(_gain(f"oracle on {name}: the better list", either, before))
    anywhere = np.array([[float(bool(case.right))] * len(DEPTHS) for case in cases])
    rows.append(_gain(f"oracle on {name}: the best order", anywhere, before))
    return rows


def _gain(name: str, after: np.ndarray, before: np.ndarray) -> dict[str, Any]:
    """A row with the paired difference at every depth."""
    shares = after.mean(axis=0)
    gains: list[str] = []
    for column, depth in enumerate(DEPTHS):
        difference = after[:, column] - before[:, column]
        low, high = paired_interval(difference)
        gains.append(f"@{depth} {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]")
    depths = " / ".join(f"{share:.3f}" for share in shares)
    note = f"@1 / @5 / @10: {depths}; against none: {', '.join(gains)}"
    return {"name": name, "value": round(float(shares.mean()), 3), "unit": "", "note": note}


def _row(name: str, shares: np.ndarray, weight: float) -> dict[str, Any]:
    depths = " / ".join(f"{share:.3f}" for share in shares)
    note = f"@1 / @5 / @10: {depths}; dense weight {weight:g}"
    return {"name": name, "value": round(float(shares.mean()), 3), "unit": "", "note": note}
