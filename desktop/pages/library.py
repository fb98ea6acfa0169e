"""One library: where its files are, how far the reading is, and the state of every file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.actions import Actions
from desktop.models.files import SORTS, FilesModel
from desktop.pages.viewer import Place, Viewer
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, button, clear_layout, column, label, row
from desktop.widgets.chosen_bar import ChosenBar
from desktop.widgets.files_table import FilesTable
from desktop.widgets.library_head import LibraryHead
from desktop.widgets.reading_bar import ReadingBar

if TYPE_CHECKING:
    from engine.work.api import FileRow, LibraryView

FILTERS: tuple[tuple[str, str | None], ...] = (
    (english.FILTER_ALL, None),
    (english.FILTER_INDEXED, "indexed"),
    (english.FILTER_READ, "read"),
    (english.FILTER_WAITING, "waiting"),
    (english.FILTER_SKIPPED, "skipped"),
)
_FILE_MENU = (
    "file.show",
    "file.ask",
    "",
    "file.open",
    "file.folder",
    "file.copy",
    "",
    "file.again",
    "file.scan",
)
_TYPING_MS = 200
_MATCH_LIMIT = 200
_NARROW_PX = 780
_BOTH_PX = 900
"""Under this width an opened document takes the place of the table."""


class LibraryPage(QFrame):
    """Follows the library that is chosen in the window."""

    folder_wanted = Signal()
    root_remove_wanted = Signal(str, str)
    viewer_toggled = Signal(bool)
    """A document was opened, or closed."""
    chosen_changed = Signal()
    kept_changed = Signal()
    """Filter, sorting or scrolling changed: `kept()` is worth writing down."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self.library_id = ""
        self.model = FilesModel(state.client)
        self.model.setParent(self)
        self.table = FilesTable(self.model)
        self.viewer = Viewer(state.client, back=False)
        self.viewer.setMinimumWidth(320)
        self.viewer.hide()
        self.head = LibraryHead()
        self.chosen = ChosenBar()
        self._filter: str | None = None
        self._actions: Actions | None = None
        self._scroll_wanted = 0
        self._build()
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._refilter)
        self.search.textChanged.connect(self._restart_typing)
        self._connect()
        self._show()

    # --- layout ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._reading_place = QVBoxLayout()
        self.search = QLineEdit()
        self.search.setPlaceholderText(english.FILTER_FIELD)
        self.search.setAccessibleName(english.FILTER_FIELD)
        self.search.setClearButtonEnabled(True)
        self.search.setMaxLength(_MATCH_LIMIT)
        self.search.setMinimumWidth(210)
        self.search.setMaximumWidth(280)
        self.shown = label("", 0.95, tone="muted")
        self._tools = row(spacing=8)
        self._tools.addLayout(self._segments())
        self._tools.addStretch(1)
        find = row(self.shown, self.search, spacing=8)
        find.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self._tools.addLayout(find)
        top = column(spacing=12, margins=(28, 20, 22, 10))
        top.addWidget(self.head)
        top.addLayout(self._reading_place)
        top.addLayout(self._tools)
        self._none = label(english.FILES_NONE, 1.02, tone="muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._none.setContentsMargins(0, 48, 0, 0)
        self._list = QStackedWidget()
        self._list.addWidget(self.table)
        self._list.addWidget(self._none)
        body = column(spacing=0)
        body.addLayout(top)
        body.addLayout(row(self._list, margins=(18, 0, 8, 8)), 1)
        body.addLayout(row(self.chosen, margins=(18, 0, 18, 10)))
        main = _Main()
        main.resized.connect(self._fit)
        main.setLayout(body)
        self._empty = _NoLibrary(self.folder_wanted.emit)
        self._stack = QStackedWidget()
        self._stack.addWidget(main)
        self._stack.addWidget(self._empty)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(self._stack)
        self.splitter.addWidget(self.viewer)
        self.splitter.setStretchFactor(0, 1)
        self.setLayout(column(self.splitter))

    def _fit(self, width: int) -> None:
        """Stack what does not fit side by side."""
        ways = QBoxLayout.Direction
        self.head.stack(width < _NARROW_PX)
        self._tools.setDirection(ways.TopToBottom if width < _NARROW_PX else ways.LeftToRight)

    def _segments(self) -> QHBoxLayout:
        result = row(spacing=2)
        self.segments: list[QPushButton] = []
        group = QButtonGroup(self)
        group.setExclusive(True)
        for text, state in FILTERS:
            segment = button(text, lambda state=state: self.set_filter(state), "segment")
            segment.setCheckable(True)
            segment.setChecked(state is None)
            segment.setAccessibleDescription(english.FILTER_GROUP)
            group.addButton(segment)
            self.segments.append(segment)
            result.addWidget(segment)
        return result

    def _connect(self) -> None:
        state = self._state
        state.libraries_changed.connect(self._show)
        state.files_changed.connect(self._look_again)
        state.readings_changed.connect(self._show)
        self.model.counted.connect(self._count)
        self.model.failed.connect(state.notices.error)
        self.table.opened.connect(self.open_file)
        self.table.menu_wanted.connect(self._menu)
        self.table.chosen_changed.connect(self._chosen)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.table.verticalScrollBar().rangeChanged.connect(self._scroll_back)
        self.chosen.cleared.connect(self.table.clearSelection)
        self.head.repair_wanted.connect(self.rescan)
        self.head.root_remove_wanted.connect(
            lambda root: self.root_remove_wanted.emit(self.library_id, root)
        )
        self.head.following.stale.connect(lambda: state.refresh("libraries"))
        self.viewer.closed.connect(self.close_viewer)

    def bind(self, actions: Actions) -> None:
        """Offer the commands of the table in menus and buttons."""
        self._actions = actions
        self.head.bind(actions)
        self.chosen.bind(actions)

    # --- showing --------------------------------------------------------------------------

    def open_library(self, library_id: str) -> None:
        """Show this library."""
        if library_id != self.library_id:
            self.library_id = library_id
            self.close_viewer()
            self.search.clear()
            self.set_filter(None)
        self._show()
        self._refilter()

    def _show(self) -> None:
        view = self._state.library(self.library_id)
        self._stack.setCurrentIndex(0 if view is not None else 1)
        if view is None:
            return
        reading = self._state.reading_of(self.library_id)
        lately = self._state.read_lately(self.library_id)
        self.head.show_view(view, lately, reading is not None)
        self._show_reading()
        self._show_counts(view)

    def _show_reading(self) -> None:
        wanted = self._state.reading_of(self.library_id)
        item = self._reading_place.itemAt(0)
        shown = item.widget() if item is not None else None
        if isinstance(shown, ReadingBar) and shown.reading is wanted:
            return
        clear_layout(self._reading_place)
        if wanted is not None:
            self._reading_place.addWidget(ReadingBar(wanted, slim=False))

    def _show_counts(self, view: LibraryView) -> None:
        """How many files wait or could not be read, on the buttons that show them."""
        counts = {"waiting": view.waiting, "skipped": view.skipped}
        for segment, (text, state) in zip(self.segments, FILTERS, strict=True):
            number = counts.get(state or "", 0)
            segment.setText(f"{text} {number:,}" if number else text)

    def _look_again(self) -> None:
        if self.isVisible():
            self.model.look_again()

    # --- filtering ------------------------------------------------------------------------

    def set_filter(self, state: str | None) -> None:
        """Show only files in this state; None shows all."""
        self._filter = state
        for segment, (_, value) in zip(self.segments, FILTERS, strict=True):
            segment.setChecked(value == state)
        self._refilter()

    def sort_by(self, sort: str) -> None:
        """Sort by a key of `SORTS`; a second time turns the order round."""
        self.table.sort_by(SORTS.index(sort))
        self.kept_changed.emit()

    def _restart_typing(self) -> None:
        self._typing.start()

    def _refilter(self) -> None:
        self._typing.stop()
        self.model.show_files(self.library_id, self._filter, self.search.text().strip())
        self.kept_changed.emit()

    def _count(self, total: int) -> None:
        self.shown.setText(figures.count(total, *english.FILES_SHOWN))
        self._list.setCurrentIndex(0 if total else 1)

    def _scroll_back(self, low: int, high: int) -> None:
        """There are rows enough now to be where the user was."""
        if 0 < self._scroll_wanted <= high:
            wanted, self._scroll_wanted = self._scroll_wanted, 0
            self.table.verticalScrollBar().setValue(wanted)

    def _scrolled(self) -> None:
        self.kept_changed.emit()

    # --- what survives a restart ----------------------------------------------------------

    def kept(self) -> dict[str, object]:
        """Library, filter, order and place, for `restore` after the next start."""
        sort, descending = self.model.order
        return {
            "library": self.library_id,
            "filter": self._filter or "",
            "match": self.search.text(),
            "sort": sort,
            "descending": descending,
            "scroll": self.table.verticalScrollBar().value(),
        }

    def restore(self, kept: dict[str, object]) -> None:
        """Bring back what `kept` gave; what is not understood is left out."""
        library, match, sort = kept.get("library"), kept.get("match"), kept.get("sort")
        if not isinstance(library, str) or self._state.library(library) is None:
            return
        self.library_id = library
        if isinstance(sort, str):
            self.model.set_order(sort, kept.get("descending") is True)
        if isinstance(match, str):
            self.search.setText(match[:_MATCH_LIMIT])
        scroll = kept.get("scroll")
        self._scroll_wanted = scroll if isinstance(scroll, int) and 0 < scroll < 2**31 else 0
        state = kept.get("filter")
        known = [value for _, value in FILTERS]
        self.set_filter(state if isinstance(state, str) and state in known else None)
        self._show()

    # --- what is chosen -------------------------------------------------------------------

    def chosen_count(self) -> int:
        """How many files are chosen."""
        return self.table.chosen_count() if self._state.library(self.library_id) else 0

    def chosen_held(self) -> list[FileRow]:
        """Of the files chosen, those that are held, the first of them up to a few."""
        ranges = self.table.chosen_ranges()
        rows = [
            row for first, last in ranges for row in range(first, min(last, first + 50) + 1)
        ]
        held = [self.model.held(row) for row in rows[:200]]
        return [file for file in held if file is not None]

    def with_chosen(self, act: Callable[[list[FileRow]], object]) -> None:
        """Do something with all files chosen, held or not."""
        if ranges := self.table.chosen_ranges():
            self.model.collect(ranges, act)

    def _chosen(self, files: int) -> None:
        self.chosen_changed.emit()
        self.chosen.show_count(files)

    # --- doing ----------------------------------------------------------------------------

    def rescan(self) -> None:
        """Look at the folders again."""
        self._state.rescan(self.library_id)

    def open_file(self, row: FileRow) -> None:
        """Show a document beside the table."""
        first = self.viewer.isHidden()
        self._stack.setVisible(self.width() >= _BOTH_PX)
        self.viewer.show()
        self.viewer_toggled.emit(True)
        if first:
            width = self.splitter.width()
            self.splitter.setSizes([width - int(width * 0.48), int(width * 0.48)])
        name = names.file_name(row.path)
        self.viewer.open_place(Place(self.library_id, row.file_id, 0, 0, name))

    def close_viewer(self) -> None:
        """The table alone again."""
        self.viewer.stop()
        self.viewer.hide()
        self.viewer_toggled.emit(False)
        self._stack.show()

    def escape(self) -> None:
        """Esc closes the document."""
        self.close_viewer()

    def _menu(self, at: QPoint) -> None:
        if self._actions is not None:
            self._actions.menu(self, *_FILE_MENU).popup(at)


class _Main(QWidget):
    """The table and all above it; says how wide it is."""

    resized = Signal(int)

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        self.resized.emit(self.width())


class _NoLibrary(QWidget):
    """Said when there is no library to show."""

    def __init__(self, on_add) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        title = label(english.LIBRARY_NONE, 1.5, BOLD)
        text = label(english.LIBRARY_NONE_TEXT, tone="muted")
        for part in (title, text):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = column(title, text, spacing=8)
        layout.addSpacing(8)
        layout.addLayout(row(None, button(english.CHOOSE_FOLDER, on_add, "primary"), None))
        layout.insertStretch(0, 2)
        layout.addStretch(3)
        self.setLayout(layout)
