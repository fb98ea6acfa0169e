"""The second step: which model, which method, how much time; measured before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QLineEdit,
    QRadioButton,
    QSpinBox,
    QWidget,
)

from desktop.client import Call
from desktop.dialogs.naming import LONGEST_NAME
from desktop.pages.tuning.step import Draft, Remarks, Step, scrolling
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, button, column, label, row
from desktop.widgets.chooser import Chooser
from desktop.widgets.fact_tiles import FactTiles
from desktop.widgets.problem_box import ProblemBox
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import TunePlan

METHODS = ("lora", "prompt", "full")
_MOST_MINUTES = 24 * 60
_SETTLE_MS = 700
"""A choice that is not changed for so long is measured."""


class MethodCard(QFrame):
    """One method: its name, a sentence, and why it cannot be used when it cannot."""

    chosen = Signal(str)

    def __init__(self, method: str, group: QButtonGroup) -> None:
        super().__init__()
        self.setObjectName("card")
        self._method = method
        title, sentence = english.METHODS[method]
        self.radio = QRadioButton(title)
        self.radio.setAccessibleDescription(sentence)
        group.addButton(self.radio)
        self._sentence = label(sentence, 0.97, tone="muted", wrap=True)
        self._sentence.setContentsMargins(24, 0, 0, 0)
        self.reason = label("", 0.97, tone="warning", wrap=True)
        self.reason.setContentsMargins(24, 0, 0, 0)
        self.reason.hide()
        layout = column(
            self.radio, self._sentence, self.reason, spacing=3, margins=(14, 9, 14, 10)
        )
        self.setLayout(layout)
        self.radio.toggled.connect(lambda on: self.chosen.emit(method) if on else None)

    def allow(self, fits: bool, why: str) -> None:
        """Grey it out with the reason, or not."""
        self.radio.setEnabled(fits)
        self.reason.setVisible(not fits and bool(why))
        self.reason.setText(names.one_line(why, 300))

    def mousePressEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        if event.button() == Qt.MouseButton.LeftButton and self.radio.isEnabled():
            self.radio.setChecked(True)


class ModelStep(Step):
    """Measures as soon as the choices stand still; Next waits for what it finds."""

    mark = english.TUNE_STEP_MODEL
    title = english.TUNE_MODEL_TITLE
    text = english.TUNE_MODEL_TEXT

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__(state, draft)
        self.plan: TunePlan | None = None
        self._planned: tuple[object, ...] = ()
        self._call: Call | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.measure)
        self._build()
        state.models_changed.connect(self._show_models)

    def _build(self) -> None:
        self.model = Chooser(english.TUNE_MODEL, "cpu")
        self.model.chosen.connect(self._choose_model)
        self.minutes = QSpinBox()
        self.minutes.setRange(0, _MOST_MINUTES)
        self.minutes.setSingleStep(5)
        self.minutes.setSpecialValueText(english.TUNE_MINUTES_FREE)
        self.minutes.setSuffix(english.TUNE_MINUTES_SUFFIX)
        self.minutes.setValue(self.draft.minutes)
        self.minutes.setAccessibleName(english.TUNE_MINUTES)
        self.minutes.setMinimumSize(170, 32)
        self.minutes.lineEdit().setTextMargins(7, 0, 7, 0)
        self.minutes.valueChanged.connect(self._choose_minutes)
        group = QButtonGroup(self)
        self.methods = {name: MethodCard(name, group) for name in METHODS}
        self.methods[self.draft.method].radio.setChecked(True)
        for card in self.methods.values():
            card.chosen.connect(self._choose_method)
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setAccessibleName(english.TUNE_MODEL_NAME)
        self.name.setPlaceholderText(english.TUNE_MODEL_NAME)
        self.name.setMaximumWidth(360)
        self.name.hide()
        self.name.textEdited.connect(self._name)
        self.facts = FactTiles(
            ("time", english.PLAN_TIME, english.PLAN_TIME_HINT),
            ("memory", english.PLAN_MEMORY, english.PLAN_MEMORY_HINT),
            ("disk", english.PLAN_DISK, ""),
            ("epochs", english.PLAN_EPOCHS, english.PLAN_EPOCHS_HINT),
        )
        self._pulse = Pulse()
        self.stop = button(english.CANCEL, self._cancel, "link")
        self._busy = QWidget()
        self._busy.setLayout(row(self._pulse, self.stop))
        self.problem = ProblemBox()
        self.again = button(english.PLAN_AGAIN, self.measure, icon="refresh-cw")
        self._remarks = Remarks()
        self._settings = label("", 0.95, tone="muted", wrap=True)
        choice = row(self.model, None, label(english.TUNE_MINUTES), self.minutes, spacing=10)
        inner = QWidget()
        layout = column(spacing=10)
        layout.addLayout(choice)
        for card in self.methods.values():
            layout.addWidget(card)
        layout.addWidget(self.name)
        layout.addSpacing(4)
        layout.addWidget(label(english.PLAN_TITLE, 1.0, BOLD))
        layout.addWidget(self._busy)
        layout.addWidget(self.facts)
        layout.addWidget(self._settings)
        layout.addWidget(self._remarks)
        layout.addWidget(self.problem)
        layout.addLayout(row(self.again, None))
        layout.addStretch(1)
        inner.setLayout(layout)
        self.setLayout(column(scrolling(inner)))

    # --- the step -------------------------------------------------------------------------

    def ready(self) -> bool:
        return self.plan is not None and self.plan.fits

    def busy(self) -> bool:
        return self._call is not None

    def enter(self) -> None:
        self.minutes.setValue(self.draft.minutes)
        self.methods[self.draft.method].radio.setChecked(True)
        self.name.setText(self.draft.name)
        self._show_models()
        if self._planned != self._key() or self.plan is None:
            self.measure()

    def leave(self) -> None:
        self._settle.stop()
        self._drop_call()
        self._show()

    def _key(self) -> tuple[object, ...]:
        draft = self.draft
        one = self.state.tunings.dataset(draft.dataset)
        version = one.sha256 if one is not None else ""
        return draft.dataset, version, draft.model, draft.method, draft.minutes

    # --- choosing -------------------------------------------------------------------------

    def _show_models(self) -> None:
        known = {card.id for card in self.state.models}
        usual = self.state.default_model()
        if self.draft.model not in known:
            self.draft.model = usual.id if usual is not None else ""
        rows = [
            (card.id, f"{card.name} · {card.quantization}" if card.quantization else card.name)
            for card in self.state.models
        ]
        self.model.set_choices(rows, self.draft.model)

    def _choose_model(self, model: str) -> None:
        self.draft.model = model
        self._show_models()
        self._changed()

    def _choose_method(self, method: str) -> None:
        if method != self.draft.method:
            self.draft.method = method
            self._changed()

    def _name(self, text: str) -> None:
        self.draft.name = text.strip()

    def _choose_minutes(self, minutes: int) -> None:
        if minutes != self.draft.minutes:
            self.draft.minutes = minutes
            self._changed()

    def _changed(self) -> None:
        self._drop_call()
        self.plan = None
        self._settle.start()
        self._show()

    # --- measuring ------------------------------------------------------------------------

    def measure(self) -> None:
        """Have the engine do some steps on the user's own examples: about 20 seconds."""
        self._settle.stop()
        self._drop_call()
        self.plan, self._planned = None, self._key()
        self.problem.show_error(None)
        if not self.draft.dataset or not self.draft.model:
            self._show()
            return
        self._pulse.say(english.PLAN_MEASURING)
        call = self._call = self.state.client.request("tune.plan", self.draft.spec())
        call.succeeded.connect(lambda plan: self._take(call, plan))
        call.failed.connect(lambda error: self._fail(call, error))
        self._show()

    def _take(self, call: Call, plan: TunePlan) -> None:
        if call is self._call:
            self._call, self.plan = None, plan
            self._show()

    def _fail(self, call: Call, error: EngineError) -> None:
        if call is self._call:
            self._call = None
            if not isinstance(error, Cancelled):
                self.problem.show_error(error)
            self._show()

    def _cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()
        self._settle.stop()
        self._show()

    def _drop_call(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call.cancel()

    def _show(self) -> None:
        plan, waiting = self.plan, self._call is not None or self._settle.isActive()
        self._busy.setVisible(waiting)
        self.name.setVisible(self.draft.whole)
        if waiting and self._call is None:
            self._pulse.say(english.PLAN_MEASURING)
        self.again.setVisible(not waiting and plan is None)
        self.facts.setVisible(plan is not None)
        self._settings.setVisible(plan is not None)
        remarks: list[tuple[str, str]] = []
        if plan is not None:
            self.facts.say(
                time=figures.about(plan.seconds),
                memory=figures.size(plan.memory_bytes),
                disk=figures.size(plan.disk_bytes),
                epochs=english.PLAN_EPOCHS_VALUE.format(
                    epochs=plan.epochs, steps=f"{plan.steps:,}"
                ),
            )
            self._settings.setText(plan_words(plan))
            for view in plan.methods:
                self.methods[view.method].allow(view.fits, view.why)
            remarks = plan_remarks(plan)
        self._remarks.say(remarks)
        self.changed.emit()


def plan_words(plan: TunePlan) -> str:
    """The settings that were chosen, in a line for who wants to know."""
    parts = [english.PLAN_LAYERS.format(n=plan.layers, all=plan.layers_of)]
    if plan.rank:
        parts.append(english.PLAN_RANK.format(rank=plan.rank))
    if plan.validation:
        parts.append(english.PLAN_VALIDATION.format(n=f"{plan.validation:,}"))
    parts.append(english.PLAN_SPEED.format(rate=f"{plan.tokens_per_second:,.0f}"))
    if plan.precision:
        parts.append(names.one_line(plan.precision, 30))
    return " · ".join(parts)


def plan_remarks(plan: TunePlan) -> list[tuple[str, str]]:
    """What to know of a plan, as (sentence, tone)."""
    result: list[tuple[str, str]] = []
    tone = "warning" if plan.fits else "danger"
    result += [(names.one_line(text, 300), tone) for text in plan.reasons]
    if not plan.fits and not plan.reasons:
        text = english.PLAN_TOO_BIG.format(
            needed=figures.size(plan.memory_bytes),
            there=figures.size(plan.memory_available_bytes),
        )
        result.append((text, "danger"))
    if not plan.fits_minutes and not plan.reasons:
        result.append((english.PLAN_TOO_LONG, "warning"))
    if plan.left_out:
        rows = figures.count(plan.left_out, *english.EXAMPLES)
        text = english.PLAN_LEFT_OUT.format(rows=rows, tokens=f"{plan.max_tokens:,}")
        result.append((text, "warning"))
    if not result:
        result.append((english.PLAN_FITS, "good"))
    return result
