"""The way from examples to a tuned model, one step at a time, as a page of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QStackedWidget, QWidget

from desktop.pages.tuning.check import CheckStep
from desktop.pages.tuning.compare import CompareStep
from desktop.pages.tuning.examples import ExamplesStep
from desktop.pages.tuning.model import ModelStep
from desktop.pages.tuning.save import SaveStep
from desktop.pages.tuning.step import Draft, Step
from desktop.pages.tuning.train import TrainStep
from desktop.state import AppState
from desktop.strings import english, names
from desktop.tunings import ACTIVE, WAITING
from desktop.widgets.basics import BOLD, button, column, icon_button, label, row
from desktop.widgets.step_marks import StepMarks

if TYPE_CHECKING:
    from engine.work.api import Finding, RunView

_SIDE_PX = 168


class TuneWizard(QFrame):
    """Six steps. Leaving it ends nothing: a run goes on, and can be come back to."""

    closed = Signal()
    finished = Signal(str)
    """The adapter that was made."""
    moved = Signal()
    """Another step is shown, or what it allows has changed."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self.draft = Draft()
        self.examples = ExamplesStep(state, self.draft)
        self.model = ModelStep(state, self.draft)
        self.check = CheckStep(state, self.draft)
        self.train = TrainStep(state, self.draft)
        self.compare = CompareStep(state, self.draft)
        self.save = SaveStep(state, self.draft)
        self.steps: list[Step] = [
            self.examples,
            self.model,
            self.check,
            self.train,
            self.compare,
            self.save,
        ]
        self._at = 0
        self._starting = False
        self._build()
        for step in self.steps:
            step.changed.connect(self._show)
        self.check.rows_wanted.connect(self._show_rows)
        self.train.cancelled.connect(self.closed)
        self.save.finished.connect(self._finished)
        self._show()

    def _build(self) -> None:
        self.title = label("", 1.15, BOLD)
        self.text = label("", tone="muted", wrap=True)
        self.close_button = icon_button("x", english.TUNE_CLOSE, self.closed.emit)
        words = column(self.title, self.text, spacing=4)
        head = row(spacing=12, margins=(24, 16, 16, 14))
        head.addLayout(words, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.marks = StepMarks([step.mark for step in self.steps])
        self.marks.setFixedWidth(_SIDE_PX)
        self.pages = QStackedWidget()
        for step in self.steps:
            self.pages.addWidget(step)
        body = row(spacing=0, margins=(24, 18, 24, 14))
        body.addWidget(self.marks)
        body.addWidget(_line(vertical=True))
        body.addSpacing(24)
        body.addWidget(self.pages, 1)
        self.back = button(english.TUNE_BACK, self.go_back)
        self.next = button(english.TUNE_NEXT, self.go_on, "primary")
        foot = row(self.back, None, spacing=8, margins=(24, 11, 24, 11))
        self._own: list[QPushButton] = [b for step in self.steps for b in step.buttons()]
        for own in self._own:
            foot.addWidget(own)
        foot.addWidget(self.next)
        layout = column(spacing=0)
        layout.addLayout(head)
        layout.addWidget(_line())
        layout.addLayout(body, 1)
        layout.addWidget(_line())
        layout.addLayout(foot)
        self.setLayout(layout)

    # --- where it is ----------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """The step that is shown."""
        return self.steps[self._at]

    def begin(self, dataset: str = "") -> None:
        """A new tuning, with this dataset when one is named."""
        self._leave()
        self.draft.clear()
        self.draft.dataset = dataset
        self.train.run = None
        self._turn_to(0)

    def import_file(self, path: str) -> None:
        """A new tuning that begins with a file of examples."""
        self.begin()
        self.examples.import_file(path)

    def attach(self, run: RunView) -> None:
        """Show a run: as it trains, or what came of it."""
        self._leave()
        self.draft.clear()
        self.draft.dataset, self.draft.model = run.dataset, run.model
        self.draft.method, self.draft.name = run.method, run.name
        self.train.run = None
        self.train.attach(run.id)
        if run.report is not None:
            self.draft.adapter = run.report.adapter
        self._turn_to(self.steps.index(self.train))

    def running(self) -> bool:
        """Whether a run is shown that is not over."""
        run = self.train.run
        return bool(self.draft.run and run is not None and run.state in (*ACTIVE, *WAITING))

    def go_back(self) -> None:
        """To the step before."""
        if self._at > 0 and self.step.may_go_back():
            if self.step is self.train:
                self.draft.run, self.train.run = "", None
            self._turn_to(self._at - 1)

    def go_on(self) -> None:
        """To the next step; from Check, the training begins."""
        if not self.step.ready() or self._starting:
            return
        if self.step is self.check:
            self._start()
        elif self.step is self.save:
            self.save.finish()
        else:
            self._turn_to(self._at + 1)

    def _turn_to(self, at: int) -> None:
        self._leave()
        self._at = at
        self.pages.setCurrentWidget(self.step)
        if self.isVisible():
            self.step.enter()
        self._show()

    def _leave(self) -> None:
        self.step.leave()

    def showEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().showEvent(event)
        self.step.enter()

    def hideEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().hideEvent(event)
        self.step.leave()

    # --- starting -------------------------------------------------------------------------

    def _start(self) -> None:
        self._starting = True
        self.draft.name = self._free_name()
        call = self._state.tunings.ask("tune.start", self.draft.spec())
        call.succeeded.connect(self._started)
        call.finished.connect(self._start_ended)
        self._show()

    def _started(self, run: RunView) -> None:
        self._state.tunings.note_run(run)
        self.train.attach(run.id)
        self._turn_to(self.steps.index(self.train))

    def _start_ended(self) -> None:
        self._starting = False
        self._show()

    def _free_name(self) -> str:
        """The name of the dataset, numbered when it is taken."""
        tunings = self._state.tunings
        dataset = tunings.dataset(self.draft.dataset)
        name = names.one_line(dataset.name, 80) if dataset is not None else english.TUNE_NAME
        name = (self.draft.whole and self.draft.name) or name
        taken = {one.name for one in (*tunings.adapters, *tunings.runs)}
        number = 2
        result = name
        while result in taken:
            result, number = f"{name} {number}", number + 1
        return result

    def _show_rows(self, finding: Finding) -> None:
        self._turn_to(self.steps.index(self.examples))
        self.examples.show_only(finding.rows, finding.sentence)

    def _finished(self, adapter: str) -> None:
        self._leave()
        self.draft.clear()
        self.train.run = None
        self._at = 0
        self.pages.setCurrentWidget(self.step)
        self.finished.emit(adapter)

    # --- showing --------------------------------------------------------------------------

    def _show(self) -> None:
        step = self.step
        self.title.setText(step.title)
        self.text.setText(step.text)
        self.marks.show_step(self._at, step.busy() or self._starting)
        text = step.next_text()
        self.next.setText(text)
        self.next.setAccessibleName(text)
        self.next.setEnabled(step.ready() and not self._starting)
        self.back.setVisible(self._at > 0 and step.may_go_back())
        own = step.buttons()
        for each in self._own:
            if each not in own:
                each.hide()
        self.moved.emit()


def _line(vertical: bool = False) -> QWidget:
    result = QFrame()
    result.setObjectName("line")
    if vertical:
        result.setFixedWidth(1)
    else:
        result.setFixedHeight(1)
    return result
