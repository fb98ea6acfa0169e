"""What the library benchmarks share: the question sets, a home that keeps its indexes."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.documents.pool import ReaderPool
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.store.db import Store
from engine.work.lease import CoreLease

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".bench"
QA = ROOT.parent / "shared" / "corpora" / "qa"
CHOOSING = ("tatqa", "pubmedqa", "mtrag-un")
TESTING = ("covidqa", "chunk-eval")
SETS = CHOOSING + TESTING
SAMPLE = 100
SEED = 20
_SPANS = {"span", "multi-span", "extractive", "span-recall"}


@dataclass(frozen=True)
class Question:
    """A question with the documents and, where the set has them, the words of its answer."""

    text: str
    gold_docs: frozenset[str]
    spans: tuple[str, ...]

    def answered_by(self, document: str, text: str) -> bool:
        """From a gold document and, where the set has answer spans, holding one of them."""
        if document not in self.gold_docs:
            return False
        return not self.spans or any(span in plain(text) for span in self.spans)


@dataclass(frozen=True)
class Parts:
    """The library side of the engine, opened on a home of the benchmarks."""

    home: Home
    store: Store
    lease: CoreLease
    embedder: Embedder
    readers: ReaderPool
    libraries: Libraries


def plain(text: str) -> str:
    """Text with white space and case evened out, for looking answers up."""
    return re.sub(r"\s+", " ", text).strip().lower()


def documents(name: str) -> Path:
    """The folder of a set's documents."""
    return QA / name / "docs"


def questions(name: str) -> list[Question]:
    """The answerable questions of a set: a seeded hundred, or all with FULL=1."""
    with (QA / name / "qa.jsonl").open(encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["answerable"] and row["gold_docs"]]
    if not os.environ.get("FULL") and len(rows) > SAMPLE:
        rows = random.Random(SEED).sample(rows, SAMPLE)
    return [
        Question(
            row["question"],
            frozenset(row["gold_docs"]),
            tuple(plain(str(answer)) for answer in row["answers"])
            if row["type"] in _SPANS
            else (),
        )
        for row in rows
    ]


@contextmanager
def opened(home: Home | None = None) -> Iterator[Parts]:
    """The parts on `home` (default: the one under .bench that keeps its indexes)."""
    home = home or Home(BENCH / "home")
    store, lease, info = Store(home), CoreLease(home), starter_embedder()
    embedder, readers = Embedder(info, store, lease), ReaderPool(info.tokenizer)
    libraries = Libraries(home, store, readers, embedder, lease)
    try:
        yield Parts(home, store, lease, embedder, readers, libraries)
    finally:
        for part in (libraries, embedder, readers, store):
            part.close()


def paired_interval(differences: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95% bootstrap interval of the mean of paired differences (10,000 resamples)."""
    chance = np.random.default_rng(seed)
    picks = chance.integers(0, len(differences), (10_000, len(differences)))
    low, high = np.quantile(differences[picks].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
