"""The table of examples: what goes in, what should come out, which side it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
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
from desktop.models.examples import ROW_ROLE, ExamplesModel
from desktop.strings import english
from desktop.widgets.basics import BOLD

if TYPE_CHECKING:
    from engine.work.api import ExampleRow

_ROW_PX = 34
_PAD_PX = 10
_SIDE_PX = 116


class ExampleDelegate(QStyledItemDelegate):
    """Paints one line a cell, cut with "…"."""

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
        room = option.rect.adjusted(_PAD_PX, 0, -_PAD_PX, 0)
        row: ExampleRow | None = index.data(ROW_ROLE)
        role = "text" if row is not None else "muted"
        if row is not None and index.column() == 1 and not row.output.strip():
            role = "warning"
        if row is not None and index.column() == 2:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("warning" if row.split == "heldout" else "accent"))
            painter.drawEllipse(QPointF(room.left() + 4, room.center().y() + 1), 3.5, 3.5)
            room = room.adjusted(16, 0, 0, 0)
        painter.setFont(theme.font(0.97))
        painter.setPen(theme.colour(role))
        text = painter.fontMetrics().elidedText(
            str(index.data() or ""), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
        painter.restore()


class ExamplesTable(QTableView):
    """Enter or a double click opens a row, Delete asks for its end."""

    opened = Signal(object)
    remove_wanted = Signal()
    chosen_changed = Signal()

    def __init__(self, model: ExamplesModel, says: str = english.EXAMPLES_TABLE) -> None:
        super().__init__()
        self._examples = model
        self.setModel(model)
        self.setItemDelegate(ExampleDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(says)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(_ROW_PX)
        head = self.horizontalHeader()
        head.setFont(theme.font(0.92, BOLD))
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Fixed)
        head.resizeSection(2, _SIDE_PX)
        self.doubleClicked.connect(self._open)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen_changed.emit())
        model.modelReset.connect(self.chosen_changed)
        theme.follow(self, self.viewport().update)

    def chosen(self) -> list[ExampleRow]:
        """The rows chosen, as far as they are held."""
        at = sorted({index.row() for index in self.selectionModel().selectedRows()})
        found = [self._examples.held(row) for row in at]
        return [row for row in found if row is not None]

    def _open(self, index: QModelIndex) -> None:
        row = index.data(ROW_ROLE)
        if row is not None:
            self.opened.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self._open(self.currentIndex())
            return
        if event.key() == Qt.Key.Key_Delete and self.selectionModel().hasSelection():
            self.remove_wanted.emit()
            return
        super().keyPressEvent(event)
