"""A list with ticks, painted in our colours; a click or Space anywhere on a row ticks it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from desktop import theme
from desktop.models.checks import COUNT_ROLE, ChecksModel

_ROW_PX = 30
_BOX_PX = 16


class CheckDelegate(QStyledItemDelegate):
    """Paints a row; ticking is the view's work."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, max(_ROW_PX, option.fontMetrics.height() + 10))

    def editorEvent(self, event, model, option, index) -> bool:  # type: ignore[no-untyped-def]
        return False

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state, box = option.state, option.rect.adjusted(0, 1, 0, -1)
        if state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(box, 6, 6)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 6, 6)
        on = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        self._tick(painter, box, on)
        painter.setFont(theme.font(0.92))
        painter.setPen(theme.colour("muted"))
        count = f"{index.data(COUNT_ROLE):,}"
        room = box.adjusted(0, 0, -8, 0)
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(room, middle | Qt.AlignmentFlag.AlignRight, count)
        right = room.right() - painter.fontMetrics().horizontalAdvance(count) - 10
        painter.setFont(option.font)
        painter.setPen(theme.colour("text"))
        left = box.left() + 8 + _BOX_PX + 9
        words = QRect(left, box.top(), right - left, box.height())
        text = option.fontMetrics.elidedText(
            str(index.data()), Qt.TextElideMode.ElideMiddle, words.width()
        )
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()

    def _tick(self, painter: QPainter, row: QRect, on: bool) -> None:
        at = QPoint(row.left() + 8, row.center().y() - _BOX_PX // 2 + 1)
        frame = QRectF(at.x() + 0.5, at.y() + 0.5, _BOX_PX - 1, _BOX_PX - 1)
        painter.setPen(QPen(theme.colour("accent" if on else "border"), 1))
        painter.setBrush(theme.colour("accent" if on else "card"))
        painter.drawRoundedRect(frame, 4, 4)
        if on:
            scale = painter.device().devicePixelRatioF()
            picture = theme.pixmap("check", "on_accent", _BOX_PX - 4, scale)
            painter.drawPixmap(at + QPoint(2, 2), picture)


class CheckList(QListView):
    """As tall as its rows, up to `most_rows` of them."""

    def __init__(self, model: ChecksModel, says: str, most_rows: int) -> None:
        super().__init__()
        self._model = model
        self._most = most_rows
        self.setModel(model)
        self.setItemDelegate(CheckDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setAccessibleName(says)
        self.viewport().setAutoFillBackground(False)
        model.modelReset.connect(self._hug)
        theme.follow(self, self.viewport().update)
        self._hug()

    def _hug(self) -> None:
        row = max(_ROW_PX, self.fontMetrics().height() + 10)
        self.setFixedHeight(max(1, min(self._most, self._model.rowCount())) * row)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            self._model.toggle(index.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() in keys and self.currentIndex().isValid():
            self._model.toggle(self.currentIndex().row())
            return
        super().keyPressEvent(event)
