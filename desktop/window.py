"""The window: sidebar, pages, the line of notices, and the keys that lead about."""

from __future__ import annotations

import os

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QIcon,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QFileDialog, QMainWindow, QStackedWidget, QWidget

from desktop.dialogs.confirm import confirm
from desktop.dialogs.shortcuts import ShortcutsDialog
from desktop.notices import Notices
from desktop.pages.ask import AskPage
from desktop.pages.library import LibraryPage
from desktop.pages.models import ModelsPage
from desktop.pages.settings import SettingsPage
from desktop.pages.start import StartPage
from desktop.preferences import Preferences
from desktop.state import AppState
from desktop.strings import english, names
from desktop.theme import theme
from desktop.widgets.basics import column, row
from desktop.widgets.drop_area import dropped_folders, dropped_paths
from desktop.widgets.notice_bar import NoticeBar
from desktop.widgets.sidebar import Sidebar
from engine.paths import Home, resources_dir

SMALLEST_PX = (900, 600)
USUAL_PX = (1240, 800)


class MainWindow(QMainWindow):
    """Puts the parts together and takes the user from one to another."""

    def __init__(
        self, state: AppState, notices: Notices, preferences: Preferences, home: Home
    ) -> None:
        super().__init__()
        self._state = state
        self._notices = notices
        self._preferences = preferences
        self.setWindowTitle(english.APP)
        self.setWindowIcon(QIcon(str(resources_dir() / "icons" / "whetstone.svg")))
        self.setMinimumSize(*SMALLEST_PX)
        self.setAcceptDrops(True)
        self.sidebar = Sidebar(state)
        self.start = StartPage(state)
        self.ask = AskPage(state)
        self.library = LibraryPage(state)
        self.models = ModelsPage(state)
        self.settings = SettingsPage(state, names.one_line(str(home.root)))
        self.settings.show_choices(preferences.theme, preferences.passages)
        self.ask.passages = preferences.passages
        self.notice_bar = NoticeBar(notices)
        self._build()
        self._connect()
        self._make_shortcuts()
        self._restore()
        self.show_page("start")
        self.pages.setFocus()

    def _build(self) -> None:
        self.pages = QStackedWidget()
        self._page_names: dict[str, QWidget] = {
            "start": self.start,
            "ask": self.ask,
            "library": self.library,
            "models": self.models,
            "settings": self.settings,
        }
        for page in self._page_names.values():
            self.pages.addWidget(page)
        right = QWidget()
        right.setObjectName("page")
        right.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = column(self.notice_bar, spacing=0)
        layout.addWidget(self.pages, 1)
        right.setLayout(layout)
        whole = QWidget()
        body = row(self.sidebar, right, spacing=0)
        body.setStretch(1, 1)
        whole.setLayout(body)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        side, state = self.sidebar, self._state
        side.new_question.connect(self.new_question)
        side.add_folder.connect(lambda: self.choose_folder(""))
        side.library_opened.connect(self.open_library)
        side.library_files.connect(self._open_all_files)
        side.library_rescan.connect(self.rescan)
        side.library_remove.connect(self.remove_library)
        side.conversation_opened.connect(self.open_conversation)
        side.conversation_remove.connect(self.remove_conversation)
        side.go_library.connect(lambda: self.show_page("library"))
        side.go_models.connect(lambda: self.show_page("models"))
        side.go_settings.connect(lambda: self.show_page("settings"))
        self.start.folder_wanted.connect(lambda: self.choose_folder(""))
        self.start.sample_wanted.connect(self.try_sample)
        self.start.dropped.connect(self.take_drop)
        self.ask.place_changed.connect(self._show_place)
        self.library.ask_wanted.connect(self.open_library)
        self.library.folder_wanted.connect(self.choose_folder)
        self.library.remove_wanted.connect(self.remove_library)
        self.models.file_wanted.connect(self.choose_model)
        self.settings.theme_chosen.connect(self.set_theme)
        self.settings.passages_chosen.connect(self.set_passages)
        self.settings.go_models.connect(lambda: self.show_page("models"))
        self.settings.shortcuts_wanted.connect(self.show_shortcuts)
        state.files_wanted.connect(self.open_files)
        state.ready.connect(self._begin)
        state.libraries_changed.connect(self._libraries_changed)

    def _make_shortcuts(self) -> None:
        keys = {
            "Ctrl+N": self.new_question,
            "Ctrl+O": lambda: self.choose_folder(""),
            "Ctrl+L": lambda: self.show_page("library"),
            "Ctrl+M": lambda: self.show_page("models"),
            "Ctrl+,": lambda: self.show_page("settings"),
            "Ctrl+B": self.ask.toggle_pane,
            "Ctrl+F": self._find,
            "Esc": self.escape,
            "F1": self.show_shortcuts,
            "Ctrl+Q": self.close,
            "PgUp": lambda: self._turn_page(-1),
            "PgDown": lambda: self._turn_page(1),
            "Ctrl++": lambda: self._zoom(1.2),
            "Ctrl+=": lambda: self._zoom(1.2),
            "Ctrl+-": lambda: self._zoom(1 / 1.2),
        }
        for key, act in keys.items():
            QShortcut(QKeySequence(key), self, act)

    # --- where the user is ----------------------------------------------------------------

    @property
    def page(self) -> str:
        """The name of the page shown."""
        shown = self.pages.currentWidget()
        return next(name for name, page in self._page_names.items() if page is shown)

    def show_page(self, name: str) -> None:
        """Go to a page."""
        if name == "library":
            library = self.ask.library_id or self.library.library_id
            if self._state.library(library) is None and self._state.libraries:
                library = self._state.libraries[0].id
            self.library.open_library(library)
        if name == "ask" and not self._state.libraries and not self._state.readings:
            name = "start" if not self.ask.talk.turns else "ask"
        self._turn_to(name)

    def _turn_to(self, name: str) -> None:
        """Show a page with the focus where its work is, not on its first button."""
        self.pages.setCurrentWidget(self._page_names[name])
        focus = {"ask": self.ask.composer.field, "library": self.library.table}
        focus.get(name, self.pages).setFocus()
        self._show_place()

    def _show_place(self) -> None:
        at_library = self.page == "library"
        library = self.library.library_id if at_library else self.ask.library_id
        self.sidebar.show_place(self.page, library, self.ask.conversation_id)

    def _begin(self) -> None:
        """The engine has told what there is: leave the first start, if it is none."""
        if self.page == "start" and self._state.libraries:
            wanted = str(self._preferences.window.get("library", ""))
            known = self._state.library(wanted) or self._state.libraries[0]
            self.open_library(known.id)
        self._warm()

    def _warm(self) -> None:
        if self._state.libraries:
            self._state.client.request("models.warm")

    def _libraries_changed(self) -> None:
        gone = self.ask.library_id and self._state.library(self.ask.library_id) is None
        if gone and not self.ask.talk.turns:
            left = self._state.libraries
            self.ask.open_library(left[0].id if left else "")
        nothing = not self._state.libraries and not self._state.readings
        if nothing and self.page in ("ask", "library") and not self.ask.talk.turns:
            self.show_page("start")
        self._show_place()

    def new_question(self) -> None:
        """An empty question in the library of now."""
        library = self.ask.library_id
        if self._state.library(library) is None and self._state.libraries:
            library = self._state.libraries[0].id
        self.ask.open_library(library)
        self.show_page("ask")

    def open_library(self, library_id: str) -> None:
        """Ask this library; on the library page, show its files instead."""
        self._preferences.window["library"] = library_id
        if self.page == "library" and self.sender() is self.sidebar:
            self.library.open_library(library_id)
            self._show_place()
            return
        self.ask.open_library(library_id)
        self.show_page("ask")

    def open_files(self, library_id: str, state: str = "") -> None:
        """The files of a library, or only those in one state."""
        self.library.open_library(library_id)
        self.library.set_filter(state or None)
        self._turn_to("library")

    def _open_all_files(self, library_id: str) -> None:
        self.open_files(library_id)

    def open_conversation(self, conversation_id: str) -> None:
        """An earlier question."""
        self.ask.open_conversation(conversation_id)
        self._turn_to("ask")

    def escape(self) -> None:
        """Esc: stop the answer, close the document, or say no more."""
        if self.page == "ask" and (self.ask.talk.running or self.ask.viewer_open):
            self.ask.escape()
        elif self.page == "library" and self.library.viewer.isVisible():
            self.library.escape()
        else:
            self.notice_bar.hide()

    def _find(self) -> None:
        if self.page != "library":
            self.show_page("library")
        self.library.search.setFocus()

    def _viewer(self):  # type: ignore[no-untyped-def]
        if self.page == "ask" and self.ask.viewer_open:
            return self.ask.viewer
        return self.library.viewer if self.library.viewer.isVisible() else None

    def _turn_page(self, step: int) -> None:
        viewer = self._viewer()
        if viewer is not None:
            (viewer.turn_on if step > 0 else viewer.turn_back)()

    def _zoom(self, factor: float) -> None:
        viewer = self._viewer()
        if viewer is not None:
            viewer.scale(factor)

    # --- doing ----------------------------------------------------------------------------

    def choose_folder(self, library_id: str) -> None:
        """Let the user choose a folder, and read it."""
        dialog = QFileDialog(self, english.FOLDER_DIALOG)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda folder: self.add_folder(folder, library_id))
        dialog.open()

    def choose_model(self) -> None:
        """Let the user choose a GGUF file."""
        dialog = QFileDialog(self, english.MODEL_DIALOG)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(english.MODEL_FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.models.add_file)
        dialog.open()

    def add_folder(self, folder: str, library_id: str = "", name: str = "") -> None:
        """Read a folder: it starts at once, and questions can be asked meanwhile."""
        reading = self._state.add_folder(folder, library_id, name)
        if library_id:
            return
        self.ask.open_reading(reading)
        self._turn_to("ask")
        self._state.client.request("models.warm")

    def try_sample(self) -> None:
        """Read the sample folder that came with Whetstone."""
        folder = self._state.sample_folder or str(resources_dir() / "sample")
        self.add_folder(folder, name=english.SAMPLE_LIBRARY)

    def rescan(self, library_id: str) -> None:
        """Look for changes in a library's folders."""
        self._state.rescan(library_id)

    def take_drop(self, paths: list[str]) -> None:
        """Read every folder of a drop; say so when there is none."""
        folders = [path for path in paths if os.path.isdir(path)]
        if not folders:
            self._notices.info(english.NOT_A_FOLDER)
        for folder in folders:
            self.add_folder(folder)

    def remove_library(self, library_id: str) -> None:
        """Ask, then forget a library."""
        view = self._state.library(library_id)
        if view is None:
            return
        title = english.REMOVE_TITLE.format(name=names.one_line(view.name, 80))
        confirm(
            self,
            title,
            english.REMOVE_TEXT,
            english.REMOVE,
            lambda: self._state.remove_library(library_id),
        )

    def remove_conversation(self, conversation_id: str) -> None:
        """Ask, then delete a conversation."""
        found = [c for c in self._state.conversations if c.id == conversation_id]
        if not found:
            return
        text = english.DELETE_QUESTION_TEXT.format(title=names.one_line(found[0].title, 120))
        confirm(
            self,
            english.DELETE_QUESTION_TITLE,
            text,
            english.DELETE,
            lambda: self._delete_conversation(conversation_id),
        )

    def _delete_conversation(self, conversation_id: str) -> None:
        call = self._state.client.request(
            "conversations.remove", {"conversation": conversation_id}
        )
        call.failed.connect(self._notices.error)
        call.succeeded.connect(lambda answer: self.ask.forget_conversation(conversation_id))

    def set_theme(self, choice: str) -> None:
        """Switch the look at once, and remember it."""
        self._preferences.theme = choice
        theme.choose(choice)  # type: ignore[arg-type]
        self._save()

    def set_passages(self, number: int) -> None:
        """How many passages an answer may use; 0 lets the engine choose."""
        self._preferences.passages = self.ask.passages = number
        self._save()

    def show_shortcuts(self) -> None:
        """F1."""
        ShortcutsDialog(self).open()

    def _save(self) -> None:
        error = self._preferences.save()
        if error is not None:
            self._notices.error(error)

    # --- dropping, closing ----------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_folders(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.take_drop(dropped_paths(event.mimeData()))

    def _restore(self) -> None:
        self.resize(*USUAL_PX)
        kept = self._preferences.window.get("geometry")
        if isinstance(kept, str) and kept.isascii():
            self.restoreGeometry(QByteArray.fromBase64(QByteArray(kept.encode())))

    def closeEvent(self, event: QCloseEvent) -> None:
        geometry = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        self._preferences.window["geometry"] = geometry
        self._preferences.save()
        super().closeEvent(event)
