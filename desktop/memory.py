"""What the window remembers between starts: size, page, library, splitters, filters, drafts.

Kept in `window.json` in the data folder, a file of the window's own: it is written every few
seconds, and the settings that the engine writes as well must not be lost to that.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from typing import Any

from PySide6.QtCore import QByteArray, QIODevice, QObject, QRect, QSaveFile, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QWidget

from desktop.preferences import peek
from engine.paths import Home

SAVE_DELAY_MS = 1500
"""A killed window loses at most this much, and one write."""
VERSION = 1
_LEAST_VISIBLE_PX = 120
log = logging.getLogger("whetstone.memory")


class Memory(QObject):
    """Named values, written soon after they change. Reading never fails: see the getters.

    Writing is done by a thread, one write at a time, because flushing to a slow disk can
    take longer than the window may stand still.
    """

    def __init__(self, home: Home, earlier: dict[str, Any], parent: QObject | None) -> None:
        super().__init__(parent)
        self._path = home.root / "window.json"
        data = peek(self._path)
        self._values: dict[str, Any] = data if data.get("version") == VERSION else dict(earlier)
        self._values["version"] = VERSION
        self._written = self._text()
        self._writer: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_DELAY_MS)
        self._timer.timeout.connect(self._save)

    # --- values ---------------------------------------------------------------------------

    def note(self, name: str, value: Any) -> None:
        """Remember a value that JSON can hold."""
        if self._values.get(name) != value:
            self._values[name] = value
            if not self._timer.isActive():
                self._timer.start()

    def text(self, name: str) -> str:
        """A text, "" where there is none."""
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """A whole number from 0 on, 0 where there is none."""
        value = self._values.get(name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        return max(0, min(value, 2**31 - 1)) if whole else 0  # type: ignore[operator]

    def numbers(self, name: str) -> list[int]:
        """A list of whole numbers, empty where there is none."""
        value = self._values.get(name)
        if not isinstance(value, list) or len(value) > 100:
            return []
        whole = all(isinstance(n, int) and 0 <= n < 100_000 for n in value)
        return list(value) if whole else []

    def table(self, name: str) -> dict[str, Any]:
        """A table of values of any kind, empty where there is none."""
        value = self._values.get(name)
        return dict(value) if isinstance(value, dict) else {}

    # --- writing --------------------------------------------------------------------------

    def flush(self) -> None:
        """Write now, and wait until it is done."""
        self._timer.stop()
        if self._writer is not None:
            self._writer.join()
        if (text := self._text()) != self._written:
            self._write(text)

    def _save(self) -> None:
        if self._writer is not None and self._writer.is_alive():
            self._timer.start()
            return
        text = self._text()
        if text != self._written:
            self._writer = threading.Thread(target=self._write, args=(text,), name="memory")
            self._writer.start()

    def _text(self) -> str:
        return json.dumps(self._values, ensure_ascii=True, sort_keys=True)

    def _write(self, text: str) -> None:
        # A full disk is said by whoever stores something that matters.
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        file = QSaveFile(str(self._path))
        written = file.open(QIODevice.OpenModeFlag.WriteOnly)
        written = written and file.write(text.encode()) >= 0 and file.commit()
        if written:
            self._written = text
        else:
            log.warning("the window's state was not written: %s", file.errorString())


# --- the window's own geometry ------------------------------------------------------------


def keep_geometry(memory: Memory, window: QWidget) -> None:
    """Remember size, place and whether it fills the screen."""
    data = bytes(window.saveGeometry().toBase64().data()).decode("ascii")
    memory.note("geometry", data)


def restore_geometry(memory: Memory, window: QWidget, usual: tuple[int, int]) -> None:
    """Size and place of last time, moved to where a screen shows it."""
    window.resize(*usual)
    kept = memory.text("geometry")
    if kept.isascii():
        window.restoreGeometry(QByteArray.fromBase64(QByteArray(kept.encode())))
    clamp(window)


def clamp(window: QWidget) -> None:
    """Move a window to a screen that is there: the one of last time may be unplugged."""
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    frame = window.geometry()
    if not screens or any(_visible(frame, screen) for screen in screens):
        return
    screen = screens[0]
    width, height = min(frame.width(), screen.width()), min(frame.height(), screen.height())
    window.resize(width, height)
    window.move(
        screen.left() + (screen.width() - width) // 2,
        screen.top() + (screen.height() - height) // 2,
    )


def _visible(frame: QRect, screen: QRect) -> bool:
    """True when the upper edge can be taken hold of and it is no larger than the screen."""
    top = QRect(frame.left(), frame.top(), frame.width(), 40).intersected(screen)
    held = top.width() >= min(_LEAST_VISIBLE_PX, frame.width()) and top.height() >= 20
    return held and frame.width() <= screen.width() and frame.height() <= screen.height()


def restore_splitter(memory: Memory, name: str, splitter: QSplitter) -> None:
    """Widths of last time, and remember later ones."""
    sizes = memory.numbers(name)
    if len(sizes) == splitter.count() and sum(sizes) > 0:
        splitter.setSizes(sizes)
    splitter.splitterMoved.connect(lambda *_: memory.note(name, splitter.sizes()))
