"""An on-off switch: a check box to the keyboard and to screen readers, a switch to the eye."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox

from desktop import theme

_WIDTH_PX = 40
_HEIGHT_PX = 22


class Switch(QCheckBox):
    """Has no text of its own: what it switches is said beside it, and to screen readers."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self.setAccessibleName(says)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.follow(self, self.update)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH_PX + 6, _HEIGHT_PX + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, position) -> bool:  # type: ignore[no-untyped-def]
        return self.rect().contains(position)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        track = QRectF(3, (self.height() - _HEIGHT_PX) / 2, _WIDTH_PX, _HEIGHT_PX)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            ring = track.adjusted(-2, -2, 2, 2)
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
        painter.setPen(QPen(theme.colour("accent" if on else "border"), 1.4))
        painter.setBrush(theme.colour("accent" if on else "card"))
        painter.drawRoundedRect(track, _HEIGHT_PX / 2, _HEIGHT_PX / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("on_accent" if on else "border"))
        reach = _HEIGHT_PX / 2
        middle = track.right() - reach if on else track.left() + reach
        painter.drawEllipse(QPointF(middle, track.center().y()), reach - 4.5, reach - 4.5)
        painter.end()
