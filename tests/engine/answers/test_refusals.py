"""Telling "the text does not say" from an answer that denies something."""

from __future__ import annotations

import pytest

from engine.answers.refusals import says_nothing


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I'm sorry, but the text does not provide that information.",
        "The passage does not mention who founded the station.",
        "The answer is not mentioned in the text.",
        "There is no information about this in the given documents.",
        "I don't know.",
        "It cannot be determined from the context.",
        "The provided context doesn't contain the answer. Please give more context.",
    ],
)
def test_refusals(answer: str) -> None:
    assert says_nothing(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "The station was founded in 1962.",
        "No, it does not contain sugar.",
        "No.",
        "Payment is not included in the price.",
        "The contract does not include travel. It covers meals. It ends in May.",
        "Members do not have to pay.",
    ],
)
def test_answers(answer: str) -> None:
    assert not says_nothing(answer)
