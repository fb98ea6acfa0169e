"""What the parts of the ledger share: the store, and reading rows from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from engine.store.db import Store, storage_failure

IN_BATCH = 500
"""Values put into one IN (…)."""


class Querying:
    """Reads rows; each method of the parts built on it is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
