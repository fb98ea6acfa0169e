"""Rows of the palette: an icon, what it is, the kind or the keys at the right."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from desktop import theme
from desktop.strings import names
from desktop.widgets.basics import plain_tip

FOUND_ROLE = Qt.ItemDataRole.UserRole + 1
_ROW_PX = 36
_ICON_PX = 17
_ROOT = QModelIndex()


@dataclass(frozen=True)
class Found:
    """One row. `kind` says what it is, `keys` the shortcut; `text` is untrusted."""

    text: str
    icon: str
    kind: str = ""
    keys: str = ""
    tip: str = ""


class FoundModel(QAbstractListModel):
    """What fits the query, best first."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Found] = []

    def set_rows(self, rows: list[Found]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        found = self._rows[index.row()]
        text = names.one_line(found.text, 200)
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (text, found.kind, found.keys) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(found.tip) if found.tip else None
        return found if role == FOUND_ROLE else None


class FoundDelegate(QStyledItemDelegate):
    """Paints a row of the palette."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, max(_ROW_PX, option.fontMetrics.height() + 16))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        found: Found = index.data(FOUND_ROLE)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(0, 1, -2, -1)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected"))
            painter.drawRoundedRect(box, 7, 7)
        scale = painter.device().devicePixelRatioF()
        picture = theme.pixmap(found.icon, "accent" if chosen else "muted", _ICON_PX, scale)
        painter.drawPixmap(QPoint(box.left() + 10, box.center().y() - _ICON_PX // 2), picture)
        right = self._aside(painter, box, found)
        left = box.left() + 10 + _ICON_PX + 11
        painter.setFont(option.font)
        painter.setPen(theme.colour("text"))
        room = QRect(left, box.top(), max(0, right - left), box.height())
        text = option.fontMetrics.elidedText(
            str(index.data()), Qt.TextElideMode.ElideMiddle, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
        painter.restore()

    def _aside(self, painter: QPainter, box: QRect, found: Found) -> int:
        """Draw the keys or the kind at the right; return where the text has to end."""
        aside = found.keys or found.kind
        if not aside:
            return box.right() - 10
        painter.setFont(theme.font(0.9))
        painter.setPen(theme.colour("muted"))
        shown = painter.fontMetrics().elidedText(
            aside, Qt.TextElideMode.ElideMiddle, box.width() // 3
        )
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(box.adjusted(0, 0, -12, 0), flags | Qt.TextFlag.TextSingleLine, shown)
        return box.right() - 12 - painter.fontMetrics().horizontalAdvance(shown) - 10


class FoundList(QListView):
    """A click or Enter chooses a row."""

    chosen = Signal(int)

    def __init__(self, model: FoundModel, says: str) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(FoundDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName(says)
        self.viewport().setAutoFillBackground(False)
        theme.follow(self, self.viewport().update)

    def hint_height(self, most_rows: int) -> int:
        """As tall as all rows, up to `most_rows` of them."""
        rows = min(most_rows, self.model().rowCount())
        return rows * max(_ROW_PX, self.fontMetrics().height() + 16)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            self.setCurrentIndex(index)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            self.chosen.emit(index.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self.currentIndex().row())
            return
        super().keyPressEvent(event)
