"""Texts that are nearly equal, found without comparing all of them with all others.

MinHash over shingles of characters or words (Broder 1997), candidates by bands of the
signature (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4), each then
compared exactly.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.work.jobs import NULL_JOB, Job

NEAR = 0.8
"""Share of common shingles (Jaccard) from which two texts are nearly equal."""
_BANDS, _ROWS = 20, 4
_CHARACTERS, _WORDS = 4, 3
_LONG_CHARACTERS = 1_000
_SHINGLES_AT_MOST = 5_000
_COMPARED_AT_MOST = 8
"""Of the texts in one bucket each is compared with so many earlier ones."""
_WORD = re.compile(r"\w+")
_STEP = 500

_Hashes = np.ndarray[Any, np.dtype[np.uint64]]


def plain(text: str) -> str:
    """A text as it is compared: words in small letters with one space between."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def near_pairs(texts: Sequence[str], job: Job = NULL_JOB) -> list[tuple[int, int, float]]:
    """(earlier, later, similarity) of nearly equal texts, each with the first one like it.

    Texts that are equal but for case, punctuation and blanks have similarity 1. Texts without
    a word are compared as they are.

    Raises:
        Cancelled: `job` was cancelled.
    """
    pairs: list[tuple[int, int, float]] = []
    first: dict[str, int] = {}
    for index, text in enumerate(texts):
        key = plain(text) or text
        if key in first:
            pairs.append((first[key], index, 1.0))
        else:
            first[key] = index
    index_of = list(first.values())
    for earlier, later, share in _near_distinct(list(first), job):
        pairs.append((index_of[earlier], index_of[later], share))
    return sorted(pairs)


def clusters(count: int, pairs: Sequence[tuple[int, int, float]]) -> list[int]:
    """For each of `count` texts the first one of those it hangs together with."""
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for one, other, _ in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return [root(index) for index in range(count)]


def _near_distinct(texts: list[str], job: Job) -> list[tuple[int, int, float]]:
    random = np.random.default_rng(20)
    factors = random.integers(1, 2**63, _BANDS * _ROWS, dtype=np.uint64) * 2 + 1
    shifts = random.integers(0, 2**63, _BANDS * _ROWS, dtype=np.uint64)
    shingles: list[_Hashes] = []
    buckets: dict[bytes, list[int]] = {}
    found: list[tuple[int, int, float]] = []
    for index, text in enumerate(texts):
        if index % _STEP == 0:
            job.checkpoint()
            job.progress(index, len(texts), "Looking for rows that are nearly equal")
        own = _shingles(text)
        shingles.append(own)
        signature = ((own[:, None] * factors + shifts) >> np.uint64(32)).min(axis=0)
        candidates: set[int] = set()
        for band in range(_BANDS):
            key = bytes([band]) + signature[band * _ROWS : (band + 1) * _ROWS].tobytes()
            bucket = buckets.setdefault(key, [])
            candidates.update(bucket)
            if len(bucket) < _COMPARED_AT_MOST:
                bucket.append(index)
        near = ((other, _jaccard(shingles[other], own)) for other in sorted(candidates))
        match = next((pair for pair in near if pair[1] >= NEAR), None)
        if match is not None:
            found.append((match[0], index, match[1]))
    return found


def _shingles(text: str) -> _Hashes:
    """Distinct hashes of a text's pieces: characters, of a long text words."""
    if len(text) <= _LONG_CHARACTERS:
        ends = range(max(1, len(text) - _CHARACTERS + 1))
        pieces = {text[at : at + _CHARACTERS] for at in ends}
    else:
        words = text.split(" ", _SHINGLES_AT_MOST)[:_SHINGLES_AT_MOST]
        ends = range(max(1, len(words) - _WORDS + 1))
        pieces = {" ".join(words[at : at + _WORDS]) for at in ends}
    hashes = {zlib.crc32(piece.encode("utf-8", "replace")) for piece in pieces}
    return np.fromiter(sorted(hashes), np.uint64, len(hashes))


def _jaccard(one: _Hashes, other: _Hashes) -> float:
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)
