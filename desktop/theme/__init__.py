"""The look of the window: own colours, live switching, icons that follow.

`setColorScheme` does nothing on bare X11 and off-screen, so the scheme is the app's own:
Fusion with a palette and a small style sheet made from one set of tokens.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from shiboken6 import isValid

from desktop.theme import icons, style
from desktop.theme.style import disabled, palette, style_sheet
from desktop.theme.tokens import DARK, LIGHT, Tokens

Choice = Literal["system", "light", "dark"]
SMALLEST_POINTS = 9.0
_BASE_POINTS = 10.5
_TURN_S = 0.012
_HELD_S = 0.15


class Theme(QObject):
    """The scheme in use. `changed` fires when colours are to be asked for anew.

    A style sheet on the application is worked out again for every widget there is, in one
    go, which takes longer than the window may stand still. So parts of the window wear it
    (`dress`), each in a turn of the event loop of its own: what is seen first, and nothing
    is painted until that is done.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choice: Choice = "system"
        self.tokens: Tokens = LIGHT
        self._app: QApplication | None = None
        self._sheet = ""
        self._parts: list[QWidget] = []
        self._followers: list[_Follower] = []
        self._late: deque[QWidget | _Follower] = deque()
        self._held: list[QWidget] = []
        self._patience = 0.0
        self._turn = QTimer(self)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._next)

    def start(self, app: QApplication, choice: Choice) -> None:
        """Dress the application; from here on it follows the system when so chosen."""
        self._app = app
        if app.style().objectName() != "fusion":
            # Once only: Qt frees the old style under the parts that wear a sheet over it.
            app.setStyle("Fusion")
        app.setFont(_base_font())
        app.styleHints().colorSchemeChanged.connect(self._follow)
        self.choose(choice)
        self.finish()

    def choose(self, choice: Choice) -> None:
        """Switch the scheme, live. Hidden parts follow in the next turns of the loop."""
        self.choice = choice
        self._wear(
            DARK if choice == "dark" or (choice == "system" and self._system_dark()) else LIGHT
        )

    def dress(self, part: QWidget) -> None:
        """Have a part of the window, or a dialog, wear the style sheet from now on."""
        self._parts.append(part)
        part.destroyed.connect(self._forget_gone)
        part.setStyleSheet(self._sheet)

    def finish(self) -> None:
        """Dress what is still waiting, now."""
        while self._late:
            self._step()
        self._show_held()

    def _system_dark(self) -> bool:
        hints = QApplication.styleHints()
        return hints.colorScheme() == Qt.ColorScheme.Dark

    def _follow(self) -> None:
        if self.choice == "system":
            self.choose("system")

    def _wear(self, tokens: Tokens) -> None:
        same = tokens is self.tokens and self._sheet
        self.tokens = tokens
        if self._app is None or same:
            return
        self._sheet = style_sheet(tokens)
        self._app.setPalette(palette(tokens))
        # Tool tips are windows of their own, and have no part to inherit from.
        self._hold()
        parts = [part for part in self._parts if isValid(part)]
        followers = [follower for follower in self._followers if isValid(follower)]
        self._parts, self._followers = parts, followers
        self._late = deque(sorted([*parts, *followers], key=_hidden))
        self.changed.emit()
        self._turn.start()

    def _hold(self) -> None:
        """Paint nothing until all that is seen wears the new colours, or it takes long."""
        self._patience = time.perf_counter() + _HELD_S
        for window in QApplication.topLevelWidgets():
            if window.isVisible() and window not in self._held:
                window.setUpdatesEnabled(False)
                self._held.append(window)

    def _show_held(self) -> None:
        self._turn.stop()
        self._release()

    def _release(self) -> None:
        for window in self._held:
            if isValid(window):
                window.setUpdatesEnabled(True)
        self._held = []

    def _next(self) -> None:
        """One turn of the loop: as much as fits into a few milliseconds."""
        end = time.perf_counter() + _TURN_S
        while self._late and time.perf_counter() < end:
            self._step()
        if not self._late:
            self._show_held()
        elif self._held and (_hidden(self._late[0]) or end > self._patience):
            self._release()

    def _step(self) -> None:
        item = self._late.popleft()
        if not isValid(item):
            return
        if isinstance(item, _Follower):
            item.apply()
        else:
            item.setStyleSheet(self._sheet)

    def _forget_gone(self) -> None:
        self._parts = [part for part in self._parts if isValid(part)]

    def enlist(self, follower: _Follower) -> None:
        """Have a follower called at every switch, as long as it lives."""
        self._followers.append(follower)
        if len(self._followers) > 2 * self._counted + 200:
            self._followers = [kept for kept in self._followers if isValid(kept)]
            self._counted = len(self._followers)

    _counted = 0


