"""One window a data folder: a second start brings the first window to the front and ends.

The lock says who is first, and the system lets go of it whatever way a process ends; the
socket (AF_UNIX, in a folder of the user's own) carries the wish. Where the system has
neither, every start opens a window, and the engine's own locks keep the data safe.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import socket
import time
from pathlib import Path

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from engine.paths import Home

ANSWER_S = 2.0
CLOSING_S = 6.0
"""A window that was closed is gone after this: its engine is killed after three seconds."""
_LONGEST_PATH = 100
_LONGEST_WISH = 4096
log = logging.getLogger("whetstone.single")


class Single(QObject):
    """Holds the data folder for one window."""

    wished = Signal(str)
    """Another start wants the window in front; the token lets Wayland agree to that."""

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._lock: int | None = None
        self._server: socket.socket | None = None
        self._notifier: QSocketNotifier | None = None
        self._lock_path = home.locks / "window.lock"
        self._path = _socket_path(home)

    def claim(self, token: str = "") -> bool:
        """True when this process is to open the window; else the first one was told.

        One that is just closing is waited for; one that does not answer is not.
        """
        if not hasattr(socket, "AF_UNIX"):
            return True
        end = time.monotonic() + CLOSING_S
        try:
            while not self._take_lock():
                try:
                    self._tell(token)
                    return False
                except (FileNotFoundError, ConnectionError):
                    if time.monotonic() > end:
                        return True
                    time.sleep(0.1)
            self._listen()
        except (OSError, ImportError) as error:
            log.warning("cannot tell whether Whetstone is open already: %s", error)
        return True

    def _take_lock(self) -> bool:
        import fcntl

        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _listen(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)  # of a process that was killed: the lock says it is gone
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(self._path))
        os.chmod(self._path, 0o600)
        server.listen(4)
        server.setblocking(False)
        self._server = server
        self._notifier = QSocketNotifier(server.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._hear)

    def _hear(self) -> None:
        if self._server is None:
            return
        try:
            connection, _ = self._server.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(0.2)
            try:
                wish = connection.recv(_LONGEST_WISH)
                connection.sendall(b"ok")
            except OSError:
                return
        self.wished.emit(wish.decode("ascii", "replace").strip())

    def _tell(self, token: str) -> None:
        """Wish the first window to the front.

        Raises:
            FileNotFoundError, ConnectionError: nobody listens any more, or not yet.
            OSError: it does not answer.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wish:
            wish.settimeout(ANSWER_S)
            wish.connect(str(self._path))
            wish.sendall(token.encode("ascii", "replace")[:_LONGEST_WISH] or b"\n")
            if wish.recv(2) != b"ok":
                raise ConnectionError("closed while being asked")

    def deafen(self) -> None:
        """The window is closing: hear no more wishes, but hold on until the engine ended."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._server is not None:
            self._server.close()
            self._server = None
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def close(self) -> None:
        """Let go of the data folder. Safe to call twice."""
        self.deafen()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _socket_path(home: Home) -> Path:
    """In the data folder; in the user's runtime folder where that name would be too long."""
    path = home.locks / "window.sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if len(os.fsencode(path)) <= _LONGEST_PATH or not os.path.isdir(runtime):
        return path
    name = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:16]
    return Path(runtime) / f"whetstone-{name}.sock"
