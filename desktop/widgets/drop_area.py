"""The place to drop a folder, and the check of what may be dropped."""

from __future__ import annotations

import os

from PySide6.QtCore import QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFrame

from desktop import theme


def dropped_paths(data: QMimeData) -> list[str]:
    """Local paths of a drop; web addresses and the rest are left out."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


def dropped_folders(data: QMimeData) -> list[str]:
    """Folders of a drop."""
    return [path for path in dropped_paths(data) if os.path.isdir(path)]


class DropArea(QFrame):
    """A dashed frame that lights up while something is held over it."""

    dropped = Signal(list)
    hovered = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._over = False
        self.setAcceptDrops(True)
        theme.follow(self, self.update)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()
            self._set_over(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._set_over(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_over(False)
        event.acceptProposedAction()
        self.dropped.emit(dropped_paths(event.mimeData()))

    def _set_over(self, over: bool) -> None:
        self._over = over
        self.hovered.emit(over)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.colour("accent" if self._over else "border"), 2)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([4, 3.2])
        painter.setPen(pen)
        painter.setBrush(theme.colour("bubble" if self._over else "side"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 16, 16)
        painter.end()
