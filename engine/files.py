"""Safe writing, hashing, and file names as text.

A file name is bytes. Inside Python it may travel as text made by `os.fsdecode` (bytes that
are not UTF-8 become lone surrogates); whatever is shown, printed or stored as text goes
through `show_path` first, because Arrow, SQLite text and strict UTF-8 refuse surrogates.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.errors import InvalidInput, StorageFull

_CHUNK_BYTES = 1 << 20


def show_path(path: bytes | str | os.PathLike[str]) -> str:
    r"""Text for a file name: bytes that are not UTF-8 appear as \xNN, all else as it is."""
    raw = path if isinstance(path, bytes) else os.fsencode(path)
    return raw.decode("utf-8", "backslashreplace")


def atomic_write(path: Path, data: bytes) -> None:
    """Write `data` to a temporary name beside `path`, flush it to disk, rename it over.

    Raises:
        StorageFull: the disk has no room; the old file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise storage_error(error, path) from error
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def storage_error(error: OSError, path: Path) -> StorageFull | InvalidInput:
    """Say a failed write plainly: a full disk, or a place that cannot be written."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return StorageFull(
            "The disk is full. What was stored before is kept.",
            hint="Free some space and try again.",
            details=f"{path}: {error}",
        )
    return InvalidInput(
        f"{show_path(path)} could not be written.",
        hint="Check that the folder exists and that you may write there.",
        details=str(error),
    )


def sha256_file(path: Path | bytes, on_chunk: Callable[[int], None] | None = None) -> str:
    """Hex SHA-256 of a regular file, read in 1 MiB pieces; never follows a symbolic link.

    Args:
        path: the file.
        on_chunk: called with the bytes hashed so far, e.g. for progress or to cancel.

    Raises:
        OSError: the file cannot be opened or is not a regular file.
    """
    digest, done = hashlib.sha256(), 0
    with open_regular(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if on_chunk is not None:
                on_chunk(done)
    return digest.hexdigest()


def open_regular(path: Path | bytes) -> io.BufferedReader:
    """Open a regular file for reading without following links or hanging on a FIFO.

    Raises:
        OSError: missing, forbidden, a symbolic link, or not a regular file.
    """
    flags = (
        os.O_RDONLY
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_BINARY", 0)
        | getattr(os, "O_CLOEXEC", 0)
    )
    handle = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"not a regular file: {show_path(path)}")
        return io.BufferedReader(io.FileIO(handle, "rb", closefd=True))
    except BaseException:
        os.close(handle)
        raise


def folder_size_bytes(folder: Path) -> int:
    """Bytes used by the regular files under `folder`; 0 when it does not exist."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                continue
    return total


def free_bytes(folder: Path) -> int:
    """Free disk space where `folder` is (or will be)."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
