"""A button that shows one of several choices and offers the others in a menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy

from desktop import theme
from desktop.strings import names
from desktop.widgets.basics import plain_tip

_MOST_PX = 250
_ICON_PX = 16
_SIDE_PX = 10
_GAP_PX = 7


class Chooser(QPushButton):
    """Painted by hand: a style sheet on a combo box, or on a button with a menu, breaks it."""

    chosen = Signal(str)

    def __init__(self, says: str, picture: str = "") -> None:
        super().__init__()
        self._says = says
        self._picture = picture
        self._shown = ""
        self._compact = False
        self._menu = self.make_menu()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)
        theme.follow(self, self.update)

    def make_menu(self) -> QMenu:
        """The menu that opens; a subclass may want another kind."""
        return QMenu(self)

    def set_compact(self, compact: bool) -> None:
        """Show only the icon; what is chosen stays in the tooltip."""
        if compact != self._compact:
            self._compact = compact
            self.updateGeometry()
            self.update()

    def add_command(self, text: str, act: Callable[[], object]) -> None:
        """One more entry below the choices, for something else than choosing."""
        self._menu.addSeparator()
        self._menu.addAction(text, act)

    def set_choices(self, rows: list[tuple[str, str]], chosen: str) -> None:
        """Offer (id, text) rows, of which `chosen` is shown."""
        self._menu.clear()
        for row_id, text in rows:
            shown = names.one_line(text, 60)
            action = self._menu.addAction(shown.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(row_id == chosen)
            action.triggered.connect(
                lambda checked=False, row_id=row_id: self.chosen.emit(row_id)
            )
            if row_id == chosen:
                self.set_shown(text)

    def choices(self) -> list[str]:
        """What the menu offers."""
        return [a.text() for a in self._menu.actions() if a.isCheckable()]

    def set_shown(self, text: str) -> None:
        """Show `text`, whatever the menu offers."""
        self._shown = names.one_line(text, 80)
        self.setAccessibleName(f"{self._says}: {self._shown}")
        self.setToolTip(plain_tip(f"{self._says}: {self._shown}"))
        self.updateGeometry()
        self.update()

    def shown(self) -> str:
        """The choice shown."""
        return self._shown

    def set_picture(self, name: str) -> None:
        """Change the icon."""
        if name != self._picture:
            self._picture = name
            self.update()

    def sizeHint(self) -> QSize:
        if self._compact:
            return QSize(2 * _ICON_PX + 2 * _SIDE_PX, max(32, self.fontMetrics().height() + 12))
        width = (
            self.fontMetrics().horizontalAdvance(self._shown)
            + 2 * _SIDE_PX
            + _ICON_PX
            + _GAP_PX
        )
        width += _ICON_PX + _GAP_PX if self._picture else 0
        return QSize(min(_MOST_PX, width + 4), max(32, self.fontMetrics().height() + 12))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(80, self.sizeHint().width()), self.sizeHint().height())

    def _open(self) -> None:
        height = self._menu.sizeHint().height()
        self._menu.popup(
            self.mapToGlobal(QPoint(0, -height - 4 if self._up(height) else self.height() + 4))
        )

    def _up(self, height: int) -> bool:
        """True when there is no room for the menu below."""
        below = self.mapToGlobal(QPoint(0, self.height())).y() + height + 8
        return below > self.screen().availableGeometry().bottom()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focus = self.hasFocus()
        painter.setPen(QPen(theme.colour("accent" if focus else "line"), 2 if focus else 1))
        over = self.underMouse() or self.isDown()
        painter.setBrush(theme.colour("hover" if over else "card"))
        inset = 1.0 if focus else 0.5
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 7, 7
        )
        left = _SIDE_PX
        if self._picture:
            self._icon(painter, self._picture, left)
            left += _ICON_PX + _GAP_PX
        self._icon(painter, "chevron-down", self.width() - _SIDE_PX - _ICON_PX + 2)
        if self._compact:
            painter.end()
            return
        room = QRect(
            left, 0, self.width() - left - _ICON_PX - _SIDE_PX - _GAP_PX + 2, self.height()
        )
        text = self.fontMetrics().elidedText(
            self._shown, Qt.TextElideMode.ElideRight, room.width() + 2
        )
        painter.setPen(theme.colour("text"))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
        painter.end()

    def _icon(self, painter: QPainter, name: str, left: int) -> None:
        picture = theme.pixmap(name, "muted", _ICON_PX, self.devicePixelRatioF())
        painter.drawPixmap(QPoint(left, (self.height() - _ICON_PX) // 2), picture)
