"""The third step: what would spoil the training, in plain words, with the rows to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from desktop import theme
from desktop.client import Call
from desktop.pages.tuning.step import Draft, Remark, Step, scrolling
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, button, clear_layout, column, label, row
from desktop.widgets.problem_box import ProblemBox
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import DatasetCheck, Finding, TokenBin

_TONES = {"error": "danger", "warning": "warning", "note": "muted"}


class FindingCard(QFrame):
    """One finding: what it is, what to do, and the way to its rows."""

    rows_wanted = Signal(object)

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self.setObjectName("card")
        self.finding = finding
        sentence = names.prose(finding.sentence, 500)
        remark = Remark(sentence, _TONES[finding.severity])
        remark.text.setFont(theme.font(1.0, BOLD))
        layout = column(remark, spacing=4, margins=(14, 11, 14, 11))
        advice = label(names.prose(finding.advice, 500), 0.97, tone="muted", wrap=True)
        advice.setContentsMargins(29, 0, 0, 0)
        layout.addWidget(advice)
        if finding.rows:
            count = figures.count(len(finding.rows), *english.EXAMPLE_ROWS)
            self.show_rows = button(
                english.CHECK_SHOW_ROWS.format(rows=count),
                lambda: self.rows_wanted.emit(finding),
                "link",
            )
            line = row(self.show_rows, None)
            line.setContentsMargins(29, 0, 0, 0)
            layout.addLayout(line)
        self.setLayout(layout)
        self.setAccessibleName(sentence)


class TokenHistogram(QWidget):
    """How long the examples are: a bar for every stretch of lengths."""

    def __init__(self) -> None:
        super().__init__()
        self._bins: list[TokenBin] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.follow(self, self.update)

    def sizeHint(self) -> QSize:
        return QSize(320, 118)

    def set_bins(self, bins: list[TokenBin], said: str) -> None:
        """Show these; `said` is what a screen reader says."""
        self._bins = bins
        self.setAccessibleName(said)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._bins:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(0.9))
        most = max(1, *(one.rows for one in self._bins))
        wide = min(96.0, self.width() / len(self._bins))
        top, bottom = 18.0, self.height() - 22.0
        for at, one in enumerate(self._bins):
            tall = max(2.0, (bottom - top) * one.rows / most) if one.rows else 1.0
            bar = QRectF(at * wide + 3, bottom - tall, wide - 6, tall)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
            painter.drawRoundedRect(bar, 3, 3)
            painter.setPen(theme.colour("muted"))
            middle = Qt.AlignmentFlag.AlignCenter
            if one.rows:
                over = QRectF(at * wide, bar.top() - 18, wide, 18)
                painter.drawText(over, middle, f"{one.rows:,}")
            under = QRectF(at * wide, bottom + 3, wide, 18)
            painter.drawText(under, middle, f"{one.up_to:,}")
        painter.setPen(theme.colour("line"))
        painter.drawLine(QPointF(0, bottom), QPointF(self.width(), bottom))
        painter.end()


class CheckStep(Step):
    """Looks as soon as it is shown; the training can begin whatever was found but errors."""

    mark = english.TUNE_STEP_CHECK
    title = english.TUNE_CHECK_TITLE
    text = english.TUNE_CHECK_TEXT
    rows_wanted = Signal(object)
    """A `Finding` whose rows are to be shown."""

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__(state, draft)
        self.report: DatasetCheck | None = None
        self._checked: tuple[str, str, str] = ("", "", "")
        self._call: Call | None = None
        self._pulse = Pulse()
        self.problem = ProblemBox()
        self.summary = label("", 1.0, BOLD, wrap=True)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(10)
        self._lengths = label(english.CHECK_LENGTHS, 1.0, BOLD)
        self._counted = label("", 0.95, tone="muted", wrap=True)
        self.histogram = TokenHistogram()
        self.again = button(english.CHECK_AGAIN, self.check, icon="refresh-cw")
        inner = QWidget()
        layout = column(self._pulse, self.problem, self.summary, spacing=10)
        layout.addLayout(self._cards)
        layout.addSpacing(6)
        for part in (self._lengths, self._counted, self.histogram):
            layout.addWidget(part)
        layout.addLayout(row(self.again, None))
        layout.addStretch(1)
        inner.setLayout(layout)
        self.setLayout(column(scrolling(inner)))
        self._show()

    def next_text(self) -> str:
        return english.TUNE_START_ANYWAY if self._errors() else english.TUNE_START

    def ready(self) -> bool:
        return self.report is not None

    def busy(self) -> bool:
        return self._call is not None

    def enter(self) -> None:
        if self._checked != self._key() or self.report is None:
            self.check()

    def leave(self) -> None:
        self._drop_call()

    def cards(self) -> list[FindingCard]:
        """The findings shown."""
        found = [self._cards.itemAt(i).widget() for i in range(self._cards.count())]
        return [card for card in found if isinstance(card, FindingCard)]

    def _errors(self) -> bool:
        found = self.report.findings if self.report is not None else []
        return any(one.severity == "error" for one in found)

    def _key(self) -> tuple[str, str, str]:
        one = self.state.tunings.dataset(self.draft.dataset)
        return self.draft.dataset, one.sha256 if one is not None else "", self.draft.model

    def check(self) -> None:
        """Have the engine look through all examples."""
        self._drop_call()
        self.report, self._checked = None, self._key()
        self.problem.show_error(None)
        params = {"dataset": self.draft.dataset, "model": self.draft.model}
        self._pulse.say(english.CHECK_LOOKING)
        call = self._call = self.state.client.request("datasets.check", params)
        call.succeeded.connect(lambda report: self._take(call, report))
        call.failed.connect(lambda error: self._fail(call, error))
        self._show()

    def _take(self, call: Call, report: DatasetCheck) -> None:
        if call is self._call:
            self._call, self.report = None, report
            self._show()

    def _fail(self, call: Call, error: EngineError) -> None:
        if call is self._call:
            self._call = None
            if not isinstance(error, Cancelled):
                self.problem.show_error(error)
            self._show()

    def _drop_call(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call.cancel()

    def _show(self) -> None:
        report = self.report
        self._pulse.setVisible(self._call is not None)
        self.again.setVisible(self._call is None)
        for part in (self.summary, self._lengths, self._counted, self.histogram):
            part.setVisible(report is not None)
        clear_layout(self._cards)
        if report is not None:
            self._show_report(report)
        self.changed.emit()

    def _show_report(self, report: DatasetCheck) -> None:
        for finding in report.findings:
            card = FindingCard(finding)
            card.rows_wanted.connect(self.rows_wanted)
            self._cards.addWidget(card)
        if not report.findings:
            self._cards.addWidget(Remark(english.CHECK_CLEAN, "good"))
        self.summary.setText(
            english.CHECK_SUMMARY.format(
                train=f"{report.train:,}", heldout=f"{report.heldout:,}"
            )
        )
        by = english.CHECK_TOKENS_BY if report.tokens_by else english.CHECK_TOKENS_ABOUT
        counted = by.format(
            tokens=f"{report.tokens:,}",
            longest=f"{report.longest_tokens:,}",
            model=names.one_line(report.tokens_by, 60),
        )
        self._counted.setText(counted)
        bars = ", ".join(
            english.CHECK_BAR.format(up_to=f"{one.up_to:,}", rows=one.rows)
            for one in report.histogram
        )
        self.histogram.set_bins(report.histogram, f"{english.CHECK_LENGTHS}: {bars}")
