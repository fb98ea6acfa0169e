"""The user's own cross-encoder: its folder, whether it is on, what it was measured to bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QFileDialog, QFrame, QVBoxLayout, QWidget

from desktop.client import Call
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    clear_layout,
    column,
    icon_button,
    label,
    row,
)
from desktop.widgets.chooser import Chooser
from desktop.widgets.pulse import Pulse
from desktop.widgets.setting_rows import setting
from desktop.widgets.switch import Switch
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import LibraryView, RerankerMeasurement, RerankerView


class RerankerCard(QFrame):
    """Shows what the engine says is set; everything it does is asked of the engine."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("card")
        self._state = state
        self._call: Call | None = None
        self.view: RerankerView | None = None
        """What the engine last said is set."""
        self._library = ""
        self._build()
        self.switch.toggled.connect(self._switch)
        self.library.chosen.connect(self._choose_library)
        state.ready.connect(self.refresh)
        state.libraries_changed.connect(self._show_libraries)
        state.client.changed.connect(self._heard)
        if state.known:
            self.refresh()
        self._show_libraries()

    def _build(self) -> None:
        self.folder = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle)
        self.problem = label("", 0.95, tone="warning", wrap=True)
        self.problem.hide()
        self.choose = button(english.CHOOSE_FOLDER, self.choose_folder)
        self.remove = icon_button("x", english.RERANKER_REMOVE, lambda: self.use_folder(""), 15)
        self.switch = Switch(english.RERANKER_SWITCH)
        self.library = Chooser(english.RERANKER_LIBRARY)
        self.measure = button(english.RERANKER_MEASURE, self.begin_measuring)
        self.pulse = Pulse()
        self.stop = icon_button("x", english.CANCEL, self._cancel, 15)
        self._busy = QWidget()
        self._busy.setLayout(row(self.pulse, self.stop))
        self._busy.hide()
        self.results = QVBoxLayout()
        self.results.setSpacing(6)
        where = row(self.folder, self.remove, self.choose, spacing=8)
        where.setStretch(0, 1)
        measuring = QWidget()
        measuring.setLayout(row(self.library, self.measure, spacing=8))
        self._set_up = QWidget()
        self._set_up.setLayout(
            column(
                setting(english.RERANKER_SWITCH, english.RERANKER_SWITCH_TEXT, self.switch),
                setting(english.RERANKER_MEASURING, english.RERANKER_MEASURING_TEXT, measuring),
                spacing=14,
            )
        )
        layout = column(spacing=12, margins=(20, 16, 20, 18))
        layout.addWidget(label(english.RERANKER_TITLE, 1.08, BOLD))
        layout.addWidget(label(english.RERANKER_TEXT, 0.92, tone="muted", wrap=True))
        layout.addLayout(where)
        for part in (self.problem, self._set_up, self._busy):
            layout.addWidget(part)
        layout.addLayout(self.results)
        self.setLayout(layout)

    # --- what is shown --------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the engine what is set."""
        call = self._state.client.request("reranker.show")
        call.succeeded.connect(self.show_view)
        call.failed.connect(self._failed)

    def _heard(self, what: list[str]) -> None:
        if "reranker" in what:
            self.refresh()

    def show_view(self, view: RerankerView) -> None:
        """Show what is set."""
        self.view = view
        there = bool(view.folder)
        self.folder.set_text(view.folder or english.RERANKER_NONE)
        self.problem.setText(names.prose(view.problem, 400))
        self.problem.setVisible(bool(view.problem))
        self._set_up.setVisible(there)
        self.remove.setVisible(there)
        with QSignalBlocker(self.switch):
            self.switch.setChecked(view.on)
        clear_layout(self.results)
        for measured in view.measured:
            self.results.addWidget(_measured(measured))
        self._show_buttons()

    def _show_libraries(self) -> None:
        libraries: list[LibraryView] = self._state.libraries
        if all(view.id != self._library for view in libraries):
            self._library = libraries[0].id if libraries else ""
        self.library.set_choices([(view.id, view.name) for view in libraries], self._library)
        if not libraries:
            self.library.set_shown(english.RERANKER_NO_LIBRARY)
        self._show_buttons()

    def _show_buttons(self) -> None:
        idle = self._call is None
        usable = self.view is not None and not self.view.problem
        for part in (self.choose, self.remove, self.library, self.switch):
            part.setEnabled(idle)
        self.measure.setEnabled(idle and usable and bool(self._library))
        self._busy.setVisible(not idle)

    # --- doing ----------------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Let the user choose the folder of a cross-encoder."""
        dialog = QFileDialog(self.window(), english.RERANKER_DIALOG)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.use_folder)
        dialog.open()

    def use_folder(self, folder: str) -> None:
        """Have the engine load and set the cross-encoder in `folder`; "" takes it away."""
        self._begin("reranker.set", {"folder": folder}, english.RERANKER_LOADING)

    def begin_measuring(self) -> None:
        """Find out whether it is worth it in the library chosen."""
        params = {"library": self._library}
        self._begin("reranker.measure", params, english.RERANKER_LOADING)

    def _begin(self, method: str, params: dict[str, Any], line: str) -> None:
        if self._call is not None:
            return
        self.pulse.say(line)
        self._call = self._state.client.request(method, params)
        self._call.progress.connect(self._progress)
        self._call.failed.connect(self._failed)
        self._call.finished.connect(self._ended)
        self._show_buttons()

    def _progress(self, done: float, total: float, note: str, eta_s: float | None) -> None:
        if total > 1 and done:
            self.pulse.say(
                english.RERANKER_PROGRESS.format(
                    done=f"{done:,.0f}",
                    total=f"{total:,.0f}",
                    left=figures.time_left(eta_s) if eta_s is not None else "",
                ).strip(" ,")
            )

    def _ended(self) -> None:
        self._call = None
        self._show_buttons()
        self.refresh()

    def _cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _switch(self, on: bool) -> None:
        call = self._state.client.request("reranker.switch", {"on": on})
        call.succeeded.connect(self.show_view)
        call.failed.connect(self._failed)
        call.failed.connect(lambda error: self.refresh())

    def _choose_library(self, library_id: str) -> None:
        self._library = library_id
        self._show_libraries()

    def _failed(self, error: EngineError) -> None:
        if not isinstance(error, Cancelled):
            self._state.notices.error(error)


