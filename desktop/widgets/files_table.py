"""The table of files: two-line names, states with a colour, reasons, figures at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from desktop import theme
from desktop.models.files import ROW_ROLE, FilesModel, cell_text
from desktop.strings import english, names
from desktop.widgets.basics import BOLD

if TYPE_CHECKING:
    from engine.work.api import FileRow

_ROW_PX = 50
_PAD_PX = 10
_ICON_PX = 18
_KIND_ICONS = {
    "PDF": "file-text",
    "Word": "file-type",
    "HTML": "file-code",
    "Markdown": "file-text",
    "Text": "file-text",
}
_STATE_ROLES = {"indexed": "good", "read": "accent", "waiting": "muted", "skipped": "warning"}
_WIDTHS_PX = {1: 150, 2: 76, 3: 96, 4: 96, 5: 142}


class FileDelegate(QStyledItemDelegate):
    """Paints the cells of a file."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(80, _ROW_PX)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(option.rect, theme.colour("selected"))
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        row: FileRow | None = index.data(ROW_ROLE)
        room = option.rect.adjusted(_PAD_PX, 0, -_PAD_PX, 0)
        if row is None:
            painter.setPen(theme.colour("muted"))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, str(index.data() or ""))
        elif index.column() == 0:
            self._name(painter, room, row)
        elif index.column() == 1:
            self._state(painter, room, row)
        else:
            painter.setFont(theme.font(0.95))
            painter.setPen(theme.colour("muted"))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(
                room, flags | Qt.TextFlag.TextSingleLine, cell_text(row, index.column())
            )
        painter.restore()

    def _name(self, painter: QPainter, room: QRect, row: FileRow) -> None:
        scale = painter.device().devicePixelRatioF()
        picture = theme.pixmap(_KIND_ICONS.get(row.kind, "file"), "muted", _ICON_PX, scale)
        painter.drawPixmap(QPoint(room.left() + 2, room.center().y() - _ICON_PX // 2), picture)
        words = room.adjusted(_ICON_PX + 14, 0, 0, 0)
        under = names.one_line(row.reason) if row.reason else names.folder_of(row.path)
        role = "warning" if row.reason else "muted"
        self._lines(painter, words, names.file_name(row.path), under, role, bool(row.reason))

    def _lines(
        self, painter: QPainter, room: QRect, upper: str, under: str, role: str, reason: bool
    ) -> None:
        middle = room.center().y()
        bold = theme.font(weight=BOLD)
        painter.setFont(bold)
        painter.setPen(theme.colour("text"))
        height = painter.fontMetrics().height()
        shown = painter.fontMetrics().elidedText(
            upper, Qt.TextElideMode.ElideMiddle, room.width()
        )
        top = QRect(room.left(), middle - height, room.width(), height)
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
        painter.setFont(theme.font(0.9))
        painter.setPen(theme.colour(role))
        mode = Qt.TextElideMode.ElideRight if reason else Qt.TextElideMode.ElideLeft
        shown = painter.fontMetrics().elidedText(under, mode, room.width())
        low = QRect(room.left(), middle + 1, room.width(), height)
        painter.drawText(low, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)

    def _state(self, painter: QPainter, room: QRect, row: FileRow) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(_STATE_ROLES[row.state]))
        painter.drawEllipse(QPointF(room.left() + 4, room.center().y() + 1), 3.5, 3.5)
        painter.setFont(theme.font(0.95))
        painter.setPen(theme.colour("text"))
        words = room.adjusted(16, 0, 0, 0)
        text = painter.fontMetrics().elidedText(
            cell_text(row, 1), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.drawText(
            words, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text
        )


class FilesTable(QTableView):
    """A calm table: no grid, whole rows, columns that give way as the window narrows."""

    opened = Signal(object)
    menu_wanted = Signal(object, QPoint)

    def __init__(self, model: FilesModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(FileDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(english.FILES_TABLE)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(_ROW_PX)
        head = self.horizontalHeader()
        head.setFont(theme.font(0.92, BOLD))
        head.setHighlightSections(False)
        head.setSectionsClickable(False)
        head.setMinimumSectionSize(60)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS_PX.items():
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            head.resizeSection(column, width)
        self.doubleClicked.connect(self._open)
        self.customContextMenuRequested.connect(self._menu)
        theme.follow(self, self.viewport().update)

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        width = self.width()
        self.setColumnHidden(5, width < 760)
        self.setColumnHidden(3, width < 640)
        self.setColumnHidden(2, width < 540)
        self.setColumnHidden(4, width < 460)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and self.currentIndex().isValid()
        ):
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        row = index.data(ROW_ROLE)
        if row is not None:
            self.opened.emit(row)

    def _menu(self, at: QPoint) -> None:
        row = self.indexAt(at).data(ROW_ROLE)
        if row is not None:
            self.menu_wanted.emit(row, self.viewport().mapToGlobal(at))
