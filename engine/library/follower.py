"""Follows one library: looks through it, listens, takes in what changed, says how it stands."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from engine.errors import Cancelled, EngineError, InvalidInput, LibraryOutdated
from engine.library.changes import Changes
from engine.library.runs import RunEnd, Yielded
from engine.library.scanning import identity_of
from engine.library.watching import CannotWatch, Watcher, remote_reason
from engine.work.api import IndexingEvent
from engine.work.jobs import CallbackJob

if TYPE_CHECKING:  # loads Arrow
    from engine.library.libraries import Libraries

_SHOWN_SKIPPED = 50
_LAG_S = 3.0
"""What changed is known to a live follower after this at the latest."""


@dataclass(frozen=True)
class Times:
    """How often a follower does what, in seconds."""

    check_all: float = 1800.0
    """Look through everything although changes are announced: nothing may be missed."""
    scan: float = 300.0
    """The same where they are not."""
    try_again: float = 60.0
    """After a failure."""
    roots: float = 2.0
    """See whether the folders themselves are still there."""
    tell: float = 30.0
    """Note that index and disk still agree."""
    tidy: float = 60.0
    """Drop what no file has any more, once it was quiet this long."""


TIMES = Times()
_JOIN_S = 20.0
_INTERRUPT_S = 10.0
"""A run this old is begun anew when everything has to be looked at again."""


@dataclass(frozen=True)
class Touched:
    """The first files that a run read or removed."""

    library: str
    files: list[tuple[str, str]]


@dataclass(frozen=True)
class Telling:
    """Whom followers tell."""

    on_indexing: Callable[[IndexingEvent], None]
    on_changed: Callable[[list[str]], None]
    on_touched: Callable[[Touched], None]

    def changed(self) -> None:
        """The list of libraries is stale."""
        self.on_changed(["libraries"])


class Follower:
    """Follows one library in a thread of its own until it is stopped.

    Args:
        libraries, library_id: which.
        roots: its folders; when they change, make another follower.
        telling: whom to tell.
        times: how often to look.
    """

    def __init__(
        self,
        libraries: Libraries,
        library_id: str,
        roots: list[bytes],
        telling: Telling,
        times: Times,
    ) -> None:
        self._libraries = libraries
        self._library_id = library_id
        self._roots = roots
        self._telling = telling
        self._times = times
        self._leave_out = os.path.realpath(os.fsencode(libraries.home.root))
        self._changes = Changes()
        self._watcher: Watcher | None = None
        self._not_live = ""  # why changes are not noticed at once
        self._trouble = ""  # why the last run failed
        self._lost: dict[bytes, str] = {}
        self._identities: dict[bytes, str] = {}
        self._watched: dict[bytes, str] = {}
        self._agreed = False
        self._untidy = False
        self._said: tuple[str, str] | None = None
        self._clocks: dict[str, float] = {}
        self._stop = threading.Event()
        self._job: CallbackJob | None = None
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        self._stop.set()
        job = self._job
        if job is not None:
            job.cancel()
        self._changes.wake()

    def join(self) -> None:
        """Wait until it has ended; not for ever, as a dead network disk may hold it."""
        self._thread.join(_JOIN_S)

    # --- the thread -------------------------------------------------------------------

    def _run(self) -> None:
        lock = self._libraries.writer_lock(self._library_id).follower()
        try:
            while not self._stop.is_set():
                if _take(lock):
                    try:
                        self._follow()
                    finally:
                        self._unwatch()
                        lock.release()
                # Another process follows it, or the database could not be used.
                self._stop.wait(self._times.roots)
        except EngineError:
            pass  # the library was removed; or else another follower will be started

    def _follow(self) -> None:
        self._changes.add(None)
        while not self._stop.is_set():
            try:
                self._step()
            except Yielded:
                continue  # the run that was asked for goes first; ours waits for the lock
            except Cancelled:
                self._stop.wait(0.5)  # paused: whoever began this follower ends it
            except InvalidInput:
                raise
            except EngineError as error:
                self._fail(error)
        self._say("off", "")

    def _step(self) -> None:
        """Do what is due, or wait a moment."""
        if self._due("roots", self._times.roots):
            self._check_roots()
        if self._due("whole", self._pace()) or self._changes.take_everything():
            self._look_at_all()
        elif paths := self._changes.take():
            self._take_in(paths)
        elif self._changes.none and self._untidy and self._passed("change", self._times.tidy):
            self._untidy = False
            self._libraries.tidy(self._library_id, self._begin_job())
        else:
            if self._changes.none and self._due("tell", self._times.tell):
                self._note_agreement()
            self._changes.wait(min(0.5, self._times.roots))

    def _look_at_all(self) -> None:
        """Everything, whatever was announced; watch first, so that nothing falls between."""
        self._changes.take_everything()
        self._clocks["whole"] = time.monotonic()
        self._identities = {root: identity_of(root) for root in self._roots}
        self._watch()
        self._tell_standing()
        try:
            end = self._run_over(None)
        except BaseException:
            self._changes.add(None)
            self._agreed = False
            raise
        self._lost = dict(end.lost)
        self._end_run(end, whole=True)

    def _take_in(self, paths: list[bytes]) -> None:
        try:
            end = self._run_over(paths)
        except BaseException:
            self._changes.add(paths)
            raise
        self._untidy = True
        self._clocks["change"] = time.monotonic()
        if end.lost:
            self._lost.update(end.lost)
            self._changes.add(None)
        self._end_run(end, whole=False)

    def _run_over(self, paths: list[bytes] | None) -> RunEnd:
        job = self._begin_job()
        name = self._libraries.find_name(self._library_id)
        run = _ToldRun(self._telling, self._library_id, name, job)
        with run:
            end = self._libraries.follow_up(self._library_id, paths, run, self._news)
            run.ended(end)
        return end

    def _news(self) -> list[bytes]:
        """What changed since the run began, for the run to take in.

        Raises:
            Yielded: everything is to be looked at; what the run did so far is kept.
        """
        if self._due("roots", self._times.roots):
            self._check_roots()
        if self._changes.everything and self._passed("run", _INTERRUPT_S):
            raise Yielded("The folders changed as a whole.")
        return self._changes.take()

    def _begin_job(self) -> CallbackJob:
        self._clocks["run"] = time.monotonic()
        self._job = CallbackJob()
        if self._stop.is_set():
            self._job.cancel()
        return self._job

    def _end_run(self, end: RunEnd, whole: bool) -> None:
        self._trouble = ""
        self._changes.add(end.restless)
        self._agreed = end.agrees and (whole or self._agreed)
        self._note_agreement()
        self._tell_standing()

    def _fail(self, error: EngineError) -> None:
        """A run failed: say so, and try everything again after a while."""
        self._trouble = f"{error.message} {error.hint}".strip()
        self._agreed = False
        self._tell_standing(off=isinstance(error, LibraryOutdated))
        self._changes.take_everything()
        wait_s = self._times.try_again
        self._clocks["whole"] = time.monotonic() - max(0.0, self._pace() - wait_s)

    # --- the folders themselves -------------------------------------------------------

    def _check_roots(self) -> None:
        """A folder that came, went or became another one is looked at as a whole."""
        if any(identity_of(root) != known for root, known in self._identities.items()):
            self._changes.add(None)

    def _watch(self) -> None:
        """Listen for changes; `_not_live` says why not, or not everywhere."""
        alive = self._watcher is not None and self._watcher.alive
        if alive and self._watched == self._identities:
            return
        self._unwatch()
        self._watched = dict(self._identities)
        self._not_live = remote_reason(self._roots)
        there = [root for root, identity in self._identities.items() if identity]
        if not there:
            return
        try:
            self._watcher = Watcher(there, self._leave_out, self._changes.add, self._deaf)
        except CannotWatch as error:
            self._not_live = str(error)
            return
        if self._watcher.unnamed:
            self._not_live = "Some folders have names that are no text."

    def _unwatch(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _deaf(self, reason: str) -> None:
        """The watcher failed (in its own thread): what it missed is looked for."""
        self._not_live = reason
        self._changes.add(None)

    # --- how it stands ----------------------------------------------------------------

    def _pace(self) -> float:
        live = self._watcher is not None and not self._not_live
        return self._times.check_all if live else self._times.scan

    def _note_agreement(self) -> None:
        """Index and disk agree as of a moment ago, when changes would have been told since."""
        live = self._watcher is not None and not self._not_live
        if live and self._agreed and not self._lost and self._changes.none:
            self._libraries.ledger.note_agreed(self._library_id, _utc(_LAG_S))
            self._telling.changed()

    def _tell_standing(self, off: bool = False) -> None:
        every = f" The folders are looked through every {self._times.scan / 60:g} minutes."
        if off:
            self._say("off", self._trouble)
        elif self._lost:
            self._say("lost", " ".join(self._lost.values()))
        elif self._not_live or self._watcher is None:
            self._say("scanning", f"{self._not_live}{every} {self._trouble}".strip())
        else:
            self._say("live", self._trouble)

    def _say(self, following: str, reason: str) -> None:
        if self._said != (following, reason):
            self._said = (following, reason)
            self._libraries.ledger.note_following(self._library_id, following, reason)
            self._telling.changed()

    # --- clocks -----------------------------------------------------------------------

    def _passed(self, what: str, seconds: float) -> bool:
        return time.monotonic() - self._clocks.get(what, -1e9) >= seconds

    def _due(self, what: str, seconds: float) -> bool:
        """True once every so many seconds."""
        if not self._passed(what, seconds):
            return False
        self._clocks[what] = time.monotonic()
        return True


class _ToldRun:
    """The job of a run that the disk began: what it does is told once it has work to do."""

    def __init__(self, telling: Telling, library_id: str, name: str, job: CallbackJob) -> None:
        self._telling = telling
        self._event = IndexingEvent(library_id=library_id, name=name)
        self._inner = job
        self._throttle = CallbackJob(self._progress)
        self._told = False
        self._stored = 0.0

    def __enter__(self) -> _ToldRun:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EngineError) and self._told:
            # Paused, or another run goes first: nothing went wrong.
            calm = isinstance(error, Cancelled)
            self._tell(ended=True, message="" if calm else error.message)

    def ended(self, end: RunEnd) -> None:
        """It ended well."""
        files = end.report.files
        if not (self._told or files.indexed or files.removed or end.report.passages):
            return
        report = end.report.model_copy(deep=True)
        del report.files.skipped[_SHOWN_SKIPPED:]
        self._tell(ended=True, report=report)
        if end.touched:
            self._telling.on_touched(Touched(end.report.library, end.touched))
        self._telling.changed()

    def progress(self, done: float, total: float, note: str = "") -> None:
        if total > 0:
            self._throttle.progress(done, total, note)

    def emit(self, kind: str, data: object) -> None:
        now = time.monotonic()
        if kind == "stored" and self._told and now - self._stored >= 1.0:
            self._stored = now
            self._telling.changed()

    def checkpoint(self) -> None:
        self._inner.checkpoint()

    def _progress(self, done: float, total: float, note: str, eta_s: float | None) -> None:
        self._told = True
        self._tell(done=done, total=total, note=note, eta_s=eta_s)

    def _tell(self, **fields: object) -> None:
        self._telling.on_indexing(self._event.model_copy(update=fields))


def _take(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        return False
    return True


def _utc(seconds_ago: float) -> str:
    when = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds_ago)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
