"""What came of every passage, kept as it goes: a kill loses at most the one in work.

`datasets/making/<key>.jsonl`: its first line says what it belongs to, every other one what a
step gave. It goes away when the dataset is made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from engine.errors import LibraryBusy
from engine.files import atomic_write, storage_error
from engine.paths import Home

_FOLDER = "making"


class Kept:
    """Steps that are done, by their names.

    Args:
        path: of the file; it need not be there.
        mark: what the steps belong to; those of another mark are thrown away.

    Raises:
        StorageFull: no room.
    """

    def __init__(self, path: Path, mark: dict[str, Any]) -> None:
        self._path = path
        self._steps: dict[str, dict[str, Any]] = {}
        kept = _lines(path)
        if kept[:1] == [mark]:
            self._steps = {str(line["step"]): line for line in kept[1:] if "step" in line}
        # Written anew, it ends with a whole line.
        lines = [mark, *self._steps.values()]
        atomic_write(path, b"".join(map(_line, lines)))

    def get(self, step: str) -> dict[str, Any] | None:
        """What a step gave; None when it is not done."""
        return self._steps.get(step)

    def add(self, step: str, gave: dict[str, Any]) -> dict[str, Any]:
        """Keep what a step gave.

        Raises:
            StorageFull: no room; the steps before are kept.
        """
        line = {"step": step, **gave}
        try:
            with self._path.open("ab") as stream:
                stream.write(_line(line))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise storage_error(error, self._path) from error
        self._steps[step] = line
        return line

    def remove(self) -> None:
        """Forget all of it."""
        self._path.unlink(missing_ok=True)


@contextmanager
def kept_for(home: Home, library: str, key: str, mark: dict[str, Any]) -> Generator[Kept]:
    """The steps of one making, for one process at a time.

    Raises:
        LibraryBusy: another process makes the same examples.
        StorageFull: no room.
    """
    name = f"{library}-{key}"
    lock = FileLock(home.locks / f"making-{name}.lock", is_singleton=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LibraryBusy(
            "These examples are being made already.", hint="Wait until that is done."
        ) from error
    try:
        yield Kept(home.datasets / _FOLDER / f"{name}.jsonl", mark)
    finally:
        lock.release()


def forget_library(home: Home, library: str) -> None:
    """Forget what was begun with the documents of a library."""
    for path in (home.datasets / _FOLDER).glob(f"{library}-*.jsonl"):
        path.unlink(missing_ok=True)


def _lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines up to the first that is none: a kill may leave half of one."""
    found: list[dict[str, Any]] = []
    try:
        for line in path.read_bytes().split(b"\n")[:-1]:
            value: Any = json.loads(line)
            if not isinstance(value, dict):
                break
            found.append(cast("dict[str, Any]", value))
    except (OSError, ValueError):
        pass
    return found


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode() + b"\n"
