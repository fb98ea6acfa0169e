"""What is lost when the same documents lie in several libraries instead of one.

All question sets together in one library, against the same documents divided by chance in
two and in four, with one in twenty documents apart, and by set, where the words of the
libraries differ most. Recall is compared question by question. "scores as they come" merges
the libraries' BM25 scores without weighing the words over all of them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.documents.types import READER_VERSION
from engine.library.records import FORMAT_VERSION
from engine.library.rows import PassageRow
from engine.library.tables import Tables
from engine.library.weighing import Weighing
from engine.models.embedders import starter_embedder
from engine.paths import Home
from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger, ReadContent, SeenFile
from engine.work.api import IndexSpec, SearchSpec
from tests.benchmarks.corpus import (
    BENCH,
    SETS,
    Parts,
    Question,
    documents,
    opened,
    paired_interval,
    questions,
)

DEPTHS = (1, 5, 10)


@dataclass(frozen=True)
class Document:
    """A document of a set, as its library has it."""

    set: str
    name: str
    rows: list[PassageRow]
    vectors: np.ndarray


class Unweighed(Weighing):
    """Searches every library for the question as it is."""

    def weigh(self, query: str, libraries: Any) -> list[list[tuple[str, float]]]:
        return [[(query, 1.0)] for _ in libraries]


def chance(document: Document) -> int:
    """A number that only depends on the document's name."""
    return int(hashlib.sha256(f"{document.set}/{document.name}".encode()).hexdigest(), 16)


DIVISIONS: dict[str, Callable[[Document], str]] = {
    "one": lambda document: "one",
    "two by chance": lambda document: f"half {chance(document) % 2}",
    "four by chance": lambda document: f"quarter {chance(document) % 4}",
    "one in twenty apart": lambda document: "few" if chance(document) % 20 == 0 else "most",
    "by set": lambda document: f"set {document.set}",
}


def main() -> list[dict[str, Any]]:
    """Recall of every division, and its difference to the single library."""
    made = material()
    home = Home(BENCH / "several")
    shutil.rmtree(home.root, ignore_errors=True)
    found: dict[str, np.ndarray] = {}
    with opened(home) as parts:
        asked = [(name, question) for name in SETS for question in questions(name)]
        for division, part_of in DIVISIONS.items():
            libraries = build(parts, made, part_of)
            found[division] = recall(parts, libraries, asked)
            if len(libraries) > 1:
                searches = parts.libraries._searches
                weighing, searches._weighing = searches._weighing, Unweighed()
                plain = f"{division}, scores as they come"
                found[plain] = recall(parts, libraries, asked)
                searches._weighing = weighing
            for name in libraries:
                parts.libraries.remove(name)
    shutil.rmtree(home.root, ignore_errors=True)
    return figures(found)


def material() -> list[Document]:
    """Every document of the question sets with its passages and vectors."""
    made: list[Document] = []
    with opened() as parts:
        for name in SETS:
            report = parts.libraries.index(IndexSpec(folder=str(documents(name)), library=name))
            ledger = Ledger(parts.store)
            tables = Tables(parts.home.library(report.library_id) / "1", 384)
            table = tables._table("vectors")
            assert table is not None
            data = table.to_arrow()
            column = np.stack(data["vector"].to_numpy(zero_copy_only=False))
            vectors = dict(zip(data["passage_id"].to_pylist(), column, strict=True))
            by_content: dict[int, list[PassageRow]] = {}
            for row in tables.fetch_range(0, 1 << 60).values():
                by_content.setdefault(row.content_id, []).append(row)
            live = ledger.live_contents(report.library_id, by_content)
            for content, one in live.items():
                rows = sorted(by_content[content], key=lambda row: row.passage_id)
                mine = np.stack([vectors[row.passage_id] for row in rows])
                made.append(Document(name, Path(one.shown).name, rows, mine))
            tables.close()
    return made


def build(parts: Parts, made: list[Document], part_of: Callable[[Document], str]) -> list[str]:
    """Write the libraries of a division as indexing would; their names, largest first."""
    ledger = Ledger(parts.store)
    divided: dict[str, list[Document]] = {}
    for document in made:
        divided.setdefault(part_of(document), []).append(document)
    for name, here in divided.items():
        record = ledger.create(name, starter_embedder().id, READER_VERSION, FORMAT_VERSION)
        tables = Tables(parts.home.library(record.library_id) / "1", 384)
        ids = ledger.open_contents(record.library_id, [f"{d.set}/{d.name}" for d in here])
        moved = [
            PassageRow(
                content * PASSAGES_PER_CONTENT + row.ordinal,
                row.context,
                row.text,
                row.heading,
                row.start,
                row.end,
                row.page,
                row.gap,
                row.place,
                row.header,
            )
            for content, document in zip(ids, here, strict=True)
            for row in document.rows
        ]
        tables.add_passages(moved)
        tables.add_vectors(
            [row.passage_id for row in moved], np.concatenate([d.vectors for d in here])
        )
        read = [
            ReadContent(
                content,
                (SeenFile(f"/{document.set}/{document.name}".encode(), 1, 1),),
                kind="Text",
                passages=len(document.rows),
            )
            for content, document in zip(ids, here, strict=True)
        ]
        ledger.commit_read(record.library_id, read)
        ledger.commit_embedded([(one.content_id, one.passages) for one in read])
        tables.tend_passages(final=True)
        tables.tend_vectors(final=True)
        tables.close()
    return sorted(divided, key=lambda name: -len(divided[name]))


def recall(parts: Parts, libraries: list[str], asked: list[tuple[str, Question]]) -> np.ndarray:
    """1 or 0 for every question and depth: was an answering passage among the first?"""
    rows: list[list[float]] = []
    for name, question in asked:
        spec = SearchSpec(
            query=question.text,
            library=libraries[0],
            libraries=libraries[1:],
            top=max(DEPTHS),
        )
        good = [
            Path(hit.path).parent.name == name
            and question.answered_by(Path(hit.path).name, hit.text)
            for hit in parts.libraries.search(spec).passages
        ]
        rows.append([float(any(good[:depth])) for depth in DEPTHS])
    return np.array(rows)


def figures(found: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Rows for the report: recall, and what each division loses."""
    rows: list[dict[str, Any]] = []
    for division, hits in found.items():
        for column, depth in enumerate(DEPTHS):
            difference = hits[:, column] - found["one"][:, column]
            low, high = paired_interval(difference)
            verdict = "not worse" if high >= 0 else "WORSE"
            mean = float(hits[:, column].mean())
            rows.append({"name": f"{division} recall@{depth}", "value": round(mean, 3)})
            if division != "one":
                rows.append(
                    {
                        "name": f"{division} minus one library recall@{depth}",
                        "value": round(float(difference.mean()), 3),
                        "low": round(low, 3),
                        "high": round(high, 3),
                        "unit": "",
                        "note": verdict,
                    }
                )
            print(f"{division:40}@{depth:<3}{mean:7.3f} {difference.mean():+.3f} {verdict}")
    return rows
