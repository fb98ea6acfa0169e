"""Groups of examples learnt from or scored, the frozen layers' output kept meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

from engine.tuning.training.packs import Tokenized, make_pack, shared_prefix, split_packs
from engine.tuning.training.states import LowerStates
from engine.tuning.training.threads import use
from engine.tuning.training.tuned import Tuned

Lease = Callable[[], AbstractContextManager[int]]
"""Gives the cores for one group of examples, as threads to use."""


class Scored:
    """Examples that are scored together, with the frozen layers' output where it is kept."""

    def __init__(
        self, tuned: Tuned, examples: Sequence[Tokenized], lease: Lease, file: Path | None
    ) -> None:
        self._tuned = tuned
        self._examples = examples
        self._lease = lease
        self._prefix = shared_prefix(examples)
        self.lower: LowerStates | None = None
        if tuned.frozen_layers and file is not None and examples:
            states = LowerStates(
                tuned.decoder, tuned.frozen_layers, examples, self._prefix, file
            )
            self.lower = states if states.usable else None

    def packs(self, rows: Sequence[int]) -> list[list[int]]:
        """`rows` in groups to be computed at once."""
        size = self._tuned.settings.pack_tokens
        return split_packs(self._examples, rows, len(self._prefix), size)

    def _lower(self, rows: Sequence[int]) -> LowerStates | None:
        if self.lower is not None and (missing := self.lower.missing(rows)):
            self.lower.fill(make_pack(self._examples, missing, self._prefix))
        return self.lower

    def learn(self, rows: Sequence[int], weight: float) -> float:
        """Forward and backward over one group; gives its summed loss."""
        tuned = self._tuned
        with self._lease() as granted, tuned.computing():
            threads = tuned.threads.choose(granted)
            lower = self._lower(rows)
            pack = make_pack(self._examples, rows, self._prefix, tuned.soft_tokens)
            begun = time.perf_counter()
            loss = tuned.loss(pack, lower)
            cast(Any, loss * weight).backward()
            tuned.threads.record(threads, (time.perf_counter() - begun) / pack.length)
            return float(loss.detach())

    def score(self, rows: Sequence[int]) -> tuple[float, float]:
        """Loss a token, and the share answered exactly, over `rows`."""
        total, exact, tokens = 0.0, 0, 0
        for group in self.packs(rows):
            with self._lease() as granted, self._tuned.computing():
                use(self._tuned.threads.best(granted))
                lower = self._lower(group)
                pack = make_pack(self._examples, group, self._prefix, self._tuned.soft_tokens)
                loss, right = self._tuned.score(pack, lower)
            total, exact, tokens = total + loss, exact + right, tokens + len(pack.targets)
        return total / max(tokens, 1), exact / max(len(rows), 1)

    def close(self) -> None:
        """Free what is kept."""
        if self.lower is not None:
            self.lower.close()
