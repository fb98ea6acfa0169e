"""What lies under a folder: every regular file once, and what is refused unopened.

Nothing is opened here and no link is followed, so nothing outside the folder is reached and
a FIFO or a device cannot hang the scan.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from engine.store.ledger import SeenFile, covers
from engine.work.jobs import NULL_JOB, Job

_MOUNT_POINT = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT, which the stat module only names on Windows."""
_AWAY = {
    getattr(errno, name, -1)
    for name in (
        *("EIO", "ENODEV", "ENXIO", "ENOTCONN", "ESTALE", "EHOSTDOWN", "EHOSTUNREACH"),
        *("ENETDOWN", "ENETUNREACH", "ETIMEDOUT", "EREMOTEIO", "ENOMEDIUM", "ESHUTDOWN"),
    )
}
"""What a disk answers that was pulled out, or one across a network that is down."""


@dataclass(frozen=True)
class Found:
    """One entry of a folder: `stat` is None when it cannot be had."""

    seen: SeenFile
    stat: os.stat_result | None


def scan(root: bytes, leave_out: bytes = b"", job: Job = NULL_JOB) -> Iterator[Found]:
    """Walk `root` in sorted order, without recursion, however deep it is.

    Links, devices, pipes and folders that cannot be opened come with their `reason`;
    regular files come without one. What disappears meanwhile does not come at all.

    Args:
        root: absolute path without links.
        leave_out: a folder inside it to pass over: our own data.
        job: asked at every folder whether to stop.

    Raises:
        OSError: `root` itself cannot be listed, or its disk went away meanwhile.
        Cancelled: the job was cancelled.
    """
    pending = [root]
    while pending:
        job.checkpoint()
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if folder == root or is_away(error):
                raise
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                continue
            yield Found(SeenFile(folder, 0, 0, _folder_reason(error)), None)
            continue
        inner: list[bytes] = []
        for entry in entries:
            try:
                found = _look(entry.path, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue
            except OSError as error:
                if is_away(error):
                    raise
                found = Found(SeenFile(entry.path, 0, 0, open_failure(error)), None)
            if found is not None:
                yield found
            elif not (leave_out and covers(leave_out, entry.path)):
                inner.append(entry.path)
        pending.extend(reversed(inner))


def look_at(path: bytes) -> Found | None:
    """The entry at `path`, as `scan` would give it; None for a folder to go into.

    Raises:
        OSError: there is nothing, or it cannot be had.
    """
    return _look(path, os.lstat(path))


def identity_of(root: bytes) -> str:
    """Which folder this is on which disk; "" when there is no folder to be reached."""
    try:
        about = os.stat(root)
    except OSError:
        return ""
    return f"{about.st_dev}:{about.st_ino}" if stat.S_ISDIR(about.st_mode) else ""


def is_away(error: OSError) -> bool:
    """True when not the file but the disk it lies on cannot be reached."""
    return error.errno in _AWAY


def open_failure(error: OSError) -> str:
    """The sentence for a file that could not be opened."""
    if isinstance(error, PermissionError):
        return "Permission denied."
    if isinstance(error, FileNotFoundError):
        return "It disappeared while it was looked at."
    return f"It cannot be opened ({error.strerror or error})."


def _look(path: bytes, about: os.stat_result) -> Found | None:
    """A file or something refused; None for a folder to go into."""
    if stat.S_ISDIR(about.st_mode):
        # A Windows junction is a folder that leads elsewhere: a link by another name.
        if getattr(about, "st_reparse_tag", 0) == _MOUNT_POINT:
            return Found(SeenFile(path, 0, 0, "A link; links are not followed."), None)
        return None
    reason = _special(about.st_mode)
    size = about.st_size if not reason else 0
    return Found(SeenFile(path, size, about.st_mtime_ns, reason), about)


def _special(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISLNK(mode):
        return "A link; links are not followed."
    if stat.S_ISFIFO(mode):
        return "A pipe, not a file."
    if stat.S_ISSOCK(mode):
        return "A socket, not a file."
    return "A device, not a file."


def _folder_reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "Permission denied: this folder cannot be opened."
    return f"This folder cannot be opened ({error.strerror or error})."
