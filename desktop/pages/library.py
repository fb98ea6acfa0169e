"""One library: where its files are, how far the reading is, and the state of every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFrame,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.models.files import FilesModel
from desktop.pages.viewer import Place, Viewer
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    card,
    clear_layout,
    column,
    icon_button,
    label,
    row,
)
from desktop.widgets.files_table import FilesTable
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
_TYPING_MS = 200
_ROOTS_SHOWN = 4
_MATCH_LIMIT = 200
_NARROW_PX = 760
_BOTH_PX = 900
"""Under this width an opened document takes the place of the table."""


class LibraryPage(QFrame):
    """Follows the library that is chosen in the window."""

    ask_wanted = Signal(str)
    folder_wanted = Signal(str)
    remove_wanted = Signal(str)

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
        self._filter: str | None = None
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
        self.title = ElidedLabel(scale=1.5, weight=BOLD)
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.facts = ElidedLabel(role="muted")
        self.ask = button(
            english.LIBRARY_ASK, lambda: self.ask_wanted.emit(self.library_id), "primary"
        )
        self.add = button(
            english.ADD_FOLDER,
            lambda: self.folder_wanted.emit(self.library_id),
            icon="folder-plus",
        )
        self.scan = button(english.RESCAN, self.rescan, icon="refresh-cw")
        self.remove = icon_button(
            "trash-2", english.REMOVE_LIBRARY, lambda: self.remove_wanted.emit(self.library_id)
        )
        words = column(self.title, self.facts, spacing=2)
        self._head = row(spacing=10)
        self._head.addLayout(words, 1)
        controls = row(self.scan, self.add, self.ask, self.remove)
        controls.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._head.addLayout(controls)
        self._roots = QVBoxLayout()
        self._roots.setSpacing(2)
        self._reading_place = QVBoxLayout()
        self._caution = card("caution")
        self._caution_text = label("", wrap=True)
        self.repair = button(english.REBUILD, self.rescan)
        caution = row(self._caution_text, self.repair, spacing=12, margins=(14, 8, 10, 8))
        caution.setStretch(0, 1)
        self._caution.setLayout(caution)
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
        top.addLayout(self._head)
        top.addLayout(self._roots)
        top.addLayout(self._reading_place)
        top.addWidget(self._caution)
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
        main = _Main()
        main.resized.connect(self._fit)
        main.setLayout(body)
        self._empty = _NoLibrary(lambda: self.folder_wanted.emit(""))
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
        self._head.setDirection(ways.TopToBottom if width < _NARROW_PX else ways.LeftToRight)
        self._tools.setDirection(ways.TopToBottom if width < _NARROW_PX else ways.LeftToRight)

    def _segments(self):  # type: ignore[no-untyped-def]
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
        self.viewer.closed.connect(self.close_viewer)

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
        self.title.set_text(view.name)
        self.facts.set_text(self._facts(view))
        self._show_roots(view)
        self._show_reading()
        self._show_caution(view)
        reading = self._state.reading_of(self.library_id) is not None
        self.scan.setEnabled(not reading)

    def _facts(self, view: LibraryView) -> str:
        parts = [
            figures.count(view.files, *english.LIBRARY_SUMMARY_FILES),
            figures.count(view.passages, *english.LIBRARY_PASSAGES),
            figures.size(view.size_bytes),
        ]
        if moment := figures.when(view.updated_at):
            parts.append(english.LIBRARY_UPDATED.format(when=moment))
        return " · ".join(parts)

    def _show_roots(self, view: LibraryView) -> None:
        shown = [
            item.text()
            for i in range(self._roots.count())
            if isinstance(item := self._roots.itemAt(i).widget(), _Root)
        ]
        wanted = [names.one_line(root) for root in view.roots[:_ROOTS_SHOWN]]
        if shown == wanted:
            return
        clear_layout(self._roots)
        for root in view.roots[:_ROOTS_SHOWN]:
            self._roots.addWidget(_Root(root))

    def _show_reading(self) -> None:
        wanted = self._state.reading_of(self.library_id)
        item = self._reading_place.itemAt(0)
        shown = item.widget() if item is not None else None
        if isinstance(shown, ReadingBar) and shown.reading is wanted:
            return
        clear_layout(self._reading_place)
        if wanted is not None:
            self._reading_place.addWidget(ReadingBar(wanted, slim=False))

    def _show_caution(self, view: LibraryView) -> None:
        reading = self._state.reading_of(self.library_id) is not None
        text, action = "", english.REBUILD
        if view.state == "outdated":
            text = english.LIBRARY_OUTDATED
        elif view.state == "damaged":
            text = english.LIBRARY_DAMAGED
        elif view.waiting and view.state != "indexing":
            waiting = figures.count(view.waiting, "file", "files")
            text, action = (
                english.LIBRARY_PARTLY.format(waiting=waiting),
                english.LIBRARY_CONTINUE,
            )
        self._caution.setVisible(bool(text) and not reading)
        self._caution_text.setText(text)
        self.repair.setText(action)

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

    def _restart_typing(self) -> None:
        self._typing.start()

    def _refilter(self) -> None:
        self._typing.stop()
        self.model.show_files(self.library_id, self._filter, self.search.text().strip())

    def _count(self, total: int) -> None:
        self.shown.setText(figures.count(total, *english.FILES_SHOWN))
        self._list.setCurrentIndex(0 if total else 1)

    # --- doing ----------------------------------------------------------------------------

    def rescan(self) -> None:
        """Look at the folders again."""
        self._state.rescan(self.library_id)

    def open_file(self, row: FileRow) -> None:
        """Show a document beside the table."""
        first = self.viewer.isHidden()
        self._stack.setVisible(self.width() >= _BOTH_PX)
        self.viewer.show()
        if first:
            width = self.splitter.width()
            self.splitter.setSizes([width - int(width * 0.48), int(width * 0.48)])
        name = names.file_name(row.path)
        self.viewer.open_place(Place(self.library_id, row.file_id, 0, 0, name))

    def close_viewer(self) -> None:
        """The table alone again."""
        self.viewer.stop()
        self.viewer.hide()
        self._stack.show()

    def escape(self) -> None:
        """Esc closes the document."""
        self.close_viewer()

    def _menu(self, file: FileRow, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        clipboard = QGuiApplication.clipboard()
        show = menu.addAction(english.OPEN_VIEWER, lambda: self.open_file(file))
        show.setIcon(theme.icon("file-text"))
        show.setEnabled(file.state != "skipped")
        menu.addAction(english.COPY_PATH, lambda: clipboard.setText(file.path))
        if file.reason:
            menu.addAction(english.COPY_REASON, lambda: clipboard.setText(file.reason))
        menu.popup(at)


class _Main(QWidget):
    """The table and all above it; says how wide it is."""

    resized = Signal(int)

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        self.resized.emit(self.width())


class _Root(QWidget):
    """One folder of the library."""

    def __init__(self, path: str) -> None:
        super().__init__()
        picture = label()
        theme.set_label_icon(picture, "folder", "muted", 15)
        self._text = ElidedLabel(path, 0.95, role="muted", mode=Qt.TextElideMode.ElideMiddle)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setLayout(row(picture, self._text, spacing=7))

    def text(self) -> str:
        return self._text.text()


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
