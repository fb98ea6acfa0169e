"""The table of files: two-line names, states with a colour, reasons, figures at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
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
from desktop.models.files import (
    NEWEST_FIRST,
    ROW_ROLE,
    SORTS,
    FilesModel,
    cell_text,
    reason_words,
)
from desktop.models.kinds import kind_icon
from desktop.strings import english, names
from desktop.widgets.basics import BOLD

if TYPE_CHECKING:
    from engine.work.api import FileRow

_ROW_PX = 50
_PAD_PX = 10
_ICON_PX = 18
_IDS_KEPT = 2000
_STATE_ROLES = {"indexed": "good", "read": "accent", "waiting": "muted", "skipped": "warning"}
_WIDTHS_PX = {1: 132, 2: 120, 3: 100, 4: 96, 5: 140}


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
            left = index.column() == 2
            side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
            text = painter.fontMetrics().elidedText(
                cell_text(row, index.column()), Qt.TextElideMode.ElideRight, room.width()
            )
            flags = Qt.AlignmentFlag.AlignVCenter | side | Qt.TextFlag.TextSingleLine
            painter.drawText(room, flags, text)
        painter.restore()

    def _name(self, painter: QPainter, room: QRect, row: FileRow) -> None:
        scale = painter.device().devicePixelRatioF()
        picture = theme.pixmap(kind_icon(row.path), "muted", _ICON_PX, scale)
        painter.drawPixmap(QPoint(room.left() + 2, room.center().y() - _ICON_PX // 2), picture)
        words = room.adjusted(_ICON_PX + 14, 0, 0, 0)
        reason = reason_words(row)
        role = "warning" if reason else "muted"
        under = reason or names.folder_of(row.path)
        self._lines(painter, words, names.file_name(row.path), under, role, bool(reason))

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
    menu_wanted = Signal(QPoint)
    chosen_changed = Signal(int)
    """How many files are chosen."""

    def __init__(self, model: FilesModel) -> None:
        super().__init__()
        self._files = model
        self._chosen_ids: set[int] = set()
        self.setModel(model)
        self.setItemDelegate(FileDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(english.FILES_TABLE)
        self._dress_headers()
        self.doubleClicked.connect(self._open)
        self.customContextMenuRequested.connect(self._menu)
        self.selectionModel().selectionChanged.connect(lambda *_: self._note_chosen())
        model.moved.connect(self._choose_again)
        model.modelReset.connect(self._note_chosen)
        theme.follow(self, self.viewport().update)

    def _dress_headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(_ROW_PX)
        head = self.horizontalHeader()
        head.setFont(theme.font(0.92, BOLD))
        head.setHighlightSections(False)
        head.setSectionsClickable(True)
        head.setMinimumSectionSize(60)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS_PX.items():
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            head.resizeSection(column, width)
        head.sectionClicked.connect(self.sort_by)

    def sort_by(self, column: int) -> None:
        """Sort by a column; a second time turns the order round."""
        wanted = SORTS[column]
        if not wanted:
            return
        sort, descending = self._files.order
        down = not descending if wanted == sort else wanted in NEWEST_FIRST
        self._files.set_order(wanted, down)

    # --- what is chosen -------------------------------------------------------------------

    def chosen_ranges(self) -> list[tuple[int, int]]:
        """The rows chosen, as [first, last], in order."""
        chosen = self.selectionModel().selection()
        parts = [chosen.at(i) for i in range(chosen.count())]
        return sorted({(part.top(), part.bottom()) for part in parts})

    def chosen_count(self) -> int:
        """How many files are chosen."""
        return sum(last - first + 1 for first, last in self.chosen_ranges())

    def _note_chosen(self) -> None:
        ranges = self.chosen_ranges()
        # Ids let the choice survive rows that move; of a huge one only the places count.
        if sum(last - first + 1 for first, last in ranges) <= _IDS_KEPT:
            rows = [row for first, last in ranges for row in range(first, last + 1)]
            files = [self._files.held(row) for row in rows]
            self._chosen_ids = {file.file_id for file in files if file is not None}
        else:
            self._chosen_ids = set()
        self.chosen_changed.emit(self.chosen_count())

    def _choose_again(self) -> None:
        """Other files stand in the rows now: choose the same files, where they are held."""
        wanted = self._chosen_ids
        if not self.selectionModel().hasSelection():
            return
        chosen = QItemSelection()
        last = len(_WIDTHS_PX)
        for at, file in self._files.loaded():
            if file.file_id in wanted:
                chosen.select(self._files.index(at, 0), self._files.index(at, last))
        self.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    # --- size, keys, mouse ----------------------------------------------------------------

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        width = self.width()
        self.setColumnHidden(5, width < 780)
        self.setColumnHidden(3, width < 680)
        self.setColumnHidden(2, width < 580)
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
        index = self.indexAt(at)
        if not index.isValid():
            # The menu key asks for it where the focus is, not where the pointer is.
            index = self.currentIndex()
            at = self.visualRect(index).center()
        if index.isValid():
            if not self.selectionModel().isRowSelected(index.row()):
                self.selectRow(index.row())
            self.menu_wanted.emit(self.viewport().mapToGlobal(at))
