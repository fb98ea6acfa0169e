"""Who may write to a library: one process at a time, and who waits for whom.

A run that somebody asked for goes first: one that merely follows the disk lets go within
about a second and goes on afterwards. Two that were asked for do not wait for each other
longer than a moment. File locks, so a process that dies lets go by itself.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import LibraryBusy
from engine.work.jobs import NULL_JOB, Job

ASKED_WAIT_S = 2.0
"""How long one that was asked for waits for another that was asked for."""
FOLLOWED_WAIT_S = 60.0
"""How long it waits for one that follows, which lets go as soon as its step allows."""
_POLL_S = 0.05


class WriterLock:
    """The locks of one library; make one whenever it is needed.

    Args:
        folder: where lock files lie.
        library_id: whose writers exclude each other.
        name: the library's, for messages.
    """

    def __init__(self, folder: Path, library_id: str, name: str) -> None:
        self._folder = folder
        self._library_id = library_id
        self._name = name

    @contextmanager
    def asked(self, job: Job = NULL_JOB) -> Generator[None]:
        """Write because somebody asked for it.

        Raises:
            LibraryBusy: another run that was asked for goes on.
            Cancelled: `job` was cancelled while waiting.
        """
        lock, wanted = self._lock("library"), self._lock("wanted")
        since = time.monotonic()
        patience_s = ASKED_WAIT_S
        try:
            while not _taken(lock):
                job.checkpoint()
                wanted_here = wanted.is_locked or _taken(wanted)
                if wanted_here and held(self._lock("followed")):
                    patience_s = FOLLOWED_WAIT_S
                    job.progress(0, 0, "Waiting for the library")
                if time.monotonic() - since > patience_s:
                    raise LibraryBusy(
                        f"The library {self._name!r} is being indexed already.",
                        hint="Wait until that has finished.",
                    )
                time.sleep(_POLL_S)
        finally:
            wanted.release()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def followed(self, job: Job = NULL_JOB) -> Generator[None]:
        """Write because the disk changed; waits as long as it takes.

        Raises:
            Cancelled: `job` was cancelled while waiting.
        """
        lock, followed = self._lock("library"), self._lock("followed")
        while self.wanted() or not _taken(lock):
            job.checkpoint()
            time.sleep(4 * _POLL_S)
        try:
            followed.acquire(timeout=FOLLOWED_WAIT_S)  # others look at it, for moments only
            yield
        finally:
            followed.release()
            lock.release()

    def wanted(self) -> bool:
        """True while somebody who was asked to write waits."""
        return held(self._lock("wanted"))

    def held(self) -> bool:
        """True while anybody writes."""
        return held(self._lock("library"))

    def follower(self) -> FileLock:
        """To be held by whoever notices changes of the library's folders."""
        return self._lock("following")

    def is_followed(self) -> bool:
        """True while somebody does."""
        return held(self._lock("following"))

    def _lock(self, what: str) -> FileLock:
        # Not a singleton: two threads of one process exclude each other as well.
        return FileLock(self._folder / f"{what}-{self._library_id}.lock", is_singleton=False)


def held(lock: FileLock) -> bool:
    """True when somebody holds it."""
    if not _taken(lock):
        return True
    lock.release()
    return False


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
