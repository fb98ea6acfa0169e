"""The look of the window: own colours, live switching, icons that follow.

`setColorScheme` does nothing on bare X11 and off-screen, so the scheme is the app's own:
Fusion with a palette and a small style sheet made from one set of tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop.theme import icons
from desktop.theme.style import disabled, palette, style_sheet
from desktop.theme.tokens import DARK, LIGHT, Tokens

Choice = Literal["system", "light", "dark"]
SMALLEST_POINTS = 9.0
_BASE_POINTS = 10.5


class Theme(QObject):
    """The scheme in use. `changed` fires after the application wears the new one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choice: Choice = "system"
        self.tokens: Tokens = LIGHT
        self._app: QApplication | None = None

    def start(self, app: QApplication, choice: Choice) -> None:
        """Dress the application; from here on it follows the system when so chosen."""
        self._app = app
        app.setStyle("Fusion")
        app.setFont(_base_font())
        app.styleHints().colorSchemeChanged.connect(self._follow)
        self.choose(choice)

    def choose(self, choice: Choice) -> None:
        """Switch the scheme, live."""
        self.choice = choice
        self._wear(
            DARK if choice == "dark" or (choice == "system" and self._system_dark()) else LIGHT
        )

    def _system_dark(self) -> bool:
        hints = QApplication.styleHints()
        return hints.colorScheme() == Qt.ColorScheme.Dark

    def _follow(self) -> None:
        if self.choice == "system":
            self.choose("system")

    def _wear(self, tokens: Tokens) -> None:
        self.tokens = tokens
        if self._app is None:
            return
        self._app.setPalette(palette(tokens))
        self._app.setStyleSheet(style_sheet(tokens))
        self.changed.emit()


theme = Theme()
"""The one theme of this process."""


def colour(role: str) -> QColor:
    """The present colour of a token, e.g. `colour("muted")`."""
    return QColor(getattr(theme.tokens, role))


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
        theme.changed.connect(self.apply)
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
