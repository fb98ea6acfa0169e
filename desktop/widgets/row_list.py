"""The lists of the sidebar: rounded rows with an icon, a name and a figure."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from desktop import theme
from desktop.models.rows import FIGURE_ROLE, ICON_ROLE, ID_ROLE, RowsModel
from desktop.widgets.drop_area import dropped_folders

_ROW_PX = 34
_ICON_PX = 17


class RowDelegate(QStyledItemDelegate):
    """Paints a row; style sheets on items would break their metrics."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, max(_ROW_PX, option.fontMetrics.height() + 14))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        over = bool(state & QStyle.StateFlag.State_MouseOver)
        box = option.rect.adjusted(0, 1, 0, -1)
        if chosen or over:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected" if chosen else "hover"))
            painter.drawRoundedRect(box, 7, 7)
        if (
            state & QStyle.StateFlag.State_HasFocus
            and state & QStyle.StateFlag.State_KeyboardFocusChange
        ):
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 7, 7)
        self._icon(painter, box, str(index.data(ICON_ROLE)), chosen)
        right = self._figure(painter, option, box, str(index.data(FIGURE_ROLE) or ""))
        left = box.left() + 10 + _ICON_PX + 10
        painter.setFont(option.font)
        painter.setPen(theme.colour("text"))
        room = QRect(left, box.top(), right - left, box.height())
        text = option.fontMetrics.elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, room.width()
        )
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(room, flags, text)
        painter.restore()

    def _icon(self, painter: QPainter, box: QRect, name: str, chosen: bool) -> None:
        scale = painter.device().devicePixelRatioF()
        picture = theme.pixmap(name, "accent" if chosen else "muted", _ICON_PX, scale)
        top = box.center().y() - _ICON_PX // 2
        painter.drawPixmap(QPoint(box.left() + 10, top), picture)

    def _figure(
        self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, figure: str
    ) -> int:
        """Draw the figure at the right; return where the name has to end."""
        if not figure:
            return box.right() - 10
        small = theme.font(0.92)
        painter.setFont(small)
        painter.setPen(theme.colour("muted"))
        room = box.adjusted(0, 0, -10, 0)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(room, flags, figure)
        return box.right() - 10 - painter.fontMetrics().horizontalAdvance(figure) - 8


class RowList(QListView):
    """A list whose rows are opened by a click or Enter, with a menu on the other button."""

    opened = Signal(str)
    menu_wanted = Signal(str, QPoint)
    dropped = Signal(str, list)
    """Folders were let go on a row."""

    def __init__(self, model: RowsModel, says: str) -> None:
        super().__init__()
        self._model = model
        self._current = ""
        self.setModel(model)
        self.setItemDelegate(RowDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(says)
        self.viewport().setAutoFillBackground(False)
        self.customContextMenuRequested.connect(self._menu)
        model.modelReset.connect(self._select)
        model.modelReset.connect(self.updateGeometry)
        theme.follow(self, self.viewport().update)

    def hug(self, most_rows: int) -> None:
        """Be as tall as the rows, up to `most_rows` of them."""
        self._most = most_rows
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._model.modelReset.connect(self._hug)
        self._hug()

    def _hug(self) -> None:
        row = max(_ROW_PX, self.fontMetrics().height() + 14)
        self.setFixedHeight(max(0, min(self._most, self._model.rowCount())) * row)

    def take_folders(self) -> None:
        """Let folders be dropped on rows."""
        self.setAcceptDrops(True)
        self.viewport().setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._drag(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._drag(event)

    def _drag(self, event: QDragMoveEvent) -> None:
        """The row under the pointer looks chosen; what is no folder is for the window."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and dropped_folders(event.mimeData()):
            self.setCurrentIndex(index)
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._select()

    def dropEvent(self, event: QDropEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        folders = dropped_folders(event.mimeData())
        self._select()
        if index.isValid() and folders:
            event.acceptProposedAction()
            self.dropped.emit(str(index.data(ID_ROLE)), folders)

    def set_current(self, row_id: str) -> None:
        """Show which row belongs to what is on the page; "" for none."""
        self._current = row_id
        self._select()

    def current(self) -> str:
        """The row shown as chosen."""
        return self._current

    def _select(self) -> None:
        at = self._model.row_of(self._current) if self._current else -1
        if at < 0:
            self.clearSelection()
            return
        self.setCurrentIndex(self._model.index(at))

    def _menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if index.isValid():
            self.menu_wanted.emit(str(index.data(ID_ROLE)), self.viewport().mapToGlobal(at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            self.opened.emit(str(index.data(ID_ROLE)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
            and index.isValid()
        ):
            self.opened.emit(str(index.data(ID_ROLE)))
            return
        super().keyPressEvent(event)
