"""What the window knows of tuning, kept fresh: datasets, training runs, adapters.

A run is a process of its own that tells nobody how far it is, so while one is active the
list of runs is asked for again and again; everything else follows "changed".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.client import Call, EngineClient
from desktop.notices import Notice, Notices
from desktop.strings import english, names
from engine.errors import Cancelled, EngineError, WorkerCrashed

if TYPE_CHECKING:
    from engine.work.api import AdapterCard, DatasetRow, RunView

REFRESH_DELAY_MS = 150
POLL_MS = 2000
ACTIVE = ("planned", "running")
WAITING = ("paused", "interrupted")
"""States of a run that can be gone on with."""


class Tunings(QObject):
    """Pages read from here and listen; they never keep copies."""

    datasets_changed = Signal()
    runs_changed = Signal()
    adapters_changed = Signal()
    run_ended = Signal(object)
    """A `RunView` that was active a moment ago."""
    work_ended = Signal(str, float)
    """Long work is over: the sentence it ended with, and the seconds it took."""

    def __init__(self, client: EngineClient, notices: Notices, parent: QObject) -> None:
        super().__init__(parent)
        self._client = client
        self._notices = notices
        self.known = False
        """True once the engine has told of runs."""
        self.datasets: list[DatasetRow] = []
        self.runs: list[RunView] = []
        self.adapters: list[AdapterCard] = []
        self._stale: set[str] = set()
        self._asking: set[str] = set()
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_DELAY_MS)
        self._refresh.timeout.connect(self._ask_stale)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(lambda: self.refresh("runs"))
        client.up.connect(lambda: self.refresh("datasets", "runs", "adapters"))
        client.changed.connect(lambda what: self.refresh(*what))

    # --- what there is --------------------------------------------------------------------

    def dataset(self, dataset_id: str) -> DatasetRow | None:
        """The dataset with this id, None when it is gone."""
        return next((one for one in self.datasets if one.id == dataset_id), None)

    def run(self, run_id: str) -> RunView | None:
        """The run with this id, None when it is gone."""
        return next((one for one in self.runs if one.id == run_id), None)

    def adapter(self, adapter_id: str) -> AdapterCard | None:
        """The adapter with this id, None when it is gone."""
        return next((one for one in self.adapters if one.id == adapter_id), None)

    def active(self) -> list[RunView]:
        """The runs that work now."""
        return [run for run in self.runs if run.state in ACTIVE]

    def mixed_with(self, card: AdapterCard) -> list[AdapterCard]:
        """The other adapters that are enabled for the same model."""
        return [
            other
            for other in self.adapters
            if other.enabled and other.base_sha256 == card.base_sha256 and other.id != card.id
        ]

    # --- asking ---------------------------------------------------------------------------

    def refresh(self, *what: str) -> None:
        """Ask for the named lists again, soon."""
        self._stale.update({"datasets", "runs", "adapters"} & set(what))
        if self._stale and not self._refresh.isActive():
            self._refresh.start()

    def ask(self, method: str, params: dict[str, Any]) -> Call:
        """Have the engine do something; what went wrong is said."""
        call = self._client.request(method, params)
        call.failed.connect(self._failed)
        call.finished.connect(lambda: self.refresh(method.partition(".")[0]))
        return call

    def note_run(self, run: RunView) -> None:
        """Take in a run that was just started, before the list is asked for again."""
        self._take_runs([run, *(other for other in self.runs if other.id != run.id)])
        self.refresh("runs")

    def _ask_stale(self) -> None:
        for what in sorted(self._stale - self._asking):
            self._stale.discard(what)
            self._asking.add(what)
            call = self._client.request(f"{what}.list")
            call.succeeded.connect(lambda answer, what=what: self._take(what, answer))
            call.failed.connect(self._failed)
            call.finished.connect(lambda what=what: self._asked(what))

    def _asked(self, what: str) -> None:
        self._asking.discard(what)
        if what in self._stale:
            self._refresh.start()

    def _failed(self, error: EngineError) -> None:
        if not isinstance(error, (Cancelled, WorkerCrashed)):
            self._notices.error(error)

    def _take(self, what: str, answer: Any) -> None:
        if what == "datasets":
            self.datasets = answer.datasets
            self.datasets_changed.emit()
        elif what == "adapters":
            self.adapters = answer.adapters
            self.adapters_changed.emit()
        else:
            self._take_runs(answer.runs)

    def _take_runs(self, runs: list[RunView]) -> None:
        before = {run.id for run in self.active()}
        self.runs, self.known = runs, True
        if self.active():
            self._poll.start()
        else:
            self._poll.stop()
        self.runs_changed.emit()
        for run in runs:
            if run.id in before and run.state not in ACTIVE:
                self._tell_end(run)

    def _tell_end(self, run: RunView) -> None:
        self.refresh("adapters")
        self.run_ended.emit(run)
        name = names.one_line(run.name, 80)
        if run.state in ("done", "stopped") and run.report is not None:
            proven = run.report.parity is not None
            text = english.TUNE_ENDED_READY if proven else english.TUNE_ENDED_MODEL
            text = text.format(name=name)
            self._notices.post(Notice(text, "good"))
        elif run.state == "failed":
            error = run.error or {}
            text = english.TUNE_ENDED_FAILED.format(
                name=name, why=names.one_line(error.get("message", ""))
            )
            details = "\n".join(error.values())
            self._notices.post(Notice(text, "danger", details, lasting=True))
        elif run.state == "interrupted":
            text = english.TUNE_ENDED_ALONE.format(name=name)
            self._notices.post(Notice(text, "warning", lasting=True))
        else:
            return
        self.work_ended.emit(text, run.seconds)
