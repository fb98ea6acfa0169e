"""An answer in the making: tokens in, text out, and when it has come to its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.answers.decoding import TextStream, loop_period
from engine.answers.generation import Ending, WrittenToken
from engine.answers.vocabulary import Vocabulary


class Draft:
    """One answer token by token.

    Args:
        vocabulary: of the model that writes it.
        stops: texts that end it.
    """

    def __init__(self, vocabulary: Vocabulary, stops: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._stream = TextStream(stops)
        self.ids: list[int] = []
        """Every token chosen, the one that ended it too."""
        self.written: list[WrittenToken] = []
        """Those of the text."""
        self.ending: Ending | None = None

    def take(self, token: int, own: float, under: Sequence[float] = ()) -> str:
        """Take the next token with its log-probabilities; gives the text now certain."""
        self.ids.append(token)
        if token in self._vocabulary.ending_ids:
            self.ending = "end"
            return ""
        text = self._stream.push(self._vocabulary.piece(token))
        end = len(self._stream.text)
        self.written.append(WrittenToken(end=end, own=own, under=list(under)))
        if self._stream.stopped:
            self.ending = "end"
        elif period := loop_period(self.ids):
            self._cut_loop(period)
            self.ending = "loop"
        return text

    def finish(self, ending: Ending) -> str:
        """No more tokens come; gives the text that was held back."""
        if self.ending is None or self.ending == "end":
            rest = self._stream.finish()
            self.ending = self.ending or ending
            return rest
        return ""

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._stream.text.rstrip()

    def _cut_loop(self, period: int) -> None:
        """Keep the repeated block once in the finished text."""
        first = len(self.ids) - 1
        while first >= period and self.ids[first] == self.ids[first - period]:
            first -= 1
        self._stream.text = self._stream.text[: self.written[first].end]


def pick(scores: NDArray[np.float32], temperature: float, chance: np.random.Generator) -> int:
    """The likeliest token at temperature 0, else one drawn."""
    if temperature <= 0:
        return int(scores.argmax())
    return sample(scores, temperature, chance)


def sample(logits: NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
    """Draw a token by nucleus sampling (p = 0.95; Holtzman et al. 2020, arXiv 1904.09751)."""
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    order = np.argsort(-weights)
    share = np.cumsum(weights[order]) / weights.sum()
    kept = order[: int(np.searchsorted(share, 0.95)) + 1]
    chosen = weights[kept] / weights[kept].sum()
    return int(random.choice(kept, p=chosen))
