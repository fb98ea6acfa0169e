"""The fifth step: what the tuned model says where the untuned one said something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from desktop import theme
from desktop.client import Call
from desktop.pages.tuning.step import Draft, Remarks, Step, scrolling
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, button, clear_layout, column, label, row
from desktop.widgets.fact_tiles import FactTiles
from desktop.widgets.problem_box import ProblemBox
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import AdapterCard, AdapterComparison, TuneReport

_ROWS = 4
_MORE = 8
_SHOWN_CHARACTERS = 600


class ComparedCard(QFrame):
    """One held-out example: the question, what is right, and both answers."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__()
        self.setObjectName("card")
        self.fields = fields
        asked = label(_cut(fields["input"]), weight=BOLD, wrap=True, selectable=True)
        right = english.COMPARE_EXPECTED.format(text=_cut(fields["expected"]))
        layout = column(asked, spacing=8, margins=(16, 12, 16, 13))
        layout.addWidget(label(right, 0.97, tone="muted", wrap=True, selectable=True))
        both = row(spacing=18)
        both.addLayout(_answer(english.COMPARE_BASE, fields["base"], fields["base_right"]), 1)
        both.addLayout(
            _answer(english.COMPARE_TUNED, fields["tuned"], fields["tuned_right"]), 1
        )
        layout.addLayout(both)
        self.setLayout(layout)
        self.setAccessibleName(names.one_line(fields["input"], 120))


