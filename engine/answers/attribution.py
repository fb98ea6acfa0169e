"""Which passage an answer came from, out of the probabilities it was written with.

For passages read apart, p(z | tokens) ∝ p(z) Π p(y_t | z, y_<t): the passage a stretch of the
answer came from, if it was one. Lewis et al. 2020 (arXiv 2005.11401) plot the same for single
tokens in their figure 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.answers.generation import Generated
from engine.answers.mixing import Weights, normalized, posterior

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Word:
    """A word of the answer, its characters [start, end), the passage it came from, how sure."""

    start: int
    end: int
    n: int
    weight: float


class Attribution:
    """Where the parts of one answer came from; nothing when its passages were read together.

    Args:
        made: the answer.
    """

    def __init__(self, made: Generated) -> None:
        self._text = made.text
        known = bool(made.prior) and any(token.under for token in made.tokens)
        self._tokens = made.tokens if known else []
        self._prior: Weights = normalized(np.asarray(made.prior)) if known else np.zeros(0)

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def share(self, start: int, end: int) -> list[float]:
        """Probability that characters [start, end) came from each passage, in order."""
        under: list[Weights] = []
        before = 0
        for token in self._tokens:
            if token.end > start and before < end:
                under.append(np.asarray(token.under))
            before = token.end
        if not under:
            return np.exp(self._prior).tolist()
        return np.exp(posterior(self._prior, under)).tolist()

    def words(self) -> Iterator[Word]:
        """Every word with the passage it most probably came from."""
        for found in _WORD.finditer(self._text) if self else ():
            shares = self.share(found.start(), found.end())
            best = max(range(len(shares)), key=shares.__getitem__)
            yield Word(found.start(), found.end(), best + 1, round(shares[best], 3))
