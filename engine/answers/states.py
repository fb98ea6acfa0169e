"""Passage states: keys and values that were computed once, kept in memory and on disk.

A state is named by everything it depends on: the model, the adapter, the build of llama.cpp
and the very tokens it stands for. So none can be stale, only missing. A file carries a
checksum; one that is damaged counts as missing and goes away. Whatever was used longest ago
goes first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.files import atomic_write

SUFFIX = ".state"
_MAGIC = b"WHST\x01\x00\x00\x00"
_DIGEST_BYTES = 16
_HEADER = struct.Struct(f"<8sQ{_DIGEST_BYTES}s")
MEMORY_BYTES = 192 << 20
_WRITING_LIMIT_S = 600.0
SHARE_ONE_MAY_TAKE = 0.25
"""A state larger than this share of a limit is not kept: it would push out all others."""


def state_key(identity: str, tokens: Sequence[int]) -> str:
    """The name of the state of `tokens`.

    Args:
        identity: of all else it depends on; see `engine.answers.contexts`.
        tokens: from the beginning of the text.
    """
    digest = hashlib.blake2b(identity.encode(), digest_size=20)
    digest.update(struct.pack(f"<{len(tokens)}i", *tokens))
    return digest.hexdigest()


class PassageStates:
    """A least-recently-used store of states. Thread-safe; processes may share the folder.

    Args:
        folder: where states stay between starts; None keeps them in memory only.
        disk_bytes: size limit of the folder; 0 keeps none there.
        memory_bytes: size limit of those in memory.
    """

    def __init__(
        self, folder: Path | None, disk_bytes: int, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._folder = folder if disk_bytes > 0 else None
        self._disk_bytes = disk_bytes
        self._memory_bytes = memory_bytes
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._in_memory = 0
        self._lock = threading.Lock()
        self._writing: dict[str, threading.Thread] = {}

    def get(self, key: str) -> bytes | None:
        """The state, or None when it is not there or damaged."""
        with self._lock:
            state = self._memory.get(key)
            if state is not None:
                self._memory.move_to_end(key)
                return state
        state = self._read(key)
        if state is not None:
            self._remember(key, state)
        return state

    def has(self, key: str) -> bool:
        """Whether the state is there, without reading it."""
        with self._lock:
            if key in self._memory:
                return True
        return self._folder is not None and self._path(key).exists()

    def put(self, key: str, state: bytes, brief: bool = False) -> None:
        """Keep a state; the disk gets it in the background.

        Args:
            key: its name.
            state: its bytes.
            brief: of use for a short while only, so in memory only.
        """
        self._remember(key, state)
        if brief or self._folder is None:
            return
        if len(state) > self._disk_bytes * SHARE_ONE_MAY_TAKE:
            return
        with self._lock:
            if key in self._writing:
                return
            thread = threading.Thread(
                target=self._write, args=(key, state), name="passage state", daemon=True
            )
            self._writing[key] = thread
        thread.start()

    def drop(self, key: str) -> None:
        """Give up the memory of a state that is of no more use."""
        with self._lock:
            self._in_memory -= len(self._memory.pop(key, b""))

    def in_memory(self) -> list[str]:
        """The names of the states in memory, the one used longest ago first."""
        with self._lock:
            return list(self._memory)

    def flush(self) -> None:
        """Wait until everything is on disk."""
        with self._lock:
            waiting = list(self._writing.values())
        for thread in waiting:
            thread.join()

    def forget(self) -> None:
        """Drop what is in memory; the disk keeps its own."""
        with self._lock:
            self._memory.clear()
            self._in_memory = 0

    # --- parts ------------------------------------------------------------------------

    def _remember(self, key: str, state: bytes) -> None:
        if len(state) > self._memory_bytes * SHARE_ONE_MAY_TAKE:
            return
        with self._lock:
            old = self._memory.pop(key, None)
            self._in_memory += len(state) - (len(old) if old is not None else 0)
            self._memory[key] = state
            while self._in_memory > self._memory_bytes:
                _, gone = self._memory.popitem(last=False)
                self._in_memory -= len(gone)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{key}{SUFFIX}"

    def _read(self, key: str) -> bytes | None:
        if self._folder is None:
            return None
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        state = data[_HEADER.size :]
        if data[: _HEADER.size] != _header(state):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used now: others go first
        return state

    def _write(self, key: str, state: bytes) -> None:
        """A full disk or a folder that is gone costs the state, nothing else."""
        try:
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, _header(state) + state)
            trim(path.parent, self._disk_bytes)
        except Exception as error:
            print(f"passage state not kept: {error!r}", file=sys.stderr, flush=True)
        finally:
            with self._lock:
                self._writing.pop(key, None)


def _header(state: bytes) -> bytes:
    check = hashlib.blake2b(state, digest_size=_DIGEST_BYTES).digest()
    return _HEADER.pack(_MAGIC, len(state), check)


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """(last use, bytes, path) of every state in a folder."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX):
                    with contextlib.suppress(OSError):  # another process was faster
                        stat = entry.stat(follow_symlinks=False)
                        yield stat.st_mtime, stat.st_size, Path(entry.path)
    except OSError:
        return


def trim(folder: Path, limit_bytes: int) -> None:
    """Delete the states used longest ago until the folder is within its limit.

    What a killed process left half-written goes too.
    """
    kept = sorted(_files(folder), reverse=True)
    total = 0
    for left in folder.glob(f".*{SUFFIX}.*.tmp"):
        with contextlib.suppress(OSError):
            if limit_bytes < 0 or time.time() - left.stat().st_mtime > _WRITING_LIMIT_S:
                left.unlink()
    for _, size, path in kept:
        total += size
        if total > limit_bytes:
            with contextlib.suppress(OSError):
                path.unlink()


def clear(folder: Path) -> None:
    """Delete all states of a folder."""
    trim(folder, -1)


def size_bytes(folder: Path) -> int:
    """What the states of a folder take on disk."""
    return sum(size for _, size, _ in _files(folder))
