"""The arithmetic of RAG-Token and RAG-Sequence (Lewis et al. 2020, arXiv 2005.11401).

Everything is in natural logarithms. `k` passages, a vocabulary of `v` tokens. Distributions
over the vocabulary are float32 (a step must cost no more than a few milliseconds), weights of
passages float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Weights = NDArray[np.float64]


def log_softmax(scores: NDArray[np.float32]) -> Floats:
    """Log-probabilities of scores along the last axis, (…, v)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float32))


def log_sum(values: Weights) -> float:
    """Log Σ exp of a row."""
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).sum()))


def normalized(log_weights: Weights) -> Weights:
    """Log-weights (k,) shifted so that they are log-probabilities."""
    return log_weights - log_sum(log_weights)


def mix(prior: Weights, conditionals: Floats) -> Floats:
    """RAG-Token's next-token distribution, log Σ_z p(z) p(· | z, y_<t), (v,).

    Args:
        prior: log p(z), (k,).
        conditionals: log p(· | z, y_<t), (k, v).
    """
    joint = conditionals + prior.astype(np.float32)[:, None]
    top = joint.max(axis=0)
    return top + np.log(np.exp(joint - top).sum(axis=0, dtype=np.float32))


def posterior(prior: Weights, likelihoods: Sequence[Weights]) -> Weights:
    """Log p(z | some tokens), (k,): the passage all of them came from, if it was one.

    Args:
        prior: log p(z), (k,).
        likelihoods: for each token log p(y_t | z, y_<t), (k,).
    """
    return normalized(prior + np.sum(np.asarray(likelihoods, np.float64), axis=0))


def sequence_marginal(prior: Weights, likelihoods: Sequence[Weights]) -> float:
    """RAG-Sequence's log p(y) = log Σ_z p(z) Π_t p(y_t | z, y_<t)."""
    return log_sum(prior + np.sum(np.asarray(likelihoods, np.float64), axis=0))


def token_marginal(prior: Weights, likelihoods: Sequence[Weights]) -> float:
    """RAG-Token's log p(y) = Σ_t log Σ_z p(z) p(y_t | z, y_<t)."""
    return sum(log_sum(prior + one) for one in likelihoods)
