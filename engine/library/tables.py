"""The two LanceDB tables of a library; beside `analysis` the only importer of lancedb.

`passages` holds the text with a full-text index, `vectors` the embeddings by passage id.
Both are append-only while indexing runs; rows the ledger no longer vouches for are deleted
afterwards. Readers look at the newest version before every query, so another process's
writes are seen at once. One process writes at a time; `Libraries` holds the lock.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import lancedb
import numpy as np
import pyarrow  # pyright: ignore[reportMissingTypeStubs]
from lancedb import query as lance_query
from lancedb.background_loop import LOOP
from lancedb.index import BTree, IvfFlat

from engine.errors import StorageDamaged
from engine.library.analysis import FULL_TEXT
from engine.library.failures import told
from engine.library.rows import (
    NOTHING_RANKED,
    Ids,
    PassageRow,
    Ranking,
    Vectors,
)
from engine.store.ledger import PASSAGES_PER_CONTENT

# Neither library has types for these.
pa = cast(Any, pyarrow)
_MatchQuery = cast(Any, lance_query.MatchQuery)
_BooleanQuery = cast(Any, lance_query.BooleanQuery)
_Occur = cast(Any, lance_query.Occur)
_EVERY_WORD = cast(Any, lance_query.FullTextOperator).AND
_LOOP = cast(Any, LOOP)

ANN_FROM_ROWS = 10_000
"""Below this an exact scan is fast enough (76 ms at 50,000 rows, so 15 ms here)."""
ANN_PARTITIONS = 128
ANN_PROBES = ANN_PARTITIONS // 2
"""IVF_FLAT and half its partitions: recall of the exact 100 nearest is 0.993 at 9 ms with
50,000 rows, where IVF_HNSW_SQ reaches 0.996 at the same speed but takes ten times as long to
build (122 s against 10 s on a busy two-core machine) and grows badly."""
FRAGMENTS_BEFORE_COMPACTION = 64
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h
_KEEP_VERSIONS = timedelta(minutes=5)
_PASSAGES, _VECTORS = "passages", "vectors"
_DELETE_AT_ONCE = 200

_PASSAGE_SCHEMA = pa.schema(
    [
        pa.field("passage_id", pa.int64(), nullable=False),
        # What is searched: title and headings, a table's header row, then the passage, which
        # begins at `body`.
        pa.field("search", pa.string(), nullable=False),
        pa.field("body", pa.int32(), nullable=False),
        pa.field("heading", pa.string(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("page", pa.int32()),
        pa.field("gap", pa.string()),
        pa.field("place", pa.string(), nullable=False),
        pa.field("header", pa.string(), nullable=False),
    ]
)


class Tables:
    """Passages and vectors of one library. Safe to share between threads.

    Args:
        folder: the library's folder; made by the first write.
        dimensions: length of its vectors.

    Every method raises StorageDamaged when what is stored cannot be read and StorageFull
    when the disk has no room.
    """

    def __init__(self, folder: Path, dimensions: int) -> None:
        self._folder = folder
        self._vector_schema = pa.schema(
            [
                pa.field("passage_id", pa.int64(), nullable=False),
                pa.field("vector", pa.list_(pa.float32(), dimensions), nullable=False),
            ]
        )
        self._database: Any = None
        self._open_tables: dict[str, Any] = {}
        self._adds = {_PASSAGES: 0, _VECTORS: 0}

    # --- writing ----------------------------------------------------------------------

    def add_passages(self, rows: Sequence[PassageRow]) -> None:
        """Append passages; they count once the ledger says so."""
        if not rows:
            return
        columns: dict[str, list[Any]] = {
            "passage_id": [row.passage_id for row in rows],
            "search": [_valid(row.search) for row in rows],
            "body": [len(row.search) - len(row.text) for row in rows],
            "heading": [_valid(row.heading) for row in rows],
            "start": [row.start for row in rows],
            "end": [row.end for row in rows],
            "page": [row.page for row in rows],
            "gap": [row.gap for row in rows],
            "place": [_valid(row.place) for row in rows],
            "header": [_valid(row.header) for row in rows],
        }
        with told(self._folder):
            table = self._for_writing(_PASSAGES, _PASSAGE_SCHEMA)
            table.add(pa.table(columns, schema=_PASSAGE_SCHEMA))
        self._adds[_PASSAGES] += 1

    def add_vectors(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Append vectors, shape (len(ids), dimensions)."""
        if not ids:
            return
        with told(self._folder):
            table = self._for_writing(_VECTORS, self._vector_schema)
            flat = pa.array(vectors.reshape(-1), pa.float32())
            column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
            table.add(
                pa.table(
                    {"passage_id": pa.array(ids, pa.int64()), "vector": column},
                    schema=self._vector_schema,
                )
            )
        self._adds[_VECTORS] += 1

    def delete_contents(self, content_ids: Sequence[int]) -> None:
        """Delete all rows of these contents from both tables."""
        for start in range(0, len(content_ids), _DELETE_AT_ONCE):
            part = content_ids[start : start + _DELETE_AT_ONCE]
            where = " OR ".join(
                f"(passage_id >= {c * PASSAGES_PER_CONTENT}"
                f" AND passage_id < {(c + 1) * PASSAGES_PER_CONTENT})"
                for c in part
            )
            for name in (_PASSAGES, _VECTORS):
                self._delete(name, where)

    def delete_vectors(self, ids: Sequence[int]) -> None:
        """Delete single vectors."""
        for start in range(0, len(ids), _DELETE_AT_ONCE):
            part = ids[start : start + _DELETE_AT_ONCE]
            self._delete(_VECTORS, f"passage_id IN ({','.join(map(str, part))})")

    def tend_passages(self, final: bool) -> None:
        """Bring the full-text index up to date; compact when there are many small files."""
        with told(self._folder):
            table = self._table(_PASSAGES)
            if table is None or not table.count_rows():
                return
            indexed = {column for index in table.list_indices() for column in index.columns}
            if "search" not in indexed:
                table.create_index("search", config=FULL_TEXT)
            if "passage_id" not in indexed and final:
                table.create_index("passage_id", config=BTree())
            if final or self._adds[_PASSAGES] >= FRAGMENTS_BEFORE_COMPACTION:
                table.optimize(cleanup_older_than=_KEEP_VERSIONS)
                self._adds[_PASSAGES] = 0
                _give_back()

    def tend_vectors(self, final: bool) -> None:
        """Compact when there are many small files; build the ANN index when size asks.

        A later run only extends it: with half the partitions looked at, it does not matter
        much that they were laid out for the first ten thousand passages.
        """
        with told(self._folder):
            table = self._table(_VECTORS)
            if table is None:
                return
            if not final and self._adds[_VECTORS] < FRAGMENTS_BEFORE_COMPACTION:
                return
            self._adds[_VECTORS] = 0
            table.optimize(cleanup_older_than=_KEEP_VERSIONS)
            rows = table.count_rows()
            if final and rows >= ANN_FROM_ROWS and not self.has_ann():
                table.create_index(
                    "vector",
                    config=IvfFlat(distance_type="cosine", num_partitions=ANN_PARTITIONS),
                )
            _give_back()

    def drop(self) -> None:
        """Remove both tables with everything in them."""
        self._open_tables.clear()
        self._database = None
        for name in (_PASSAGES, _VECTORS):
            shutil.rmtree(self._folder / f"{name}.lance", ignore_errors=True)

    # --- reading ----------------------------------------------------------------------

    def passage_ids(self) -> Ids:
        """Ids of all stored passages, live or not."""
        return self._ids(_PASSAGES)

    def vector_ids(self) -> Ids:
        """Ids of all stored vectors, live or not."""
        return self._ids(_VECTORS)

    def fetch(self, ids: Iterable[int]) -> dict[int, PassageRow]:
        """The passages with these ids; those not stored are missing from the result."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        return self._select(f"passage_id IN ({','.join(map(str, wanted))})")

    def fetch_range(self, first: int, stop: int) -> dict[int, PassageRow]:
        """The passages with ids in [first, stop)."""
        return self._select(f"passage_id >= {first} AND passage_id < {stop}")

    def keyword(
        self, parts: Sequence[tuple[str, float]], count: int, among: Ids | None = None
    ) -> Ranking:
        """Best passages by BM25. Any text is a valid part.

        Args:
            parts: texts with a weight each; a passage's score is the weighted sum of theirs.
            count: how many passages at most.
            among: only passages with these ids, whose scores stay what they are without.
        """
        asked = [(_valid(text), weight) for text, weight in parts if _valid(text).strip()]
        if not asked:
            return NOTHING_RANKED
        with told(self._folder):
            table = self._searchable_text()
            if table is None:
                return NOTHING_RANKED
            query = _query(table).nearest_to_text(_text_query(asked))
            if among is None or _all_indexed(table):
                found = _limited(query, "_score", count, among)
                return _ranking(found["passage_id"], found["_score"].to_numpy())
            # WORKAROUND: for rows the index lacks so far, LanceDB 0.40 counts the words'
            # rarity among the prefiltered rows alone, so everything is ranked instead.
            found = _limited(query, "_score", table.count_rows(), None)
        everything = _ranking(found["passage_id"], found["_score"].to_numpy())
        kept = np.flatnonzero(np.isin(everything.ids, among))[:count]
        return Ranking(everything.ids[kept], everything.scores[kept])

    def holding(self, texts: Sequence[str]) -> Ranking:
        """Every stored passage that holds all words of one of `texts`, live or not.

        Stop words count for nothing; a text of nothing else holds in no passage.
        """
        asked = [_valid(text) for text in texts if _valid(text).strip()]
        with told(self._folder):
            table = self._searchable_text() if asked else None
            if table is None:
                return NOTHING_RANKED
            queries = [_MatchQuery(one, "search", operator=_EVERY_WORD) for one in asked]
            query = _query(table).nearest_to_text(_any_of(queries))
            found = _limited(query, "_score", table.count_rows(), None)
        return _ranking(found["passage_id"], found["_score"].to_numpy())

    def count_matches(self, texts: Sequence[str]) -> list[int]:
        """How many stored passages hold a word of each text; stop words are in none."""
        with told(self._folder):
            table = self._searchable_text()
            if table is None:
                return [0] * len(texts)
            rows = table.count_rows()
            asked = {text: _valid(text) for text in texts if _valid(text).strip()}
            # Neither a column nor an id is read, which is most of the time it would take.
            found = _rows_of(
                _query(table)
                .nearest_to_text(_text_query([(text, 1.0)]))
                .with_row_id()
                .select(["_score"])
                .limit(rows)
                for text in asked.values()
            )
        counts = {text: each.num_rows for text, each in zip(asked, found, strict=True)}
        return [counts.get(text, 0) for text in texts]

    def dense(self, vector: Vectors, count: int, among: Ids | None = None) -> Ranking:
        """Nearest passages by cosine.

        Args:
            vector: shape (dimensions,).
            count: how many passages at most; all of them are ranked when there are fewer.
            among: only passages with these ids. The result is then exact; without, it may
                be approximate, see ANN_PROBES.
        """
        return self._nearest(vector, count, ANN_PROBES if among is None else 0, among)

    def dense_exactly(self, vector: Vectors, count: int) -> Ranking:
        """Nearest passages by cosine, with none overlooked: twice the time of `dense`."""
        return self._nearest(vector, count, 0, None)

    def _nearest(self, vector: Vectors, count: int, probes: int, among: Ids | None) -> Ranking:
        with told(self._folder):
            table = self._table(_VECTORS)
            if table is None:
                return NOTHING_RANKED
            query = _query(table).nearest_to(vector).column("vector").distance_type("cosine")
            if self.has_ann():
                # All partitions are all vectors, still laid out for a fast scan.
                query = query.nprobes(probes or ANN_PARTITIONS)
            found = _limited(query, "_distance", count, among)
        return _ranking(found["passage_id"], 1.0 - found["_distance"].to_numpy())

    def _searchable_text(self) -> Any | None:
        """The passages, when they have a full-text index."""
        table = self._table(_PASSAGES)
        if table is None or not any("search" in i.columns for i in table.list_indices()):
            return None
        return table

    def has_ann(self) -> bool:
        """True when the vectors have an approximate index."""
        table = self._table(_VECTORS)
        return table is not None and any("vector" in i.columns for i in table.list_indices())

    def check(self) -> None:
        """Open both tables and read a row of each."""
        for name in (_PASSAGES, _VECTORS):
            self._read_one(name)

    def repair(self) -> bool:
        """Set aside newest manifests that cannot be read; True when both tables open again.

        A manifest cut short makes the whole table unreadable; the version before it holds
        everything but the last write, which the next reconciliation makes good. Call with
        the writer's lock held.
        """
        self.close()
        repaired = [self._repair(name) for name in (_PASSAGES, _VECTORS)]
        return all(repaired)

    def close(self) -> None:
        """Let go of open files; the next use opens them again."""
        self._open_tables.clear()
        self._database = None

    # --- LanceDB ----------------------------------------------------------------------

    def _table(self, name: str) -> Any | None:
        """The table, or None when nothing was ever written to it."""
        if name not in self._open_tables:
            if not (self._folder / f"{name}.lance" / "_versions").is_dir():
                return None
            self._open_tables[name] = self._connected().open_table(name)
        return self._open_tables[name]

    def _for_writing(self, name: str, schema: Any) -> Any:
        table = self._table(name)
        if table is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            table = self._connected().create_table(name, schema=schema, exist_ok=True)
            self._open_tables[name] = table
        return table

    def _connected(self) -> Any:
        if self._database is None:
            self._database = lancedb.connect(
                self._folder, read_consistency_interval=timedelta(0), session=_session()
            )
        return self._database

    def _delete(self, name: str, where: str) -> None:
        with told(self._folder):
            table = self._table(name)
            if table is not None:
                table.delete(where)

    def _ids(self, name: str) -> Ids:
        with told(self._folder):
            table = self._table(name)
            if table is None:
                return np.empty(0, np.int64)
            [found] = _rows_of([_query(table).select(["passage_id"])])
            return found["passage_id"].to_numpy()

    def _select(self, where: str) -> dict[int, PassageRow]:
        with told(self._folder):
            table = self._table(_PASSAGES)
            if table is None:
                return {}
            [found] = _rows_of([_query(table).where(where)])
        return {row["passage_id"]: _passage(row) for row in found.to_pylist()}

    def _read_one(self, name: str) -> None:
        with told(self._folder):
            table = self._table(name)
            if table is not None:
                _rows_of([_query(table).select(["passage_id"]).limit(1)])

    def _repair(self, name: str) -> bool:
        versions = self._folder / f"{name}.lance" / "_versions"
        for _ in range(3):
            try:
                self._read_one(name)
                return True
            except StorageDamaged:
                self.close()
                newest = _newest_manifest(versions)
                if newest is None:
                    return False
                newest.rename(newest.with_name(newest.name + ".damaged"))
        return False


@functools.cache
def _session() -> Any:
    """The caches all tables of this process share.

    Left to itself LanceDB keeps up to 7 GB. Metadata of versions long gone fill whatever they
    are given: with 16 MB, 24,000 passages took the process from 99 to 113 MB, with 4 MB from
    97 to 101, and searches afterwards took the same time.
    """
    _keep_memory_flat()
    return lancedb.Session(index_cache_size_bytes=256 << 20, metadata_cache_size_bytes=4 << 20)


def _keep_memory_flat() -> None:
    """Have glibc give large blocks back to the system as soon as they are free.

    By itself it learns to keep them, in an arena a thread, and every compaction then leaves
    behind about as much as it read: 49,000 vectors in batches of 128 took the process from
    78 to 214 MB, and from 78 to 94 MB like this. See mallopt(3).
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            libc = ctypes.CDLL(None)
            libc.mallopt(_M_MMAP_THRESHOLD, 128 << 10)
            libc.mallopt(_M_ARENA_MAX, 2)


