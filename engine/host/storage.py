"""What the data folder holds, by part, for those who want to know what is kept of them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Literal

from engine.files import folder_size_bytes
from engine.paths import Home
from engine.work.api import StorageReport, StoredPart

PartName = Literal["libraries", "conversations", "models", "scans", "states", "logs", "other"]

_FOLDERS: dict[str, PartName] = {
    "libraries": "libraries",
    "models": "models",
    "scans": "scans",
    "states": "states",
    "logs": "logs",
    "quarantine": "logs",
}
_PARTS: tuple[PartName, ...] = (
    "libraries",
    "conversations",
    "models",
    "scans",
    "states",
    "logs",
    "other",
)


def measure(home: Home) -> StorageReport:
    """Bytes of every part; together all regular files under the folder.

    The database counts as conversations, though it also has the list of files; settings and
    the daily copies of the database count as other. What cannot be looked into counts as
    nothing.
    """
    sizes: Counter[PartName] = Counter()
    for entry in _entries(home.root):
        if entry.is_symlink():
            continue
        if entry.is_dir():
            sizes[_FOLDERS.get(entry.name, "other")] += folder_size_bytes(entry)
        elif entry.name.startswith(home.db.name):  # with its -wal and -shm
            sizes["conversations"] += _file_bytes(entry)
        else:
            sizes["other"] += _file_bytes(entry)
    return StorageReport(
        home=str(home.root),
        parts=[StoredPart(name=name, size_bytes=sizes[name]) for name in _PARTS],
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _file_bytes(path: Path) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
