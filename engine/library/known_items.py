"""Questions whose answer is known, made from a library without any model.

Known-item search (Azzopardi, de Rijke and Balog 2007): a passage is drawn, some of its words
are the question, and the passage is what has to be found. Such questions share words with
what they ask for, more than a person's would, so they say too little of a gain on questions
asked in other words; a gain or a loss that they do show is real.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger

if TYPE_CHECKING:
    from engine.library.rows import PassageRow
    from engine.library.tables import Tables

SEED = 20
_SPREAD = 400
"""Passages that are looked at to see which words are rare."""
_PER_DOCUMENT = 6
_SENTENCE_WORDS, _SENTENCE_CHARS = 6, 400
_QUESTION_WORDS, _HEADING_WORDS = 3, 1
"""So few that a search alone finds four of five first: there is room to both sides."""
_COMMON = 0.2
"""Words in more than this part of all passages say nothing."""


@dataclass(frozen=True)
class KnownItem:
    """A question, and a sentence that stands in what it asks for and hardly elsewhere."""

    query: str
    sentence: str
    passage_id: int = 0
    text: str = ""
    """Of the passage."""

    def rank(self, texts: Sequence[str]) -> int | None:
        """1-based place of the first text that holds the sentence; None when none does."""
        wanted = _plain(self.sentence)
        found = (place for place, text in enumerate(texts, 1) if wanted in _plain(text))
        return next(found, None)


def make_known_items(
    ledger: Ledger, tables: Tables, library_id: str, count: int, seed: int = SEED
) -> list[KnownItem]:
    """Up to `count` questions, from as many documents as there are; the same every time.

    By turns the words are some of one sentence, or the heading and rare words below it.

    Raises:
        StorageDamaged: the tables cannot be read.
    """
    chance = random.Random(seed)
    contents = [
        (content, passages)
        for content, passages, _ in ledger.stored_counts(library_id)
        if passages
    ]
    chance.shuffle(contents)
    drawn = {
        content: chance.sample(range(passages), min(passages, _PER_DOCUMENT))
        for content, passages in contents
    }
    # One of every document, then a second one of each, and so on.
    turns = [
        content * PASSAGES_PER_CONTENT + drawn[content][turn]
        for turn in range(_PER_DOCUMENT)
        for content, _ in contents
        if turn < len(drawn[content])
    ]
    rows = tables.fetch(turns[: max(_SPREAD, 3 * count)])
    passages_with = Counter(word for row in rows.values() for word in set(_words(row.text)))
    items: list[KnownItem] = []
    for passage in turns:
        if passage in rows and len(items) < count:
            item = _item(rows[passage], passages_with, len(rows), chance, len(items) % 2 == 1)
            if item is not None and all(item.sentence != other.sentence for other in items):
                items.append(item)
    return items


def _item(
    row: PassageRow,
    passages_with: Mapping[str, int],
    passages: int,
    chance: random.Random,
    by_heading: bool,
) -> KnownItem | None:
    """A question for this passage; None when it says nothing of its own."""

    def telling(text: str) -> list[str]:
        most = max(1.0, _COMMON * passages)
        return [w for w in dict.fromkeys(_words(text)) if passages_with.get(w, 0) <= most]

    def rarity(sentence: str) -> float:
        words = telling(sentence)
        return sum(1 / passages_with.get(word, 1) for word in words) / max(1, len(words))

    parts = [part.strip() for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])|\n+", row.text)]
    sentences = [
        part for part in map(_shortened, parts) if len(telling(part)) >= _SENTENCE_WORDS
    ]
    if not sentences:
        return None
    sentence = max(sentences, key=rarity)
    if by_heading and row.heading:
        rare = sorted(telling(row.text), key=lambda word: passages_with.get(word, 0))
        picked = chance.sample(rare[:4], _HEADING_WORDS)
        query = " ".join([row.heading.split(" › ")[-1], *picked])
        return KnownItem(query, sentence, row.passage_id, row.text)
    words = telling(sentence)
    kept = sorted(chance.sample(range(len(words)), _QUESTION_WORDS))
    query = " ".join(words[place] for place in kept)
    return KnownItem(query, sentence, row.passage_id, row.text)


def _shortened(sentence: str) -> str:
    """The beginning of a sentence without an end, as lists and tables have them."""
    if len(sentence) <= _SENTENCE_CHARS:
        return sentence
    cut = sentence[:_SENTENCE_CHARS]
    return cut.rpartition(" ")[0] or cut


def _words(text: str) -> list[str]:
    """The words of a text in lower case, short ones left out.

    Languages written without spaces give their runs of letters in pieces of four.
    """
    found: list[str] = []
    for word in re.findall(r"[^\W\d_]{2,}", text.lower()):
        if word.isascii() or len(word) <= 12:
            found += [word] if len(word) >= 4 else []
        else:
            found += [word[at : at + 4] for at in range(0, len(word) - 3, 4)]
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())
