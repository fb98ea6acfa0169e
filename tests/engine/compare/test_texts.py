"""Answers, labels and JSON are compared by what they say, not by how they are written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compare.texts import (
    entities_in,
    exact_match,
    fields_in,
    label_in,
    token_f1,
    words,
)

LABELS = ["transfer", "transfer money", "book_hotel", "ORDER STATUS", "none"]


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("transfer", "transfer"),
        ("Transfer.", "transfer"),
        ("transfer_money", "transfer money"),
        ("The label is: book hotel", "book_hotel"),
        ("**Order-Status**\nbecause it asks for one", "ORDER STATUS"),
        ("transfer money", "transfer money"),
        ("I would say transfer money here", "transfer money"),
        ("transfer or book hotel", ""),
        ("bookings", ""),
        ("", ""),
        ("transfer money, not transfer", ""),
    ],
)
def test_labels(answer: str, label: str) -> None:
    assert label_in(answer, LABELS) == label


@given(labels=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8, unique=True))
def test_a_label_said_as_it_is_is_that_label(labels: list[str]) -> None:
    for label in labels:
        said = label_in(label, labels)
        if said != label:  # only where another one reads the same, or it has no letter
            assert words(said) == words(label) or not said


@pytest.mark.parametrize(
    ("answer", "right", "f1", "exact"),
    [
        ("The Eiffel Tower!", ["eiffel tower"], 1.0, 1.0),
        ("Eiffel", ["Eiffel Tower"], 2 / 3, 0.0),
        ("Paris", ["London", "paris"], 1.0, 1.0),
        ("", ["Paris"], 0.0, 0.0),
        ("tower tower", ["tower"], 2 / 3, 0.0),
        ("七時", ["七時四十分"], 4 / 7, 0.0),
        ("x", [], 0.0, 0.0),
    ],
)
def test_words_of_answers(answer: str, right: list[str], f1: float, exact: float) -> None:
    assert token_f1(answer, right) == pytest.approx(f1)
    assert exact_match(answer, right) == exact


@given(one=st.text(max_size=40), other=st.text(max_size=40))
def test_f1_is_a_share_the_same_both_ways(one: str, other: str) -> None:
    assert 0.0 <= token_f1(one, [other]) <= 1.0
    assert token_f1(one, [other]) == token_f1(other, [one])
    assert token_f1(one, [one]) == 1.0
    assert exact_match(one, [other]) <= token_f1(one, [other])


def test_entities_in_whatever_stands_around_them() -> None:
    found = entities_in('Sure:\n```json\n[{"text": "New  York", "label": "LOC"}, 3]\n```')
    assert found == {("New York", "loc"): 1}
    twice = [{"text": "a", "label": "x"}] * 2
    assert entities_in(json.dumps(twice))[("a", "x")] == 2
    for rubbish in ("", "[", "{}", "[[]]", '[{"text": 1, "label": "x"}]', "[" * 5000):
        assert not entities_in(rubbish)


def test_fields_by_path_and_value() -> None:
    found = fields_in('{"a": 1.0, "b": {"c": ["X  y", true, null]}}')
    assert found == {"/a": "1", "/b/c/0": "x y", "/b/c/1": "true", "/b/c/2": "null"}
    assert fields_in('{"a": 1}') == fields_in('{"a": 1.0}')
    assert fields_in("[1]") == fields_in("no") == {}
