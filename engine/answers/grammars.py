"""Answers held to a grammar: a token that would break it is never chosen.

Grammars are GBNF (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md) and
run by llama.cpp's own sampler. They are written by this program, never by a document: a
grammar can be made to take all memory.
"""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Any, Self

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from engine.answers.drafts import pick
from engine.answers.vocabulary import Vocabulary
from engine.errors import InvalidInput

_api: Any = llama_cpp

MAX_GRAMMAR_BYTES = 64 << 10
_LIKELIEST = 64
"""Tokens that are tried before all of them are: looking at a whole vocabulary takes longer
than computing a token does with a small model."""
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""llama_token_data."""


class Grammar:
    """A grammar under way, from its rule "root" on. Close it, or use it as a context.

    Args:
        vocabulary: of the model that answers.
        text: GBNF.

    Raises:
        InvalidInput: llama.cpp cannot understand it, or it is too long.
    """

    def __init__(self, vocabulary: Vocabulary, text: str) -> None:
        data = text.encode("utf-8", "replace")
        if len(data) > MAX_GRAMMAR_BYTES:
            raise InvalidInput(f"A grammar has at most {MAX_GRAMMAR_BYTES >> 10} kB.")
        self._ending = vocabulary.ending_ids
        self._sampler: Any = None
        if data.strip() and b"\0" not in data:  # llama.cpp takes an empty one for none at all
            self._sampler = _api.llama_sampler_init_grammar(vocabulary.pointer, data, b"root")
        if not self._sampler:
            raise InvalidInput("The grammar for this answer cannot be used.", details=text)
        usable = np.ones(vocabulary.size, np.bool_)
        # Written out, a control token's name would pass for text.
        usable[sorted(vocabulary.control_ids - vocabulary.ending_ids)] = False
        self._all = np.flatnonzero(usable).astype(np.int32)
        self._usable = usable

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def choose(
        self, scores: NDArray[np.float32], temperature: float, chance: np.random.Generator
    ) -> int:
        """The next token out of `scores` (v,), chosen as `pick` does, and go on after it.

        Raises:
            InvalidInput: no token of this model follows the grammar here.
        """
        allowed = self._likeliest(scores) if temperature <= 0 else self._allowed(self._all)
        if not allowed.size:
            raise InvalidInput("This model has no words for the form the answer must have.")
        token = int(allowed[pick(scores[allowed], temperature, chance)])
        if token not in self._ending:
            # Only after a look at it: one that does not follow would end the process.
            _api.llama_sampler_accept(self._sampler, token)
        return token

    def _likeliest(self, scores: NDArray[np.float32]) -> NDArray[np.int32]:
        """Allowed tokens, the likeliest of all allowed ones among them."""
        best = np.array([scores.argmax()], np.int32)
        some = best
        if scores.size > _LIKELIEST:
            some = np.argpartition(scores, -_LIKELIEST)[-_LIKELIEST:].astype(np.int32)
        for tried in (best, some):
            allowed = self._allowed(tried[self._usable[tried]])
            if allowed.size:
                return allowed
        return self._allowed(self._all)

    def _allowed(self, tokens: NDArray[np.int32]) -> NDArray[np.int32]:
        """Those of `tokens` that may come next."""
        candidates = np.zeros(len(tokens), _CANDIDATE)
        candidates["id"] = tokens
        array = _api.llama_token_data_array(
            data=candidates.ctypes.data_as(_api.llama_token_data_p),
            size=len(candidates),
            selected=-1,
            sorted=False,
        )
        _api.llama_sampler_apply(self._sampler, ctypes.byref(array))
        return tokens[np.isfinite(candidates["logit"])]

    def close(self) -> None:
        """Free it."""
        if self._sampler:
            _api.llama_sampler_free(self._sampler)
            self._sampler = None
