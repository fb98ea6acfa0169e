"""What each stage of a search made of every candidate, as a table that can be sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from desktop.strings import english, names, places
from desktop.widgets.basics import plain_tip

if TYPE_CHECKING:
    from engine.work.api import ExplainedPassage

ROW_ROLE = Qt.ItemDataRole.UserRole + 1
SORT_ROLE = Qt.ItemDataRole.UserRole + 2
COLUMNS = english.INSPECT_COLUMNS
RANK, PASSAGE, MEANING, WORDS, TOGETHER, RERANKED, FATE = range(len(COLUMNS))
_FIGURES = (RANK, MEANING, WORDS, TOGETHER, RERANKED)
_ROOT = QModelIndex()


class CandidatesModel(QAbstractTableModel):
    """Rows in fused order, as the engine gives them."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[ExplainedPassage] = []

    def set_rows(self, rows: list[ExplainedPassage]) -> None:
        """Show another search."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rows(self) -> list[ExplainedPassage]:
        """All candidates."""
        return self._rows

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][0]
        if role == Qt.ItemDataRole.ToolTipRole:
            return COLUMNS[section][1]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in _FIGURES else _LEFT
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], index.column()
        if role == ROW_ROLE:
            return row
        if role == SORT_ROLE:
            return sort_key(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{row.path}\n{row.text}" if column == PASSAGE else row.fate)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return cell_text(row, column)
        return None


_LEFT = Qt.AlignmentFlag.AlignLeft


class CandidatesOrder(QSortFilterProxyModel):
    """Sorts by what a cell means; what a stage did not see always comes last."""

    def lessThan(
        self,
        left: QModelIndex | QPersistentModelIndex,
        right: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        a, b = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if a is None or b is None:
            falling = self.sortOrder() == Qt.SortOrder.DescendingOrder
            return (b is None) != falling if (a is None) != (b is None) else False
        return a < b


def sort_key(row: ExplainedPassage, column: int) -> int | float | str | None:
    """What a column is sorted by: ranks rise, sentences go by the alphabet."""
    return {
        RANK: row.fused_rank,
        PASSAGE: names.search_key(names.file_name(row.path)),
        MEANING: row.dense_rank,
        WORDS: row.keyword_rank,
        TOGETHER: -row.fused_score,
        RERANKED: row.rerank_rank,
        FATE: row.chosen if row.chosen is not None else 10_000 + row.fused_rank,
    }[column]


def cell_text(row: ExplainedPassage, column: int) -> str:
    """The words of one cell."""
    if column == RANK:
        return f"{row.fused_rank:,}"
    if column == PASSAGE:
        where = places.place(row.page, row.place, "")
        name = names.file_name(row.path)
        return f"{name}, {names.one_line(where)}" if where else name
    if column == MEANING:
        return _seen(row.dense_rank, row.dense_score, 3)
    if column == WORDS:
        return _seen(row.keyword_rank, row.keyword_score, 1)
    if column == TOGETHER:
        return f"{row.fused_score:.4f}"
    if column == RERANKED:
        return _seen(row.rerank_rank, row.rerank_score, 2)
    return names.one_line(row.fate, 300)


def _seen(rank: int | None, score: float | None, digits: int) -> str:
    """ "3 · 0.612": the rank and the score of one list."""
    if rank is None:
        return english.INSPECT_UNSEEN
    return f"{rank:,}" if score is None else f"{rank:,} · {score:.{digits}f}"
