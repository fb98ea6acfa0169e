"""Contents: what equal files contain, and how far each came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from engine.store.ledger.files import point_files
from engine.store.ledger.querying import IN_BATCH, Querying
from engine.store.ledger.rows import Content, LiveContent, ReadContent, content_of, storable


class ContentLedger(Querying):
    """The contents of the libraries."""

    def content_by_hash(self, library_id: str, sha256: str) -> Content | None:
        """The content with these bytes, if it was read (or refused) before."""
        rows = self._rows(
            "SELECT * FROM contents WHERE library_id = ? AND sha256 = ? AND state != 'pending'",
            (library_id, sha256),
        )
        return content_of(rows[0]) if rows else None

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
                    " pages = ?, passages = ?, scan_pages = ?, scan_due = ?, embedded = 0"
                    " WHERE content_id = ?",
                    (
                        "unreadable" if read.reason else state,
                        storable(read.reason),
                        storable(read.title),
                        read.kind,
                        read.pages,
                        read.passages,
                        read.scan_pages,
                        int(read.scan_due),
                        read.content_id,
                    ),
                )
                point_files(connection, library_id, read.content_id, read.files)

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

    def scans_left(self, library_id: str) -> list[tuple[int, int]]:
        """(content_id, pages) of contents with pages that only OCR can read, unread so far."""
        return [
            tuple(row)
            for row in self._rows(
                "SELECT content_id, scan_pages FROM contents WHERE library_id = ?"
                " AND scan_pages > 0 AND sha256 IS NOT NULL ORDER BY content_id",
                (library_id,),
            )
        ]

    def stored_counts(self, library_id: str) -> list[tuple[int, int, int]]:
        """(content_id, passages, embedded) of contents whose passages count, by id."""
        return [
            tuple(row)
            for row in self._rows(
                "SELECT content_id, passages, embedded FROM contents WHERE library_id = ?"
                " AND state IN ('read', 'indexed') ORDER BY content_id",
                (library_id,),
            )
        ]

    def unfinished(self, library_id: str) -> list[tuple[int, int, int]]:
        """(content_id, embedded, passages) of contents that lack vectors, oldest first."""
        return [
            tuple(row)
            for row in self._rows(
                "SELECT content_id, embedded, passages FROM contents c WHERE library_id = ?"
                " AND state = 'read' AND sha256 IS NOT NULL AND EXISTS (SELECT 1 FROM files f"
                " WHERE f.content_id = c.content_id) ORDER BY content_id",
                (library_id,),
            )
        ]

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
        return [content_of(row) for row in rows]

    def live_contents(
        self, library_id: str, content_ids: Iterable[int]
    ) -> dict[int, LiveContent]:
        """Those of `content_ids` that count, each with its first file."""
        found: dict[int, LiveContent] = {}
        ids = sorted(set(content_ids))
        for start in range(0, len(ids), IN_BATCH):
            part = ids[start : start + IN_BATCH]
            rows = self._rows(
                "SELECT c.*, f.file_id, f.path, f.shown, MIN(f.file_id) FROM contents c"
                " JOIN files f USING (content_id) WHERE c.library_id = ?"
                " AND c.state IN ('read', 'indexed')"
                f" AND c.content_id IN ({','.join('?' * len(part))}) GROUP BY c.content_id",
                (library_id, *part),
            )
            for row in rows:
                found[row["content_id"]] = LiveContent(
                    content_of(row), row["file_id"], bytes(row["path"]), row["shown"]
                )
        return found


def _inserted(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