class CompareStep(Step):
    """Has the engine answer held-out examples twice, and shows the figures of the run."""

    mark = english.TUNE_STEP_COMPARE
    title = english.TUNE_COMPARE_TITLE
    text = english.TUNE_COMPARE_TEXT

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__(state, draft)
        self.rows: list[dict[str, Any]] = []
        self._compared = ""
        self._heldout = 0
        self._call: Call | None = None
        self._build()
        state.tunings.adapters_changed.connect(self._show_facts)
        state.tunings.runs_changed.connect(self._show_facts)

    def _build(self) -> None:
        self.facts = FactTiles(
            ("before", english.FACT_BEFORE, english.FACT_HELDOUT_HINT),
            ("after", english.FACT_AFTER, english.FACT_HELDOUT_HINT),
            ("exact", english.FACT_EXACT, english.FACT_EXACT_HINT),
            ("same", english.FACT_SAME, english.FACT_SAME_HINT),
        )
        self._remarks = Remarks()
        self._tally = label("", 1.0, BOLD, wrap=True)
        self._pulse = Pulse()
        self.problem = ProblemBox()
        self._cards = QVBoxLayout()
        self._cards.setSpacing(10)
        self.more = button(english.COMPARE_MORE, lambda: self.compare(_MORE), icon="plus")
        inner = QWidget()
        layout = column(self.facts, spacing=10)
        layout.addWidget(self._remarks)
        layout.addSpacing(4)
        layout.addWidget(self._tally)
        layout.addLayout(self._cards)
        layout.addWidget(self._pulse)
        layout.addWidget(self.problem)
        layout.addLayout(row(self.more, None))
        layout.addStretch(1)
        inner.setLayout(layout)
        self.setLayout(column(scrolling(inner)))

    def ready(self) -> bool:
        return bool(self.draft.adapter)

    def busy(self) -> bool:
        return self._call is not None

    def enter(self) -> None:
        self._show_facts()
        if self._compared != self.draft.adapter:
            self.compare(_ROWS)

    def leave(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call.cancel()
            self._compared = ""

    def cards(self) -> list[ComparedCard]:
        """The examples shown."""
        found = [self._cards.itemAt(i).widget() for i in range(self._cards.count())]
        return [card for card in found if isinstance(card, ComparedCard)]

    # --- figures --------------------------------------------------------------------------

    def _show_facts(self) -> None:
        run = self.state.tunings.run(self.draft.run)
        report = run.report if run is not None else None
        card = self.state.tunings.adapter(self.draft.adapter)
        loss = report.loss if report is not None else None
        exact = report.heldout_exact if report is not None else None
        parity = (report.parity if report is not None else None) or (card and card.parity)
        self.facts.say(
            before=f"{loss.before:.2f}" if loss is not None and loss.before is not None else "",
            after=f"{loss.heldout:.2f}"
            if loss is not None and loss.heldout is not None
            else "",
            exact=f"{100 * exact:.0f} %" if exact is not None else "",
            same=f"{100 * parity.top1:.1f} %" if parity else "",
        )
        self._remarks.say(report_remarks(report, card))

    # --- both answers ---------------------------------------------------------------------

    def compare(self, rows: int) -> None:
        """Have so many held-out examples answered by both."""
        self.leave()
        self._compared, self.rows = self.draft.adapter, []
        clear_layout(self._cards)
        self.problem.show_error(None)
        made = {"run": self.draft.run} if self.draft.whole else {"adapter": self._compared}
        params = {**made, "rows": rows}
        call = self._call = self.state.client.request("adapters.compare", params)
        call.said.connect(lambda kind, data: self._said(call, kind, data))
        call.succeeded.connect(lambda made: self._take(call, made))
        call.failed.connect(lambda error: self._fail(call, error))
        self._show()

    def _said(self, call: Call, kind: str, data: Any) -> None:
        if call is self._call and kind == "row" and isinstance(data, dict):
            self.rows.append(data)
            self._cards.addWidget(ComparedCard(data))
            self._show()

    def _take(self, call: Call, made: AdapterComparison) -> None:
        if call is self._call:
            self._call = None
            self._heldout = made.heldout
            self._show()

    def _fail(self, call: Call, error: EngineError) -> None:
        if call is self._call:
            self._call = None
            if not isinstance(error, Cancelled):
                self.problem.show_error(error)
            self._show()

    def _show(self) -> None:
        waiting = self._call is not None
        self._pulse.setVisible(waiting)
        self._pulse.say(english.COMPARE_WAITING)
        self.more.setVisible(not waiting and 0 < len(self.rows) < min(_MORE, self._heldout))
        self._tally.setVisible(bool(self.rows))
        self.changed.emit()
        if self.rows:
            self._tally.setText(
                english.COMPARE_TALLY.format(
                    rows=figures.count(len(self.rows), *english.EXAMPLES),
                    base=sum(one["base_right"] for one in self.rows),
                    tuned=sum(one["tuned_right"] for one in self.rows),
                )
            )


def report_remarks(
    report: TuneReport | None, card: AdapterCard | None
) -> list[tuple[str, str]]:
    """What is to be known before it is kept, as (sentence, tone)."""
    result: list[tuple[str, str]] = []
    if card is not None and card.proof == "proven":
        result.append((english.PROOF_PROVEN, "good"))
    elif card is not None and card.proof == "failed":
        why = " ".join(card.parity.reasons) if card.parity is not None else ""
        result.append((f"{english.PROOF_FAILED} {names.one_line(why, 300)}".strip(), "danger"))
    if report is None:
        return result
    ended = english.RUN_ENDED.get(report.ended, "")
    if ended:
        result.append((ended, "muted"))
    for name in report.warnings:
        result.append((english.RUN_WARNINGS.get(name, names.one_line(name, 200)), "warning"))
    return result


def _answer(title: str, text: str, right: bool) -> QVBoxLayout:
    picture = QLabel()
    icon, tone = ("circle-check", "good") if right else ("circle", "muted")
    theme.set_label_icon(picture, icon, tone, 15)
    picture.setAccessibleName(english.COMPARE_RIGHT if right else english.COMPARE_OTHER)
    head = row(picture, label(title, 0.92, BOLD, "muted"), None, spacing=6)
    result = column(spacing=3)
    result.addLayout(head)
    said = label(_cut(text) or english.COMPARE_NOTHING, wrap=True, selectable=True)
    said.setAlignment(Qt.AlignmentFlag.AlignTop)
    result.addWidget(said)
    result.addStretch(1)
    return result


def _cut(text: str) -> str:
    return names.prose(text, _SHOWN_CHARACTERS)
