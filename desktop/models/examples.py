"""The examples of a dataset as a table that is fetched page by page while it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from desktop.client import Call, EngineClient
from desktop.strings import english, names
from desktop.widgets.basics import plain_tip
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import ExampleRow, RowsPage

PAGE_ROWS = 100
PAGES_KEPT = 40
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
_ROOT = QModelIndex()
_PAINTED_MS = 15
_CELL_LIMIT = 300
COLUMNS = 3


class ExamplesModel(QAbstractTableModel):
    """`total` rows, of which only pages seen lately are held; or a few rows as given."""

    counted = Signal(int)
    failed = Signal(object)

    def __init__(self, client: EngineClient) -> None:
        super().__init__()
        self._client = client
        self._dataset = ""
        self._task = ""
        self._search = ""
        self._ids: list[str] = []
        self._total = 0
        self._pages: dict[int, list[ExampleRow]] = {}
        self._asked: dict[int, Call] = {}
        self._stale: set[int] = set()
        self._wanted: dict[int, None] = {}
        self._painted = QTimer(self)
        self._painted.setSingleShot(True)
        self._painted.setInterval(_PAINTED_MS)
        self._painted.timeout.connect(self._ask_wanted)

    # --- what is shown --------------------------------------------------------------------

    def show_dataset(
        self, dataset: str, task: str, search: str = "", ids: list[str] | None = None
    ) -> None:
        """Show the rows that hold `search`, or only those with these ids."""
        wanted = (dataset, task, search, ids or [])
        if wanted == (self._dataset, self._task, self._search, self._ids):
            self.look_again()
            return
        self._dataset, self._task, self._search, self._ids = wanted
        self._asked, self._stale, self._wanted = {}, set(), {}
        self.beginResetModel()
        self._pages, self._total = {}, 0
        self.endResetModel()
        self._ask(0)

    def show_rows(self, rows: list[ExampleRow], task: str) -> None:
        """Show just these rows; nothing is asked for."""
        self._dataset, self._task, self._search, self._ids = "", task, "", []
        self._asked, self._stale, self._wanted = {}, set(), {}
        self.beginResetModel()
        self._pages, self._total = {0: list(rows)}, len(rows)
        self.endResetModel()

    def look_again(self) -> None:
        """Rows may have changed: ask for the pages held."""
        if self._dataset:
            self._stale = set(self._pages)
            self._ask(0)

    def held(self, row: int) -> ExampleRow | None:
        """The example in a row if it is held; nothing is asked for."""
        page = self._pages.get(row // PAGE_ROWS)
        at = row % PAGE_ROWS
        return page[at] if page is not None and at < len(page) else None

    def _row_at(self, row: int) -> ExampleRow | None:
        number = row // PAGE_ROWS
        if self._dataset and (number not in self._pages or number in self._stale):
            self._wanted.pop(number, None)
            self._wanted[number] = None
            if not self._painted.isActive():
                self._painted.start()
        return self.held(row)

    # --- the table ------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else COLUMNS

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < COLUMNS:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (*english.TASK_COLUMNS.get(self._task, ("", "")), english.EXAMPLE_SIDE)[
                section
            ]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole and section == 2:
            return english.HELDOUT_HINT
        return None

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if not index.isValid() or index.row() >= self._total:
            return None
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
            ROW_ROLE,
        ):
            return None
        row = self._row_at(index.row())
        if role == ROW_ROLE:
            return row
        if row is None:
            return english.LOADING_ROW if index.column() == 0 else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            text = (row.input, row.output or english.EXAMPLE_UNFINISHED, "")[index.column()]
            return plain_tip(text[:1200]) if text else None
        return cell_text(row, index.column())

    # --- fetching -------------------------------------------------------------------------

    def _ask_wanted(self) -> None:
        # What was painted last is what is looked at now.
        for page in list(self._wanted)[-2:]:
            self._ask(page)
        self._wanted = {}

    def _ask(self, page: int) -> None:
        if page in self._asked or not self._dataset:
            return
        call = self._client.request(
            "datasets.rows",
            {
                "dataset": self._dataset,
                "search": self._search,
                "ids": self._ids,
                "offset": page * PAGE_ROWS,
                "limit": PAGE_ROWS,
            },
        )
        self._asked[page] = call
        call.succeeded.connect(lambda answer: self._take(call, page, answer))
        call.failed.connect(lambda error: self._fail(call, page, error))

    def _take(self, call: Call, page: int, answer: RowsPage) -> None:
        if self._asked.get(page) is not call:
            return  # of an earlier search
        del self._asked[page]
        self._stale.discard(page)
        self._resize(answer.total)
        self._pages[page] = answer.rows
        while len(self._pages) > PAGES_KEPT:
            self._pages.pop(max(self._pages, key=lambda kept: abs(kept - page)))
        first = page * PAGE_ROWS
        last = min(self._total, first + PAGE_ROWS) - 1
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, COLUMNS - 1))
        self.counted.emit(self._total)

    def _resize(self, total: int) -> None:
        if total > self._total:
            self.beginInsertRows(QModelIndex(), self._total, total - 1)
            self._total = total
            self.endInsertRows()
        elif total < self._total:
            self.beginRemoveRows(QModelIndex(), total, self._total - 1)
            self._total = total
            self.endRemoveRows()
            kept = range((total + PAGE_ROWS - 1) // PAGE_ROWS)
            self._pages = {page: rows for page, rows in self._pages.items() if page in kept}

    def _fail(self, call: Call, page: int, error: EngineError) -> None:
        if self._asked.get(page) is call:
            del self._asked[page]
            if not isinstance(error, Cancelled):
                self.failed.emit(error)


def cell_text(row: ExampleRow, column: int) -> str:
    """The words of one cell, on one line."""
    if column == 0:
        return names.one_line(" ".join(row.input[: 2 * _CELL_LIMIT].split()), _CELL_LIMIT)
    if column == 1:
        if not row.output.strip():
            return english.EXAMPLE_UNFINISHED
        return names.one_line(" ".join(row.output[: 2 * _CELL_LIMIT].split()), _CELL_LIMIT)
    return english.SIDE_HELDOUT if row.split == "heldout" else english.SIDE_TRAIN
