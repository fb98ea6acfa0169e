"""What the words of a question weigh when several libraries are searched as one.

BM25 weighs a word by how rare it is (its inverse document frequency), and LanceDB counts
that in each library by itself: a word that every report of one folder holds is rare in
another, so scores of two libraries do not compare. Multiplying each word in each library by
(weight in all of them) / (weight there) makes every score what it would be in one library
that held them all, but for the mean length of passages, which hardly differs. This is the
global-statistics merging of federated search (Callan 2000, "Distributed Information
Retrieval"; Shokouhi and Si 2011, "Federated Search", section 4). See docs/adr/0015.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:  # loads Arrow, which a list of libraries does not need
    from engine.library.tables import Tables

MAX_WORDS = 64
"""A longer text is a document, not a question: its words weigh as in each library."""
_KEPT_WORDS = 20_000
_AT_ONCE = 4
"""Libraries whose words are counted at the same time."""
_STALE_SHARE = 0.1
"""A count is taken again once this share of the library's passages came or went."""

Parts = list[tuple[str, float]]


class Weighing:
    """Weighs the words of questions; remembers how many passages hold a word. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: WeakKeyDictionary[Tables, dict[str, tuple[int, int]]] = (
            WeakKeyDictionary()
        )

    def weigh(self, query: str, libraries: Sequence[tuple[Tables, int]]) -> list[Parts]:
        """The texts to search each library for, with their weights.

        Args:
            query: the question.
            libraries: tables and number of passages of each.

        Raises:
            StorageDamaged: the tables cannot be read.
        """
        words = Counter(_words(query))
        if len(libraries) < 2 or not 0 < len(words) <= MAX_WORDS:
            return [[(query, 1.0)] for _ in libraries]
        total = sum(passages for _, passages in libraries)
        made: list[Parts] = [[] for _ in libraries]
        found = self._counts_of(list(words), libraries)
        for word, times in words.items():
            counts = [min(found[tables, word], passages) for tables, passages in libraries]
            everywhere = rarity(sum(counts), total)
            for parts, count, (_, passages) in zip(made, counts, libraries, strict=True):
                parts.append((word, times * everywhere / rarity(count, passages)))
        return made

    def _counts_of(
        self, words: Sequence[str], libraries: Sequence[tuple[Tables, int]]
    ) -> dict[tuple[Tables, str], int]:
        """How many passages of each library hold each word."""
        found: dict[tuple[Tables, str], int] = {}
        missing: list[tuple[Tables, list[str], int]] = []
        with self._lock:
            for tables, passages in libraries:
                known = self._counts.setdefault(tables, {})
                new: list[str] = []
                for word in words:
                    count, then = known.get(word, (0, -1))
                    if then >= 0 and abs(passages - then) <= _STALE_SHARE * then:
                        found[tables, word] = count
                    else:
                        new.append(word)
                if new:
                    missing.append((tables, new, passages))
        if not missing:
            return found
        with ThreadPoolExecutor(_AT_ONCE, "counting") as pool:
            counts = list(pool.map(_count, missing))
        with self._lock:
            for (tables, new, passages), numbers in zip(missing, counts, strict=True):
                known = self._counts.setdefault(tables, {})
                if len(known) >= _KEPT_WORDS:
                    known.clear()
                for word, count in zip(new, numbers, strict=True):
                    known[word] = (count, passages)
                    found[tables, word] = count
        return found


def _count(one: tuple[Tables, list[str], int]) -> list[int]:
    tables, words, _ = one
    return tables.count_matches(words)


def rarity(holding: int, passages: int) -> float:
    """The weight BM25 gives a word that `holding` of `passages` hold, as LanceDB has it."""
    return math.log(1.0 + (passages - holding + 0.5) / (holding + 0.5))


def _words(query: str) -> list[str]:
    """What stands between spaces, without the signs around it; case does not matter."""
    bare = (re.sub(r"^\W+|\W+$", "", word.lower()) for word in query.split())
    return [word for word in bare if word]
