from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.matching import score


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("mod", "Go to the models", "Commodity report"),
        ("set lib", "Settings: Library", "Set of pamphlets, liberally annotated, 1987"),
        ("gs", "Go to the settings", "Things as they were in the old days of sailing"),
        ("report", "report.pdf", "A long account of reporters and their work"),
        ("ÉTUDE", "étude-7.pdf", "Studies"),
        ("new", "New question", "Renewal of the contract"),
    ],
)
def test_what_a_person_means_comes_first(query: str, better: str, worse: str) -> None:
    assert score(query, better) > score(query, worse)
    assert score(query, better) > 0


@pytest.mark.parametrize("query", ["zzz", "models qqq", "xq"])
def test_what_is_not_there_is_not_found(query: str) -> None:
    assert score(query, "Go to the models") == 0


def test_words_may_come_in_any_order() -> None:
    assert score("library settings", "Settings: Library") > 0


@given(st.text(max_size=40), st.text(max_size=400))
def test_any_text_has_a_score(query: str, text: str) -> None:
    assert score(query, text) >= 0


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip()))
def test_a_text_is_found_by_itself(text: str) -> None:
    assert score(text, text) > 0
