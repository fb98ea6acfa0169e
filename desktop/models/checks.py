"""A list of values to tick, with how many files have each."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from desktop.strings import names
from desktop.widgets.basics import plain_tip

COUNT_ROLE = Qt.ItemDataRole.UserRole + 1
_ROOT = QModelIndex()


@dataclass(frozen=True)
class Check:
    """One value; `text` is what is shown for it."""

    value: str
    text: str
    count: int


class ChecksModel(QAbstractListModel):
    """Values that are ticked stay in the list even when no file has them any more."""

    toggled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Check] = []
        self._ticked: set[str] = set()

    def set_rows(self, rows: list[Check], ticked: set[str]) -> None:
        """Replace the values and the ticks."""
        known = {row.value for row in rows}
        lost = [Check(v, v, 0) for v in sorted(ticked - known)]
        self.beginResetModel()
        self._rows, self._ticked = [*lost, *rows], set(ticked)
        self.endResetModel()

    def ticked(self) -> list[str]:
        """The values ticked, in the order of the list."""
        return [row.value for row in self._rows if row.value in self._ticked]

    def toggle(self, row: int) -> None:
        """Tick or untick a row."""
        if 0 <= row < len(self._rows):
            self._ticked ^= {self._rows[row].value}
            self.dataChanged.emit(self.index(row), self.index(row))
            self.toggled.emit()

    def values(self) -> list[str]:
        """All values."""
        return [row.value for row in self._rows]

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return names.one_line(row.text, 200)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.value)
        if role == Qt.ItemDataRole.CheckStateRole:
            on = row.value in self._ticked
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        return row.count if role == COUNT_ROLE else None
