from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.errors import StorageDamaged
from engine.paths import Home
from engine.store import db
from engine.store.db import Store

ROOT = Path(__file__).parents[3]
WRITER = """
import pathlib, sys
from engine.paths import Home
from engine.store.db import Store
store = Store(Home(pathlib.Path(sys.argv[1])))
store.connection().execute("CREATE TABLE IF NOT EXISTS t (a INTEGER, b INTEGER)")
for n in range(1_000_000):
    with store.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (?, 0)", (n,))
        connection.execute("UPDATE t SET b=1 WHERE a=?", (n,))
    print(n, flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_migrations_run_once_and_reopening_changes_nothing(home: Home) -> None:
    first = Store(home)
    rows = [tuple(row) for row in first.connection().execute("SELECT * FROM migrations")]
    first.close()
    second = Store(home)
    again = [tuple(row) for row in second.connection().execute("SELECT * FROM migrations")]
    second.close()
    assert rows == again


def test_a_transaction_is_whole_or_nothing(home: Home) -> None:
    store = Store(home)
    store.connection().execute("CREATE TABLE t (a INTEGER)")
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError
    assert store.connection().execute("SELECT count(*) FROM t").fetchone()[0] == 0
    store.close()


def test_threads_write_without_losing_each_other(home: Home) -> None:
    store = Store(home)
    store.connection().execute("CREATE TABLE t (a INTEGER)")

    def write() -> None:
        for n in range(20):
            with store.transaction() as connection:
                connection.execute("INSERT INTO t VALUES (?)", (n,))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert store.connection().execute("SELECT count(*) FROM t").fetchone()[0] == 80
    store.close()


def test_a_kill_loses_no_commit_and_keeps_no_half(home: Home) -> None:
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(home.root)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
        writer.stdout.close()
        writer.wait()
        store = Store(home)
        rows = store.connection().execute("SELECT a, b FROM t ORDER BY a").fetchall()
        store.connection().execute("DELETE FROM t")
        store.close()
        assert {row["a"] for row in rows} >= set(said)
        assert all(row["b"] == 1 for row in rows)


def test_a_newer_database_is_refused_and_left_alone(home: Home) -> None:
    store = Store(home)
    store.connection().execute("INSERT INTO migrations VALUES (9999, 'later')")
    store.close()
    with pytest.raises(StorageDamaged, match="newer version"):
        Store(home)


def test_a_file_that_is_no_database_is_refused_in_plain_words(home: Home) -> None:
    home.create()
    home.db.write_bytes(b"this is not a database, " * 100)
    with pytest.raises(StorageDamaged, match="documents are not affected"):
        Store(home)
    assert home.db.read_bytes().startswith(b"this is not")


def test_a_failing_migration_leaves_the_old_schema(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "migrations"
    scripts.mkdir()
    (scripts / "0001_first.sql").write_text("CREATE TABLE t (a INTEGER);")
    monkeypatch.setattr(db, "MIGRATIONS_DIR", scripts)
    Store(home).close()
    (scripts / "0002_bad.sql").write_text(
        "CREATE TABLE u (a INTEGER);\nINSERT INTO nope VALUES (1);"
    )
    with pytest.raises(StorageDamaged):
        Store(home)
    assert (home.backups / "before-0002.db").exists()
    (scripts / "0002_bad.sql").unlink()
    store = Store(home)
    tables = {
        row["name"]
        for row in store.connection().execute(
            "SELECT name FROM sqlite_master WHERE type='table'"
        )
    }
    store.close()
    assert "t" in tables
    assert "u" not in tables


def test_a_daily_copy_is_a_whole_database(home: Home) -> None:
    Store(home).close()
    (copy,) = home.backups.glob("daily-*.db")
    connection = sqlite3.connect(copy)
    assert connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    connection.close()
