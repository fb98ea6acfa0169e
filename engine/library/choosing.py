"""Which of the ranked passages are shown: repetitions dropped, neighbours joined."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from engine.documents.places import joined
from engine.library.rows import PassageRow
from engine.store.ledger import LiveContent
from engine.work.api import Ranks

SAME_WORDS = 0.9
"""Passages that share this part of their words (Jaccard, word triples) are one."""
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True)
class Hit:
    """A passage found, or two neighbours joined to one."""

    row: PassageRow
    live: LiveContent
    score: float
    ranks: Ranks
    library_id: str = ""
    joined: bool = False
    cosine: float | None = None
    bm25: float | None = None
    rerank: float | None = None


@dataclass(frozen=True)
class Fate:
    """What became of a passage: its number among those shown, if any, and why."""

    number: int | None
    sentence: str


@dataclass(frozen=True)
class Choice:
    """The passages to show, and what became of every passage looked at, by its id."""

    hits: list[Hit] = field(default_factory=list[Hit])
    fates: dict[int, Fate] = field(default_factory=dict[int, Fate])


def choose(ranked: Iterable[Hit], top: int) -> Choice:
    """The first `top` of `ranked`, without near-duplicates, neighbours joined.

    A passage next to one already chosen, in the same section and page, is joined to it where
    the better stood, which makes room for one more. Two make a joint passage, never more:
    small models lose the thread in long ones.
    """
    choice = Choice()
    prints: list[tuple[frozenset[str], int]] = []
    for hit in ranked:
        passage = hit.row.passage_id
        if len(choice.hits) == top:
            sentence = f"Left out: the {top} passages asked for were found before it."
            choice.fates[passage] = Fate(None, sentence)
            continue
        shingles = _shingles(hit.row.text)
        same = next((number for other, number in prints if _alike(shingles, other)), None)
        if same is not None:
            choice.fates[passage] = Fate(None, f"Left out: it says the same as number {same}.")
            continue
        choice.fates[passage] = _place(choice.hits, hit)
        number = choice.fates[passage].number
        assert number is not None
        prints.append((shingles, number))
    return choice


def _place(chosen: list[Hit], hit: Hit) -> Fate:
    """Join `hit` to its neighbour among `chosen`, or append it."""
    for place, other in enumerate(chosen):
        row = None if other.joined else _union(other.row, hit.row)
        if row is not None:
            ranks = _best(other.ranks, hit.ranks)
            chosen[place] = replace(
                other,
                row=row,
                ranks=ranks,
                joined=True,
                cosine=_higher(other.cosine, hit.cosine),
                bm25=_higher(other.bm25, hit.bm25),
                rerank=_higher(other.rerank, hit.rerank),
            )
            side = "follows" if hit.row.ordinal > other.row.ordinal else "stands before"
            return Fate(place + 1, f"Joined to number {place + 1}, which it {side}.")
    chosen.append(hit)
    return Fate(len(chosen), f"Number {len(chosen)}: {_standing(hit.ranks)}.")


def _standing(ranks: Ranks) -> str:
    """Where both searches had a passage, in words."""
    meaning = f"{ordinal(ranks.dense)} by meaning" if ranks.dense else ""
    words = f"{ordinal(ranks.keyword)} by words" if ranks.keyword else ""
    found = f"{meaning}, {words}" if meaning and words else f"{meaning or words} only"
    return f"{found}, then {ordinal(ranks.rerank)} by the reranker" if ranks.rerank else found


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th … in English."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{_ENDINGS.get(number % 10, 'th')}"


def _union(one: PassageRow, two: PassageRow) -> PassageRow | None:
    """One row over both when one follows the other in a section of a page; else None."""
    if one.content_id != two.content_id or abs(one.ordinal - two.ordinal) != 1:
        return None
    first, second = (one, two) if one.ordinal < two.ordinal else (two, one)
    if second.gap is None or first.end + len(second.gap) != second.start:
        return None
    return PassageRow(
        passage_id=one.passage_id,
        context=one.context,
        text=first.text + second.gap + second.text,
        heading=one.heading,
        start=first.start,
        end=second.end,
        page=one.page,
        place=joined(first.place, second.place),
        header=first.header,
    )


def _best(one: Ranks, two: Ranks) -> Ranks:
    def lower(a: int | None, b: int | None) -> int | None:
        known = [rank for rank in (a, b) if rank is not None]
        return min(known) if known else None

    return Ranks(
        dense=lower(one.dense, two.dense),
        keyword=lower(one.keyword, two.keyword),
        rerank=lower(one.rerank, two.rerank),
    )


def _higher(one: float | None, two: float | None) -> float | None:
    known = [score for score in (one, two) if score is not None]
    return max(known) if known else None


def _shingles(text: str) -> frozenset[str]:
    words = re.findall(r"\w+", text.lower())
    if len(words) < 3:
        return frozenset([" ".join(words)])
    return frozenset(" ".join(words[n : n + 3]) for n in range(len(words) - 2))


def _alike(one: frozenset[str], two: frozenset[str]) -> bool:
    smaller, larger = sorted((len(one), len(two)))
    if smaller < SAME_WORDS * larger:
        return False
    return len(one & two) >= SAME_WORDS * len(one | two)
