"""Figures of a task against their definitions, counted the long way."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compare.scoring import Scores, confusions, expected, score
from engine.tuning.datasets.types import TaskKind
from engine.work.api import ExamItem
from engine.work.api.compare import Metric

LABELS = ["red", "green", "blue"]


def figure(scores: Scores, name: Metric) -> float:
    stats, made = scores.figures[name]
    return float(made(stats.sum(axis=0, keepdims=True))[0])


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(LABELS), st.sampled_from([*LABELS, "?"])), min_size=1
    )
)
def test_accuracy_macro_f1_and_confusions(rows: list[tuple[str, str]]) -> None:
    items = [ExamItem(id=str(n), text="t", label=gold) for n, (gold, _) in enumerate(rows)]
    scores = score("classification", LABELS, items, [said for _, said in rows])
    assert next(iter(scores.figures)) == "accuracy"
    right = [gold == said for gold, said in rows]
    assert figure(scores, "accuracy") == pytest.approx(np.mean(right))
    assert scores.each == [float(one) for one in right]
    f1: list[float] = []
    for label in LABELS:
        true = sum(gold == said == label for gold, said in rows)
        there = sum(gold == label for gold, _ in rows)
        told = sum(said == label for _, said in rows)
        if there + told:
            f1.append(2 * true / (there + told))
    assert figure(scores, "macro F1") == pytest.approx(np.mean(f1))
    mixed = confusions(items, scores.read_as)
    assert sum(one.rows for one in mixed) == len(rows)
    assert sum(one.rows for one in mixed if one.label == one.answered) == sum(right)


def test_entities_are_counted_over_the_whole_exam() -> None:
    gold = [
        [{"text": "Anna", "label": "PER"}, {"text": "Oslo", "label": "LOC"}],
        [{"text": "Bern", "label": "LOC"}],
        [],
    ]
    said = [
        [{"text": "Anna", "label": "per"}, {"text": "Oslo", "label": "ORG"}],
        [{"text": "Bern", "label": "LOC"}, {"text": "Bern", "label": "LOC"}],
        [],
    ]
    items = [
        ExamItem(id=str(n), text="t", output=json.dumps(one)) for n, one in enumerate(gold)
    ]
    scores = score("entities", [], items, [json.dumps(one) for one in said])
    assert figure(scores, "entity F1") == pytest.approx(2 * 2 / (4 + 3))
    assert scores.each == pytest.approx([0.5, 2 / 3, 1.0])


def test_fields_that_are_made_up_count_against() -> None:
    items = [ExamItem(id="1", text="t", output='{"a": "X", "b": 2}')]
    assert figure(score("fields", [], items, ['{"b": 2.0, "a": "x"}']), "fields right") == 1.0
    scores = score("fields", [], items, ['{"a": "x", "c": 1}'])
    assert figure(scores, "fields right") == pytest.approx(1 / 3)
    assert figure(scores, "exact match") == 0.0
    assert figure(score("fields", [], items, ["no"]), "fields right") == 0.0


def test_a_question_without_an_answer_is_right_where_it_is_refused() -> None:
    items = [
        ExamItem(id="1", question="?", answers=["in 1952"]),
        ExamItem(id="2", question="?", answerable=False),
        ExamItem(id="3", question="?", answerable=False),
    ]
    scores = score("answers", [], items, ["1952", "The text does not say.", "In 1960."])
    assert scores.each == pytest.approx([2 / 3, 1.0, 0.0])
    assert figure(scores, "exact match") == pytest.approx(1 / 3)
    assert [expected(item) for item in items] == [["in 1952"], [], []]


@pytest.mark.parametrize("task", ["answers", "instruction", "classification", "entities"])
def test_the_right_answers_score_one(task: TaskKind) -> None:
    output = '[{"text": "a", "label": "b"}]'
    item = {
        "classification": ExamItem(id="1", text="t", label="red"),
        "entities": ExamItem(id="1", text="t", output=output),
    }.get(task, ExamItem(id="1", question="q", answers=["yes it is", "so"]))
    scores = score(task, LABELS, [item], expected(item)[:1])
    assert [figure(scores, name) for name in scores.figures] == [1.0] * len(scores.figures)
