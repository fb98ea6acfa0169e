"""How the full-text index takes text apart, for it and for whoever must agree with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import lancedb
from lancedb.index import FTS

_tokenize = cast(Any, lancedb).tokenize  # it has no types

# Words as Unicode segments them (so Chinese, Japanese and Thai are found too), split further
# at punctuation, folded to lower case without accents. Stems and stop words are English: on
# English questions they raise recall@1 by up to 6 points (mtrag-un 67 to 74), and on other
# languages they merge or drop a few words, alike in passages and questions.
_OPTIONS: dict[str, Any] = {
    "base_tokenizer": "icu/split",
    "stem": True,
    "remove_stop_words": True,
    "lower_case": True,
    "ascii_folding": True,
}
FULL_TEXT = FTS(**_OPTIONS, with_position=False)

_SEAM = "zqseamqz"
_AT_ONCE = 200_000
"""Characters taken apart in one call; setting the analyzer up takes 2 ms, a word 3 µs."""


@dataclass(frozen=True)
class Word:
    """A word as the index has it: stemmed and folded. Words left out count in `position`."""

    key: str
    position: int


def analyse(texts: Sequence[str]) -> list[list[Word]]:
    """The words of each text, exactly as the full-text index would hold them."""
    return [words for batch in _batches(texts) for words in _taken_apart(batch)]


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch, size = list[str](), 0
    for text in texts:
        batch.append(text.encode("utf-8", "replace").decode())
        size += len(text)
        if size >= _AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _taken_apart(texts: Sequence[str]) -> list[list[Word]]:
    apart: list[list[Word]] = [[]]
    for word in _words(f"\n{_SEAM}\n".join(texts)):
        if word.key == _SEAM:
            apart.append([])
        else:
            apart[-1].append(word)
    if len(apart) == len(texts):
        return apart
    return [_words(text) for text in texts]  # a text that holds the seam itself


def _words(text: str) -> list[Word]:
    found = _tokenize(text, **_OPTIONS)
    return [Word(token.text, token.position) for token in found]
