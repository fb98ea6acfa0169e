"""Where words came from, with probabilities small enough to work out by hand."""

from __future__ import annotations

import math

import pytest

from engine.answers.attribution import Attribution
from engine.answers.generation import Generated, WrittenToken

TEXT = "Mary Olsen"
LOG = math.log


def made(prior: list[float], *tokens: tuple[int, list[float]], text: str = TEXT) -> Attribution:
    """Tokens as (end, probability under each passage)."""
    return Attribution(
        Generated(
            text=text,
            ending="end",
            prompt_tokens=1,
            reused_tokens=0,
            generated_tokens=len(tokens),
            first_token_ms=1.0,
            total_ms=1.0,
            prior=[LOG(one) for one in prior],
            tokens=[
                WrittenToken(end=end, own=-0.1, under=[LOG(one) for one in under])
                for end, under in tokens
            ],
        )
    )


def test_passages_read_together_attribute_nothing() -> None:
    together = made([], (4, []), (10, []))
    assert not together
    assert list(together.words()) == []


def test_the_share_is_the_posterior_by_bayes() -> None:
    answer = made([0.5, 0.5], (4, [0.8, 0.2]), (10, [0.1, 0.9]))
    assert answer
    assert answer.share(0, 4) == pytest.approx([0.8, 0.2])
    assert answer.share(5, 10) == pytest.approx([0.1, 0.9])
    both = [0.8 * 0.1, 0.2 * 0.9]
    assert answer.share(0, 10) == pytest.approx([one / sum(both) for one in both])


def test_the_prior_counts() -> None:
    answer = made([0.9, 0.1], (10, [0.5, 0.5]))
    assert answer.share(0, 10) == pytest.approx([0.9, 0.1])
    assert answer.share(100, 110) == pytest.approx([0.9, 0.1])  # nothing was written there


def test_a_word_made_of_several_tokens_comes_from_one_passage() -> None:
    answer = made([0.5, 0.5], (2, [0.6, 0.4]), (4, [0.9, 0.3]), (10, [0.2, 0.6]))
    first, second = answer.words()
    assert (first.start, first.end, first.n) == (0, 4, 1)
    assert first.weight == pytest.approx(0.54 / 0.66, abs=0.001)
    assert (second.start, second.end, second.n) == (5, 10, 2)
    assert second.weight == pytest.approx(0.75, abs=0.001)
