"""What was measured on this machine, remembered: a name and the machine → a JSON value."""

from __future__ import annotations

import json
from typing import Any

from engine import hardware
from engine.store.db import Store, utc_now


def recall(store: Store, name: str) -> Any | None:
    """The value remembered for `name` on this machine; None when it was never measured."""
    row = (
        store.connection()
        .execute(
            "SELECT value FROM measurements WHERE name = ? AND machine = ?",
            (name, hardware.fingerprint()),
        )
        .fetchone()
    )
    return None if row is None else json.loads(row["value"])


def remember(store: Store, name: str, value: Any) -> None:
    """Keep a JSON-ready `value` for `name` on this machine, over an older one.

    Raises:
        StorageFull, StorageDamaged: it could not be written.
    """
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO measurements (name, machine, value, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name, machine) DO UPDATE SET value = excluded.value,"
            " at = excluded.at",
            (name, hardware.fingerprint(), json.dumps(value), utc_now()),
        )


def forget(store: Store, beginning: str) -> None:
    """Forget everything whose name begins like this, on all machines.

    Raises:
        StorageFull, StorageDamaged: it could not be written.
    """
    with store.transaction() as connection:
        connection.execute(
            "DELETE FROM measurements WHERE substr(name, 1, length(?)) = ?",
            (beginning, beginning),
        )