def _give_back() -> None:
    """Return to the system what building an index has freed in pieces."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def _passage(row: dict[str, Any]) -> PassageRow:
    search, body, header = row["search"], row["body"], row["header"]
    above = body - len(header) - 1 if header else body
    return PassageRow(
        passage_id=row["passage_id"],
        context=search[: max(0, above - 1)],
        text=search[body:],
        heading=row["heading"],
        start=row["start"],
        end=row["end"],
        page=row["page"],
        gap=row["gap"],
        place=row["place"],
        header=header,
    )


def _text_query(parts: Sequence[tuple[str, float]]) -> Any:
    return _any_of([_MatchQuery(text, "search", boost=weight) for text, weight in parts])


def _any_of(queries: Sequence[Any]) -> Any:
    if len(queries) == 1:
        return queries[0]
    return _BooleanQuery([(_Occur.SHOULD, query) for query in queries])


def _all_indexed(table: Any) -> bool:
    """True when every passage is in the full-text index."""
    [name] = [index.name for index in table.list_indices() if "search" in index.columns]
    return table.index_stats(name).num_unindexed_rows == 0


def _limited(query: Any, score: str, count: int, among: Ids | None) -> Any:
    if among is not None:
        ids = ",".join(map(str, among.tolist()))
        query = query.where(f"passage_id IN ({ids})")
    [found] = _rows_of([query.select(["passage_id", score]).limit(count)])
    return found


def _query(table: Any) -> Any:
    """A query of the table's asynchronous side, to be run by `_rows_of`.

    The synchronous one makes four trips to LanceDB's event loop, two of them to read the
    schema anew: twice the time of a search by words, and of counting words 2.5 times.
    """
    return table._table.query()


def _rows_of(queries: Iterable[Any]) -> list[Any]:
    """What these queries find, all of them run at once, as Arrow tables."""

    async def run() -> list[Any]:
        return await asyncio.gather(*(query.to_arrow() for query in queries))

    return _LOOP.run(run())


def _ranking(ids: Any, scores: Any) -> Ranking:
    """Best first; equal ones by id, whatever order LanceDB met them in."""
    numbers, values = ids.to_numpy(), scores.astype(np.float64)
    order = np.lexsort((numbers, -values))
    return Ranking(numbers[order], values[order])


def _newest_manifest(versions: Path) -> Path | None:
    """LanceDB names manifests by version, or by 2^64 - 1 - version in 20 digits."""
    numbered = [
        (2**64 - 1 - int(path.stem) if len(path.stem) == 20 else int(path.stem), path)
        for path in versions.glob("*.manifest")
        if path.stem.isdigit()
    ]
    # The very first version is the empty table: without it there is nothing to go back to.
    return max(numbered)[1] if len(numbered) > 1 else None


def _valid(text: str) -> str:
    """Text Arrow can hold, code point for code point: lone surrogates become "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
