"""The retrieval inspector: what each stage of the search ranked where, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QStackedWidget, QWidget

from desktop.client import Call, EngineClient
from desktop.conversation import Talk, Turn
from desktop.models.candidates import COLUMNS, CandidatesModel, cell_text
from desktop.strings import english, names
from desktop.widgets.basics import BOLD, ElidedLabel, button, card, column, label, row
from desktop.widgets.candidates_table import CandidatesTable
from desktop.widgets.problem_box import ProblemBox
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import ExplainedPassage, SearchReport

SIZE_PX = (1060, 660)
SOURCES_USUAL = 4
BEGINNING = 200
"""The engine gives so many characters of a candidate."""
_COPIED_MS = 1800


class InspectorDialog(QDialog):
    """Repeats the search of one turn with `explain`; frees itself when it closes.

    The search is the turn's own: the question as it was searched for, the same libraries,
    filter and number of sources, so that the numbers here are those of the source cards.
    """

    def __init__(
        self, parent: QWidget, client: EngineClient, talk: Talk, turn: Turn, number: int
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(english.INSPECT)
        self.resize(*SIZE_PX)
        self._number = number
        self._model = CandidatesModel()
        self.table = CandidatesTable(self._model)
        report = turn.report
        self._query = turn.rewritten or (report.question if report else turn.question)
        self._build()
        self.table.moved.connect(self._explain)
        self._call: Call = client.request("search", search_params(talk, turn))
        self._call.succeeded.connect(self._take)
        self._call.failed.connect(self._fail)
        self.finished.connect(lambda result: self._call.cancel())

    def _build(self) -> None:
        self.query = ElidedLabel(names.one_line(self._query, 300), role="muted")
        self._steps = QGridLayout()
        self._steps.setHorizontalSpacing(22)
        self._steps.setVerticalSpacing(0)
        self.pulse = Pulse()
        self.pulse.say(english.INSPECT_RUNNING)
        self.problem = ProblemBox()
        self.notice = label("", 0.95, tone="warning", wrap=True)
        self.notice.hide()
        self._hint = label("", 0.95, tone="muted", wrap=True)
        self._passage = label("", wrap=True)
        self._fate = label("", weight=BOLD, wrap=True)
        detail = card()
        detail.setLayout(
            column(self._fate, self._passage, self._hint, spacing=5, margins=(16, 11, 16, 12))
        )
        found = QWidget()
        inner = column(self.notice, spacing=10)
        inner.addLayout(self._steps)
        inner.addWidget(self.table, 1)
        inner.addWidget(detail)
        found.setLayout(inner)
        waiting = QWidget()
        wait = column(self.pulse, self.problem, margins=(2, 10, 2, 10))
        wait.addStretch(1)
        waiting.setLayout(wait)
        self._stack = QStackedWidget()
        self._stack.addWidget(waiting)
        self._stack.addWidget(found)
        self.copy = button(english.INSPECT_COPY, self._copy, "", "copy")
        self.copy.setEnabled(False)
        self.close_button = button(english.CLOSE, self.close)
        self._legend = label(english.INSPECT_LEGEND, 0.92, tone="muted")
        layout = column(
            label(english.INSPECT_TITLE, 1.2, BOLD),
            self.query,
            spacing=3,
            margins=(24, 18, 24, 16),
        )
        layout.addSpacing(8)
        layout.addWidget(self._stack, 1)
        layout.addSpacing(10)
        layout.addLayout(row(self._legend, None, self.copy, self.close_button))
        self.setLayout(layout)

    # --- what came back -------------------------------------------------------------------

    def _take(self, report: SearchReport) -> None:
        found = report.explanation
        self._stack.setCurrentIndex(1)
        self.notice.setText(names.prose(report.notice, 400))
        self.notice.setVisible(bool(report.notice))
        if found is None:
            return
        for at, step in enumerate(found.steps):
            said = english.INSPECT_STEPS.get(step.name, step.name)
            milliseconds = english.MILLISECONDS.format(n=f"{step.milliseconds:,.1f}")
            top = row(
                label(said, weight=BOLD), label(milliseconds, tone="accent"), None, spacing=7
            )
            self._steps.addLayout(top, 0, at)
            detail: QLabel = label(names.prose(step.detail, 200), 0.9, tone="muted", wrap=True)
            detail.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._steps.addWidget(detail, 1, at)
            self._steps.setColumnStretch(at, 1)
        self.table.show_rows(found.candidates)
        if self._number:
            self.table.choose(self._number)
        self.copy.setEnabled(bool(found.candidates))
        self.table.setFocus()
        if not found.candidates:
            self._fate.setText(english.INSPECT_NOTHING)

    def _fail(self, error: EngineError) -> None:
        self.pulse.hide()
        if not isinstance(error, Cancelled):
            self.problem.show_error(error)

    def _explain(self, candidate: ExplainedPassage, at: int) -> None:
        """Under the table: what became of the passage, and what the column means."""
        self._fate.setText(names.prose(candidate.fate, 400))
        beginning = names.prose(" ".join(candidate.text.split()), 240)
        self._passage.setText(beginning + "…" * (len(candidate.text) >= BEGINNING))
        name, meaning = COLUMNS[at]
        self._hint.setText(english.INSPECT_HINT.format(column=name, meaning=meaning))

    def details(self) -> tuple[str, str]:
        """What is said under the table: of the candidate, of the column."""
        return self._fate.text(), self._hint.text()

    def _copy(self) -> None:
        columns = [at for at in range(len(COLUMNS)) if not self.table.isColumnHidden(at)]
        lines = ["\t".join(COLUMNS[at][0] for at in columns)]
        lines += [
            "\t".join(cell_text(candidate, at) for at in columns)
            for candidate in self.table.shown()
        ]
        QGuiApplication.clipboard().setText("\n".join(lines))
        self.copy.setText(english.COPIED)
        QTimer.singleShot(
            _COPIED_MS, self, lambda: self.copy.setText(f" {english.INSPECT_COPY}")
        )


def search_params(talk: Talk, turn: Turn) -> dict[str, Any]:
    """The search that a turn made, to be made again."""
    params = talk.scope.params()
    report = turn.report
    if report is not None and report.libraries:
        params = {"library": report.libraries[0], "libraries": report.libraries[1:]}
        params["filter"] = report.filter.model_dump(mode="json")
    asked = report.question if report is not None else turn.question
    searched = report.searched if report is not None else ""
    return {
        **params,
        "query": searched or turn.rewritten or asked,
        "top": len(turn.passages) or SOURCES_USUAL,
        "explain": True,
    }