def _hidden(item: QWidget | _Follower) -> bool:
    """True for what is not on the screen now."""
    if not isValid(item):
        return True
    widget = item.parent() if isinstance(item, _Follower) else item
    return isinstance(widget, QWidget) and not widget.isVisible()


theme = Theme()
"""The one theme of this process."""


def colour(role: str) -> QColor:
    """The present colour of a token, e.g. `colour("muted")`."""
    return QColor(getattr(theme.tokens, role))


def hue(at: int) -> QColor:
    """The present colour of source `at` of an answer, from 0."""
    return QColor(style.hue(theme.tokens, at))


def tint(at: int, weight: float) -> QColor:
    """The present background of a word that came from source `at` as surely as `weight`."""
    return QColor(style.tint(theme.tokens, at, weight))


def icon(name: str, role: str = "muted", size_px: int = 18) -> QIcon:
    """Icon `name` in the present colour of `role`. It does not follow a later switch."""
    return icons.icon(name, getattr(theme.tokens, role), disabled(theme.tokens), size_px)


def pixmap(name: str, role: str, size_px: int, scale: float) -> QPixmap:
    """Icon `name` as a picture for painting at screen scale `scale`."""
    return icons.pixmap(name, getattr(theme.tokens, role), size_px, scale)


class _Follower(QObject):
    """Calls `apply` now and after every switch, as long as its parent lives."""

    def __init__(self, parent: QObject, apply: Callable[[], None]) -> None:
        super().__init__(parent)
        self._apply = apply
        theme.enlist(self)
        apply()

    def apply(self) -> None:
        self._apply()


def follow(owner: QObject, apply: Callable[[], None]) -> None:
    """Run `apply` now and after every switch until `owner` is gone."""
    _Follower(owner, apply)


def set_icon(button: QWidget, name: str, role: str = "muted", size_px: int = 18) -> None:
    """Give a button an icon that follows the theme; a second call replaces the first."""
    button.setProperty("iconName", name)
    button.setProperty("iconRole", role)

    def apply() -> None:
        shown = icon(
            str(button.property("iconName")), str(button.property("iconRole")), size_px
        )
        button.setIcon(shown)  # type: ignore[attr-defined]

    if button.property("iconFollows"):
        apply()
    else:
        button.setProperty("iconFollows", True)
        follow(button, apply)


def set_label_icon(label: QLabel, name: str, role: str, size_px: int) -> None:
    """Show an icon in a label, following the theme."""
    follow(
        label,
        lambda: label.setPixmap(
            pixmap(name, role, size_px, max(2.0, label.devicePixelRatioF()))
        ),
    )


def font(scale: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The interface font at `scale` of its base size, never under the smallest legible."""
    result = QFont(QApplication.font())
    result.setPointSizeF(max(SMALLEST_POINTS, result.pointSizeF() * scale))
    result.setWeight(weight)
    return result


def _base_font() -> QFont:
    """The system's interface font, or Noto Sans where the system names none."""
    result = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if result.family() in ("", "Sans", "Sans Serif", "DejaVu Sans", "Helvetica"):
        for family in ("Inter", "Noto Sans", "Cantarell", "Ubuntu"):
            if QFontDatabase.hasFamily(family):
                result.setFamily(family)
                break
    result.setPointSizeF(max(_BASE_POINTS, result.pointSizeF()))
    return result
