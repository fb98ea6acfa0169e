"""The files of a library as a table that is fetched page by page while it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from desktop.strings import english, figures, names
from desktop.widgets.basics import plain_tip
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import FileRow, FilesPage

PAGE_ROWS = 200
PAGES_KEPT = 40
ASKED_AT_ONCE = 3
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
COLUMNS = (
    english.COLUMN_NAME,
    english.COLUMN_STATE,
    english.COLUMN_KIND,
    english.COLUMN_PASSAGES,
    english.COLUMN_SIZE,
    english.COLUMN_MODIFIED,
)
SORTS = ("name", "state", "kind", "", "size", "modified")
"""What the engine sorts a column by; it cannot sort by passages."""
NEWEST_FIRST = ("size", "modified")
"""Columns of which the largest is wanted first."""
STATES = {
    "indexed": english.STATE_INDEXED,
    "read": english.STATE_READ,
    "waiting": english.STATE_WAITING,
    "skipped": english.STATE_SKIPPED,
}
_ROOT = QModelIndex()
_PAINTED_MS = 15


class FilesModel(QAbstractTableModel):
    """`total` rows, of which only the pages seen lately are held.

    Rows that are painted are asked for a moment later, and only the last ones painted: a
    scroll bar dragged through twenty thousand files asks for where it stops.
    """

    counted = Signal(int)
    failed = Signal(object)
    moved = Signal()
    """Rows that were known stand for other files now."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__()
        self._client = client
        self._library = ""
        self._state: str | None = None
        self._match = ""
        self._sort = "name"
        self._descending = False
        self._total = 0
        self._pages: dict[int, list[FileRow]] = {}
        self._asked: dict[int, tuple[Call, int]] = {}
        self._stale: set[int] = set()
        self._epoch = 0
        """Counts the times that all rows became stale."""
        self._wanted: dict[int, None] = {}
        self._painted = QTimer(self)
        self._painted.setSingleShot(True)
        self._painted.setInterval(_PAINTED_MS)
        self._painted.timeout.connect(self._ask_wanted)

    # --- what is shown --------------------------------------------------------------------

    def show_files(self, library_id: str, state: str | None, match: str) -> None:
        """Show other files: another library or another filter."""
        if (library_id, state, match) == (self._library, self._state, self._match):
            self.look_again()
            return
        self._library, self._state, self._match = library_id, state, match
        self._begin()

    @property
    def order(self) -> tuple[str, bool]:
        """What the rows are sorted by, and whether the last comes first."""
        return self._sort, self._descending

    def set_order(self, sort: str, descending: bool) -> None:
        """Sort the rows by a key of `SORTS`."""
        if sort in SORTS and sort and (sort, descending) != self.order:
            self._sort, self._descending = sort, descending
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
            self._begin()

    def _begin(self) -> None:
        self._asked, self._stale, self._wanted = {}, set(), {}
        self.beginResetModel()
        self._pages, self._total = {}, 0
        self.endResetModel()
        self._ask(0)

    def look_again(self) -> None:
        """The same files may have new states: ask for the pages held."""
        if not self._library:
            return
        self._epoch += 1
        self._stale = set(self._pages)
        self._ask(0)

    def row_at(self, row: int) -> FileRow | None:
        """The file in a row, None while it is being fetched."""
        number, at = divmod(row, PAGE_ROWS)
        page = self._pages.get(number)
        if page is None or number in self._stale:
            self._wanted.pop(number, None)
            self._wanted[number] = None
            if not self._painted.isActive():
                self._painted.start()
        return page[at] if page is not None and at < len(page) else None

    def held(self, row: int) -> FileRow | None:
        """The file in a row if it is held; nothing is asked for."""
        page = self._pages.get(row // PAGE_ROWS)
        at = row % PAGE_ROWS
        return page[at] if page is not None and at < len(page) else None

    def collect(
        self, rows: list[tuple[int, int]], then: Callable[[list[FileRow]], object]
    ) -> None:
        """Give `then` the files of the row ranges [first, last], fetching what is not held."""
        needed = sorted({n for a, b in rows for n in range(a // PAGE_ROWS, b // PAGE_ROWS + 1)})
        got: dict[int, list[FileRow]] = {}
        shown = (self._library, self._state, self._match, *self.order)

        def step() -> None:
            for number in needed:
                if number in got:
                    continue
                if number in self._pages:
                    got[number] = self._pages[number]
                    continue
                call = self._client.request("libraries.files", self._params(number))
                call.succeeded.connect(lambda page, number=number: take(number, page))
                call.failed.connect(self.failed)
                return
            kept = [
                got[row // PAGE_ROWS][row % PAGE_ROWS]
                for a, b in rows
                for row in range(a, b + 1)
                if row % PAGE_ROWS < len(got[row // PAGE_ROWS])
            ]
            then(kept)

        def take(number: int, page: FilesPage) -> None:
            if shown == (self._library, self._state, self._match, *self.order):
                got[number] = page.rows
                step()

        step()

    def loaded(self) -> Iterator[tuple[int, FileRow]]:
        """The rows held, with their places."""
        for number, page in sorted(self._pages.items()):
            for at, row in enumerate(page):
                yield number * PAGE_ROWS + at, row

    # --- the table ------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and 0 <= section < len(COLUMNS):
            if role == Qt.ItemDataRole.DisplayRole:
                arrow = "↓" if self._descending else "↑"
                sorted_by = SORTS[section] == self._sort
                return f"{COLUMNS[section]} {arrow}" if sorted_by else COLUMNS[section]
            if role == Qt.ItemDataRole.TextAlignmentRole and section >= 3:
                return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            if role == Qt.ItemDataRole.ToolTipRole and SORTS[section]:
                return english.SORT_TIP
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
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 1:
            return f"{text}: {why}" if (why := reason_words(row)) else text
        return text

    # --- fetching -------------------------------------------------------------------------

    def _params(self, page: int) -> dict[str, Any]:
        params: dict[str, Any] = {
            "library": self._library,
            "offset": page * PAGE_ROWS,
            "limit": PAGE_ROWS,
            "match": self._match,
            "sort": self._sort,
            "descending": self._descending,
        }
        if self._state is not None:
            params["state"] = self._state
        return params

    def _ask_wanted(self) -> None:
        while self._wanted and len(self._asked) < ASKED_AT_ONCE:
            page, _ = self._wanted.popitem()
            self._ask(page)
        # What was painted earlier is out of sight by now, or is painted and wanted again.
        if len(self._wanted) > ASKED_AT_ONCE:
            self._wanted = dict.fromkeys(list(self._wanted)[-ASKED_AT_ONCE:])

    def _ask(self, page: int) -> None:
        if page in self._asked or not self._library:
            return
        call = self._client.request("libraries.files", self._params(page))
        self._asked[page] = call, self._epoch
        call.succeeded.connect(lambda answer: self._take(call, page, answer))
        call.failed.connect(lambda error: self._fail(call, page, error))

    def _take(self, call: Call, page: int, answer: FilesPage) -> None:
        asked, epoch = self._asked.get(page, (None, 0))
        if asked is not call:
            return  # of an earlier filter
        del self._asked[page]
        if epoch == self._epoch:
            self._stale.discard(page)
        before = self._pages.get(page)
        self._resize(answer.total)
        self._pages[page] = answer.rows
        while len(self._pages) > PAGES_KEPT:
            self._pages.pop(max(self._pages, key=lambda kept: abs(kept - page)))
        first = page * PAGE_ROWS
        last = min(self._total, first + PAGE_ROWS) - 1
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))
        if before is not None and [r.file_id for r in before] != [
            r.file_id for r in answer.rows
        ]:
            self.moved.emit()
        self.counted.emit(self._total)
        if self._wanted:
            self._painted.start()

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
        if self._asked.get(page, (None, 0))[0] is call:
            del self._asked[page]
            if not isinstance(error, Cancelled):
                self.failed.emit(error)


def cell_text(row: FileRow, column: int) -> str:
    """The words of one cell."""
    if column == 0:
        return names.file_name(row.path)
    if column == 1:
        return STATES[row.state]
    if column == 2:
        return names.one_line(row.kind, 40)
    if column == 3:
        return f"{row.passages:,}" if row.passages else ""
    if column == 4:
        return figures.size(row.size_bytes)
    return figures.when(row.modified_at)


def scan_words(row: FileRow) -> str:
    """What reading a file's scanned pages would cost; empty when there are none."""
    if not row.scan_pages:
        return ""
    pages = figures.count(row.scan_pages, *english.SCAN_PAGES)
    return english.SCAN_COST.format(pages=pages, time=figures.about(row.scan_seconds))


def reason_words(row: FileRow) -> str:
    """Why a file, or a part of it, is not read: one line, empty when all of it is."""
    return scan_words(row) or names.one_line(row.reason)


def _tip(row: FileRow, column: int) -> str:
    if column == 1:
        lines = [row.reason or english.STATE_TIPS[row.state], scan_words(row)]
        return plain_tip("\n".join(line for line in lines if line))
    if column == 2 and row.pages:
        return figures.count(row.pages, *english.FILE_PAGES)
    return plain_tip(row.path)
