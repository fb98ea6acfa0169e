"""What the window knows of the engine, kept fresh: libraries, models, questions, readings.

Pages read from here and listen; they never keep copies. A mutation in the engine says what
it made stale (`changed`), and only that is asked for again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.client import Call, EngineClient
from desktop.notices import Notice, Notices, error_details
from desktop.strings import english, figures, names
from engine.errors import Cancelled, EngineError, WorkerCrashed

if TYPE_CHECKING:
    from engine.work.api import (
        ConversationRow,
        HostState,
        IndexReport,
        LibraryView,
        ModelCard,
        WorkerEvent,
    )

REFRESH_DELAY_MS = 150
"""Several `changed` in a row (one a batch while indexing) cost one request."""


class Reading(QObject):
    """One indexing run, from the first click to its end."""

    moved = Signal()

    def __init__(self, name: str, folder: str, library_id: str, parent: QObject) -> None:
        super().__init__(parent)
        self.name = name
        self.folder = folder
        self.library_id = library_id
        """Empty until the engine has said which library it is."""
        self.done = 0.0
        self.total = 0.0
        self.note = ""
        self.eta_s: float | None = None
        self.call: Call | None = None
        self.stopping = False

    def stop(self) -> None:
        """Ask for an end; what was read so far is kept."""
        self.stopping = True
        if self.call is not None:
            self.call.cancel()
        self.moved.emit()


class AppState(QObject):
    """The one model behind all pages."""

    libraries_changed = Signal()
    models_changed = Signal()
    conversations_changed = Signal()
    readings_changed = Signal()
    library_found = Signal(object, str)
    """A `Reading` whose library is now known, and its id."""
    files_changed = Signal()
    """States of files may have changed: tables look again."""
    files_wanted = Signal(str, str)
    """The user wants to see the files of a library that are in this state."""
    ready = Signal()
    """The first answer of a (new) host has come."""
    speed_changed = Signal()

    def __init__(
        self, client: EngineClient, notices: Notices, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.client = client
        self.notices = notices
        self.known = False
        """True after the first answer of the host."""
        self.version = ""
        self.sample_folder = ""
        self.libraries: list[LibraryView] = []
        self.models: list[ModelCard] = []
        self.conversations: list[ConversationRow] = []
        self.readings: list[Reading] = []
        self.tokens_per_second = 0.0
        self._stale: set[str] = set()
        self._asking: set[str] = set()
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_DELAY_MS)
        self._refresh.timeout.connect(self._ask_stale)
        client.up.connect(self._ask_state)
        client.changed.connect(self._mark_stale)
        client.worker.connect(self._worker_died)
        client.crashed.connect(self._host_died)

    # --- reading what the host says -------------------------------------------------------

    def library(self, library_id: str) -> LibraryView | None:
        """The library with this id, None when it is gone."""
        return next((view for view in self.libraries if view.id == library_id), None)

    def default_model(self) -> ModelCard | None:
        """The model that answers."""
        cards = self.models
        return next((card for card in cards if card.default), cards[0] if cards else None)

    def reading_of(self, library_id: str) -> Reading | None:
        """The running indexing of a library."""
        return next(
            (r for r in self.readings if library_id and r.library_id == library_id), None
        )

    def refresh(self, *what: str) -> None:
        """Ask for the named views again, soon."""
        self._mark_stale(list(what))

    def note_speed(self, tokens_per_second: float) -> None:
        """Remember how fast the model last wrote."""
        if tokens_per_second > 0:
            self.tokens_per_second = tokens_per_second
            self.speed_changed.emit()

    def _ask_state(self) -> None:
        call = self.client.request("state")
        call.succeeded.connect(self._take_state)
        call.failed.connect(self._state_failed)

    def _take_state(self, state: HostState) -> None:
        self.known = True
        self.version, self.sample_folder = state.version, state.sample_folder
        self.libraries, self.models = state.libraries, state.models
        self.conversations = state.conversations
        self.libraries_changed.emit()
        self.models_changed.emit()
        self.conversations_changed.emit()
        self.files_changed.emit()
        self.ready.emit()

    def _state_failed(self, error: EngineError) -> None:
        if not isinstance(error, WorkerCrashed):
            self.notices.error(error)

    def _mark_stale(self, what: list[str]) -> None:
        self._stale.update(what)
        if not self._refresh.isActive():
            self._refresh.start()

    def _ask_stale(self) -> None:
        lists: dict[str, tuple[str, Any]] = {
            "libraries": ("libraries.list", self._take_libraries),
            "models": ("models.list", self._take_models),
            "conversations": ("conversations.list", self._take_conversations),
        }
        for what in sorted(self._stale & set(lists)):
            if what in self._asking:
                continue  # asked again when the running request has ended
            self._stale.discard(what)
            self._asking.add(what)
            method, take = lists[what]
            call = self.client.request(method)
            call.succeeded.connect(take)
            call.finished.connect(lambda what=what: self._asked(what))
        self._stale &= set(lists)

    def _asked(self, what: str) -> None:
        self._asking.discard(what)
        if what in self._stale:
            self._refresh.start()

    def _take_libraries(self, answer: Any) -> None:
        self.libraries = answer.libraries
        self.libraries_changed.emit()
        self.files_changed.emit()

    def _take_models(self, answer: Any) -> None:
        self.models = answer.models
        self.models_changed.emit()

    def _take_conversations(self, answer: Any) -> None:
        self.conversations = answer.conversations
        self.conversations_changed.emit()

    # --- deaths ---------------------------------------------------------------------------

    def _worker_died(self, event: WorkerEvent) -> None:
        self.notices.post(Notice(names.one_line(event.message), "warning", event.details))

    def _host_died(self, crash: WorkerCrashed, again: bool) -> None:
        details = error_details(crash)
        if again:
            self.notices.post(Notice(english.HOST_RESTARTED, "warning", details, lasting=True))
        else:
            action = (english.HOST_TRY, self.client.try_again)
            notice = Notice(english.HOST_GAVE_UP, "danger", details, action, lasting=True)
            self.notices.post(notice)

    # --- indexing -------------------------------------------------------------------------

    def add_folder(self, folder: str, library_id: str = "", name: str = "") -> Reading:
        """Start to index a folder, into a library of its own or as a further root."""
        view = self.library(library_id)
        known = self._library_of(folder) if view is None else library_id
        params: dict[str, Any] = {"folder": folder}
        if library_id or name:
            params["library"] = library_id or name
        if not name:
            name = view.name if view is not None else names.file_name(folder) or folder
        return self._read(Reading(name, folder, known, self), "index", params)

    def rescan(self, library_id: str) -> Reading | None:
        """Look at all roots of a library again."""
        view = self.library(library_id)
        running = self.reading_of(library_id)
        if view is None or running is not None:
            return running
        reading = Reading(view.name, "", library_id, self)
        return self._read(reading, "reindex", {"library": library_id})

    def remove_library(self, library_id: str) -> None:
        """Forget a library, ending its reading first."""
        reading = self.reading_of(library_id)
        if reading is not None and reading.call is not None:
            reading.call.finished.connect(lambda: self._remove(library_id))
            reading.stop()
        else:
            self._remove(library_id)

    def _remove(self, library_id: str) -> None:
        call = self.client.request("libraries.remove", {"library": library_id})
        call.failed.connect(self.notices.error)

    def _library_of(self, folder: str) -> str:
        """The library that has exactly this folder as a root already."""
        wanted = os.path.realpath(folder)
        for view in self.libraries:
            if any(os.path.realpath(root) == wanted for root in view.roots):
                return view.id
        return ""

    def _read(self, reading: Reading, method: str, params: dict[str, Any]) -> Reading:
        call = self.client.request(method, params)
        reading.call = call
        self.readings = [*self.readings, reading]
        call.progress.connect(lambda *step: self._moved(reading, *step))
        call.said.connect(lambda kind, data: self._said(reading, kind, data))
        call.succeeded.connect(lambda report: self._indexed(reading, report))
        call.failed.connect(lambda error: self._index_failed(reading, error))
        call.finished.connect(lambda: self._end(reading))
        self.readings_changed.emit()
        return reading

    def _moved(
        self, reading: Reading, done: float, total: float, note: str, eta_s: float | None
    ) -> None:
        reading.done, reading.total = done, total
        reading.note, reading.eta_s = names.one_line(note), eta_s
        reading.moved.emit()

    def _said(self, reading: Reading, kind: str, data: Any) -> None:
        if kind == "library" and isinstance(data, dict) and data.get("id"):
            reading.library_id = str(data["id"])
            self.library_found.emit(reading, reading.library_id)
            self.readings_changed.emit()
            self.refresh("libraries")

    def _indexed(self, reading: Reading, report: IndexReport) -> None:
        reading.library_id = report.library_id
        self.library_found.emit(reading, report.library_id)
        self.notices.post(self.outcome(report))

    def outcome(self, report: IndexReport) -> Notice:
        """The sentence an indexing run ends with."""
        name, files = names.one_line(report.library), report.files
        if files.indexed == 0 and files.removed == 0 and not files.skipped:
            return Notice(english.INDEXED_UNCHANGED.format(name=name), "good")
        ready = figures.count(files.indexed + files.unchanged, "file", "files")
        text = english.INDEXED_LINE.format(
            name=name, files=ready, time=figures.seconds(report.seconds)
        )
        if files.skipped:
            skipped = figures.count(len(files.skipped), "file", "files")
            text += " " + english.INDEXED_SKIPPED.format(skipped=skipped)
        if not files.skipped:
            return Notice(text, "good")
        library = report.library_id
        action = (english.SHOW_FILES, lambda: self.files_wanted.emit(library, "skipped"))
        return Notice(text, "warning", action=action)

    def _index_failed(self, reading: Reading, error: EngineError) -> None:
        if isinstance(error, Cancelled):
            name = names.one_line(reading.name)
            self.notices.post(Notice(english.INDEX_STOPPED.format(name=name)))
        elif not isinstance(error, WorkerCrashed):
            self.notices.error(error)

    def _end(self, reading: Reading) -> None:
        self.readings = [other for other in self.readings if other is not reading]
        self.readings_changed.emit()
        self.refresh("libraries")
        reading.deleteLater()
