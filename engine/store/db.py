"""The SQLite database: connections, numbered migrations, daily backups.

WAL with `synchronous=FULL`: a commit that returned survives a kill and a power cut.
https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import datetime
import os
import sqlite3
import threading
import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.errors import EngineError, StorageDamaged, StorageFull
from engine.paths import Home

MIGRATIONS_DIR = Path(__file__).parent / "migrations"
BACKUPS_KEPT = 7
BUSY_TIMEOUT_S = 30.0


class _Connection(sqlite3.Connection):
    """A connection that closes itself when its thread has ended and nobody refers to it."""

    def __del__(self) -> None:
        self.close()


class Store:
    """The one database of a home. Safe to share between threads and between processes.

    Args:
        home: the user's data folder; created when missing.

    Raises:
        StorageDamaged: the file is no database of ours, is damaged, or is newer.
    """

    def __init__(self, home: Home) -> None:
        self.home = home.create()
        self._local = threading.local()
        self._all: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        try:
            self._migrate()
            self._backup_daily()
        except sqlite3.Error as error:
            raise storage_failure(error) from error

    def connection(self) -> sqlite3.Connection:
        """This thread's connection (autocommit; use `transaction` to write)."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._open()
            self._local.connection = connection
            with self._lock:
                self._all.add(connection)
        return connection

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Run a write transaction: all of it is kept, or none of it.

        Raises:
            StorageDamaged, StorageFull: SQLite refused; nothing of it was kept.
        """
        connection = self.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise storage_failure(error) from error

    def close(self) -> None:
        """Close every connection; the store must not be used afterwards."""
        with self._lock:
            connections = list(self._all)
            self._all.clear()
        for connection in connections:
            connection.close()
        self._local = threading.local()

    def _open(self) -> _Connection:
        connection = sqlite3.connect(
            self.home.db,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # What a person deletes is overwritten, not only unlinked.
        connection.execute("PRAGMA secure_delete=ON")
        return connection

    def _migrate(self) -> None:
        connection = self.connection()
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, at TEXT)"
        )
        done = {row["number"] for row in connection.execute("SELECT number FROM migrations")}
        scripts = {int(path.name[:4]): path for path in MIGRATIONS_DIR.glob("[0-9]*.sql")}
        if done - set(scripts):
            raise StorageDamaged(
                "This data was written by a newer version of Whetstone.",
                hint="Use that version. Nothing was changed.",
                details=f"unknown migrations {sorted(done - set(scripts))}",
            )
        missing = sorted(set(scripts) - done)
        if missing and done:
            self._backup(f"before-{missing[-1]:04d}.db")
        for number in missing:
            self._apply(number, scripts[number])

    def _apply(self, number: int, script: Path) -> None:
        with self.transaction() as connection:
            # Another process may have come first while we waited for the write lock.
            row = connection.execute("SELECT 1 FROM migrations WHERE number=?", (number,))
            if row.fetchone() is not None:
                return
            for statement in split_statements(script.read_text("utf-8")):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migrations (number, at) VALUES (?, ?)", (number, utc_now())
            )

    def _backup_daily(self) -> None:
        name = f"daily-{datetime.date.today().isoformat()}.db"
        if not (self.home.backups / name).exists():
            self._backup(name)
            for old in sorted(self.home.backups.glob("daily-*.db"))[:-BACKUPS_KEPT]:
                old.unlink(missing_ok=True)

    def forget_in_copies(self, statements: Sequence[tuple[str, Sequence[object]]]) -> None:
        """Have what was deleted here deleted in the daily copies as well.

        A copy of an older version may lack a table: then there is nothing to delete in it. One
        that cannot be opened is of no use to anybody and is removed.
        """
        for path in self.home.backups.glob("*.db"):
            copy = sqlite3.connect(path, isolation_level=None)
            try:
                copy.execute("PRAGMA foreign_keys=ON")
                copy.execute("PRAGMA secure_delete=ON")
                for statement, values in statements:
                    try:
                        copy.execute(statement, values)
                    except sqlite3.OperationalError as error:
                        if "no such table" not in str(error):
                            raise
            except sqlite3.Error:
                copy.close()
                path.unlink(missing_ok=True)
            finally:
                copy.close()
        self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _backup(self, name: str) -> None:
        target = self.home.backups / name
        part = target.with_name(f".{name}.{os.getpid()}.tmp")
        copy = sqlite3.connect(part)
        try:
            self.connection().backup(copy)
        finally:
            copy.close()
        os.replace(part, target)


def split_statements(script: str) -> list[str]:
    """The statements of a SQL script, so that they can share one transaction."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    if pending.strip():
        statements.append(pending)
    return statements


def storage_failure(error: sqlite3.Error) -> EngineError:
    """The engine's word for a SQLite error."""
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return StorageFull(
            "The disk is full. What was stored before is kept.",
            hint="Free some space and try again.",
            details=text,
        )
    return StorageDamaged(
        "Whetstone's database could not be used. Your documents are not affected.",
        hint="A copy from an earlier day is in the backups folder.",
        details=text,
    )


def utc_now() -> str:
    """The time as stored everywhere: UTC, ISO 8601, seconds."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
