"""Where a library stands with the disk: one line, with a way to pause and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop import theme
from desktop.strings import english, figures, names
from desktop.widgets.basics import ElidedLabel, button, row

if TYPE_CHECKING:
    from engine.work.api import LibraryView

_TICK_MS = 20_000
LATELY_S = 600.0
"""How long "3 files read just now" is worth saying."""


class FollowingLine(QWidget):
    """Says it anew as time goes by, so "2 minutes ago" stays true."""

    pause_wanted = Signal()
    resume_wanted = Signal()
    stale = Signal()
    """Shown for a while now: what it says of the disk may be old."""

    def __init__(self) -> None:
        super().__init__()
        self._view: LibraryView | None = None
        self._lately = (0, 0.0)
        self._busy = False
        self._icon = QLabel()
        self._icon.setFixedSize(17, 17)
        self._shown = ("", "")
        self._text = ElidedLabel(scale=0.95, role="muted")
        self._text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.pause = button(english.FOLLOW_PAUSE, self.pause_wanted.emit, "link")
        self.resume = button(english.FOLLOW_RESUME, self.resume_wanted.emit, "link")
        self.setLayout(row(self._icon, self._text, self.pause, self.resume, None, spacing=8))
        theme.follow(self, self._paint_icon)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._ticked)

    def text(self) -> str:
        """What is said."""
        return self._text.text()

    def show_view(self, view: LibraryView, lately: tuple[int, float], busy: bool) -> None:
        """Say where `view` stands; `lately` are files read by the last small run, and when."""
        self._view, self._lately, self._busy = view, lately, busy
        self._say()

    def _ticked(self) -> None:
        if self._lately[0]:
            files, past = self._lately
            self._lately = files, past + _TICK_MS / 1000
        self._say()
        self.stale.emit()

    def _say(self) -> None:
        view = self._view
        if view is None:
            return
        icon, role, text = following_words(view, self._busy)
        files, past = self._lately
        if files and past < LATELY_S and view.following in ("live", "scanning"):
            count = figures.count(files, *english.LIBRARY_SUMMARY_FILES)
            text += " · " + english.FOLLOW_LATELY.format(files=count, past=_past(past))
        self._text.set_text(text)
        self._shown = (icon, role)
        self._paint_icon()
        self.pause.setVisible(view.following not in ("paused", "off"))
        self.resume.setVisible(view.following == "paused")

    def _paint_icon(self) -> None:
        icon, role = self._shown
        if icon:
            scale = max(2.0, self.devicePixelRatioF())
            self._icon.setPixmap(theme.pixmap(icon, role, 17, scale))

    def showEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        self._tick.start()
        super().showEvent(event)

    def hideEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        self._tick.stop()
        super().hideEvent(event)


def following_words(view: LibraryView, busy: bool) -> tuple[str, str, str]:
    """Icon, its colour and the line for where a library stands."""
    icon, role, said = _standing(view, busy)
    parts = [said]
    if agreed := figures.ago(view.agreed_at):
        parts.append(english.FOLLOW_AGREED.format(when=agreed))
    elif view.following != "live":
        parts.append(english.FOLLOW_NEVER)
    if view.pending_passages:
        pending = figures.count(view.pending_passages, *english.LIBRARY_PASSAGES)
        parts.append(english.FOLLOW_PENDING.format(passages=pending))
    return icon, role, " · ".join(parts)


def _standing(view: LibraryView, busy: bool) -> tuple[str, str, str]:
    reason = names.one_line(view.following_reason.strip(), 300).rstrip(".")
    if view.following == "paused":
        return "circle-pause", "muted", reason or english.FOLLOW_PAUSED
    if view.following == "lost":
        return "triangle-alert", "warning", reason or english.FOLLOW_LOST
    if view.following == "off":
        return "circle", "muted", english.FOLLOW_OFF
    if view.following == "scanning":
        return "refresh-cw", "accent", reason or english.FOLLOW_SCANNING
    if reason:
        return "triangle-alert", "warning", reason
    if busy or view.state == "indexing":
        return "refresh-cw", "accent", english.FOLLOW_READING
    if view.waiting:
        waiting = figures.count(view.waiting, *english.LIBRARY_SUMMARY_FILES)
        return "clock", "accent", english.FOLLOW_WAITING.format(files=waiting)
    return "circle-check", "good", english.FOLLOW_LIVE


def _past(seconds: float) -> str:
    if seconds < 45:
        return english.JUST_NOW
    minutes = max(1, round(seconds / 60))
    return english.MINUTE_AGO if minutes == 1 else english.MINUTES_AGO.format(n=minutes)
