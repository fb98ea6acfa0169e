"""Three quiet dots and a line: something is being done."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop import theme

_DOTS = 3
_STEP_PX = 11
_FRAME_MS = 80
_BREATH_S = 1.2


class Pulse(QWidget):
    """Moves only while it is visible."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self.update)

    def say(self, text: str) -> None:
        """The line beside the dots."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    def text(self) -> str:
        return self._text

    def sizeHint(self) -> QSize:
        return QSize(260, self.fontMetrics().height() + 6)

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2
        shade = theme.colour("accent")
        for dot in range(_DOTS):
            phase = 2 * math.pi * (time.monotonic() / _BREATH_S - dot / 6)
            shade.setAlphaF(0.35 + 0.65 * (0.5 + 0.5 * math.sin(phase)))
            painter.setBrush(shade)
            painter.drawEllipse(QPointF(4 + dot * _STEP_PX, middle), 3.2, 3.2)
        painter.setPen(theme.colour("muted"))
        left = _DOTS * _STEP_PX + 8
        painter.drawText(
            self.rect().adjusted(left, 0, 0, 0),
            Qt.AlignmentFlag.AlignVCenter,
            self.fontMetrics().elidedText(
                self._text, Qt.TextElideMode.ElideRight, self.width() - left
            ),
        )
        painter.end()
