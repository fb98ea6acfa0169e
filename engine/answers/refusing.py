"""Whether the documents hold the answer: decided from signals, never by asking the model.

A small model asked to refuse refuses half of what it could answer. So its answer is weighed
from outside: how near the best passage is to the question (cosine), how strongly its words
match (BM25 a word of the question), how many of the question's words stand close together in
a passage, and how sure the model was of what it wrote. A logistic regression over these gives
the probability that the documents hold the answer.

The weights were fitted on tatqa and mtrag-un, with questions whose documents were taken away
among them; covidqa was only tested on. `python -m tests.benchmarks refusal` repeats it all and
prints the curve of risk against coverage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.answers.generation import Generated
from engine.answers.sentences import sentence_spans
from engine.answers.words import STOP_WORDS, Token, tokenize
from engine.store import measurements
from engine.store.db import Store
from engine.work.api import PassageHit

NOT_IN_THESE = "Not in these documents."
THRESHOLD = 0.354
"""Below this probability an answer is refused, where nothing was measured for the library: the
one that refuses 14 of 100 answerable questions of mtrag-un."""
_USUAL_LOG_PROBABILITY = -0.9
"""Of a token, where there is no answer to look at."""


@dataclass(frozen=True)
class Signals:
    """What speaks for an answer in the documents.

    `cosine`: best similarity of meaning, -1 to 1; `bm25`: best score by words, a word of the
    question; `together`: largest share of the question's words within two sentences of a
    passage; `sure`: mean log-probability of a token of the answer.
    """

    cosine: float
    bm25: float
    together: float
    sure: float

    def values(self) -> tuple[float, ...]:
        """In the order of `Weights.each`."""
        return (self.cosine, self.bm25, self.together, self.sure)


@dataclass(frozen=True)
class Weights:
    """A logistic regression: the log-odds are Σ each·signal + bias."""

    each: tuple[float, float, float, float]
    bias: float


SHIPPED = Weights((3.82, 3.6, 1.01, 0.0), -4.45)


@dataclass(frozen=True)
class Judgement:
    """Probability that the documents hold the answer, and whether that is too little."""

    confidence: float
    refuse: bool


@dataclass(frozen=True)
class Rule:
    """How answers are judged: the weights, and below which probability one is refused."""

    weights: Weights = SHIPPED
    threshold: float = THRESHOLD

    def judge(self, signals: Signals) -> Judgement:
        """Judge one answer."""
        likely = confidence(signals, self.weights)
        return Judgement(likely, likely < self.threshold)


def calibrated(store: Store, libraries: Sequence[str], model: str) -> Rule:
    """The rule measured for a library and a model on this machine, or the shipped one."""
    if len(libraries) != 1:
        return Rule()
    kept: Any = measurements.recall(store, measured_as(libraries[0], model))
    try:
        each = [float(weight) for weight in kept["each"]]
        rule = Weights((each[0], each[1], each[2], each[3]), float(kept["bias"]))
        fitted_to = [float(number) for number in kept["shipped"]]
        return Rule(rule, float(kept["threshold"])) if fitted_to == shipped() else Rule()
    except (TypeError, KeyError, IndexError, ValueError):
        return Rule()


def shipped() -> list[float]:
    """The numbers of the shipped rule: what was fitted to others no longer counts."""
    return [*SHIPPED.each, SHIPPED.bias, THRESHOLD]


def forget(store: Store, library: str) -> None:
    """Forget what was measured for a library, with all models."""
    measurements.forget(store, measured_as(library, ""))


def measured_as(library: str, model: str) -> str:
    """The name under which a rule is remembered."""
    return f"refusing/{library}/{model}"


def look(question: str, passages: Sequence[PassageHit], made: Generated | None) -> Signals:
    """The signals of a question, the passages found for it and the answer written.

    Args:
        question: as it was searched for.
        passages: best first; those that were shown.
        made: the answer; None before there is one.
    """
    keys = {token.key for token in tokenize(question) if token.key not in STOP_WORDS}
    words = max(1, len(keys))
    own = [token.own for token in made.tokens] if made is not None else []
    return Signals(
        cosine=max((hit.cosine for hit in passages if hit.cosine is not None), default=0.0),
        bm25=max((hit.bm25 for hit in passages if hit.bm25 is not None), default=0.0) / words,
        together=max((_together(keys, hit) for hit in passages), default=0.0) / words,
        sure=sum(own) / len(own) if own else _USUAL_LOG_PROBABILITY,
    )


def _together(keys: set[str], hit: PassageHit) -> int:
    """Most different words of the question that stand within two sentences in a row.

    What the title and headings say counts everywhere.
    """
    above = {token.key for token in tokenize(f"{hit.title} {hit.heading} {hit.header}")}
    tokens, spans = tokenize(hit.text), sentence_spans(hit.text)
    best = 0
    for first, span in enumerate(spans):
        end = spans[min(first + 1, len(spans) - 1)].end
        inside = _keys_between(tokens, span.start, end) | above
        best = max(best, len(keys & inside))
    return best


def _keys_between(tokens: Sequence[Token], start: int, end: int) -> set[str]:
    return {token.key for token in tokens if token.start >= start and token.end <= end}


def can_tell(passages: Sequence[PassageHit]) -> bool:
    """Whether there is enough to judge by: not before the search by meaning works."""
    return any(hit.cosine is not None for hit in passages)


def confidence(signals: Signals, weights: Weights = SHIPPED) -> float:
    """Probability that the documents hold the answer, 0 to 1."""
    odds = log_odds(signals, weights)
    return 1.0 / (1.0 + math.exp(-odds)) if odds > -30 else 0.0


def log_odds(signals: Signals, weights: Weights = SHIPPED) -> float:
    """Natural logarithm of the odds that the documents hold the answer."""
    odds = weights.bias
    for weight, value in zip(weights.each, signals.values(), strict=True):
        odds += weight * value
    return odds
