"""The table of the inspector: two-line passages, ranks, and bars for what each list added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
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
from desktop.models.candidates import (
    FATE,
    MEANING,
    PASSAGE,
    RANK,
    RERANKED,
    ROW_ROLE,
    TOGETHER,
    WORDS,
    CandidatesModel,
    CandidatesOrder,
    cell_text,
)
from desktop.strings import english, names
from desktop.widgets.basics import BOLD

if TYPE_CHECKING:
    from engine.work.api import ExplainedPassage

_ROW_PX = 50
_PAD_PX = 10
_BAR_PX = 5
_WIDTHS_PX = {RANK: 78, MEANING: 118, WORDS: 118, TOGETHER: 132, RERANKED: 110, FATE: 250}


class CandidateDelegate(QStyledItemDelegate):
    """Paints the cells of a candidate; `most` is the largest fused score in the table."""

    most = 0.0

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
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, theme.colour("selected"))
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        row: ExplainedPassage = index.data(ROW_ROLE)
        room = option.rect.adjusted(_PAD_PX, 0, -_PAD_PX, 0)
        column = index.column()
        if column == PASSAGE:
            self._passage(painter, room, row)
        elif column == TOGETHER:
            self._together(painter, room, row)
        else:
            seen = column == FATE or cell_text(row, column) != english.INSPECT_UNSEEN
            strong = column == RANK and row.chosen is not None
            painter.setFont(theme.font(0.95, BOLD if strong else theme.font().weight()))
            chosen = row.chosen is not None
            painter.setPen(
                theme.colour("text" if seen and (chosen or column != FATE) else "muted")
            )
            side = Qt.AlignmentFlag.AlignLeft if column == FATE else Qt.AlignmentFlag.AlignRight
            _line(painter, room, cell_text(row, column), side)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(option.rect).adjusted(2, 2, -2, -3), 5, 5)
        painter.restore()

    def _passage(self, painter: QPainter, room: QRect, row: ExplainedPassage) -> None:
        height, middle = painter.fontMetrics().height(), room.center().y()
        painter.setFont(
            theme.font(weight=BOLD if row.chosen is not None else theme.font().weight())
        )
        painter.setPen(theme.colour("text"))
        upper = QRect(room.left(), middle - height, room.width(), height)
        _line(painter, upper, cell_text(row, PASSAGE), Qt.AlignmentFlag.AlignLeft)
        painter.setFont(theme.font(0.9))
        painter.setPen(theme.colour("muted"))
        lower = QRect(room.left(), middle + 1, room.width(), height)
        text = names.one_line(" ".join(row.text.split()), 300)
        _line(painter, lower, text, Qt.AlignmentFlag.AlignLeft)

    def _together(self, painter: QPainter, room: QRect, row: ExplainedPassage) -> None:
        """The score, and under it how much of it came from meaning and from words."""
        height, middle = painter.fontMetrics().height(), room.center().y()
        painter.setFont(theme.font(0.95))
        painter.setPen(theme.colour("text"))
        upper = QRect(room.left(), middle - height, room.width(), height)
        _line(painter, upper, cell_text(row, TOGETHER), Qt.AlignmentFlag.AlignRight)
        whole = room.width()
        bar = QRectF(room.left(), middle + 7, whole, _BAR_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("track"))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        if self.most <= 0:
            return
        meaning = whole * max(0.0, row.dense_share) / self.most
        words = whole * max(0.0, row.keyword_share) / self.most
        painter.setBrush(theme.colour("accent"))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), meaning, _BAR_PX), 2.5, 2.5)
        painter.setBrush(theme.colour("mark_line"))
        painter.drawRoundedRect(
            QRectF(bar.left() + meaning, bar.top(), words, _BAR_PX), 2.5, 2.5
        )


class CandidatesTable(QTableView):
    """Sorted by a click on a heading, or by S in the column."""

    moved = Signal(object, int)
    """The candidate and the column under the cursor."""

    def __init__(self, model: CandidatesModel) -> None:
        super().__init__()
        self._model = model
        self._order = CandidatesOrder(self)
        self._order.setSourceModel(model)
        self._delegate = CandidateDelegate(self)
        self.setModel(self._order)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(english.INSPECT_TABLE)
        self.setSortingEnabled(True)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(_ROW_PX)
        head = self.horizontalHeader()
        head.setFont(theme.font(0.92, BOLD))
        head.setHighlightSections(False)
        head.setSectionResizeMode(PASSAGE, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS_PX.items():
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            head.resizeSection(column, width)
        self.sortByColumn(RANK, Qt.SortOrder.AscendingOrder)
        self.selectionModel().currentChanged.connect(self._moved)
        theme.follow(self, self.viewport().update)

    def show_rows(self, rows: list[ExplainedPassage]) -> None:
        """Another search, the best candidate chosen."""
        self._delegate.most = max((row.fused_score for row in rows), default=0.0)
        self._model.set_rows(rows)
        self.setColumnHidden(RERANKED, all(row.rerank_rank is None for row in rows))
        if rows:
            self.setCurrentIndex(self._order.index(0, PASSAGE))

    def choose(self, number: int) -> None:
        """Go to the candidate that became source `number`."""
        for at, row in enumerate(self._model.rows()):
            if row.chosen == number:
                index = self._order.mapFromSource(self._model.index(at, PASSAGE))
                self.setCurrentIndex(index)
                self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def shown(self) -> list[ExplainedPassage]:
        """The candidates in the order of the table."""
        return [self._order.index(at, 0).data(ROW_ROLE) for at in range(self._order.rowCount())]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_S and not event.modifiers():
            self._sort_here()
            return
        super().keyPressEvent(event)

    def _sort_here(self) -> None:
        head, column = self.horizontalHeader(), max(0, self.currentIndex().column())
        again = head.sortIndicatorSection() == column
        rising = head.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
        orders = Qt.SortOrder
        self.sortByColumn(
            column, orders.DescendingOrder if again and rising else orders.AscendingOrder
        )

    def _moved(self, index: QModelIndex) -> None:
        if index.isValid():
            self.moved.emit(index.data(ROW_ROLE), index.column())


def _line(painter: QPainter, room: QRect, text: str, side: Qt.AlignmentFlag) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    flags = Qt.AlignmentFlag.AlignVCenter | side
    painter.drawText(room, flags | Qt.TextFlag.TextSingleLine, shown)
