"""The files of a library as a table that is fetched page by page while it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from desktop.client import Call, EngineClient
from desktop.strings import english, figures, names
from desktop.widgets.basics import plain_tip
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import FileRow, FilesPage

PAGE_ROWS = 200
PAGES_KEPT = 40
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
COLUMNS = (
    english.COLUMN_NAME,
    english.COLUMN_STATE,
    english.COLUMN_PAGES,
    english.COLUMN_PASSAGES,
    english.COLUMN_SIZE,
    english.COLUMN_MODIFIED,
)
STATES = {
    "indexed": english.STATE_INDEXED,
    "read": english.STATE_READ,
    "waiting": english.STATE_WAITING,
    "skipped": english.STATE_SKIPPED,
}
_ROOT = QModelIndex()


class FilesModel(QAbstractTableModel):
    """`total` rows, of which only the pages seen lately are held."""

    counted = Signal(int)
    failed = Signal(object)

    def __init__(self, client: EngineClient) -> None:
        super().__init__()
        self._client = client
        self._library = ""
        self._state: str | None = None
        self._match = ""
        self._total = 0
        self._pages: dict[int, list[FileRow]] = {}
        self._asked: dict[int, Call] = {}
        self._stale: set[int] = set()

    def show_files(self, library_id: str, state: str | None, match: str) -> None:
        """Show other files: another library or another filter."""
        if (library_id, state, match) == (self._library, self._state, self._match):
            self.look_again()
            return
        self._library, self._state, self._match = library_id, state, match
        self._forget()
        self.beginResetModel()
        self._pages, self._total = {}, 0
        self.endResetModel()
        if library_id:
            self._ask(0)

    def look_again(self) -> None:
        """The same files may have new states: ask for the pages held."""
        if not self._library:
            return
        self._stale = set(self._pages)
        self._ask(0)

    def row_at(self, row: int) -> FileRow | None:
        """The file in a row, None while it is being fetched."""
        page = self._pages.get(row // PAGE_ROWS)
        at = row % PAGE_ROWS
        if page is None or row // PAGE_ROWS in self._stale:
            self._ask(row // PAGE_ROWS)
        return page[at] if page is not None and at < len(page) else None

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and 0 <= section < len(COLUMNS):
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section]
            if role == Qt.ItemDataRole.TextAlignmentRole and section >= 2:
                return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if not index.isValid() or index.row() >= self._total:
            return None
        wanted = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, ROW_ROLE)
        if role not in (*wanted, Qt.ItemDataRole.AccessibleTextRole):
            return None
        row = self.row_at(index.row())
        if role == ROW_ROLE:
            return row
        if row is None:
            return english.LOADING_ROW if index.column() == 0 else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(row, index.column())
        text = cell_text(row, index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 1 and row.reason:
            return f"{text}: {names.one_line(row.reason)}"
        return text

    def _ask(self, page: int) -> None:
        if page in self._asked or not self._library:
            return
        params: dict[str, Any] = {
            "library": self._library,
            "offset": page * PAGE_ROWS,
            "limit": PAGE_ROWS,
            "match": self._match,
        }
        if self._state is not None:
            params["state"] = self._state
        call = self._client.request("libraries.files", params)
        self._asked[page] = call
        call.succeeded.connect(lambda answer: self._take(call, page, answer))
        call.failed.connect(lambda error: self._fail(call, page, error))

    def _take(self, call: Call, page: int, answer: FilesPage) -> None:
        if self._asked.get(page) is not call:
            return  # of an earlier filter
        del self._asked[page]
        self._stale.discard(page)
        self._resize(answer.total)
        self._pages[page] = answer.rows
        while len(self._pages) > PAGES_KEPT:
            self._pages.pop(max(self._pages, key=lambda kept: abs(kept - page)))
        first = page * PAGE_ROWS
        last = min(self._total, first + PAGE_ROWS) - 1
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))
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

    def _forget(self) -> None:
        self._asked = {}
        self._stale = set()


def cell_text(row: FileRow, column: int) -> str:
    """The words of one cell."""
    if column == 0:
        return names.file_name(row.path)
    if column == 1:
        return STATES[row.state]
    if column == 2:
        return f"{row.pages:,}" if row.pages else ""
    if column == 3:
        return f"{row.passages:,}" if row.passages else ""
    if column == 4:
        return figures.size(row.size_bytes)
    return figures.when(row.modified_at)


def _tip(row: FileRow, column: int) -> str:
    if column == 1:
        return plain_tip(row.reason or english.STATE_TIPS[row.state])
    return plain_tip(row.path)
