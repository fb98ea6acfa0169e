"""The window: sidebar, pages, the line of notices, and what leads from one to another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QChildEvent, QPoint, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QIcon,
)
from PySide6.QtWidgets import QDialog, QMainWindow, QStackedWidget, QWidget
from shiboken6 import isValid

from desktop.actions import Actions
from desktop.dialogs.confirm import confirm
from desktop.dialogs.palette import Palette
from desktop.dialogs.shortcuts import ShortcutsDialog
from desktop.dropping import Drops
from desktop.finding import open_palette
from desktop.handlers import allow, handlers
from desktop.library_work import LibraryWork
from desktop.memory import Memory, keep_geometry, restore_geometry, restore_splitter
from desktop.notices import Notices
from desktop.pages.ask import AskPage
from desktop.pages.library import LibraryPage
from desktop.pages.models import ModelsPage
from desktop.pages.settings import SettingsPage
from desktop.pages.start import StartPage
from desktop.pages.tune import TunePage
from desktop.pages.viewer import Viewer
from desktop.preferences import Preferences
from desktop.scope import MOST_PARTS, Scope
from desktop.state import AppState
from desktop.strings import english, names
from desktop.theme import theme
from desktop.widgets.basics import column, row
from desktop.widgets.notice_bar import NoticeBar
from desktop.widgets.sidebar import Sidebar
from engine.paths import Home, resources_dir

if TYPE_CHECKING:
    from engine.work.api import FileRow

SMALLEST_PX = (900, 600)
USUAL_PX = (1240, 800)
SIDEBAR_MENU = (
    "library.ask",
    "library.files",
    "",
    "library.scan",
    "library.pause",
    "library.resume",
    "",
    "library.rename",
    "library.add",
    "library.remove",
)


class MainWindow(QMainWindow):
    """Puts the parts together and takes the user from one to another."""

    closed = Signal()

    def __init__(
        self,
        state: AppState,
        notices: Notices,
        preferences: Preferences,
        memory: Memory,
        home: Home,
    ) -> None:
        super().__init__()
        self.state = state
        self.notices = notices
        self._preferences = preferences
        self._memory = memory
        self._about = ""
        """The library of a menu that is open; else that of the page counts."""
        self._home = names.one_line(str(home.root))
        self.setWindowTitle(english.APP)
        self.setWindowIcon(QIcon(str(resources_dir() / "icons" / "whetstone.svg")))
        self.setMinimumSize(*SMALLEST_PX)
        self.sidebar = Sidebar(state)
        self.start = StartPage(state)
        self.ask = AskPage(state)
        self.library = LibraryPage(state)
        self.models = ModelsPage(state)
        self.tune = TunePage(state)
        self.settings = SettingsPage(state, preferences, self._home)
        self.notice_bar = NoticeBar(notices)
        self.libraries = LibraryWork(self, state)
        self._build()
        self.actions_table = Actions(self, handlers(self))
        self.library.bind(self.actions_table)
        self._connect()
        self._restore()
        self._turn_to("opening" if self._memory.text("library") else "start")
        self.pages.setFocus()

    def _build(self) -> None:
        self.pages = QStackedWidget()
        opening = QWidget()
        opening.setObjectName("page")
        self._page_names: dict[str, QWidget] = {
            "opening": opening,
            "start": self.start,
            "ask": self.ask,
            "library": self.library,
            "models": self.models,
            "tune": self.tune,
            "settings": self.settings,
        }
        for page in self._page_names.values():
            self.pages.addWidget(page)
        right = QWidget()
        layout = column(self.notice_bar, spacing=0)
        layout.addWidget(self.pages, 1)
        right.setLayout(layout)
        whole = QWidget()
        body = row(self.sidebar, right, spacing=0)
        body.setStretch(1, 1)
        whole.setLayout(body)
        self.setCentralWidget(whole)
        for part in (self.sidebar, self.notice_bar, *self._page_names.values()):
            theme.dress(part)
        self.drops = Drops(self, self.state, self.libraries)

    def _connect(self) -> None:
        side, state = self.sidebar, self.state
        side.new_question.connect(self.new_question)
        side.add_folder.connect(lambda: self.choose_folder(""))
        side.library_opened.connect(self.open_library)
        side.folders_dropped.connect(self._add_folders)
        side.library_menu_wanted.connect(self._library_menu)
        side.conversation_opened.connect(self.open_conversation)
        side.conversation_found.connect(self.open_conversation)
        side.conversation_remove.connect(self.remove_conversation)
        side.go_library.connect(lambda: self.show_page("library"))
        side.go_models.connect(lambda: self.show_page("models"))
        side.go_tune.connect(lambda: self.show_page("tune"))
        side.go_settings.connect(lambda: self.show_page("settings"))
        self.start.folder_wanted.connect(lambda: self.choose_folder(""))
        self.start.sample_wanted.connect(self.try_sample)
        self.start.dropped.connect(self.drops.take)
        self.ask.place_changed.connect(self._show_place)
        self.ask.folder_offered.connect(self.add_folder)
        self.ask.origins.toggled.connect(self._keep_origins)
        self.ask.kept_changed.connect(lambda: self._memory.note("ask", self.ask.kept()))
        self.library.folder_wanted.connect(lambda: self.choose_folder(""))
        self.library.root_remove_wanted.connect(self.libraries.remove_root)
        self.library.chosen_changed.connect(lambda: allow(self))
        for page in (self.ask.pane, self.library):
            page.viewer_toggled.connect(lambda opened: allow(self))
        self.library.kept_changed.connect(self._keep_library)
        self.models.file_wanted.connect(self.choose_model)
        self.tune.changed.connect(lambda: allow(self))
        self.settings.theme_chosen.connect(self.set_theme)
        self.settings.changed.connect(self._settings_changed)
        self.settings.go_models.connect(lambda: self.show_page("models"))
        self.settings.shortcuts_wanted.connect(self.show_shortcuts)
        self.settings.library_remove.connect(self.libraries.remove)
        state.files_wanted.connect(self.open_files)
        state.ready.connect(self._begin)
        state.libraries_changed.connect(self._libraries_changed)
        state.readings_changed.connect(lambda: allow(self))

    # --- where the user is ----------------------------------------------------------------

    @property
    def page(self) -> str:
        """The name of the page shown."""
        shown = self.pages.currentWidget()
        return next(name for name, page in self._page_names.items() if page is shown)

    def here(self) -> str:
        """The library that commands are about, "" for none."""
        if self.state.library(self._about) is not None:
            return self._about
        shown = self.library.library_id if self.page == "library" else self.ask.library_id
        if self.state.library(shown) is None and self.state.libraries:
            return self.state.libraries[0].id
        return shown

    def show_page(self, name: str) -> None:
        """Go to a page."""
        if name == "library":
            library = self.ask.library_id or self.library.library_id
            if self.state.library(library) is None and self.state.libraries:
                library = self.state.libraries[0].id
            self.library.open_library(library)
        if name == "ask" and not self.state.libraries and not self.state.readings:
            name = "start" if not self.ask.talk.turns else "ask"
        self._turn_to(name)

    def _turn_to(self, name: str) -> None:
        """Show a page with the focus where its work is, not on its first button."""
        self.pages.setCurrentWidget(self._page_names[name])
        focus = {"ask": self.ask.composer.field, "library": self.library.table}
        focus.get(name, self.pages).setFocus()
        if self.state.known:
            self._memory.note("page", name)
        self._show_place()

    def _show_place(self) -> None:
        at_library = self.page == "library"
        library = self.library.library_id if at_library else self.ask.library_id
        self.sidebar.show_place(self.page, library, self.ask.conversation_id)
        if self.state.library(library) is not None:
            self._memory.note("library", library)
        allow(self)

    def _begin(self) -> None:
        """The engine has told what there is: go where the user was, or to the first start."""
        if self.page in ("opening", "start"):
            self._open_last()
        self._warm()

    def _open_last(self) -> None:
        state, memory = self.state, self._memory
        page = memory.text("page")
        self.library.restore(memory.table("files"))
        if not self.ask.open_last(memory.table("ask")) and state.libraries:
            known = state.library(memory.text("library")) or state.libraries[0]
            self.ask.open_library(known.id)
        if page == "library" and state.library(self.library.library_id) is not None:
            self._turn_to("library")
        elif page in ("models", "tune", "settings"):
            self._turn_to(page)
        else:
            self.show_page("ask" if state.libraries or self.ask.talk.turns else "start")

    def _warm(self) -> None:
        if self.state.libraries:
            self.state.client.request("models.warm")

    def _libraries_changed(self) -> None:
        gone = self.ask.library_id and self.state.library(self.ask.library_id) is None
        if gone and not self.ask.talk.turns:
            left = self.state.libraries
            self.ask.open_library(left[0].id if left else "")
        nothing = not self.state.libraries and not self.state.readings
        if nothing and self.page in ("ask", "library") and not self.ask.talk.turns:
            self.show_page("start")
        self._show_place()

    def new_question(self) -> None:
        """An empty question in the library of now."""
        library = self.ask.library_id
        if self.state.library(library) is None and self.state.libraries:
            library = self.state.libraries[0].id
        self.ask.open_library(library)
        self.show_page("ask")

    def open_library(self, library_id: str) -> None:
        """Ask this library; on the library page, show its files instead."""
        if self.page == "library" and self.sender() is self.sidebar:
            self.library.open_library(library_id)
            self._show_place()
            return
        self.ask.open_library(library_id)
        self.show_page("ask")

    def open_files(self, library_id: str, state: str = "", match: str = "") -> None:
        """The files of a library, or only those in one state, or with this in their path."""
        self.library.open_library(library_id)
        self.library.search.setText(match)
        self.library.set_filter(state or None)
        self._turn_to("library")

    def open_conversation(self, conversation_id: str, turn: int = 0) -> None:
        """An earlier question, at its turn `turn` (from 1) or at its end."""
        self.ask.open_conversation(conversation_id, turn)
        self._turn_to("ask")

    def open_settings(self, part: str) -> None:
        """A section of the settings."""
        self.settings.open_section(part)
        self._turn_to("settings")

    def ask_about(self, library_id: str, files: list[FileRow]) -> None:
        """A question to nothing but these files."""
        readable = [file for file in files if file.state in ("indexed", "read")]
        if len(readable) > MOST_PARTS:
            self.notices.info(english.ASK_TOO_MANY.format(n=MOST_PARTS))
            readable = readable[:MOST_PARTS]
        self.ask.open_library(library_id)
        scope: Scope = self.ask.talk.scope
        self.ask.scope.choose(
            replace(
                scope.unfiltered(),
                libraries=(library_id,),
                file_ids=tuple(file.file_id for file in readable),
                names={file.file_id: file.path for file in readable},
            )
        )
        self._turn_to("ask")

    def open_palette(self) -> None:
        """Ctrl+K: find anything."""
        open_palette(self)

    def escape(self) -> None:
        """Esc: stop the answer, close the document, or say no more."""
        if self.page == "ask" and (self.ask.talk.running or self.ask.viewer_open):
            self.ask.escape()
        elif self.page == "library" and self.library.viewer.isVisible():
            self.library.escape()
        elif self.page == "tune" and self.tune.in_wizard:
            self.tune.escape()
        else:
            self.notice_bar.hide()

    def find_file(self) -> None:
        """Go to the field that finds files by name."""
        if self.page != "library":
            self.show_page("library")
        self.library.search.setFocus()

    def viewer(self) -> Viewer | None:
        """The document shown, None when there is none."""
        if self.page == "ask" and self.ask.viewer_open:
            return self.ask.viewer
        at_library = self.page == "library" and not self.library.viewer.isHidden()
        return self.library.viewer if at_library else None

    def turn_page(self, step: int) -> None:
        """Turn the page of the document shown."""
        viewer = self.viewer()
        if viewer is not None:
            (viewer.turn_on if step > 0 else viewer.turn_back)()

    def zoom(self, factor: float) -> None:
        """Make the page of the document shown larger or smaller."""
        viewer = self.viewer()
        if viewer is not None:
            viewer.scale(factor)

    # --- doing ----------------------------------------------------------------------------

    def _library_menu(self, library_id: str, at: QPoint) -> None:
        """Commands for a library of the sidebar, whichever is on the page."""
        self._about = library_id
        allow(self)
        menu = self.actions_table.menu(self.sidebar, *SIDEBAR_MENU)
        menu.destroyed.connect(self._menu_gone)
        menu.popup(at)

    def _menu_gone(self) -> None:
        self._about = ""
        if isValid(self.pages):  # not when the window itself is being freed
            allow(self)

    def _add_folders(self, library_id: str, folders: list[str]) -> None:
        for folder in folders:
            self.add_folder(folder, library_id)

    def choose_folder(self, library_id: str) -> None:
        """Let the user choose a folder, and read it."""
        self.libraries.choose(
            english.FOLDER_DIALOG, lambda folder: self.add_folder(folder, library_id)
        )

    def choose_model(self) -> None:
        """Let the user choose a GGUF file."""
        self.libraries.choose(english.MODEL_DIALOG, self.models.add_file, english.MODEL_FILTER)

    def add_folder(self, folder: str, library_id: str = "", name: str = "") -> None:
        """Read a folder: it starts at once, and questions can be asked meanwhile."""
        reading = self.state.add_folder(folder, library_id, name)
        if library_id:
            return
        self.ask.open_reading(reading)
        self._turn_to("ask")
        self.state.client.request("models.warm")

    def try_sample(self) -> None:
        """Read the sample folder that came with Whetstone."""
        folder = self.state.sample_folder or str(resources_dir() / "sample")
        self.add_folder(folder, name=english.SAMPLE_LIBRARY)

    def rescan(self, library_id: str) -> None:
        """Look for changes in a library's folders."""
        self.state.rescan(library_id)

    def remove_conversation(self, conversation_id: str) -> None:
        """Ask, then delete a conversation."""
        found = [c for c in self.state.conversations if c.id == conversation_id]
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
        call = self.state.client.request(
            "conversations.remove", {"conversation": conversation_id}
        )
        call.failed.connect(self.notices.error)
        call.succeeded.connect(lambda answer: self.ask.forget_conversation(conversation_id))

    def set_theme(self, choice: str) -> None:
        """Switch the look at once, and remember it."""
        self._preferences.theme = choice
        theme.choose(choice)  # type: ignore[arg-type]
        self.settings.show_choices()
        self._save()

    def _settings_changed(self) -> None:
        """Take over what was set, and write it down."""
        self._use_settings()
        if self._preferences.follow and not self.state.follow:
            self.state.begin_following()
        self.state.follow = self._preferences.follow
        self._save()

    def _use_settings(self) -> None:
        self.ask.passages = self._preferences.passages
        self.ask.scope.default_preset = self._preferences.preset
        self.ask.scope.set_usual_mode(self._preferences.mode)
        self.ask.origins.choose(self._preferences.origins)

    def _keep_origins(self, on: bool) -> None:
        if on != self._preferences.origins:
            self._preferences.origins = on
            self._save()

    def check_computer(self) -> None:
        """Have the engine look at this computer, and show what it finds."""
        self.open_settings("general")
        self.settings.examine()

    def show_shortcuts(self) -> None:
        """F1."""
        ShortcutsDialog(self).open()

    def _save(self) -> None:
        error = self._preferences.save()
        if error is not None:
            self.notices.error(error)

    def take_drop(self, paths: list[str]) -> None:
        """Read every folder of a drop as a library of its own; take models and files in."""
        self.drops.take(paths)

    def childEvent(self, event: QChildEvent) -> None:
        """Dialogs of the window wear what its parts wear."""
        child = event.child()
        if event.polished() and isinstance(child, (QDialog, Palette)):
            theme.dress(child)
        super().childEvent(event)

    # --- from one start to the next -------------------------------------------------------

    def _restore(self) -> None:
        memory = self._memory
        restore_geometry(memory, self, USUAL_PX)
        restore_splitter(memory, "ask_splitter", self.ask.splitter)
        self.ask.restore(memory.table("ask"))
        self._use_settings()
        self.state.follow = self._preferences.follow
        self._files_noted = QTimer(self)
        self._files_noted.setSingleShot(True)
        self._files_noted.setInterval(300)
        self._files_noted.timeout.connect(lambda: memory.note("files", self.library.kept()))

    def _keep_library(self) -> None:
        """A moment later: a wheel turns many times a second."""
        if self.state.known and self.library.library_id:
            self._files_noted.start()

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        keep_geometry(self._memory, self)

    def moveEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().moveEvent(event)
        keep_geometry(self._memory, self)

    def closeEvent(self, event: QCloseEvent) -> None:
        keep_geometry(self._memory, self)
        if self.state.known:
            self._memory.note("ask", self.ask.kept())
            if self.library.library_id:
                self._memory.note("files", self.library.kept())
        self._memory.flush()
        super().closeEvent(event)
        self.closed.emit()
