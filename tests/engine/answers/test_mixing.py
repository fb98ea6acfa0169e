"""The arithmetic of RAG-Token and RAG-Sequence against its definition, term by term."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.answers.mixing import (
    log_softmax,
    mix,
    normalized,
    posterior,
    sequence_marginal,
    token_marginal,
)

SHAPES = st.tuples(st.integers(1, 5), st.integers(2, 30), st.integers(0, 2**32 - 1))


def chance(k: int, v: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A prior over k passages and k sharp distributions over v tokens, as logarithms."""
    random = np.random.default_rng(seed)
    prior = normalized(random.normal(size=k) * 2)
    scores = (random.normal(size=(k, v)) * 5).astype(np.float32)
    return prior, log_softmax(scores)


@given(SHAPES)
def test_a_mixture_is_the_weighted_sum_of_the_distributions(
    shape: tuple[int, int, int],
) -> None:
    prior, conditionals = chance(*shape)
    brute = sum(
        math.exp(weight) * np.exp(row.astype(np.float64))
        for weight, row in zip(prior, conditionals, strict=True)
    )
    mixed = mix(prior, conditionals)
    assert np.abs(np.exp(mixed.astype(np.float64)) - brute).max() < 1e-4
    assert abs(np.exp(mixed.astype(np.float64)).sum() - 1.0) < 1e-4


@given(SHAPES)
def test_marginals_over_all_answers_sum_to_one(shape: tuple[int, int, int]) -> None:
    k, _, seed = shape
    v, length = 3, 3
    random = np.random.default_rng(seed)
    prior = normalized(random.normal(size=k))
    # p(y_t | z, y_<t) for every beginning y_<t.
    tables = {
        begun: log_softmax((random.normal(size=(k, v)) * 3).astype(np.float32))
        for size in range(length)
        for begun in itertools.product(range(v), repeat=size)
    }
    by_token = by_sequence = 0.0
    for answer in itertools.product(range(v), repeat=length):
        likelihoods = [
            tables[answer[:at]][:, answer[at]].astype(np.float64) for at in range(length)
        ]
        by_token += math.exp(token_marginal(prior, likelihoods))
        by_sequence += math.exp(sequence_marginal(prior, likelihoods))
    assert abs(by_token - 1.0) < 1e-4
    assert abs(by_sequence - 1.0) < 1e-4


@given(SHAPES)
def test_a_posterior_is_bayes_rule(shape: tuple[int, int, int]) -> None:
    k, v, seed = shape
    prior, conditionals = chance(k, v, seed)
    tokens = np.random.default_rng(seed).integers(0, v, 3)
    likelihoods = [conditionals[:, token].astype(np.float64) for token in tokens]
    products = [
        math.exp(prior[z] + sum(one[z] for one in likelihoods) + 60.0) for z in range(k)
    ]
    brute = [product / sum(products) for product in products]
    assert np.allclose(np.exp(posterior(prior, likelihoods)), brute, atol=1e-6)


def test_with_one_passage_both_marginals_are_its_own_probability() -> None:
    prior = np.zeros(1)
    likelihoods = [np.array([-1.5]), np.array([-0.25])]
    assert token_marginal(prior, likelihoods) == sequence_marginal(prior, likelihoods) == -1.75


def test_an_impossible_token_under_one_passage_leaves_the_others() -> None:
    prior = normalized(np.zeros(2))
    conditionals = np.array([[0.0, -np.inf], [-np.inf, 0.0]], np.float32)
    assert np.allclose(np.exp(mix(prior, conditionals)), [0.5, 0.5])
