"""RAG-Sequence: every passage's own answer, and which of them all passages together favour.

Lewis et al. 2020, arXiv 2005.11401, section 2.5, "thorough decoding" with one hypothesis a
passage: each passage writes its answer by itself; each answer is then scored under every
passage, and the one with the largest p(y) = Σ_z p(z) p(y | z) is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.answers.drafts import Draft, pick
from engine.answers.generation import Alternative, Task, WrittenToken
from engine.answers.mixing import Weights, log_softmax, normalized, sequence_marginal
from engine.answers.runtime import Runtime
from engine.errors import Cancelled, ModelUnavailable
from engine.work.jobs import Job

Likelihoods = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """The answer chosen, and all that were weighed, likeliest first."""

    draft: Draft
    alternatives: list[Alternative]


class Candidates:
    """Writes and weighs the answers of passages read into the sequences 0 … k-1.

    Args:
        runtime: holds the sequences.
        stops: texts that end an answer.
        task: prior, temperature and seed.
        job: a cancel keeps what was written, unweighed where there was no time for it.
    """

    def __init__(self, runtime: Runtime, stops: Sequence[str], task: Task, job: Job) -> None:
        self._runtime = runtime
        self._stops = stops
        self._task = task
        self._job = job
        self._prior: Weights = normalized(np.asarray(task.prior, np.float64))
        self._passages = range(len(self._prior))

    def best(self, scores: NDArray[np.float32], limit: int) -> Found:
        """The answer all passages together favour.

        Args:
            scores: of what comes after each prompt, (k, v).
            limit: tokens an answer may have.

        Raises:
            ModelUnavailable: the model cannot go back to the end of a prompt.
        """
        starts = [self._runtime.length(seq) for seq in self._passages]
        drafts = self._write(scores, limit)
        different = list({tuple(draft.ids): draft for draft in drafts if draft.ids}.values())
        if any(draft.ending == "stopped" for draft in drafts) or not different:
            # The first passage's answer is the likeliest guess when there is no time to weigh.
            return Found(drafts[0], [])
        weighed: list[tuple[float, Draft, Likelihoods]] = []
        for number, draft in enumerate(different):
            self._job.progress(number, len(different), "weighing answers")
            under = self._score(draft.ids, scores, starts)
            weighed.append((sequence_marginal(self._prior, list(under)), draft, under))
        weighed.sort(key=lambda one: -one[0])
        _, draft, under = weighed[0]
        self._note(draft, under)
        return Found(
            draft,
            [Alternative(text=one.text, log_probability=total) for total, one, _ in weighed],
        )

    def _write(self, scores: NDArray[np.float32], limit: int) -> list[Draft]:
        """Each passage's own answer; all advance together, one token a batch."""
        chance = np.random.default_rng(self._task.seed)
        drafts = [Draft(self._runtime.vocabulary, self._stops) for _ in self._passages]
        current = dict(enumerate(scores))
        for done in range(limit):
            rows: dict[int, Sequence[int]] = {}
            for seq, row in current.items():
                token = pick(row, self._task.temperature, chance)
                drafts[seq].take(token, float(log_softmax(row)[token]))
                if drafts[seq].ending is None:
                    rows[seq] = [token]
            if not rows or done == limit - 1:
                break
            self._job.progress(done, limit, "writing an answer from each passage")
            try:
                self._job.checkpoint()
            except Cancelled:
                for draft in drafts:
                    draft.finish("stopped")
                break
            current = {seq: found[-1] for seq, found in self._runtime.compute(rows).items()}
        for draft in drafts:
            draft.finish("length")
        return drafts

    def _score(
        self, ids: Sequence[int], scores: NDArray[np.float32], starts: Sequence[int]
    ) -> Likelihoods:
        """Log p(y_t | z, y_<t) of an answer under every passage, (tokens, k)."""
        for seq in self._passages:
            if self._runtime.keep(seq, starts[seq]) != starts[seq]:
                raise ModelUnavailable(
                    "This model cannot weigh several answers.",
                    hint="Choose another way of answering.",
                )
        under = np.empty((len(ids), len(self._passages)))
        for seq in self._passages:
            under[0, seq] = log_softmax(scores[seq])[ids[0]]
        if len(ids) > 1:
            rows = {seq: list(ids[:-1]) for seq in self._passages}
            found = self._runtime.compute(rows, want="all")
            for seq in self._passages:
                following = np.asarray(ids[1:])
                under[1:, seq] = log_softmax(found[seq])[np.arange(len(following)), following]
        return under

    def _note(self, draft: Draft, under: Likelihoods) -> None:
        """Give the chosen answer's tokens their probabilities under every passage."""
        said: Weights = self._prior
        for at, token in enumerate(draft.written):
            together = said + under[at]
            own = sequence_marginal(said, [under[at]])
            draft.written[at] = WrittenToken(end=token.end, own=own, under=under[at].tolist())
            said = normalized(together)
