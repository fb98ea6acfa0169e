"""Keeps libraries current with the disk, and never fails to say when it does not.

Every library that is not paused has a follower: it looks through all folders at the start,
which also finishes what an earlier run left undone, then takes in what the system announces,
path by path. Where nothing is announced it looks through the folders every few minutes. A
look through everything now and then checks that nothing was missed. See docs/adr/0014.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.library.follower import TIMES, Follower, Telling, Times, Touched
from engine.settings import load_settings
from engine.work.api import IndexingEvent

if TYPE_CHECKING:  # loads Arrow
    from engine.library.libraries import Libraries

_LOOK_S = 1.0


class Following:
    """Follows all libraries of a home while it is started.

    Args:
        libraries: which.
        on_indexing: told how runs that the disk began go on, at most ten times a second.
        on_changed: told that views of "libraries" are stale.
        only: follow just the library with this id, whatever the settings say.
        on_touched: told the first files that a run read or removed.
        times: how often to look.
    """

    def __init__(
        self,
        libraries: Libraries,
        on_indexing: Callable[[IndexingEvent], None],
        on_changed: Callable[[list[str]], None],
        only: str = "",
        on_touched: Callable[[Touched], None] = lambda touched: None,
        times: Times = TIMES,
    ) -> None:
        self._libraries = libraries
        self._telling = Telling(on_indexing, on_changed, on_touched)
        self._only = only
        self._times = times
        self._followers: dict[str, tuple[list[bytes], Follower]] = {}
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin; nothing happens when it has begun already."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="following", daemon=True)
                self._thread.start()

    def pause(self, ref: str) -> None:
        """Stop the library's run, whoever began it, and follow it no more for now.

        Raises:
            InvalidInput: there is no such library.
        """
        self._libraries.pause(ref)
        self.refresh()

    def resume(self, ref: str) -> None:
        """Follow it again, also in later starts.

        Raises:
            InvalidInput: there is no such library.
        """
        self._libraries.resume(ref)
        self.refresh()

    def refresh(self) -> None:
        """Libraries or their folders have changed: look at once, not within a second."""
        self._woken.set()

    def close(self) -> None:
        """Stop following; runs under way are stopped and go on at the next start."""
        self._stop.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._agree_on_followers()
                except EngineError:
                    pass  # the database is busy or gone for a moment: the next look tells
                self._woken.wait(_LOOK_S)
                self._woken.clear()
        finally:
            self._end(list(self._followers))

    def _agree_on_followers(self) -> None:
        """Start and stop followers so that each library that is to be followed has one."""
        wanted = self._wanted()
        self._end([one for one in self._followers if one not in wanted])
        for library_id, roots in wanted.items():
            running = self._followers.get(library_id)
            if running is not None and running[0] == roots and running[1].alive:
                continue
            if running is not None:
                self._end([library_id])
            follower = Follower(self._libraries, library_id, roots, self._telling, self._times)
            self._followers[library_id] = (roots, follower)
            follower.start()

    def _wanted(self) -> dict[str, list[bytes]]:
        """Roots of every library to follow, by id."""
        if not self._only and not load_settings(self._libraries.home).follow:
            return {}
        ledger = self._libraries.ledger
        wanted = {
            record.library_id: ledger.roots(record.library_id)
            for record in ledger.libraries()
            if not record.paused and self._only in ("", record.library_id)
        }
        return {library_id: roots for library_id, roots in wanted.items() if roots}

    def _end(self, library_ids: list[str]) -> None:
        ended = [self._followers.pop(library_id)[1] for library_id in library_ids]
        for follower in ended:
            follower.stop()
        for follower in ended:
            follower.join()
        if ended:
            self._telling.changed()
