"""Find passages: by meaning, by words, fused, neighbours merged, repetitions dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.errors import Cancelled, EngineError
from engine.library.embedding import Embedder
from engine.library.fusion import CANDIDATES, Scored, fuse
from engine.library.tables import PassageRow, Tables
from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger, LiveContent
from engine.work.api import PassageHit, Ranks, SearchSpec
from engine.work.jobs import NULL_JOB, Job

MAX_TOP = 200
MAX_QUERY_CHARS = 4000
SAME_WORDS = 0.9
"""Passages that share this part of their words (Jaccard, word triples) are one."""
_WIDEN = 4
_WIDEST = 25_600


@dataclass(frozen=True)
class Hit:
    """A passage found, or two neighbours joined to one."""

    row: PassageRow
    live: LiveContent
    score: float
    ranks: Ranks
    joined: bool = False


class Search:
    """Searches one library.

    Args:
        library_id: which.
        ledger: says which passages count.
        tables: where they are.
        embedder: turns the question into a vector.
    """

    def __init__(
        self, library_id: str, ledger: Ledger, tables: Tables, embedder: Embedder
    ) -> None:
        self._library_id = library_id
        self._ledger = ledger
        self._tables = tables
        self._embedder = embedder

    def find(self, spec: SearchSpec, job: Job = NULL_JOB) -> tuple[list[PassageHit], str]:
        """The best passages and a notice, which is empty when all is well.

        While the embedder or the vectors are missing the words alone are searched.

        Raises:
            StorageDamaged: the tables cannot be read.
            Cancelled: `job` was cancelled.
        """
        query = " ".join(spec.query[:MAX_QUERY_CHARS].split())
        top = max(0, min(spec.top, MAX_TOP))
        if not query or not top:
            return [], ""
        wanted = max(CANDIDATES, 2 * top)
        dense: Scored = []
        notice = ""
        if spec.method != "keyword":
            try:
                vector = self._embedder.embed_query(query, job)
            except Cancelled:
                raise
            except EngineError as error:
                notice = f"Searched by words only. {error.message}"
            else:
                dense = self._live(lambda count: self._tables.dense(vector, count), wanted)
                notice = "" if dense else self._no_vectors()
        keyword: Scored = []
        if spec.method != "dense" or notice:
            keyword = self._live(lambda count: self._tables.keyword(query, count), wanted)
        return self._hits(dense, keyword, top), notice

    def _no_vectors(self) -> str:
        if self._ledger.totals(self._library_id).passages:
            return "Searched by words only: the library is still being indexed."
        return ""

    def _live(self, search: Callable[[int], Scored], wanted: int) -> Scored:
        """The best `wanted` results the ledger vouches for, each once."""
        count = wanted
        while True:
            found = search(count)
            live = self._ledger.live_contents(
                self._library_id, {passage // PASSAGES_PER_CONTENT for passage, _ in found}
            )
            kept: dict[int, float] = {}
            for passage, score in found:
                content = live.get(passage // PASSAGES_PER_CONTENT)
                if content and passage % PASSAGES_PER_CONTENT < content.content.passages:
                    kept.setdefault(passage, score)
            if len(kept) >= wanted or len(found) < count or count >= _WIDEST:
                return list(kept.items())[:wanted]
            count *= _WIDEN  # many results were of contents no longer there

    def _hits(self, dense: Scored, keyword: Scored, top: int) -> list[PassageHit]:
        fused = fuse(dense, keyword)[: 4 * top]
        rows = self._tables.fetch(passage for passage, _ in fused)
        live = self._ledger.live_contents(
            self._library_id, {row.content_id for row in rows.values()}
        )
        by_meaning = {passage: n for n, (passage, _) in enumerate(dense, 1)}
        by_words = {passage: n for n, (passage, _) in enumerate(keyword, 1)}
        ranked: list[Hit] = []
        for passage, score in fused:
            row = rows.get(passage)
            if row is None or row.content_id not in live:
                continue
            ranks = Ranks(dense=by_meaning.get(passage), keyword=by_words.get(passage))
            ranked.append(Hit(row, live[row.content_id], score, ranks))
        return [_shown(hit) for hit in choose(ranked, top)]


def choose(ranked: Iterable[Hit], top: int) -> list[Hit]:
    """The first `top` of `ranked`, without near-duplicates, neighbours joined.

    A passage next to one already chosen, in the same section and page, is joined to it where
    the better stood, which makes room for one more. Two make a joint passage, never more:
    small models lose the thread in long ones.
    """
    chosen: list[Hit] = []
    prints: list[frozenset[str]] = []
    for hit in ranked:
        if len(chosen) == top:
            break
        shingles = _shingles(hit.row.text)
        if any(_alike(shingles, other) for other in prints):
            continue
        prints.append(shingles)
        for place, other in enumerate(chosen):
            row = None if other.joined else _union(other.row, hit.row)
            if row is not None:
                ranks = _best(other, hit)
                chosen[place] = Hit(row, other.live, other.score, ranks, joined=True)
                break
        else:
            chosen.append(hit)
    return chosen


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
    )


def _best(one: Hit, two: Hit) -> Ranks:
    def lower(a: int | None, b: int | None) -> int | None:
        known = [rank for rank in (a, b) if rank is not None]
        return min(known) if known else None

    return Ranks(
        dense=lower(one.ranks.dense, two.ranks.dense),
        keyword=lower(one.ranks.keyword, two.ranks.keyword),
    )


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


def _shown(hit: Hit) -> PassageHit:
    return PassageHit(
        passage_id=hit.row.passage_id,
        file_id=hit.live.file_id,
        path=hit.live.shown,
        title=hit.live.content.title,
        heading=hit.row.heading,
        page=hit.row.page,
        text=hit.row.text,
        start=hit.row.start,
        end=hit.row.end,
        score=hit.score,
        ranks=hit.ranks,
    )
