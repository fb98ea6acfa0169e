"""How passages are read: a chooser whose entries say in a line what they mean."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget, QWidgetAction

from desktop import theme
from desktop.strings import english
from desktop.widgets.chooser import Chooser

_ICON_PX = 15
_LEFT_PX = 34
_RIGHT_PX = 18
_ABOVE_PX = 6


class _Entry(QWidget):
    """Two lines of a menu. The menu itself gets pointer and keys."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self.name, self.hint = name, hint
        self.hot = False
        self.ticked = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._small = theme.font(0.92)
        self.setAccessibleName(f"{name}: {hint}")

    def sizeHint(self) -> QSize:
        name, hint = self.fontMetrics(), QFontMetrics(self._small)
        width = max(name.horizontalAdvance(self.name), hint.horizontalAdvance(self.hint))
        height = name.height() + hint.height() + 2 * _ABOVE_PX
        return QSize(width + _LEFT_PX + _RIGHT_PX, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 0, -2, 0), 5, 5)
        if self.ticked:
            tick = theme.pixmap("check", "accent", _ICON_PX, self.devicePixelRatioF())
            painter.drawPixmap(QPointF(11, _ABOVE_PX + 2), tick)
        line = self.fontMetrics()
        painter.setPen(theme.colour("text"))
        painter.drawText(_LEFT_PX, _ABOVE_PX + line.ascent(), self.name)
        painter.setFont(self._small)
        painter.setPen(theme.colour("muted"))
        below = _ABOVE_PX + line.height() + QFontMetrics(self._small).ascent()
        painter.drawText(_LEFT_PX, below, self.hint)
        painter.end()


class ModeChooser(Chooser):
    """`chosen` gives a mode of `engine.work.api.AskSpec`."""

    def __init__(self, picture: str = "") -> None:
        super().__init__(english.MODE_CHOOSER, picture)
        self._entries: dict[str, _Entry] = {}
        for mode, (name, hint) in english.MODES.items():
            self._add(mode, name, hint)
        self._menu.hovered.connect(self._heat)
        self._menu.aboutToHide.connect(lambda: self._heat(None))
        self.mode = ""
        self.set_mode("auto")

    def _add(self, mode: str, name: str, hint: str) -> None:
        entry = _Entry(name, hint)
        action = QWidgetAction(self._menu)
        action.setDefaultWidget(entry)
        action.setText(name)
        action.setToolTip(hint)
        action.setCheckable(True)
        action.triggered.connect(lambda checked=False: self._choose(mode))
        self._menu.addAction(action)
        self._entries[mode] = entry

    def set_mode(self, mode: str) -> None:
        """Show this mode as the one in use."""
        if mode not in english.MODES:
            mode = "auto"
        self.mode = mode
        for name, entry in self._entries.items():
            entry.ticked = name == mode
            entry.update()
        for action, name in zip(self._menu.actions(), self._entries, strict=True):
            action.setChecked(name == mode)
        self.set_shown(english.MODES[mode][0])

    def _choose(self, mode: str) -> None:
        self.set_mode(self.mode)  # a click ticks; whoever hears of it decides
        self.chosen.emit(mode)

    def _heat(self, action: object) -> None:
        for known, entry in zip(self._menu.actions(), self._entries.values(), strict=True):
            if entry.hot != (known is action):
                entry.hot = known is action
                entry.update()
