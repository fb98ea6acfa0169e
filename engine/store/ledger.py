"""The ledger: which files a library knows, what they contain, and how far indexing came.

What is committed here is what counts: rows in LanceDB that the ledger does not vouch for are
ignored by search and removed at the next reconciliation.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engine.errors import InvalidInput
from engine.files import show_path
from engine.store.db import Store, storage_failure, utc_now

PASSAGES_PER_CONTENT = 1 << 20
"""passage_id = content_id * PASSAGES_PER_CONTENT + ordinal."""
_IN_BATCH = 500


@dataclass(frozen=True)
class LibraryRecord:
    """One library and what its passages were made with."""

    library_id: str
    name: str
    embedder: str
    reader_version: int
    format: int
    generation: int
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class KnownFile:
    """A file as the ledger has it. `state` is its content's; "" while it has none.

    `stale` content still serves search but has to be read anew.
    """

    file_id: int
    path: bytes
    size_bytes: int
    mtime_ns: int
    reason: str
    content_id: int | None
    state: str
    content_reason: str
    stale: bool


@dataclass(frozen=True)
class SeenFile:
    """A file as a scan found it; a `reason` means it is skipped without being read."""

    path: bytes
    size_bytes: int
    mtime_ns: int
    reason: str = ""


@dataclass(frozen=True)
class Content:
    """What equal files contain. See 0100_libraries.sql for `state`."""

    content_id: int
    state: str
    reason: str
    title: str
    kind: str
    pages: int
    passages: int
    embedded: int


@dataclass(frozen=True)
class ReadContent:
    """What reading gave for one content: passages stored, or the reason there are none."""

    content_id: int
    files: tuple[SeenFile, ...]
    reason: str = ""
    title: str = ""
    kind: str = ""
    pages: int = 0
    passages: int = 0


@dataclass(frozen=True)
class LiveContent:
    """A content that counts for search, with the file that stands for it."""

    content: Content
    file_id: int
    path: bytes
    shown: str


@dataclass(frozen=True)
class Totals:
    """Counts over one library."""

    files: int
    skipped: int
    waiting: int
    passages: int


_FILE_STATE = (
    "CASE WHEN f.reason != '' OR c.state = 'unreadable' THEN 'skipped'"
    " WHEN c.state = 'indexed' THEN 'indexed' WHEN c.state = 'read' THEN 'read'"
    " ELSE 'waiting' END"
)


class Ledger:
    """Reads and writes the ledger; each method is one transaction.

    Every method raises StorageFull or StorageDamaged when SQLite refuses.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- libraries and roots ----------------------------------------------------------

    def libraries(self) -> list[LibraryRecord]:
        """All libraries by name."""
        return [_library(row) for row in self._rows("SELECT * FROM libraries ORDER BY name")]

    def find(self, ref: str) -> LibraryRecord | None:
        """The library with this id, or else with this name (case does not matter)."""
        rows = self._rows(
            "SELECT * FROM libraries WHERE library_id = :ref OR name = :ref"
            " ORDER BY library_id = :ref DESC",
            {"ref": _text(ref)},
        )
        return _library(rows[0]) if rows else None

    def create(
        self, name: str, embedder: str, reader_version: int, format_version: int
    ) -> LibraryRecord:
        """A new library without roots; when another process was first, that one."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO libraries (library_id, name, embedder, reader_version,"
                " format, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    uuid.uuid4().hex[:12],
                    _text(name),
                    embedder,
                    reader_version,
                    format_version,
                    utc_now(),
                ),
            )
        found = self.find(name)
        if found is None:
            raise InvalidInput(f"A library cannot be called {name!r}.")
        return found

    def renew(
        self,
        library_id: str,
        embedder: str,
        reader_version: int,
        format_version: int,
        forget: bool,
    ) -> None:
        """Have every content read anew and note what it is made with from now on.

        Args:
            forget: drop the old contents and begin a new generation of tables, instead of
                letting each old content serve search until it is replaced.
        """
        with self._store.transaction() as connection:
            if forget:
                connection.execute(
                    "UPDATE files SET content_id = NULL WHERE library_id = ?", (library_id,)
                )
                connection.execute("DELETE FROM contents WHERE library_id = ?", (library_id,))
            else:
                connection.execute(
                    "UPDATE contents SET sha256 = NULL WHERE library_id = ?", (library_id,)
                )
            connection.execute(
                "UPDATE libraries SET embedder = ?, reader_version = ?, format = ?,"
                " generation = generation + ? WHERE library_id = ?",
                (embedder, reader_version, format_version, int(forget), library_id),
            )

    def touch(self, library_id: str) -> None:
        """Note that the library was brought up to date now."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE libraries SET updated_at = ? WHERE library_id = ?",
                (utc_now(), library_id),
            )

    def remove(self, library_id: str) -> None:
        """Forget the library and all it knows."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM files WHERE library_id = ?", (library_id,))
            connection.execute("DELETE FROM libraries WHERE library_id = ?", (library_id,))

    def add_root(self, library_id: str, path: bytes) -> None:
        """Cover `path`: nothing to do when a root covers it; roots below it become part."""
        with self._store.transaction() as connection:
            roots = [
                bytes(row["path"])
                for row in connection.execute(
                    "SELECT path FROM roots WHERE library_id = ?", (library_id,)
                )
            ]
            if any(covers(root, path) for root in roots):
                return
            for root in roots:
                if covers(path, root):
                    connection.execute(
                        "DELETE FROM roots WHERE library_id = ? AND path = ?",
                        (library_id, root),
                    )
            connection.execute(
                "INSERT INTO roots (library_id, path) VALUES (?, ?)", (library_id, path)
            )

    def roots(self, library_id: str) -> list[bytes]:
        """The folders the library covers; none lies within another."""
        rows = self._rows(
            "SELECT path FROM roots WHERE library_id = ? ORDER BY path", (library_id,)
        )
        return [bytes(row["path"]) for row in rows]

    def totals(self, library_id: str) -> Totals:
        """Counts for a list of libraries."""
        states: dict[str, int] = {
            row["state"]: row["n"]
            for row in self._rows(
                f"SELECT {_FILE_STATE} AS state, COUNT(*) AS n FROM files f"
                " LEFT JOIN contents c USING (content_id)"
                " WHERE f.library_id = ? GROUP BY 1",
                (library_id,),
            )
        }
        passages = self._rows(
            "SELECT COALESCE(SUM(passages), 0) AS n FROM contents WHERE library_id = ?"
            " AND state IN ('read', 'indexed')",
            (library_id,),
        )[0]["n"]
        skipped, waiting = states.get("skipped", 0), states.get("waiting", 0)
        return Totals(sum(states.values()), skipped, waiting, passages)

    # --- files ------------------------------------------------------------------------

    def known_files(self, library_id: str) -> dict[bytes, KnownFile]:
        """Every file of the library by path."""
        rows = self._rows(
            "SELECT f.*, c.state, c.reason AS content_reason, c.sha256 FROM files f"
            " LEFT JOIN contents c USING (content_id) WHERE f.library_id = ?",
            (library_id,),
        )
        return {bytes(row["path"]): _known(row) for row in rows}

    def file(self, library_id: str, file_id: int) -> KnownFile | None:
        """One file of the library; None when there is none."""
        rows = self._rows(
            "SELECT f.*, c.state, c.reason AS content_reason, c.sha256 FROM files f"
            " LEFT JOIN contents c USING (content_id) WHERE f.library_id = ? AND file_id = ?",
            (library_id, file_id),
        )
        return _known(rows[0]) if rows else None

    def see(self, library_id: str, files: Iterable[SeenFile]) -> None:
        """Note files a scan found that are to be read, or skipped for their `reason`.

        A skipped file loses its content; one to be read keeps it until it is replaced.
        """
        with self._store.transaction() as connection:
            for file in files:
                connection.execute(
                    "INSERT INTO files (library_id, path, shown, size_bytes, mtime_ns, reason)"
                    " VALUES (:library, :path, :shown, :size, :mtime, :reason)"
                    " ON CONFLICT (library_id, path) DO UPDATE SET reason = excluded.reason,"
                    " size_bytes = CASE WHEN :reason = '' THEN size_bytes ELSE :size END,"
                    " mtime_ns = CASE WHEN :reason = '' THEN mtime_ns ELSE :mtime END,"
                    " content_id = CASE WHEN :reason = '' THEN content_id ELSE NULL END",
                    {
                        "library": library_id,
                        "path": file.path,
                        "shown": show_path(file.path),
                        "size": file.size_bytes,
                        "mtime": file.mtime_ns,
                        "reason": file.reason,
                    },
                )

    def attach(self, library_id: str, content_id: int, files: Iterable[SeenFile]) -> None:
        """Point files at a content that is already there."""
        with self._store.transaction() as connection:
            _point(connection, library_id, content_id, files)

    def drop_files(self, file_ids: Sequence[int]) -> None:
        """Forget files that are gone."""
        with self._store.transaction() as connection:
            connection.executemany(
                "DELETE FROM files WHERE file_id = ?", [(file_id,) for file_id in file_ids]
            )

    def page_of_files(
        self, library_id: str, state: str | None, match: str, offset: int, limit: int
    ) -> tuple[int, list[sqlite3.Row]]:
        """Rows for a list of files, by shown path, and how many match in all."""
        where = (
            " FROM files f LEFT JOIN contents c USING (content_id)"
            " WHERE f.library_id = :library"
            " AND (:match = '' OR instr(lower(f.shown), lower(:match)) > 0)"
            f" AND (:state IS NULL OR {_FILE_STATE} = :state)"
        )
        values = {
            "library": library_id,
            "state": state,
            "match": _text(match),
            "offset": max(0, offset),
            "limit": max(0, limit),
        }
        total = self._rows(f"SELECT COUNT(*) AS n{where}", values)[0]["n"]
        rows = self._rows(
            f"SELECT f.*, {_FILE_STATE} AS state, c.reason AS content_reason, c.title, c.kind,"
            f" c.pages, c.passages{where} ORDER BY f.shown, f.file_id"
            " LIMIT :limit OFFSET :offset",
            values,
        )
        return total, rows

    # --- contents ---------------------------------------------------------------------

    def content_by_hash(self, library_id: str, sha256: str) -> Content | None:
        """The content with these bytes, if it was read (or refused) before."""
        rows = self._rows(
            "SELECT * FROM contents WHERE library_id = ? AND sha256 = ? AND state != 'pending'",
            (library_id, sha256),
        )
        return _content(rows[0]) if rows else None

    def open_contents(self, library_id: str, hashes: Sequence[str]) -> list[int]:
        """Ids for contents whose passages are about to be written; none counts yet."""
        with self._store.transaction() as connection:
            return [
                _inserted(
                    connection.execute(
                        "INSERT INTO contents (library_id, sha256, state)"
                        " VALUES (?, ?, 'pending')",
                        (library_id, sha256),
                    )
                )
                for sha256 in hashes
            ]

    def commit_read(self, library_id: str, contents: Iterable[ReadContent]) -> None:
        """From now on these contents count, and their files point at them.

        A content left behind by its last file is dropped in the same transaction.
        """
        with self._store.transaction() as connection:
            for read in contents:
                state = "read" if read.passages else "indexed"
                connection.execute(
                    "UPDATE contents SET state = ?, reason = ?, title = ?, kind = ?,"
                    " pages = ?, passages = ?, embedded = 0 WHERE content_id = ?",
                    (
                        "unreadable" if read.reason else state,
                        _text(read.reason),
                        _text(read.title),
                        read.kind,
                        read.pages,
                        read.passages,
                        read.content_id,
                    ),
                )
                _point(connection, library_id, read.content_id, read.files)

    def commit_embedded(self, embedded: Iterable[tuple[int, int]]) -> None:
        """(content_id, count): the vectors of its first `count` passages are stored."""
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE contents SET embedded = :n, state = CASE WHEN :n >= passages"
                " THEN 'indexed' ELSE 'read' END"
                " WHERE content_id = :id AND state IN ('read', 'indexed')",
                [{"id": content_id, "n": count} for content_id, count in embedded],
            )

    def drop_unfinished(self, library_id: str) -> None:
        """Forget contents whose writing was cut off, and those no file points at."""
        with self._store.transaction() as connection:
            connection.execute(
                "DELETE FROM contents WHERE library_id = ? AND (state = 'pending' OR NOT"
                " EXISTS (SELECT 1 FROM files f WHERE f.content_id = contents.content_id))",
                (library_id,),
            )

    def mark_stale(self, content_ids: Sequence[int]) -> None:
        """Have these contents read anew: some of their stored passages are lost."""
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE contents SET sha256 = NULL WHERE content_id = ?",
                [(content_id,) for content_id in content_ids],
            )

    def retry_unreadable(self, library_id: str) -> None:
        """Have contents the readers refused looked into once more."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE contents SET sha256 = NULL WHERE library_id = ?"
                " AND state = 'unreadable'",
                (library_id,),
            )

    def stored_contents(self, library_id: str) -> list[Content]:
        """Contents whose passages count, oldest first."""
        rows = self._rows(
            "SELECT * FROM contents WHERE library_id = ? AND state IN ('read', 'indexed')"
            " ORDER BY content_id",
            (library_id,),
        )
        return [_content(row) for row in rows]

    def live_contents(
        self, library_id: str, content_ids: Iterable[int]
    ) -> dict[int, LiveContent]:
        """Those of `content_ids` that count, each with its first file."""
        found: dict[int, LiveContent] = {}
        ids = sorted(set(content_ids))
        for start in range(0, len(ids), _IN_BATCH):
            part = ids[start : start + _IN_BATCH]
            rows = self._rows(
                "SELECT c.*, f.file_id, f.path, f.shown, MIN(f.file_id) FROM contents c"
                " JOIN files f USING (content_id) WHERE c.library_id = ?"
                " AND c.state IN ('read', 'indexed')"
                f" AND c.content_id IN ({','.join('?' * len(part))}) GROUP BY c.content_id",
                (library_id, *part),
            )
            for row in rows:
                found[row["content_id"]] = LiveContent(
                    _content(row), row["file_id"], bytes(row["path"]), row["shown"]
                )
        return found

    # --- SQLite -----------------------------------------------------------------------

    def _rows(
        self, statement: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[sqlite3.Row]:
        with _told():
            return self._store.connection().execute(statement, values).fetchall()


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise storage_failure(error) from error


def covers(root: bytes, path: bytes) -> bool:
    """True when `path` is `root` or lies below it. Both absolute, without links."""
    sep = os.fsencode(os.sep)
    return path == root or path.startswith(root.rstrip(sep) + sep)


def _text(text: str) -> str:
    """Text SQLite can hold: lone surrogates are escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _point(
    connection: sqlite3.Connection, library_id: str, content_id: int, files: Iterable[SeenFile]
) -> None:
    for file in files:
        old = connection.execute(
            "SELECT content_id FROM files WHERE library_id = ? AND path = ?",
            (library_id, file.path),
        ).fetchone()
        connection.execute(
            "INSERT INTO files (library_id, path, shown, size_bytes, mtime_ns, content_id)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (library_id, path) DO UPDATE SET"
            " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, reason = '',"
            " content_id = excluded.content_id",
            (
                library_id,
                file.path,
                show_path(file.path),
                file.size_bytes,
                file.mtime_ns,
                content_id,
            ),
        )
        if old is not None and old["content_id"] not in (None, content_id):
            connection.execute(
                "DELETE FROM contents WHERE content_id = :old AND NOT EXISTS"
                " (SELECT 1 FROM files f WHERE f.content_id = :old)",
                {"old": old["content_id"]},
            )


def _inserted(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _library(row: sqlite3.Row) -> LibraryRecord:
    return LibraryRecord(**{key: row[key] for key in LibraryRecord.__dataclass_fields__})


def _content(row: sqlite3.Row) -> Content:
    return Content(**{key: row[key] for key in Content.__dataclass_fields__})


def _known(row: sqlite3.Row) -> KnownFile:
    return KnownFile(
        file_id=row["file_id"],
        path=bytes(row["path"]),
        size_bytes=row["size_bytes"],
        mtime_ns=row["mtime_ns"],
        reason=row["reason"],
        content_id=row["content_id"],
        state=row["state"] or "",
        content_reason=row["content_reason"] or "",
        stale=row["content_id"] is not None and row["sha256"] is None,
    )
