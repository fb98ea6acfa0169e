"""What lies under a folder: every regular file once, and what is refused unopened.

Nothing is opened here and no link is followed, so nothing outside the folder is reached and
a FIFO or a device cannot hang the scan.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from engine.store.ledger import SeenFile, covers
from engine.work.jobs import NULL_JOB, Job

_MOUNT_POINT = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT, which the stat module only names on Windows."""


@dataclass(frozen=True)
class Found:
    """One entry of a folder: `stat` is None when it cannot be had."""

    seen: SeenFile
    stat: os.stat_result | None


def scan(root: bytes, leave_out: bytes = b"", job: Job = NULL_JOB) -> Iterator[Found]:
    """Walk `root` in sorted order, without recursion, however deep it is.

    Links, devices, pipes and folders that cannot be opened come with their `reason`;
    regular files come without one.

    Args:
        root: absolute path without links.
        leave_out: a folder inside it to pass over: our own data.
        job: asked at every folder whether to stop.

    Raises:
        OSError: `root` itself cannot be listed.
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
            if folder == root:
                raise
            yield Found(SeenFile(folder, 0, 0, _folder_reason(error)), None)
            continue
        inner: list[bytes] = []
        for entry in entries:
            found = _look(entry)
            if found is None:
                if not (leave_out and covers(leave_out, entry.path)):
                    inner.append(entry.path)
            else:
                yield found
        pending.extend(reversed(inner))


def _look(entry: os.DirEntry[bytes]) -> Found | None:
    """A file or something refused; None for a folder to go into."""
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError as error:
        return Found(SeenFile(entry.path, 0, 0, _file_reason(error)), None)
    if stat.S_ISDIR(about.st_mode):
        # A Windows junction is a folder that leads elsewhere: a link by another name.
        if getattr(about, "st_reparse_tag", 0) == _MOUNT_POINT:
            return Found(SeenFile(entry.path, 0, 0, "A link; links are not followed."), None)
        return None
    reason = _special(about.st_mode)
    size = about.st_size if not reason else 0
    return Found(SeenFile(entry.path, size, about.st_mtime_ns, reason), about)


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


def _file_reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "Permission denied."
    if isinstance(error, FileNotFoundError):
        return "It disappeared while it was looked at."
    return f"It cannot be opened ({error.strerror or error})."


open_failure = _file_reason
"""The sentence for a file that could not be opened."""
