"""What the window knows of the engine, kept fresh: libraries, models, questions, readings.

Pages read from here and listen; they never keep copies. A mutation in the engine says what
it made stale (`changed`), and only that is asked for again.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.client import EngineClient
from desktop.notices import Notice, Notices, error_details
from desktop.reading import Reading as Reading
from desktop.strings import english, figures, names
from desktop.tunings import Tunings
from engine.errors import Cancelled, EngineError, WorkerCrashed

if TYPE_CHECKING:
    from engine.work.api import (
        ConversationRow,
        HostState,
        IndexingEvent,
        IndexReport,
        LibraryView,
        ModelCard,
        Preset,
        WorkerEvent,
    )

REFRESH_DELAY_MS = 150
"""Several `changed` in a row (one a batch while indexing) cost one request."""
QUIET_MS = 1500
"""A run that nobody asked for and that is over sooner never shows a bar."""
LOUD_S = 10.0
"""A run that nobody asked for says how it ended when it took at least this long."""


class AppState(QObject):
    """The one model behind all pages."""

    libraries_changed = Signal()
    models_changed = Signal()
    conversations_changed = Signal()
    presets_changed = Signal()
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
    work_ended = Signal(str, float)
    """Long work is over: the sentence it ended with, and the seconds it took."""

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
        self.presets: list[Preset] = []
        self.readings: list[Reading] = []
        """The runs that are shown; a short one that nobody asked for is not."""
        self.follow = True
        """Have the engine keep all libraries current, from the next start of it."""
        self.tokens_per_second = 0.0
        self.tunings = Tunings(client, notices, self)
        self._automatic: dict[str, Reading] = {}
        """Library id → the run that the engine began there by itself."""
        self._read_lately: dict[str, tuple[int, float]] = {}
        self._complaints: dict[str, str] = {}
        self._stale: set[str] = set()
        self._asking: set[str] = set()
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_DELAY_MS)
        self._refresh.timeout.connect(self._ask_stale)
        client.up.connect(self._ask_state)
        client.changed.connect(self._mark_stale)
        client.indexing.connect(self._heard)
        client.worker.connect(self._worker_died)
        client.crashed.connect(self._host_died)
        self.tunings.work_ended.connect(self.work_ended)

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

    def read_lately(self, library_id: str) -> tuple[int, float]:
        """How many files the last small run of a library read, and how long ago in seconds."""
        files, moment = self._read_lately.get(library_id, (0, 0.0))
        return files, time.monotonic() - moment

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
        self.refresh("presets")
        if self.follow:
            self.begin_following()
        self.ready.emit()

    def begin_following(self) -> None:
        """Have the engine keep the libraries current until it ends."""
        call = self.client.request("follow")
        call.failed.connect(self._state_failed)

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
            "presets": ("presets.list", self._take_presets),
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

    def _take_presets(self, answer: Any) -> None:
        self.presets = answer.presets
        self.presets_changed.emit()

    # --- deaths ---------------------------------------------------------------------------

    def _worker_died(self, event: WorkerEvent) -> None:
        self.notices.post(Notice(names.one_line(event.message), "warning", event.details))

    def _host_died(self, crash: WorkerCrashed, again: bool) -> None:
        for library_id in list(self._automatic):
            self._forget_automatic(library_id)
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
        if view.following == "paused":
            self.resume(library_id)
            return None
        reading = Reading(view.name, "", library_id, self)
        return self._read(reading, "reindex", {"library": library_id})

    def retry(self, library_id: str, file_ids: list[int], scans: bool = False) -> None:
        """Read some files again; `scans` reads their scanned pages whatever that costs."""
        view = self.library(library_id)
        if view is None or not file_ids:
            return
        params = {"library": library_id, "file_ids": file_ids}
        if scans:
            params["scans"] = "all"
        self._read(Reading(view.name, "", library_id, self), "libraries.retry", params)

    def pause(self, library_id: str) -> None:
        """Stop a library's run, and do not follow its folders for now."""
        self._ask("libraries.pause", {"library": library_id})

    def resume(self, library_id: str) -> None:
        """Go on where `pause` stopped."""
        self._ask("libraries.resume", {"library": library_id})

    def rename_library(self, library_id: str, name: str) -> None:
        """Give a library another name."""
        self._ask("libraries.rename", {"library": library_id, "name": name})

    def remove_root(self, library_id: str, folder: str) -> None:
        """Take a folder out of a library; the documents are not touched."""
        self._ask("libraries.remove_root", {"library": library_id, "folder": folder})

    def _ask(self, method: str, params: dict[str, Any]) -> None:
        call = self.client.request(method, params)
        call.failed.connect(self.notices.error)
        call.finished.connect(lambda: self.refresh("libraries"))

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
        call.progress.connect(reading.move)
        call.said.connect(lambda kind, data: self._said(reading, kind, data))
        call.succeeded.connect(lambda report: self._indexed(reading, report))
        call.failed.connect(lambda error: self._index_failed(reading, error))
        call.finished.connect(lambda: self._end(reading))
        self.readings_changed.emit()
        return reading

    def _said(self, reading: Reading, kind: str, data: Any) -> None:
        if kind == "library" and isinstance(data, dict) and data.get("id"):
            reading.library_id = str(data["id"])
            self.library_found.emit(reading, reading.library_id)
            self.readings_changed.emit()
            self.refresh("libraries")

    def _indexed(self, reading: Reading, report: IndexReport) -> None:
        reading.library_id = report.library_id
        self.library_found.emit(reading, report.library_id)
        self._tell(reading, self.outcome(report))

    def _tell(self, reading: Reading, notice: Notice) -> None:
        self.notices.post(notice)
        self.work_ended.emit(notice.text, time.monotonic() - reading.begun)

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
            text = english.INDEX_PAUSED if reading.pausing else english.INDEX_STOPPED
            self.notices.post(Notice(text.format(name=name)))
        elif not isinstance(error, WorkerCrashed):
            self.notices.error(error)

    def _end(self, reading: Reading) -> None:
        self.readings = [other for other in self.readings if other is not reading]
        self.readings_changed.emit()
        self.refresh("libraries")
        reading.deleteLater()

    # --- runs that nobody asked for -------------------------------------------------------

    def _heard(self, event: IndexingEvent) -> None:
        library_id = event.library_id
        if event.ended:
            self._automatic_ended(event)
            return
        reading = self._automatic.get(library_id)
        if reading is None:
            reading = Reading(event.name, "", library_id, self)
            self._automatic[library_id] = reading
            lasting = QTimer(reading)
            lasting.setSingleShot(True)
            lasting.timeout.connect(lambda: self._show_automatic(reading))
            lasting.start(QUIET_MS)
        reading.move(event.done, event.total, event.note, event.eta_s)

    def _show_automatic(self, reading: Reading) -> None:
        # A run of the user's on the same library has its own bar.
        if self.reading_of(reading.library_id) is None:
            self.readings = [*self.readings, reading]
            self.readings_changed.emit()

    def _automatic_ended(self, event: IndexingEvent) -> None:
        library_id = event.library_id
        reading = self._automatic.get(library_id)
        seconds = time.monotonic() - reading.begun if reading is not None else 0.0
        if event.message:
            # A folder that stays away would say so at every look.
            if self._complaints.get(library_id) != event.message:
                self.notices.post(Notice(names.one_line(event.message), "warning"))
            self._complaints[library_id] = event.message
        elif event.report is not None:
            self._complaints.pop(library_id, None)
            files = event.report.files.indexed + event.report.files.removed
            if reading is not None and seconds >= LOUD_S and files:
                self._tell(reading, self.outcome(event.report))
            elif files:
                self._read_lately[library_id] = files, time.monotonic()
        self._forget_automatic(library_id)
        self.refresh("libraries")

    def _forget_automatic(self, library_id: str) -> None:
        reading = self._automatic.pop(library_id, None)
        if reading is not None:
            self._end(reading)
