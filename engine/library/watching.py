"""The operating system's word that something changed; the only module that imports watchfiles.

On Linux every folder is watched by itself, not a tree at once: the notifier's own recursion
follows links, so that one link to / would watch the whole disk, and would watch our data
folder. On macOS and Windows the system watches trees and follows nothing.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import psutil
import watchfiles._rust_notify as rust_notify

from engine.files import show_path
from engine.store.ledger import covers

TREES = sys.platform != "linux"
GATHER_MS = 1200
QUIET_MS = 150
"""Changes are handed on once nothing more came for this long, at the latest after that."""
MANY = 1000
"""More changes at once than this are answered by looking through everything: the system's
queue holds 16,384, so when it overflowed and lost some, at least as many were handed on."""
_STEP_MS = 1000
_TRIES = 5
_REMOTE = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "9p", "afs", "afpfs", "ceph", "davfs"),
    *("webdav", "glusterfs", "lustre", "ncpfs", "beegfs", "vboxsf", "prl_fs", "virtiofs"),
}
"""File systems whose other users' changes are not announced here."""


class CannotWatch(Exception):
    """Changes cannot be noticed as they happen; the text says why, in one plain sentence."""


class Watcher:
    """Watches folders in a thread of its own until it is closed or fails.

    Args:
        roots: folders, absolute, without links.
        leave_out: a folder to pass over: our own data.
        on_changes: called with changed paths; None for too many, or for a gap: look through
            everything. Called in the watcher's thread.
        on_failure: called once, with a plain sentence, when it can watch no longer.

    Raises:
        CannotWatch: the system refuses.
    """

    def __init__(
        self,
        roots: Sequence[bytes],
        leave_out: bytes,
        on_changes: Callable[[set[bytes] | None], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self._roots = list(roots)
        self._leave_out = leave_out
        self._on_changes = on_changes
        self._on_failure = on_failure
        self._stop = threading.Event()
        self.unnamed: list[bytes] = []
        """Folders that cannot be watched because their names are no text."""
        self._folders = self._all_below(self._roots)
        self._notify: Any = self._begin()
        self._thread = threading.Thread(target=self._run, name="watching", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False once it failed or was closed."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # --- the thread -------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._wait_once()
        except CannotWatch as error:
            if not self._stop.is_set():
                self._on_failure(str(error))
        finally:
            self._notify.close()

    def _wait_once(self) -> None:
        try:
            told = self._notify.watch(GATHER_MS, QUIET_MS, _STEP_MS, self._stop)
        except rust_notify.WatchfilesRustInternalError as error:
            if "decode path" not in str(error):
                raise CannotWatch(_refused(error)) from error
            # A changed file whose name is no text: the notifier has stuck on it.
            self._notify.close()
            self._notify = self._begin()
            self._on_changes(None)
            return
        except (RuntimeError, OSError) as error:
            raise CannotWatch(_refused(error)) from error
        if isinstance(told, str):  # "timeout" or "stop"
            return
        changes = cast("set[tuple[int, str]]", told)
        paths = {os.fsencode(path) for _, path in changes}
        paths = {path for path in paths if not self._left_out(path)}
        if not paths:
            return
        if not TREES:
            self._watch_new(path for kind, path in changes if kind == 1)
        self._on_changes(paths if len(paths) <= MANY else None)

    def _watch_new(self, added: Iterable[str]) -> None:
        """Watch folders that came before anybody looks into them: nothing is missed."""
        new = [
            path
            for path in map(os.fsencode, added)
            if path not in self._folders and _is_folder(path) and not self._left_out(path)
        ]
        if new:
            self._folders |= self._all_below(new)
            old, self._notify = self._notify, self._begin()
            old.close()

    # --- what is watched --------------------------------------------------------------

    def _begin(self) -> Any:
        """A notifier on all folders."""
        for _ in range(_TRIES):
            watched = self._roots if TREES else sorted(self._folders)
            try:
                names = [os.fsdecode(path) for path in watched]
                # Not `ignore_permission_denied`: it also hides that a limit was reached.
                return rust_notify.RustNotify(names, False, False, 300, TREES, False)
            except (FileNotFoundError, PermissionError) as error:
                self._folders = {path for path in self._folders if _can_watch(path)}
                if not all(_is_folder(root) for root in self._roots):
                    raise CannotWatch("A folder cannot be reached.") from error
            except (OSError, RuntimeError, ValueError) as error:
                raise CannotWatch(_refused(error)) from error
        raise CannotWatch("The folders change too fast to be watched.")

    def _all_below(self, roots: Iterable[bytes]) -> set[bytes]:
        """All folders from `roots` down, no links followed, ours left out."""
        if TREES:
            return set(roots)
        found: set[bytes] = set()
        pending = list(roots)
        while pending:
            folder = pending.pop()
            if self._left_out(folder):
                continue
            try:
                with os.scandir(folder) as entries:
                    pending += [e.path for e in entries if e.is_dir(follow_symlinks=False)]
            except OSError:
                continue  # the scan says so
            if _is_text(folder):
                found.add(folder)
            else:
                self.unnamed.append(folder)
        return found

    def _left_out(self, path: bytes) -> bool:
        return bool(self._leave_out) and covers(self._leave_out, path)


def remote_reason(roots: Sequence[bytes]) -> str:
    """A sentence when some of `roots` lie where changes are not announced; else ""."""
    try:
        disks = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError):
        return ""
    mounts = [(os.fsencode(disk.mountpoint), disk.fstype.lower()) for disk in disks]
    for root in roots:
        under = [mount for mount in mounts if covers(mount[0], root)]
        around = max(under, key=lambda mount: len(mount[0]), default=(b"", ""))
        for mount, kind in [around, *(mount for mount in mounts if covers(root, mount[0]))]:
            if kind in _REMOTE or kind.startswith("fuse.ss") or kind == "fuse.rclone":
                return (
                    f"{show_path(max(mount, root, key=len))} is on another computer or a"
                    " shared disk, where changes are not announced."
                )
    return ""


def _is_folder(path: bytes) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _can_watch(path: bytes) -> bool:
    return _is_folder(path) and os.access(path, os.R_OK | os.X_OK)


def _is_text(path: bytes) -> bool:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refused(error: Exception) -> str:
    """The sentence for a notifier that failed."""
    text = str(error).lower()
    if "limit" in text or "no space" in text or "os error 28" in text:
        return "The system's limit of watched folders is reached (fs.inotify.max_user_watches)."
    if "too many open files" in text or "os error 24" in text:
        return "The system's limit of watchers is reached (fs.inotify.max_user_instances)."
    return f"The system does not announce changes here ({error})."
