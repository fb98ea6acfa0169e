"""Files: where they are and what they contain."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence

from engine.files import show_path
from engine.store.ledger.querying import IN_BATCH, Querying
from engine.store.ledger.rows import KnownFile, SeenFile, known_of, range_below, storable

FILE_STATE = (
    "CASE WHEN f.reason = '' AND c.state = 'unreadable' AND c.scan_due THEN 'waiting'"
    " WHEN f.reason != '' OR c.state = 'unreadable' THEN 'skipped'"
    " WHEN c.state = 'indexed' THEN 'indexed' WHEN c.state = 'read' THEN 'read'"
    " ELSE 'waiting' END"
)


_CONTENT = "LEFT JOIN contents c USING (content_id)"
_KNOWN = f"SELECT f.*, c.state, c.reason AS content_reason, c.sha256 FROM files f {_CONTENT}"
# With the file's id alone to break a tie, a page of names, times or sizes is read from an
# index, without looking at the files before it.
_ORDERS = {
    "name": "f.name {d}",
    "kind": "COALESCE(c.kind, '') {d}, f.name {d}",
    "modified": "f.mtime_ns {d}",
    "size": "f.size_bytes {d}",
    "state": f"{FILE_STATE} {{d}}, f.name {{d}}",
}


class FileLedger(Querying):
    """The files of the libraries."""

    def known_files(self, library_id: str) -> dict[bytes, KnownFile]:
        """Every file of the library by path."""
        rows = self._rows(f"{_KNOWN} WHERE f.library_id = ?", (library_id,))
        return {bytes(row["path"]): known_of(row) for row in rows}

    def known_at(self, library_id: str, paths: Sequence[bytes]) -> dict[bytes, KnownFile]:
        """Those of the files at `paths` the library knows, by path."""
        found: dict[bytes, KnownFile] = {}
        for start in range(0, len(paths), IN_BATCH):
            part = paths[start : start + IN_BATCH]
            rows = self._rows(
                f"{_KNOWN} WHERE f.library_id = ? AND f.path IN ({','.join('?' * len(part))})",
                (library_id, *part),
            )
            found.update((bytes(row["path"]), known_of(row)) for row in rows)
        return found

    def known_below(self, library_id: str, folder: bytes) -> list[tuple[int, bytes, int, bool]]:
        """(file_id, path, size_bytes, has a content) of every file at or below `folder`."""
        rows = self._rows(
            "SELECT file_id, path, size_bytes, content_id IS NOT NULL AS held FROM files"
            " WHERE library_id = ? AND (path = ? OR (path >= ? AND path < ?))",
            (library_id, folder, *range_below(folder)),
        )
        return [
            (row["file_id"], bytes(row["path"]), row["size_bytes"], bool(row["held"]))
            for row in rows
        ]

    def with_equals(self, library_id: str, file_ids: Sequence[int]) -> list[KnownFile]:
        """These files and all others with the same contents."""
        found: dict[int, KnownFile] = {}
        for start in range(0, len(file_ids), IN_BATCH):
            part = file_ids[start : start + IN_BATCH]
            marks = ",".join("?" * len(part))
            rows = self._rows(
                f"{_KNOWN} WHERE f.library_id = ? AND (f.file_id IN ({marks})"
                f" OR f.content_id IN (SELECT content_id FROM files WHERE file_id IN ({marks})"
                " AND content_id IS NOT NULL))",
                (library_id, *part, *part),
            )
            found.update((row["file_id"], known_of(row)) for row in rows)
        return list(found.values())

    def files_of(self, content_id: int) -> list[KnownFile]:
        """The files that have this content."""
        return [
            known_of(row)
            for row in self._rows(f"{_KNOWN} WHERE f.content_id = ?", (content_id,))
        ]

    def file(self, library_id: str, file_id: int) -> KnownFile | None:
        """One file of the library; None when there is none."""
        rows = self._rows(
            f"{_KNOWN} WHERE f.library_id = ? AND file_id = ?", (library_id, file_id)
        )
        return known_of(rows[0]) if rows else None

    def see(self, library_id: str, files: Iterable[SeenFile]) -> None:
        """Note files a scan found that are to be read, or skipped for their `reason`.

        A skipped file loses its content; one to be read keeps it until it is replaced.
        """
        with self._store.transaction() as connection:
            for file in files:
                connection.execute(
                    "INSERT INTO files (library_id, path, shown, name, size_bytes, mtime_ns,"
                    " reason) VALUES (:library, :path, :shown, :name, :size, :mtime, :reason)"
                    " ON CONFLICT (library_id, path) DO UPDATE SET reason = excluded.reason,"
                    " size_bytes = CASE WHEN :reason = '' THEN size_bytes ELSE :size END,"
                    " mtime_ns = CASE WHEN :reason = '' THEN mtime_ns ELSE :mtime END,"
                    " content_id = CASE WHEN :reason = '' THEN content_id ELSE NULL END",
                    {
                        "library": library_id,
                        "path": file.path,
                        "shown": show_path(file.path),
                        "name": show_path(os.path.basename(file.path)),
                        "size": file.size_bytes,
                        "mtime": file.mtime_ns,
                        "reason": file.reason,
                    },
                )

    def attach(self, library_id: str, content_id: int, files: Iterable[SeenFile]) -> None:
        """Point files at a content that is already there."""
        with self._store.transaction() as connection:
            point_files(connection, library_id, content_id, files)

    def drop_files(self, file_ids: Sequence[int]) -> None:
        """Forget files that are gone."""
        with self._store.transaction() as connection:
            connection.executemany(
                "DELETE FROM files WHERE file_id = ?", [(file_id,) for file_id in file_ids]
            )

    def page_of_files(
        self,
        library_id: str,
        state: str | None,
        match: str,
        offset: int,
        limit: int,
        sort: str = "name",
        descending: bool = False,
    ) -> tuple[int, list[sqlite3.Row]]:
        """Rows for a list of files, sorted, and how many match in all.

        Only the rows of the page are joined with what they contain, unless order or filter
        need it of all.
        """
        where = "WHERE f.library_id = :library"
        where += " AND instr(lower(f.shown), lower(:match)) > 0" if match else ""
        where += f" AND {FILE_STATE} = :state" if state is not None else ""
        needs_content = state is not None or sort in ("kind", "state")
        source = f"FROM files f {_CONTENT if needs_content else ''} {where}"
        direction = "DESC" if descending else "ASC"
        order = f"{_ORDERS[sort].format(d=direction)}, f.file_id {direction}"
        values = {
            "library": library_id,
            "state": state,
            "match": storable(match),
            "offset": max(0, offset),
            "limit": max(0, limit),
        }
        total = self._rows(f"SELECT COUNT(*) AS n {source}", values)[0]["n"]
        rows = self._rows(
            f"SELECT f.*, {FILE_STATE} AS state, c.reason AS content_reason, c.title, c.kind,"
            f" c.pages, c.passages, c.scan_pages FROM files f {_CONTENT}"
            f" WHERE f.file_id IN (SELECT f.file_id {source} ORDER BY {order}"
            f" LIMIT :limit OFFSET :offset) ORDER BY {order}",
            values,
        )
        return total, rows


def point_files(
    connection: sqlite3.Connection, library_id: str, content_id: int, files: Iterable[SeenFile]
) -> None:
    """Point files at a content; one left behind by its last file is dropped."""
    for file in files:
        old = connection.execute(
            "SELECT content_id FROM files WHERE library_id = ? AND path = ?",
            (library_id, file.path),
        ).fetchone()
        connection.execute(
            "INSERT INTO files (library_id, path, shown, name, size_bytes, mtime_ns,"
            " content_id) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (library_id, path) DO UPDATE SET"
            " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, reason = '',"
            " content_id = excluded.content_id",
            (
                library_id,
                file.path,
                show_path(file.path),
                show_path(os.path.basename(file.path)),
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
