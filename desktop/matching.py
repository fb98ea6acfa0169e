"""Fuzzy matching for the palette: letters in order, whole words and word starts first."""

from __future__ import annotations

import re

from desktop.strings import names

_WORD_START = re.compile(r"(?:^|[\s_\-./\\:(])(?=\S)")
LONGEST_QUERY = 100
LONGEST_TEXT = 300


def score(query: str, text: str) -> float:
    """How well `text` fits what was typed, 0 for not at all; higher is better.

    Every word of the query has to be found, in any order: as a piece of the text, or at
    least as its letters in the same order within one stretch.
    """
    key = names.search_key(text[:LONGEST_TEXT])
    words = names.search_key(query[:LONGEST_QUERY]).split()
    if not words:
        return 1.0
    starts = {match.end() for match in _WORD_START.finditer(key)}
    total = 0.0
    for word in words:
        found = _score_word(word, key, starts)
        if found == 0:
            return 0.0
        total += found
    # Of two texts that fit alike, the shorter says more exactly what was meant.
    return total / len(words) + 1 / (10 + len(key))


def _score_word(word: str, key: str, starts: set[int]) -> float:
    at = key.find(word)
    if at >= 0:
        begins = at in starts
        while not begins and (following := key.find(word, at + 1)) >= 0:
            at, begins = following, following in starts
        return (4.0 if begins else 2.0) + (1.0 if key.startswith(word) else 0.0)
    if len(word) < 2:
        return 0.0
    return _score_letters(word, key, starts)


def _score_letters(word: str, key: str, starts: set[int]) -> float:
    """Letters in order; those that begin a word or follow each other count."""
    at, hits, before = -1, 0.0, -2
    first = -1
    for letter in word:
        jumps = [start for start in starts if start > at and key[start : start + 1] == letter]
        following = key.find(letter, at + 1)
        if following < 0:
            return 0.0
        at = following if following == before + 1 or not jumps else min(jumps)
        if at == before + 1 or at in starts:
            hits += 1
        first = at if first < 0 else first
        before = at
    share = hits / len(word)
    # Letters scattered all over a long name are no match a person would see.
    if share < 0.5 or at - first > 6 * len(word) + 20:
        return 0.0
    return share
