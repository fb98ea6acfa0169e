"""What the question field asks: libraries, filter and preset, kept with the conversation."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop.conversation import Talk
from desktop.dialogs.presets import PresetsDialog
from desktop.notices import Notice
from desktop.scope import Part, Scope
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.talks import Talks
from desktop.widgets.composer import Composer
from desktop.widgets.filter_chips import FilterChips
from desktop.widgets.filter_panel import FilterPanel
from desktop.widgets.library_chooser import said

if TYPE_CHECKING:
    from engine.work.api import FilesPage, LibraryFacets, PassageHit

_FILES_DROPPED = 20


class ScopeControl(QObject):
    """Between the controls of the composer and the scope of the talk on the page."""

    changed = Signal()
    folder_offered = Signal(str)
    """The user wants this folder read."""

    def __init__(
        self,
        state: AppState,
        talks: Talks,
        composer: Composer,
        chips: FilterChips,
        page: QWidget,
    ) -> None:
        super().__init__(page)
        self._state, self._talks, self._page = state, talks, page
        self._composer, self._chips = composer, chips
        self.panel: FilterPanel | None = None
        self._default_preset = ""
        self._usual_mode = "auto"
        composer.libraries_chosen.connect(self.choose_libraries)
        composer.filter_wanted.connect(self.open_filter)
        composer.preset_chosen.connect(self.choose_preset)
        composer.presets_wanted.connect(self.manage_presets)
        composer.mode_chosen.connect(self.choose_mode)
        chips.lifted.connect(self._lift)
        chips.cleared.connect(lambda: self.choose(self.scope.unfiltered()))
        state.presets_changed.connect(self._show_presets)

    @property
    def scope(self) -> Scope:
        """What the talk on the page searches."""
        return self._talks.talk.scope

    @property
    def default_preset(self) -> str:
        """The preset of a conversation that has none of its own yet; "" for none."""
        return self._default_preset

    @default_preset.setter
    def default_preset(self, preset: str) -> None:
        self._default_preset = preset
        self._show_presets()

    def set_usual_mode(self, mode: str) -> None:
        """How passages are read in a conversation that does not say."""
        self._usual_mode = mode
        self._show_mode()

    def names(self) -> str:
        """The libraries in words, "" for none."""
        views = [self._state.library(library) for library in self.scope.libraries]
        known = [view.name for view in views if view is not None]
        return said(known, len(self._state.libraries)) if known else ""

    def invitation(self) -> str:
        """How much there is to ask, before the first question."""
        found = [self._state.library(library) for library in self.scope.libraries]
        views = [view for view in found if view is not None]
        if not views:
            return english.EMPTY_ASK_NONE
        readable = sum(max(view.files - view.skipped, 0) for view in views)
        if readable <= 0 and not any(view.passages for view in views):
            return english.EMPTY_ASK_NO_FILES
        files = figures.count(readable, "file", "files")
        where = names.one_line(self.names(), 80)
        return english.EMPTY_ASK_TEXT.format(files=files, library=where)

    def show(self) -> None:
        """Follow the talk on the page."""
        rows = [(view.id, view.name) for view in self._state.libraries]
        self._composer.set_libraries(rows, list(self.scope.libraries))
        self._composer.show_scope(self.scope)
        self._chips.show_scope(self.scope)
        self._show_presets()
        self._show_mode()
        if self.panel is not None:
            self.panel.show_scope(self.scope)

    def _show_presets(self) -> None:
        rows = [(preset.id, preset.name) for preset in self._state.presets]
        own = self.scope.preset
        self._composer.set_presets(rows, self._default_preset if own is None else own)

    def _show_mode(self) -> None:
        self._composer.set_mode(self.scope.mode or self._usual_mode)

    # --- choosing -------------------------------------------------------------------------

    def choose(self, scope: Scope) -> None:
        """Ask this from the next question on."""
        talk = self._talks.talk
        if scope == talk.scope:
            return
        talk.set_scope(scope)
        self._talks.scope_moved(talk)
        self._talks.note()
        self.changed.emit()

    def choose_libraries(self, libraries: list[str]) -> None:
        """Ask these libraries; without any, without documents."""
        scope = replace(self.scope, libraries=tuple(libraries))
        self.choose(scope if libraries else scope.unfiltered())

    def choose_preset(self, preset: str) -> None:
        """Answer under this preset; "" for none."""
        self.choose(replace(self.scope, preset=preset))

    def choose_mode(self, mode: str) -> None:
        """Have passages read in this way."""
        self.choose(replace(self.scope, mode=mode))

    def prepare(self, talk: Talk, passages: int) -> None:
        """What the settings say about the next question of a talk."""
        talk.passages_wanted, talk.usual_mode = passages, self._usual_mode

    def _lift(self, part: Part) -> None:
        self.choose(self.scope.without(part))
        self._composer.field.setFocus()

    def only_file(self, hit: PassageHit) -> None:
        """Ask nothing but the file of a source."""
        library = hit.library or self.scope.library
        self.choose(self.scope.only_file(library, hit.file_id, hit.path))
        self._told(names.file_name(hit.path))

    def only_folder(self, hit: PassageHit) -> None:
        """Ask nothing but the folder a source lies in."""
        folder = os.path.dirname(hit.path) or os.sep
        self.choose(self.scope.only_folder(hit.library or self.scope.library, folder))
        self._told(names.file_name(folder))

    def _told(self, what: str) -> None:
        text = english.FILTER_NOW.format(what=names.one_line(what, 80))
        lift = (english.FILTER_CLEAR, lambda: self.choose(self.scope.unfiltered()))
        self._state.notices.post(Notice(text, action=lift))

    # --- the filter -----------------------------------------------------------------------

    def open_filter(self) -> None:
        """Open the filter over its button."""
        if self.panel is not None or not self.scope.libraries:
            return
        panel = self.panel = FilterPanel(self._page, self.scope)
        panel.changed.connect(self.choose)
        panel.closed.connect(self._panel_closed)
        found: list[LibraryFacets] = []
        wanted = [lib for lib in self.scope.libraries if self._state.library(lib)]
        left = len(wanted)

        def take(facets: LibraryFacets | None) -> None:
            nonlocal left
            left -= 1
            found.extend([facets] if facets is not None else [])
            if self.panel is panel:
                panel.show_facets(found, loaded=left == 0)

        for library in wanted:
            call = self._state.client.request("libraries.facets", {"library": library})
            call.succeeded.connect(take)
            call.failed.connect(lambda error: take(None))
            call.failed.connect(self._state.notices.error)
        panel.open_at(self._composer.filter)

    def _panel_closed(self) -> None:
        self.panel = None
        self._composer.field.setFocus()

    def manage_presets(self) -> None:
        """Add, change, copy and delete presets."""
        PresetsDialog(self._page, self._state).open()

    # --- dropped files --------------------------------------------------------------------

    def take_files(self, paths: list[str]) -> None:
        """Ask only these files; for one in no library, offer to read its folder."""
        for path in paths[:_FILES_DROPPED]:
            self._look_up(path)

    def _look_up(self, path: str) -> None:
        """Look for a file in every library; the answer decides what happens."""
        shown = os.fsencode(os.path.abspath(path)).decode("utf-8", "backslashreplace")
        real = os.fsencode(os.path.realpath(path)).decode("utf-8", "backslashreplace")
        left = [view.id for view in self._state.libraries]

        def look() -> None:
            if not left:
                self._offer(path)
                return
            library = left.pop(0)
            params: dict[str, Any] = {"library": library, "match": shown, "limit": 20}
            call = self._state.client.request("libraries.files", params)
            call.succeeded.connect(lambda page: take(library, page))
            call.failed.connect(lambda error: look())

        def take(library: str, page: FilesPage) -> None:
            found = [row for row in page.rows if row.path in (shown, real)]
            if not found:
                look()
            elif found[0].state in ("indexed", "read"):
                self._ask_file(library, found[0].file_id, found[0].path)
            else:
                name = names.file_name(path)
                why = found[0].reason or english.DROPPED_WAITING
                text = english.DROPPED_UNREAD.format(name=name, why=names.one_line(why, 200))
                self._state.notices.post(Notice(text, "warning"))

        look()

    def _ask_file(self, library: str, file_id: int, path: str) -> None:
        """One file more is asked, and nothing but dropped files."""
        scope = self.scope
        if scope.libraries and scope.file_ids and not scope.paths:
            libraries = tuple(dict.fromkeys((*scope.libraries, library)))
            ids = tuple(dict.fromkeys((*scope.file_ids, file_id)))
            known = {**scope.names, file_id: path}
            self.choose(replace(scope, libraries=libraries, file_ids=ids, names=known))
        else:
            self.choose(scope.only_file(library, file_id, path))
        self._told(names.file_name(path))

    def _offer(self, path: str) -> None:
        folder = os.path.dirname(os.path.abspath(path))
        name = names.file_name(path)
        text = english.DROPPED_UNKNOWN.format(name=name, folder=names.file_name(folder))
        read = (english.DROPPED_READ, lambda: self.folder_offered.emit(folder))
        self._state.notices.post(Notice(text, action=read, lasting=True))
