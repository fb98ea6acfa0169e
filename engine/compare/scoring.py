"""What answers are worth: statistics of each question, and the figures of an exam from them.

Every figure is a function of sums over questions, so that one bootstrap serves all of them.
The first figure of a task is its score.

- answers, instruction: token F1 and exact match (Rajpurkar et al. 2016); a question without an
  answer is right where the answer says so.
- classification: accuracy and macro F1.
- entities: F1 over the whole exam; text and label must both be right (CoNLL-2003, Tjong Kim
  Sang and De Meulder 2003).
- fields: of all fields that are right or were said, the share that is both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.compare import texts
from engine.compare.bootstrap import Figure, Sums
from engine.tuning.datasets.types import TaskKind
from engine.work.api import Confusion, ExamItem
from engine.work.api.compare import Metric


@dataclass(frozen=True)
class Scores:
    """How an arm did in each question.

    Attributes:
        figures: name → statistics (questions, k) and what is made of their sums.
        each: of every question alone, 0 to 1, (questions,).
        read_as: the label each answer was understood as; empty but for classification.
    """

    figures: dict[Metric, tuple[Sums, Figure]]
    each: list[float]
    read_as: list[str]


def score(
    task: TaskKind, labels: Sequence[str], items: Sequence[ExamItem], answers: Sequence[str]
) -> Scores:
    """Score the answers to an exam, one for each item."""
    if task == "classification":
        return _score_labels(labels, items, answers)
    if task == "entities":
        return _score_entities(items, answers)
    if task == "fields":
        return _score_fields(items, answers)
    return _score_texts(items, answers)


def expected(item: ExamItem) -> list[str]:
    """The right answers of an item; empty where the right one is that there is none."""
    if item.label:
        return [item.label]
    if item.output:
        return [item.output]
    return list(item.answers) if item.answerable else []


def _score_texts(items: Sequence[ExamItem], answers: Sequence[str]) -> Scores:
    f1: list[float] = []
    exact: list[float] = []
    for item, answer in zip(items, answers, strict=True):
        right = expected(item)
        if right:
            f1.append(texts.token_f1(answer, right))
            exact.append(texts.exact_match(answer, right))
        else:
            f1.append(float(texts.refuses(answer)))
            exact.append(f1[-1])
    figures: dict[Metric, tuple[Sums, Figure]] = {
        "token F1": (_with_one(f1), _ratio),
        "exact match": (_with_one(exact), _ratio),
    }
    return Scores(figures, f1, [])


def _score_labels(
    labels: Sequence[str], items: Sequence[ExamItem], answers: Sequence[str]
) -> Scores:
    names = list(dict.fromkeys([*labels, *(item.label for item in items)]))
    place = {name: at for at, name in enumerate(names)}
    read_as = [texts.label_in(answer, names) for answer in answers]
    right = [float(said == item.label) for said, item in zip(read_as, items, strict=True)]
    # Of each label: right ones, times it was said, times it was there.
    counts = np.zeros((len(items), 3 * len(names)))
    for row, (said, item) in enumerate(zip(read_as, items, strict=True)):
        gold = 3 * place[item.label]
        counts[row, gold + 2] += 1
        if said:
            counts[row, 3 * place[said] + 1] += 1
        if said == item.label:
            counts[row, gold] += 1
    figures: dict[Metric, tuple[Sums, Figure]] = {
        "accuracy": (_with_one(right), _ratio),
        "macro F1": (counts, _macro_f1),
    }
    return Scores(figures, right, read_as)


def confusions(items: Sequence[ExamItem], read_as: Sequence[str]) -> list[Confusion]:
    """How often each label was answered with which, the most frequent first."""
    counts = Counter((item.label, said) for item, said in zip(items, read_as, strict=True))
    return [
        Confusion(label=label, answered=said, rows=rows)
        for (label, said), rows in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def _score_entities(items: Sequence[ExamItem], answers: Sequence[str]) -> Scores:
    rows: list[tuple[float, float, float]] = []
    for item, answer in zip(items, answers, strict=True):
        right, said = texts.entities_in(item.output), texts.entities_in(answer)
        rows.append(((right & said).total(), said.total(), right.total()))
    stats = np.array(rows, np.float64).reshape(-1, 3)
    return Scores({"entity F1": (stats, _f1)}, _f1(stats).tolist(), [])


def _score_fields(items: Sequence[ExamItem], answers: Sequence[str]) -> Scores:
    rows: list[tuple[float, float]] = []
    exact: list[float] = []
    for item, answer in zip(items, answers, strict=True):
        right, said = texts.fields_in(item.output), texts.fields_in(answer)
        equal = sum(said.get(name) == value for name, value in right.items())
        rows.append((equal, len(right.keys() | said.keys())))
        exact.append(float(right == said))
    stats = np.array(rows, np.float64).reshape(-1, 2)
    figures: dict[Metric, tuple[Sums, Figure]] = {
        "fields right": (stats, _ratio),
        "exact match": (_with_one(exact), _ratio),
    }
    return Scores(figures, _ratio(stats).tolist(), [])


def _with_one(values: Sequence[float]) -> Sums:
    """(questions, 2): each value and a one, whose sums make a mean."""
    column = np.asarray(values, np.float64).reshape(-1, 1)
    return np.hstack([column, np.ones_like(column)])


def _ratio(sums: Sums) -> Sums:
    """First over second; of nothing at all it is 1: nothing was missed."""
    return np.where(sums[:, 1] > 0, sums[:, 0] / np.maximum(sums[:, 1], 1e-12), 1.0)


def _f1(sums: Sums) -> Sums:
    """F1 of right, said and there; where none are there and none were said, 1."""
    both = sums[:, 1] + sums[:, 2]
    return np.where(both > 0, 2 * sums[:, 0] / np.maximum(both, 1e-12), 1.0)


def _macro_f1(sums: Sums) -> Sums:
    """Mean F1 of the labels that are there or were said."""
    by_label = sums.reshape(len(sums), -1, 3)
    both = by_label[:, :, 1] + by_label[:, :, 2]
    f1 = 2 * by_label[:, :, 0] / np.maximum(both, 1e-12)
    return f1.sum(axis=1) / np.maximum((both > 0).sum(axis=1), 1)