def _measured(measured: RerankerMeasurement) -> QWidget:
    """One library's result: the verdict, and the figures behind it."""
    library = names.one_line(measured.library, 60)
    tones = {"gain": "good", "loss": "warning"}
    verdict = english.RERANKER_VERDICT.format(
        library=library, sentence=names.prose(measured.sentence, 200)
    )
    plain, reranked, gain = measured.plain, measured.reranked, measured.mrr_gain
    lines = english.RERANKER_FIGURES.format(
        questions=figures.count(measured.questions, *english.QUESTIONS_ASKED),
        first=f"{plain.recall_1:.0%}",
        first_with=f"{reranked.recall_1:.0%}",
        fifth=f"{plain.recall_5:.0%}",
        fifth_with=f"{reranked.recall_5:.0%}",
        mrr=f"{plain.mrr:.2f}",
        mrr_with=f"{reranked.mrr:.2f}",
        low=f"{gain.low:+.2f}",
        high=f"{gain.high:+.2f}",
        ms=f"{plain.milliseconds:,.0f}",
        ms_with=f"{reranked.milliseconds:,.0f}",
    )
    result = QWidget()
    result.setLayout(
        column(
            label(verdict, weight=BOLD, tone=tones.get(measured.verdict, ""), wrap=True),
            label(lines, 0.92, tone="muted", wrap=True),
            spacing=2,
        )
    )
    result.setAccessibleName(f"{verdict} {lines}")
    return result
