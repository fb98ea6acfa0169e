"""Find passages in one library or several: rank, fuse, look again if asked, choose."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

from engine.errors import Cancelled, EngineError
from engine.library.candidates import Scope, Source
from engine.library.choosing import Choice, Hit, choose
from engine.library.embedding import Embedder
from engine.library.explaining import Trace, explain
from engine.library.filtering import condition
from engine.library.fusion import (
    CANDIDATES,
    DENSE_WEIGHT,
    PAIRED,
    PAIRS_WEIGHT,
    Fused,
    Scored,
    add_pairs,
    fuse,
)
from engine.library.pairs import PairCounter
from engine.library.reranking import RERANKED, Reranker
from engine.library.rows import PassageRow, Ranking, Vectors
from engine.library.weighing import Weighing
from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger, LiveContent
from engine.work.api import Explanation, Filter, PassageHit, Ranks, SearchReport, SearchSpec
from engine.work.jobs import NULL_JOB, Job

MAX_TOP = 200
MAX_QUERY_CHARS = 4000
AT_ONCE = 4
"""Libraries asked at the same time; each mostly waits for LanceDB's own threads."""
LOOKED_AT = 4
"""So many times `top` of the fused candidates are looked at for repetitions and neighbours."""


class Search:
    """Searches some libraries as if they were one.

    Args:
        sources: the libraries, the main one first; it keeps documents that several have.
        ledger: says which passages count.
        embedder: turns the question into a vector.
        weighing: makes words weigh the same in all of them.
        pairs: finds the question's neighbouring words in passages.
        reranker: looks at the first candidates again, if it is on; None: nobody does.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        ledger: Ledger,
        embedder: Embedder,
        weighing: Weighing,
        pairs: PairCounter,
        reranker: Reranker | None = None,
    ) -> None:
        self._sources = list(sources)
        self._ledger = ledger
        self._embedder = embedder
        self._weighing = weighing
        self._pairs = pairs
        self._reranker = reranker

    def find(self, spec: SearchSpec, job: Job = NULL_JOB) -> SearchReport:
        """The best passages, why they are if asked, and a notice, empty when all is well.

        While the embedder or the vectors are missing the words alone are searched.

        Raises:
            InvalidInput: the filter says nothing.
            StorageDamaged: the tables cannot be read.
            Cancelled: `job` was cancelled.
        """
        start = time.perf_counter()
        query = " ".join(spec.query[:MAX_QUERY_CHARS].split())
        top = max(0, min(spec.top, MAX_TOP)) if query else 0
        wanted = max(CANDIDATES, 2 * top)
        trace = Trace()
        with trace.step("filter") as step:
            scopes = self._scopes(spec.filter)
            if spec.explain:
                step.detail = _what_counts(scopes)
            searched = [scope for scope in scopes if not scope.empty] if top else []
        with ThreadPoolExecutor(AT_ONCE, "searching") as pool:
            dense, keyword, notice = self._rank(spec, query, searched, wanted, trace, pool, job)
            with trace.step("fuse") as step:
                owners, (by_meaning, by_words) = self._merged([dense, keyword], wanted)
                fused = fuse(by_meaning, by_words)
                step.detail = _how_fused(by_meaning, by_words, fused)
                reranker = self._reranker if top else None
                if reranker is not None and not reranker.wanted(spec.rerank):
                    reranker = None
                looked_at = LOOKED_AT * top
                pairing = bool(by_meaning and by_words)
                fetched = max(
                    looked_at, PAIRED if pairing else 0, RERANKED if reranker is not None else 0
                )
                needed = fused if spec.explain else fused[:fetched]
                hits = self._hits(needed, owners, by_meaning, by_words, pool)
                if pairing:
                    fused, hits = self._paired(query, fused, hits)
            if reranker is not None:
                with trace.step("rerank") as step:
                    reranked = reranker.rerank(query, list(hits.values()), job)
                    hits = {hit.row.passage_id: hit for hit in reranked.hits}
                    notice = f"{notice} {reranked.notice}".strip()
                    step.detail = reranked.detail
            with trace.step("choose") as step:
                choice = choose(list(hits.values())[:looked_at], top)
                step.detail = _how_chosen(choice)
        explanation: Explanation | None = None
        if spec.explain:
            explanation = explain(query, trace, fused, hits, by_meaning, by_words, choice.fates)
        return SearchReport(
            passages=[_shown(hit) for hit in choice.hits],
            milliseconds=(time.perf_counter() - start) * 1000,
            explanation=explanation,
            notice="No file passes the filter." if top and not searched else notice,
        )

    # --- the steps --------------------------------------------------------------------

    def _scopes(self, wanted: Filter) -> list[Scope]:
        asked = condition(wanted)
        return [Scope(source, self._ledger, asked) for source in self._sources]

    def _rank(
        self,
        spec: SearchSpec,
        query: str,
        scopes: Sequence[Scope],
        wanted: int,
        trace: Trace,
        pool: Executor,
        job: Job,
    ) -> tuple[dict[Scope, Ranking], dict[Scope, Ranking], str]:
        """Each library's passages by meaning and by words, and a notice if need be."""
        several = len(scopes) > 1
        sizes = [(s.source.tables, s.stored[1] if several else 0) for s in scopes]
        weighed = pool.submit(self._weighing.weigh, query, sizes)
        with trace.step("embed") as step:
            vector, notice = self._embed(spec, query, job) if scopes else (None, "")
            step.detail = notice or _what_embedded(vector)
        job.checkpoint()
        with trace.step("dense") as step:
            begun = [
                scope.dense(vector, wanted, pool) for scope in scopes if vector is not None
            ]
            dense = {scope: found() for scope, found in zip(scopes, begun, strict=False)}
            notice = notice or self._vectors_notice(scopes, dense, vector)
            step.detail = _how_many("nearest", dense)
        job.checkpoint()
        keyword: dict[Scope, Ranking] = {}
        with trace.step("keyword") as step:
            if spec.method != "dense" or notice:
                parts = weighed.result()
                begun = [s.keyword(p, wanted, pool) for s, p in zip(scopes, parts, strict=True)]
                keyword = {s: found() for s, found in zip(scopes, begun, strict=True)}
            step.detail = _how_many("with most of the question's words", keyword)
        job.checkpoint()
        return dense, keyword, notice

    def _embed(self, spec: SearchSpec, query: str, job: Job) -> tuple[Vectors | None, str]:
        if spec.method == "keyword":
            return None, ""
        try:
            return self._embedder.embed_query(query, job), ""
        except Cancelled:
            raise
        except EngineError as error:
            return None, f"Searched by words only. {error.message}"

    def _vectors_notice(
        self, scopes: Sequence[Scope], dense: dict[Scope, Ranking], vector: Vectors | None
    ) -> str:
        """Says which libraries have no vectors yet for what counts in them."""
        if vector is None:
            return ""
        without = [scope for scope in scopes if not len(dense[scope].ids) and scope.stored[1]]
        if not without:
            return ""
        if len(scopes) == 1:
            return "Searched by words only: the library is still being indexed."
        names = ", ".join(scope.source.name for scope in without)
        return f"Searched by words only in {names}: still being indexed."

    def _merged(
        self, searches: Sequence[dict[Scope, Ranking]], wanted: int
    ) -> tuple[dict[int, Scope], list[Scored]]:
        """The libraries' lists of each search as one, and where each passage is.

        Cosines compare across libraries, and so do the words' scores as weighed. A content
        that several libraries hold counts in the first of them.
        """
        owners: dict[int, Scope] = {}
        for search in searches:
            for scope, found in search.items():
                for content in found.contents():
                    owners[content] = scope
        moved = self._moved(owners) if len(self._sources) > 1 else {}
        lists: list[Scored] = []
        for search in searches:
            best: dict[int, float] = {}
            for found in search.values():
                for passage, score in found.pairs():
                    content, number = divmod(passage, PASSAGES_PER_CONTENT)
                    kept = moved.get(content, content) * PASSAGES_PER_CONTENT + number
                    best[kept] = max(score, best.get(kept, score))
            ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
            lists.append(ranked[:wanted])
        return owners, lists

    def _moved(self, owners: dict[int, Scope]) -> dict[int, int]:
        """For every content that an earlier library holds too: the content there."""
        order = {source.library_id: n for n, source in enumerate(self._sources)}
        moved: dict[int, int] = {}
        for group in self._ledger.equal_contents(owners):
            first, *others = sorted(
                group, key=lambda content: order[owners[content].source.library_id]
            )
            moved.update(dict.fromkeys(others, first))
        return moved

    def _paired(
        self, query: str, fused: Sequence[Fused], hits: dict[int, Hit]
    ) -> tuple[list[Fused], dict[int, Hit]]:
        """Candidates and their hits, in the order that pairs of words make of them.

        Whoever was not looked through gains nothing, so the first ones stay the first ones
        and their text need not be fetched again.
        """
        near = [hits[one.passage] for one in fused[:PAIRED] if one.passage in hits]
        shares = self._pairs.shares(query, [hit.row.search for hit in near])
        found = {hit.row.passage_id: n for hit, n in zip(near, shares, strict=True)}
        paired = add_pairs(fused, found)
        return paired, {
            one.passage: replace(hits[one.passage], score=one.score)
            for one in paired
            if one.passage in hits
        }

    def _hits(
        self,
        fused: Sequence[Fused],
        owners: dict[int, Scope],
        dense: Scored,
        keyword: Scored,
        pool: Executor,
    ) -> dict[int, Hit]:
        """The candidates with their text and file; those gone meanwhile are missing."""
        found: dict[Scope, list[int]] = {}
        for one in fused:
            found.setdefault(owners[one.passage // PASSAGES_PER_CONTENT], []).append(
                one.passage
            )
        begun = [pool.submit(scope.source.tables.fetch, here) for scope, here in found.items()]
        live: dict[int, LiveContent] = {}
        for scope, here in found.items():
            live.update(scope.live({passage // PASSAGES_PER_CONTENT for passage in here}))
        rows: dict[int, PassageRow] = {}
        for fetched in begun:
            rows.update(fetched.result())
        by_meaning = {passage: n for n, (passage, _) in enumerate(dense, 1)}
        by_words = {passage: n for n, (passage, _) in enumerate(keyword, 1)}
        cosines, weights = dict(dense), dict(keyword)
        # The rarest word weighs about ln N: so much as a score from a library of any size.
        rarest = math.log1p(sum(scope.stored[1] for scope in set(owners.values()))) or 1.0
        return {
            one.passage: Hit(
                rows[one.passage],
                live[one.passage // PASSAGES_PER_CONTENT],
                one.score,
                Ranks(dense=by_meaning.get(one.passage), keyword=by_words.get(one.passage)),
                owners[one.passage // PASSAGES_PER_CONTENT].source.library_id,
                cosine=cosines.get(one.passage),
                bm25=weights[one.passage] / rarest if one.passage in weights else None,
            )
            for one in fused
            if one.passage in rows and one.passage // PASSAGES_PER_CONTENT in live
        }


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
        cosine=hit.cosine,
        bm25=hit.bm25,
        rerank=hit.rerank,
        library=hit.library_id,
        place=hit.row.place,
        header=hit.row.header,
    )


# --- what the steps say of themselves ------------------------------------------------------


def _what_counts(scopes: Sequence[Scope]) -> str:
    contents = sum(scope.stored[0] for scope in scopes)
    passages = sum(scope.stored[1] for scope in scopes)
    where = f" of {len(scopes)} libraries" if len(scopes) > 1 else ""
    allowed = [scope.allowed for scope in scopes if scope.allowed is not None]
    if not allowed:
        return f"No filter: all {passages:,} passages{where}"
    passing = sum(counted.contents for counted in allowed)
    inside = sum(counted.passages for counted in allowed)
    return (
        f"{passing:,} of {contents:,} documents pass: "
        f"{inside:,} of {passages:,} passages{where}"
    )


def _what_embedded(vector: Vectors | None) -> str:
    return "Not needed" if vector is None else f"The question as {len(vector)} numbers"


def _how_many(what: str, found: dict[Scope, Ranking]) -> str:
    if not found:
        return "Not searched"
    counts = [f"{len(ranking.ids)}" for ranking in found.values()]
    where = f" of {len(found)} libraries" if len(found) > 1 else ""
    return f"The {' + '.join(counts)} passages {what}{where}"


def _how_fused(dense: Scored, keyword: Scored, fused: Sequence[Fused]) -> str:
    if dense and keyword:
        pairs = round(PAIRS_WEIGHT * 100)
        meaning = round((1 - PAIRS_WEIGHT) * DENSE_WEIGHT * 100)
        return (
            f"{len(fused)} different passages; meaning counts {meaning}%, words "
            f"{100 - pairs - meaning}%, words side by side as in the question {pairs}%"
        )
    return f"{len(fused)} passages; one search alone, nothing to fuse"


def _how_chosen(choice: Choice) -> str:
    joined = sum(hit.joined for hit in choice.hits)
    repeated = sum("says the same" in fate.sentence for fate in choice.fates.values())
    return (
        f"{len(choice.hits)} passages, {joined} of them joined from two neighbours; "
        f"{repeated} left out that say the same"
    )
