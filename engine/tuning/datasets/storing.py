"""Datasets kept: a row in the database, and the examples in `datasets/<id>.jsonl`.

The file is the truth. It is always replaced as a whole, before the row; so after a kill the
row may be behind, which its note of the file's size and time shows, and is counted anew.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import InvalidInput, LibraryBusy, StorageDamaged
from engine.files import atomic_write
from engine.paths import Home
from engine.store.db import Store, utc_now
from engine.tuning.datasets.shaping import labels_of
from engine.tuning.datasets.types import Dataset, Example, TaskKind
from engine.work.api.datasets import DatasetRow

MAX_NAME = 100
_PATIENCE_S = 60.0


def list_datasets(home: Home, store: Store) -> list[DatasetRow]:
    """All datasets, the newest first."""
    rows = store.connection().execute(
        "SELECT * FROM datasets ORDER BY created_at DESC, rowid DESC"
    )
    return [_current(home, store, row) for row in rows.fetchall()]


def find_dataset(home: Home, store: Store, ref: str) -> DatasetRow:
    """The dataset with this id or name, or the only one whose id begins so.

    Raises:
        InvalidInput: there is none, or several.
    """
    return _current(home, store, _find(store, ref))


def load_dataset(home: Home, store: Store, ref: str) -> Dataset:
    """The dataset with this id or name; its examples are read when asked for.

    Raises:
        InvalidInput: there is none.
    """
    row = find_dataset(home, store, ref)
    return Dataset(row.id, row.name, row.task, row.labels, _path(home, row.id), row.sha256)


def save_dataset(
    home: Home,
    store: Store,
    name: str,
    task: TaskKind,
    source: str,
    examples: Sequence[Example],
    seed: int = 0,
) -> DatasetRow:
    """Keep a new dataset; a taken name gets a number.

    Raises:
        StorageFull: no room; nothing was kept.
        LibraryBusy: another process changes datasets and does not end.
    """
    dataset = uuid.uuid4().hex[:12]
    with writing(home):
        _sweep(home, store)
        now = utc_now()
        facts = _write(_path(home, dataset), task, examples)
        with store.transaction() as connection:
            free = free_name(connection, "datasets", clean_name(name) or "Dataset")
            connection.execute(
                "INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (dataset, free, task, source, *facts, seed, now, now),
            )
    return find_dataset(home, store, dataset)


def replace_examples(
    home: Home, store: Store, dataset: DatasetRow, examples: Sequence[Example]
) -> DatasetRow:
    """Keep other examples in place of those of a dataset. Call it inside `writing`.

    Raises:
        StorageFull: no room; the examples before are kept.
    """
    _update(store, dataset.id, _write(_path(home, dataset.id), dataset.task, examples))
    return find_dataset(home, store, dataset.id)


def rename_dataset(home: Home, store: Store, ref: str, name: str) -> DatasetRow:
    """Give a dataset another name.

    Raises:
        InvalidInput: there is none, or the name is empty, too long or taken.
    """
    row = find_dataset(home, store, ref)
    with store.transaction() as connection:
        wanted = check_name(connection, "datasets", name, row.id)
        connection.execute("UPDATE datasets SET name=? WHERE id=?", (wanted, row.id))
    return find_dataset(home, store, row.id)


def remove_dataset(home: Home, store: Store, ref: str) -> DatasetRow:
    """Delete a dataset and its examples; what was tuned with it stays. Gives what it was.

    Raises:
        InvalidInput: there is none.
    """
    with writing(home):
        row = find_dataset(home, store, ref)
        with store.transaction() as connection:
            connection.execute("DELETE FROM datasets WHERE id=?", (row.id,))
        _path(home, row.id).unlink(missing_ok=True)
    store.forget_in_copies([("DELETE FROM datasets WHERE id=?", (row.id,))])
    return row


@contextmanager
def writing(home: Home) -> Generator[None]:
    """Change datasets or exams alone, among all threads and processes of this home.

    Raises:
        LibraryBusy: somebody else does and does not end.
    """
    lock = FileLock(home.locks / "datasets.lock", is_singleton=False)
    try:
        lock.acquire(timeout=_PATIENCE_S)
    except Timeout as error:
        raise LibraryBusy(
            "Another process is changing datasets.", hint="Try again when it is done."
        ) from error
    try:
        yield
    finally:
        lock.release()


def to_lines(examples: Iterable[Example]) -> bytes:
    """Examples as they are stored: a JSON object a line."""
    return b"".join(one.model_dump_json().encode() + b"\n" for one in examples)


def clean_name(name: str) -> str:
    """A name on one line, without what cannot be shown, as long as a name may be."""
    line = " ".join(name.encode("utf-8", "replace").decode().split())
    return "".join(char for char in line if char.isprintable())[:MAX_NAME].strip()


def free_name(connection: sqlite3.Connection, table: str, name: str) -> str:
    """`name`, or with a number after it the first that is not taken."""
    rows = connection.execute(f"SELECT name FROM {table}").fetchall()
    taken = {str(row["name"]).casefold() for row in rows}
    free, number = name, 2
    while free.casefold() in taken:
        free, number = f"{name[: MAX_NAME - 8]} {number}", number + 1
    return free


def check_name(connection: sqlite3.Connection, table: str, name: str, own: str) -> str:
    """A name as it is kept.

    Raises:
        InvalidInput: it is empty, or another one has it.
    """
    wanted = clean_name(name)
    if not wanted:
        raise InvalidInput("A name needs at least one letter.")
    rows = connection.execute(f"SELECT name FROM {table} WHERE id != ?", (own,)).fetchall()
    if wanted.casefold() in {str(row["name"]).casefold() for row in rows}:
        raise InvalidInput(f"{wanted!r} is taken.", hint="Choose another name.")
    return wanted


def find_row(store: Store, table: str, ref: str, what: str) -> sqlite3.Row:
    """The row of a table with this id or name, or the only one whose id begins so.

    Raises:
        InvalidInput: there is none, or several.
    """
    connection = store.connection()
    for condition in ("id = ?", "name = ? COLLATE NOCASE"):
        row = connection.execute(f"SELECT * FROM {table} WHERE {condition}", (ref,)).fetchone()
        if row is not None:
            return row
    rows = connection.execute(
        f"SELECT * FROM {table} WHERE substr(id, 1, length(?)) = ?", (ref, ref)
    ).fetchall()
    if len(rows) == 1 and len(ref) >= 3:
        return rows[0]
    raise InvalidInput(
        f"There is no {what} {ref!r}.", hint=f"`whetstone {what}s list` shows them all."
    )


def _find(store: Store, ref: str) -> sqlite3.Row:
    return find_row(store, "datasets", ref, "dataset")


def _path(home: Home, dataset: str) -> Path:
    return home.datasets / f"{dataset}.jsonl"


_Facts = tuple[int, int, str, str, int, int]
"""Rows, held-out rows, labels as JSON, sha256, size in bytes, time in nanoseconds."""


def _write(path: Path, task: TaskKind, examples: Sequence[Example]) -> _Facts:
    data = to_lines(examples)
    atomic_write(path, data)
    return _facts(path, task, examples, data)


def _facts(path: Path, task: TaskKind, examples: Sequence[Example], data: bytes) -> _Facts:
    labels = sorted({label for one in examples for label in labels_of(task, one.output)})
    status = path.stat()
    return (
        len(examples),
        Counter(one.split for one in examples)["heldout"],
        json.dumps(labels, ensure_ascii=False),
        hashlib.sha256(data).hexdigest(),
        status.st_size,
        status.st_mtime_ns,
    )


def _update(store: Store, dataset: str, facts: _Facts) -> None:
    with store.transaction() as connection:
        connection.execute(
            "UPDATE datasets SET row_count=?, heldout=?, labels=?, sha256=?, size_bytes=?,"
            " mtime_ns=?, updated_at=? WHERE id=?",
            (*facts, utc_now(), dataset),
        )


def _current(home: Home, store: Store, row: sqlite3.Row) -> DatasetRow:
    """What the row says, counted anew when the file is not the one it was counted from."""
    path, problem = _path(home, row["id"]), ""
    try:
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) != (row["size_bytes"], row["mtime_ns"]):
            dataset = Dataset(row["id"], row["name"], row["task"], [], path)
            examples = list(dataset.read())
            _update(store, row["id"], _facts(path, row["task"], examples, path.read_bytes()))
            row = _find(store, row["id"])
    except OSError:
        problem = "The file with its examples is missing."
    except StorageDamaged as damage:
        problem = damage.message
    return DatasetRow(
        id=row["id"],
        name=row["name"],
        task=row["task"],
        source=row["source"],
        rows=row["row_count"],
        train=row["row_count"] - row["heldout"],
        heldout=row["heldout"],
        labels=json.loads(row["labels"]),
        sha256=row["sha256"],
        seed=row["seed"],
        size_bytes=row["size_bytes"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        problem=problem,
    )


def _sweep(home: Home, store: Store) -> None:
    """Delete files that no dataset has: what a kill left before its row was written."""
    known = {row["id"] for row in store.connection().execute("SELECT id FROM datasets")}
    for path in home.datasets.iterdir():
        if path.name.endswith(".tmp") or (path.suffix == ".jsonl" and path.stem not in known):
            path.unlink(missing_ok=True)
