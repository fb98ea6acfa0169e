"""The fourth step: the training as it goes; it goes on without the window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QProgressBar, QPushButton

from desktop.client import Call
from desktop.dialogs.confirm import confirm
from desktop.pages.tuning.step import Draft, Remarks, Step
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.tunings import ACTIVE, WAITING
from desktop.widgets.basics import BOLD, button, column, label, row
from desktop.widgets.fact_tiles import FactTiles
from desktop.widgets.loss_chart import LossChart
from desktop.widgets.problem_box import ProblemBox
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.work.api import RunMetrics, RunView

LOOK_MS = 1000


class TrainStep(Step):
    """Attached to a run by its id; looks once a second while it is seen."""

    mark = english.TUNE_STEP_TRAIN
    title = english.TUNE_TRAIN_TITLE
    text = english.TUNE_TRAIN_TEXT
    cancelled = Signal()
    """The run was thrown away."""

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__(state, draft)
        self.run: RunView | None = None
        self.lines: list[dict[str, Any]] = []
        self._call: Call | None = None
        self._seen = False
        """Whether it is the step that is shown: only then its buttons are."""
        self._asked = ""
        """What the user asked for that has not happened yet: pause, resume, stop, cancel."""
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._ask)
        self._build()
        self._show()

    def _build(self) -> None:
        self.where = label("", 1.08, BOLD)
        self.left = label("", 1.0, tone="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.chart = LossChart()
        self.facts = FactTiles(
            ("heldout", english.FACT_HELDOUT, english.FACT_HELDOUT_HINT),
            ("memory", english.FACT_MEMORY, ""),
            ("speed", english.FACT_SPEED, english.FACT_SPEED_HINT),
            ("examples", english.FACT_EXAMPLES, ""),
        )
        self._remarks = Remarks()
        self.problem = ProblemBox()
        self.pause = button(english.RUN_PAUSE, self._pause_or_resume)
        self.stop = button(english.RUN_STOP, self._stop)
        self.stop.setToolTip(english.RUN_STOP_HINT)
        self.cancel = button(english.RUN_CANCEL, self._wish_cancel)
        head = row(self.where, None)
        head.addWidget(self.left, 0, Qt.AlignmentFlag.AlignRight)
        layout = column(spacing=10)
        layout.addLayout(head)
        layout.addWidget(self.bar)
        layout.addWidget(self.problem)
        layout.addWidget(self._remarks)
        layout.addWidget(self.chart, 1)
        layout.addWidget(self.facts)
        self.setLayout(layout)

    # --- the step -------------------------------------------------------------------------

    def ready(self) -> bool:
        return bool(self.run is not None and self.run.report is not None and self.draft.adapter)

    def busy(self) -> bool:
        return self.run is not None and self.run.state in ACTIVE

    def may_go_back(self) -> bool:
        return self.run is None or self.run.state == "failed"

    def buttons(self) -> list[QPushButton]:
        return [self.cancel, self.pause, self.stop]

    def enter(self) -> None:
        self._seen = True
        self._show()
        self._ask()
        self._look.start()

    def leave(self) -> None:
        self._seen = False
        self._look.stop()

    def attach(self, run: str) -> None:
        """Show a run, from its first step on."""
        if run != self.draft.run or self.run is None:
            self.run, self.lines, self._asked = None, [], ""
            self.draft.run = run
            self._call = None
            self._show()
        if self._seen:
            self._ask()

    # --- looking --------------------------------------------------------------------------

    def _ask(self) -> None:
        if self._call is not None or not self.draft.run:
            return
        params = {"run": self.draft.run, "after": len(self.lines)}
        call = self._call = self.state.client.request("runs.show", params)
        call.succeeded.connect(lambda seen: self._take(call, seen))
        call.failed.connect(lambda error: self._fail(call, error))

    def _take(self, call: Call, seen: RunMetrics) -> None:
        if call is not self._call:
            return
        self._call = None
        before = self.run.state if self.run is not None else ""
        if before in WAITING and seen.run.state in ACTIVE:
            # It goes on from its last checkpoint: steps after that are done again.
            self.lines, self.run = [], seen.run
            self._ask()
            return
        self.run = seen.run
        self.lines += seen.lines
        if seen.run.report is not None:
            self.draft.adapter = seen.run.report.adapter
        settled = seen.run.state not in ACTIVE
        if settled and before in ACTIVE:
            self.state.tunings.refresh("runs", "adapters")
            self.state.refresh("models")  # a full fine-tuning made one
        self._show()

    def _fail(self, call: Call, error: EngineError) -> None:
        if call is self._call:
            self._call = None
            self._look.stop()
            self.problem.show_error(error)

    # --- asking the run -------------------------------------------------------------------

    def _pause_or_resume(self) -> None:
        if self.run is not None and self.run.state in WAITING:
            self._wish("resume")
        else:
            self._wish("pause")

    def _stop(self) -> None:
        self._wish("stop")

    def _wish(self, what: str) -> Call:
        self._asked = what
        call = self.state.tunings.ask(f"runs.{what}", {"run": self.draft.run})
        call.finished.connect(self._answered)
        self._show()
        return call

    def _answered(self) -> None:
        if self._asked != "stop":
            self._asked = ""
        self._ask()
        self._show()

    def _wish_cancel(self) -> None:
        if self.run is None:
            return
        name = names.one_line(self.run.name, 80)
        confirm(
            self.window(),
            english.RUN_CANCEL_TITLE.format(name=name),
            english.RUN_CANCEL_TEXT,
            english.RUN_CANCEL_YES,
            self.cancel_run,
        )

    def cancel_run(self) -> None:
        """End the run and forget it."""
        run = self.draft.run
        self._look.stop()
        if self.run is not None and self.run.state in ACTIVE:
            call = self.state.client.request("runs.pause", {"run": run})
            call.finished.connect(lambda: self._remove(run))
        else:
            self._remove(run)
        self._asked = "cancel"
        self._show()

    def _remove(self, run: str) -> None:
        call = self.state.tunings.ask("runs.remove", {"run": run})
        call.succeeded.connect(lambda gone: self._gone(run))
        call.failed.connect(lambda error: self.enter())

    def _gone(self, run: str) -> None:
        self._asked = ""
        if self.draft.run == run:
            self.draft.run, self.run, self.lines = "", None, []
            self.cancelled.emit()

    # --- showing --------------------------------------------------------------------------

    def _show(self) -> None:
        run = self.run
        self._show_buttons(run)
        self.where.setText(run_words(run, self._last("epoch")) if run is not None else "")
        self.left.setText(left_words(run) if run is not None else "")
        self.bar.setRange(0, max(1, run.steps if run is not None else 1))
        self.bar.setValue(run.step if run is not None else 0)
        self.bar.setAccessibleName(f"{self.where.text()} {self.left.text()}".strip())
        self._show_chart()
        if run is not None:
            self._show_facts(run)
            error = run.error if run.state == "failed" else None
            self.problem.show_error(EngineError.from_dict(error) if error else None)
        self.changed.emit()

    def _show_buttons(self, run: RunView | None) -> None:
        state = run.state if run is not None else ""
        waiting = state in WAITING
        going = self._seen and (state in ACTIVE or waiting)
        self.pause.setText(english.RUN_RESUME if waiting else english.RUN_PAUSE)
        self.pause.setAccessibleName(self.pause.text())
        free = not self._asked
        self.pause.setVisible(going)
        self.pause.setEnabled(free and (waiting or state == "running"))
        self.stop.setVisible(going)
        self.stop.setEnabled(free and (waiting or state == "running") and self._learnt())
        self.cancel.setVisible(going or (self._seen and state == "failed"))
        self.cancel.setEnabled(self._asked != "cancel")

    def _learnt(self) -> bool:
        """Whether there is something better than the base to keep."""
        return any(line["kind"] == "evaluation" and line.get("step") for line in self.lines)

    def _last(self, key: str) -> float:
        steps = (line for line in reversed(self.lines) if line["kind"] == "step")
        return float(next((line.get(key, 0.0) for line in steps), 0.0))

    def _show_chart(self) -> None:
        train = [(s["step"], s["loss"]) for s in self.lines if s["kind"] == "step"]
        heldout = [
            (line["step"], line["heldout_loss"])
            for line in self.lines
            if line["kind"] == "evaluation" and line.get("heldout_loss") is not None
        ]
        self.chart.set_points(train, heldout, self.run.steps if self.run is not None else 0)

    def _show_facts(self, run: RunView) -> None:
        loss = run.best_loss if run.state in ("done", "stopped") else run.heldout_loss
        self.facts.say(
            heldout=f"{loss:.2f}" if loss is not None else "",
            memory=figures.size(run.memory_bytes) if run.memory_bytes else "",
            speed=f"{run.tokens_per_second:,.0f}" if run.tokens_per_second else "",
            examples=f"{run.plan.examples:,}" if run.plan is not None else "",
        )
        remarks = [
            (names.one_line(str(line.get("text", "")), 300), "warning")
            for line in self.lines
            if line["kind"] == "warning"
        ]
        if self._asked in english.RUN_ASKED:
            remarks.append((english.RUN_ASKED[self._asked], "muted"))
        elif run.note:
            tone = "warning" if run.state in WAITING else "muted"
            remarks.append((names.one_line(run.note, 300), tone))
        self._remarks.say(remarks)


def run_words(run: RunView, epoch: float = 0.0) -> str:
    """What a run does now: "Step 184 of 420 · epoch 2 of 3"."""
    if run.state in ("planned", "running") and run.stage != "training":
        return english.RUN_STAGES[run.stage]
    if run.state not in ("running",):
        state = english.RUN_STATES[run.state]
        if run.state in WAITING and run.steps:
            step = english.RUN_STEP.format(step=f"{run.step:,}", steps=f"{run.steps:,}")
            return f"{state} · {step}"
        return state
    words = english.RUN_STEP.format(step=f"{run.step:,}", steps=f"{run.steps:,}")
    epochs = run.plan.epochs if run.plan is not None else 0
    if epochs and epoch:
        now = min(epochs, max(1, math.ceil(epoch - 1e-9)))
        words += " · " + english.RUN_EPOCH.format(epoch=now, epochs=epochs)
    return words


def left_words(run: RunView) -> str:
    """How long it still takes; how long it took when it is over."""
    if run.state in ("done", "stopped"):
        return english.RUN_TOOK.format(time=figures.seconds(run.seconds))
    if run.state not in ACTIVE or run.stage != "training":
        return ""
    words = figures.time_left(run.eta_s)
    return words[:1].upper() + words[1:]
