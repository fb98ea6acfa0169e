"""Whether a reranker is worth it in a library: searches with and without it, compared."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.errors import InvalidInput, ModelUnavailable
from engine.library.known_items import KnownItem
from engine.store.db import utc_now
from engine.work.api import (
    Gain,
    RerankerMeasurement,
    RerankerVerdict,
    RetrievalFigures,
    SearchReport,
    SearchSpec,
)
from engine.work.jobs import Job

TOP = 10
MIN_QUESTIONS = 20
"""With fewer nothing is said."""
_WIDE = 0.1
"""An interval that reaches this far to both sides tells nothing."""
_RESAMPLES = 10_000
_Figures = np.ndarray[Any, np.dtype[np.float64]]


def measure_reranker(
    library: str,
    items: Sequence[KnownItem],
    search: Callable[[SearchSpec, Job], SearchReport],
    let_pass: Callable[[], None],
    job: Job,
) -> RerankerMeasurement:
    """Ask every question with and without the reranker, and say which did better.

    Args:
        library: where the questions are from.
        items: the questions.
        search: runs one search.
        let_pass: called before every search: whoever has a question of his own goes first.
        job: watched; told of every question.

    Raises:
        InvalidInput: there are no questions.
        ModelUnavailable: the reranker failed, or took too long.
        Cancelled: `job` was cancelled.
    """
    if not items:
        raise InvalidInput(
            "No question can be made from this library.",
            hint="Choose a library with more text, or index this one first.",
        )
    ranks: dict[bool, list[int | None]] = {False: [], True: []}
    took_ms: dict[bool, list[float]] = {False: [], True: []}
    note = "Searching with and without the reranker"
    for number, item in enumerate(items):
        job.progress(number, len(items), note)
        # By turns one goes first and finds the tables cold; the first question is repeated.
        for rerank in (number % 2 == 0, number % 2 == 1) if number else (False, True, True):
            job.checkpoint()
            let_pass()
            spec = SearchSpec(query=item.query, library=library, top=TOP, rerank=rerank)
            report = search(spec, job)
            if rerank and report.passages and report.passages[0].rerank is None:
                raise ModelUnavailable(
                    f"The reranker cannot be measured. {report.notice}",
                    hint="Use another cross-encoder, or a smaller one.",
                )
            if not number:
                ranks[rerank].clear()
                took_ms[rerank].clear()
            ranks[rerank].append(item.rank([hit.text for hit in report.passages]))
            took_ms[rerank].append(report.milliseconds)
    job.progress(len(items), len(items), note)
    plain, reranked = _found(ranks[False]), _found(ranks[True])
    gains = [_gain(reranked[:, at] - plain[:, at]) for at in range(3)]
    verdict = judge(gains[2], len(items))
    return RerankerMeasurement(
        library=library,
        questions=len(items),
        plain=_figures(plain, took_ms[False]),
        reranked=_figures(reranked, took_ms[True]),
        recall_1_gain=gains[0],
        recall_5_gain=gains[1],
        mrr_gain=gains[2],
        verdict=verdict,
        sentence=_SENTENCES[verdict],
        measured_at=utc_now(),
    )


def judge(gain: Gain, questions: int) -> RerankerVerdict:
    """What the gain in reciprocal rank says, with its interval."""
    if questions < MIN_QUESTIONS:
        return "too few"
    if gain.low > 0:
        return "gain"
    if gain.high < 0:
        return "loss"
    return "too few" if gain.low < -_WIDE and gain.high > _WIDE else "no difference"


_SENTENCES: dict[RerankerVerdict, str] = {
    "gain": "Worth it: it finds the passage higher up than the search alone.",
    "no difference": "It makes no difference here: leave it off and save the time.",
    "loss": "Worse than the search alone: leave it off.",
    "too few": "Too few questions to tell.",
}


def _found(ranks: Sequence[int | None]) -> _Figures:
    """Rows of recall@1, recall@5 and reciprocal rank within TOP, one a question."""
    return np.array(
        [
            (rank == 1, rank is not None and rank <= 5, 0.0 if rank is None else 1.0 / rank)
            for rank in ranks
        ],
        np.float64,
    ).reshape(-1, 3)


def _figures(found: _Figures, took_ms: Sequence[float]) -> RetrievalFigures:
    recall_1, recall_5, mrr = found.mean(axis=0).tolist()
    return RetrievalFigures(
        recall_1=recall_1,
        recall_5=recall_5,
        mrr=mrr,
        milliseconds=statistics.median(took_ms),
    )


def _gain(differences: _Figures) -> Gain:
    """The mean difference and its 95 % bootstrap interval over the same questions."""
    chance = np.random.default_rng(0)
    picks = chance.integers(0, len(differences), (_RESAMPLES, len(differences)))
    low, high = np.quantile(differences[picks].mean(axis=1), [0.025, 0.975])
    return Gain(mean=float(differences.mean()), low=float(low), high=float(high))
