"""A list of named rows for the sidebar: id, text, a figure at the right, an icon."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.strings import names
from desktop.widgets.basics import plain_tip

ID_ROLE = Qt.ItemDataRole.UserRole + 1
FIGURE_ROLE = Qt.ItemDataRole.UserRole + 2
ICON_ROLE = Qt.ItemDataRole.UserRole + 3
_ROOT = QModelIndex()


@dataclass(frozen=True)
class Row:
    """One row; `text` is untrusted and made safe by the model."""

    id: str
    text: str
    icon: str
    figure: str = ""
    tip: str = ""


class RowsModel(QAbstractListModel):
    """Rows that keep their place (and the selection) when only their contents change."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []

    def set_rows(self, rows: list[Row]) -> None:
        """Replace the rows; the same ids in the same order are updated in place."""
        same = [row.id for row in rows] == [row.id for row in self._rows]
        if same:
            changed = [i for i, row in enumerate(rows) if row != self._rows[i]]
            self._rows = rows
            for i in changed:
                self.dataChanged.emit(self.index(i), self.index(i))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def row_of(self, row_id: str) -> int:
        """Position of an id, -1 when it is not there."""
        return next((i for i, row in enumerate(self._rows) if row.id == row_id), -1)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        text = names.one_line(row.text, 200)
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.tip or row.text)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{text}, {row.figure}" if row.figure else text
        return {ID_ROLE: row.id, FIGURE_ROLE: row.figure, ICON_ROLE: row.icon}.get(role)
