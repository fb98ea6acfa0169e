"""One turn on the ask page: the question, the answer, what it cost, what went wrong."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop.conversation import Turn
from desktop.notices import error_details
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.answer_view import AnswerView
from desktop.widgets.basics import BOLD, button, card, column, icon_button, label, row
from desktop.widgets.notice_bar import announce
from desktop.widgets.pulse import Pulse

BUBBLE_SHARE = 0.8
QUESTION_SHOWN = 4000


class TurnView(QWidget):
    """Follows one `Turn` until either is gone."""

    cited = Signal(int)
    link_copied = Signal(str)
    ask_again = Signal(str)
    grew = Signal()

    def __init__(self, turn: Turn, state: AppState, library_name: str) -> None:
        super().__init__()
        self.turn = turn
        self._state = state
        self._library_name = library_name
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._bubble, self._question = self._make_bubble(turn.question)
        self.answer = AnswerView()
        self.answer.cited.connect(self.cited)
        self.answer.link_copied.connect(self.link_copied)
        self.pulse = Pulse()
        self._notice = label("", 0.95, tone="muted", wrap=True)
        self._actions, self._timing = self._make_actions()
        self._problem = _Problem()
        layout = column(spacing=14, margins=(0, 0, 0, 26))
        layout.addLayout(row(None, self._bubble))
        for part in (self.answer, self.pulse, self._notice, self._problem, self._actions):
            layout.addWidget(part)
        self.setLayout(layout)
        turn.changed.connect(self._show)
        turn.ended.connect(self._end)
        self._show()
        if not turn.running:
            self.answer.show_answer(turn.text, len(turn.passages), now=True)

    def _make_bubble(self, question: str) -> tuple[QFrame, QLabel]:
        shown = names.prose(question, QUESTION_SHOWN)
        text = label(shown, wrap=True, selectable=True)
        text.setAccessibleName(english.QUESTION_SAID.format(text=shown))
        bubble = card("bubble")
        bubble.setLayout(column(text, margins=(15, 10, 15, 11)))
        bubble.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        return bubble, text

    def _make_actions(self) -> tuple[QWidget, QLabel]:
        result = QWidget()
        self._copy = icon_button("copy", english.COPY_ANSWER, self._copy_answer, 17)
        again = icon_button("refresh-cw", english.ASK_AGAIN, self._again, 17)
        timing = label("", 0.92, tone="muted")
        result.setLayout(row(self._copy, again, None, timing, spacing=4, margins=(0, 0, 0, 0)))
        return result, timing

    def timing(self) -> str:
        """The line of figures under the answer."""
        return self._timing.text()

    def notice(self) -> str:
        """The remark under the answer."""
        return self._notice.text()

    def problem(self) -> str:
        """What is said to have gone wrong, empty when nothing has."""
        return self._problem.text()

    def _show(self) -> None:
        turn = self.turn
        if turn.text:
            self.answer.show_answer(turn.text, len(turn.passages), now=not turn.running)
        self.answer.setVisible(bool(turn.text))
        waiting = turn.running and not turn.text
        self.pulse.setVisible(waiting)
        if waiting:
            self.pulse.say(self._stage_text())
        note = self._remark()
        self._notice.setText(note)
        self._notice.setVisible(bool(note))
        self._problem.show_error(turn.error)
        self._actions.setVisible(not turn.running)
        self._copy.setVisible(bool(turn.text))
        self._timing.setText(self._figures())
        self.grew.emit()

    def _stage_text(self) -> str:
        if self.turn.stage == "loading":
            return english.LOADING.format(model=names.one_line(self.turn.loading, 60))
        if self.turn.stage == "searching" and self._library_name:
            return english.SEARCHING.format(library=names.one_line(self._library_name, 60))
        return english.THINKING

    def _remark(self) -> str:
        turn = self.turn
        parts = []
        if turn.stage == "stopped":
            parts.append(english.STOPPED)
        if turn.report is not None:
            if turn.report.refused:
                parts.append(english.REFUSED)
            if turn.report.notice:
                parts.append(names.one_line(turn.report.notice))
        return " ".join(parts)

    def _figures(self) -> str:
        report = self.turn.report
        if report is None:
            return ""
        cited = len({(cite.file_id, cite.start) for cite in report.citations})
        sources = cited or len(report.passages)
        parts = [
            figures.count(sources, "source", "sources") if sources else english.NO_SOURCES_USED
        ]
        parts.append(figures.seconds(report.timings.total_ms / 1000))
        if report.tokens_per_second:
            rate = f"{report.tokens_per_second:.0f}"
            parts.append(english.TOKENS_PER_SECOND.format(rate=rate))
        return " · ".join(parts)

    def _end(self) -> None:
        self._show()
        if self.turn.stage == "done":
            announce(self.answer, english.ANSWER_READY)

    def _copy_answer(self) -> None:
        QGuiApplication.clipboard().setText(self.turn.text)
        self._copy.setToolTip(english.COPIED)
        from desktop import theme

        theme.set_icon(self._copy, "check", "good", 17)
        QTimer.singleShot(1800, self, self._copy_done)

    def _copy_done(self) -> None:
        from desktop import theme

        self._copy.setToolTip(english.COPY_ANSWER)
        theme.set_icon(self._copy, "copy", "muted", 17)

    def _again(self) -> None:
        self.ask_again.emit(self.turn.question)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_bubble()

    def _fit_bubble(self) -> None:
        """As wide as its longest line needs, at most four fifths of the column."""
        most = int(self.width() * BUBBLE_SHARE) - 30
        lines = self._question.text().split("\n")[:200]
        metrics = self._question.fontMetrics()
        needed = max(metrics.horizontalAdvance(line[:400]) for line in lines) + 4
        width = max(24, min(most, needed))
        self._question.setFixedWidth(width)
        self._question.setFixedHeight(self._question.heightForWidth(width))


class _Problem(QFrame):
    """An error inside the conversation: what happened, what to do, copy the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("problem")
        self._details = ""
        self._message = label("", weight=BOLD, tone="danger", wrap=True)
        self._hint = label("", wrap=True)
        self._copy = button(english.COPY_DETAILS, self._copy_details, "link")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(4)
        layout.addWidget(self._message)
        layout.addWidget(self._hint)
        layout.addLayout(row(self._copy, None))
        self.hide()

    def text(self) -> str:
        return f"{self._message.text()} {self._hint.text()}".strip() if self._details else ""

    def show_error(self, error) -> None:  # type: ignore[no-untyped-def]
        self.setVisible(error is not None)
        if error is None:
            return
        self._details = error_details(error)
        self._message.setText(names.prose(error.message, 600))
        self._hint.setText(names.prose(error.hint, 600))
        self._hint.setVisible(bool(error.hint))

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
        self._copy.setText(english.DETAILS_COPIED)
        QTimer.singleShot(2000, self, lambda: self._copy.setText(english.COPY_DETAILS))
