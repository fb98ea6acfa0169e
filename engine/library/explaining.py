"""Why a search found what it found: its steps as they ran, and every candidate's way."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from engine.library.choosing import Fate, Hit
from engine.library.fusion import Fused, Scored
from engine.work.api import ExplainedPassage, Explanation, SearchStep

StepName = Literal["filter", "embed", "dense", "keyword", "fuse", "rerank", "choose"]
TEXT_CHARACTERS = 200


@dataclass
class Step:
    """A running step, which says in `detail` what it did."""

    detail: str = ""


@dataclass
class Trace:
    """The steps of one search and the time each took."""

    steps: list[SearchStep] = field(default_factory=list[SearchStep])

    @contextmanager
    def step(self, name: StepName) -> Generator[Step]:
        """Time what is done inside."""
        running = Step()
        start = time.perf_counter()
        yield running
        took = (time.perf_counter() - start) * 1000
        self.steps.append(
            SearchStep(name=name, milliseconds=round(took, 3), detail=running.detail)
        )


def explain(
    query: str,
    trace: Trace,
    fused: Sequence[Fused],
    hits: Mapping[int, Hit],
    dense: Scored,
    keyword: Scored,
    fates: Mapping[int, Fate],
) -> Explanation:
    """All that is known of a search.

    Args:
        query: the question as searched for.
        trace: its steps.
        fused: every candidate, best first.
        hits: what they are, by passage id; one that has none any more is passed over.
        dense: (id, cosine), best first.
        keyword: (id, BM25 score), best first.
        fates: what became of those looked at.
    """
    by_meaning = {passage: (n, score) for n, (passage, score) in enumerate(dense, 1)}
    by_words = {passage: (n, score) for n, (passage, score) in enumerate(keyword, 1)}
    candidates: list[ExplainedPassage] = []
    for rank, one in enumerate(fused, 1):
        hit = hits.get(one.passage)
        if hit is None:
            continue
        dense_rank, dense_score = by_meaning.get(one.passage, (None, None))
        keyword_rank, keyword_score = by_words.get(one.passage, (None, None))
        fate = fates.get(one.passage) or Fate(None, "Left out: others scored higher.")
        candidates.append(
            ExplainedPassage(
                passage_id=one.passage,
                library=hit.library_id,
                path=hit.live.shown,
                page=hit.row.page,
                place=hit.row.place,
                text=hit.row.text[:TEXT_CHARACTERS],
                dense_rank=dense_rank,
                dense_score=dense_score,
                keyword_rank=keyword_rank,
                keyword_score=keyword_score,
                dense_share=one.dense_share,
                keyword_share=one.keyword_share,
                fused_rank=rank,
                fused_score=one.score,
                rerank_rank=hit.ranks.rerank,
                rerank_score=hit.rerank,
                chosen=fate.number,
                fate=fate.sentence,
            )
        )
    return Explanation(query=query, steps=trace.steps, candidates=candidates)
