"""Libraries and the folders they cover."""

from __future__ import annotations

import uuid

from engine.errors import InvalidInput
from engine.store.db import utc_now
from engine.store.ledger.querying import Querying
from engine.store.ledger.rows import (
    LibraryRecord,
    Totals,
    covers,
    library_of,
    range_below,
    storable,
)


class LibraryLedger(Querying):
    """Libraries and roots."""

    def libraries(self) -> list[LibraryRecord]:
        """All libraries by name."""
        return [library_of(row) for row in self._rows("SELECT * FROM libraries ORDER BY name")]

    def find(self, ref: str) -> LibraryRecord | None:
        """The library with this id, or else with this name (case does not matter)."""
        rows = self._rows(
            "SELECT * FROM libraries WHERE library_id = :ref OR name = :ref"
            " ORDER BY library_id = :ref DESC",
            {"ref": storable(ref)},
        )
        return library_of(rows[0]) if rows else None

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
                    storable(name),
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
        files = self._rows(
            "SELECT (SELECT COUNT(*) FROM files WHERE library_id = :id) AS total,"
            " (SELECT COUNT(*) FROM files WHERE library_id = :id AND reason != '') AS refused,"
            " (SELECT COUNT(*) FROM files WHERE library_id = :id AND content_id IS NULL"
            " AND reason = '') AS waiting,"
            " (SELECT COUNT(*) FROM contents c JOIN files f USING (content_id)"
            " WHERE c.library_id = :id AND c.state = 'unreadable' AND f.reason = '')"
            " AS unreadable",
            {"id": library_id},
        )[0]
        # Contents no file points at any more wait to be tidied away; they do not count.
        sums = self._rows(
            "SELECT COALESCE(SUM(passages), 0) AS passages,"
            " COALESCE(SUM(passages - embedded), 0) AS pending FROM contents c"
            " WHERE library_id = ? AND state IN ('read', 'indexed')"
            " AND EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.content_id)",
            (library_id,),
        )[0]
        return Totals(
            files=files["total"],
            skipped=files["refused"] + files["unreadable"],
            waiting=files["waiting"],
            passages=sums["passages"],
            pending=sums["pending"],
        )

    # --- how a library stands with the disk -------------------------------------------

    def pause(self, library_id: str) -> None:
        """Note that the user paused it; runs notice by the count."""
        self._set(library_id, "paused = 1, pauses = pauses + 1")

    def resume(self, library_id: str) -> None:
        """Note that the user lets it go on."""
        self._set(library_id, "paused = 0")

    def pauses(self, library_id: str) -> int:
        """How often it was paused; -1 when it was removed."""
        rows = self._rows("SELECT pauses FROM libraries WHERE library_id = ?", (library_id,))
        return rows[0]["pauses"] if rows else -1

    def rename(self, library_id: str, name: str) -> None:
        """Give it another name; names are unique whatever their case.

        Raises:
            InvalidInput: another library has this name.
        """
        wanted = storable(name)
        with self._store.transaction() as connection:
            taken = connection.execute(
                "SELECT 1 FROM libraries WHERE name = ? AND library_id != ?",
                (wanted, library_id),
            ).fetchone()
            if taken is not None:
                raise InvalidInput(
                    f"There is another library called {wanted!r}.", hint="Choose another name."
                )
            connection.execute(
                "UPDATE libraries SET name = ? WHERE library_id = ?", (wanted, library_id)
            )

    def note_following(self, library_id: str, following: str, reason: str) -> None:
        """Note how changes of its folders are noticed now."""
        self._set(library_id, "following = ?, following_reason = ?", following, reason)

    def note_agreed(self, library_id: str, at: str) -> None:
        """Note that index and disk agreed at this time (UTC, ISO 8601); never goes back."""
        self._set(library_id, "agreed_at = MAX(agreed_at, ?)", at)

    def note_settled(self, library_id: str, settled: bool) -> None:
        """Note that a run begins to write, or that it ended in good order."""
        self._set(library_id, "settled = ?", int(settled))

    def _set(self, library_id: str, assignments: str, *values: object) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                f"UPDATE libraries SET {assignments} WHERE library_id = ?",
                (*values, library_id),
            )

    # --- roots ------------------------------------------------------------------------

    def remove_root(self, library_id: str, path: bytes) -> None:
        """Cover `path` no more: its files are forgotten."""
        below = "library_id = ? AND path >= ? AND path < ?"
        with self._store.transaction() as connection:
            connection.execute(
                "DELETE FROM roots WHERE library_id = ? AND path = ?", (library_id, path)
            )
            connection.execute(
                f"DELETE FROM files WHERE {below}", (library_id, *range_below(path))
            )

    def root_identities(self, library_id: str) -> dict[bytes, str]:
        """Every root with its identity when it was last looked through; "" for never."""
        rows = self._rows(
            "SELECT path, identity FROM roots WHERE library_id = ?", (library_id,)
        )
        return {bytes(row["path"]): row["identity"] for row in rows}

    def note_identity(self, library_id: str, root: bytes, identity: str) -> None:
        """Note which folder a root is now."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE roots SET identity = ? WHERE library_id = ? AND path = ?",
                (identity, library_id, root),
            )
