"""One turn on the ask page: the question, the answer, what it cost, what went wrong."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.conversation import Turn
from desktop.origins import Piece
from desktop.strings import english, names
from desktop.widgets.answer_notes import AnswerNotes
from desktop.widgets.answer_view import AnswerView
from desktop.widgets.basics import column, label
from desktop.widgets.feedback_box import FeedbackBox
from desktop.widgets.guess_box import GuessBox
from desktop.widgets.notice_bar import announce
from desktop.widgets.problem_box import ProblemBox
from desktop.widgets.pulse import Pulse
from desktop.widgets.question_bubble import QuestionBubble
from desktop.widgets.rewritten_line import RewrittenLine
from desktop.widgets.turn_actions import TurnActions


class TurnView(QWidget):
    """Follows one `Turn` until either is gone."""

    cited = Signal(int)
    link_copied = Signal(str)
    again = Signal()
    """The same question once more, in other words."""
    exact = Signal()
    """The same question once more, searched for as it was typed."""
    resent = Signal(str)
    judged = Signal(str, str)
    """up, down or none, and what the answer should have been."""
    version_wanted = Signal(int)
    inspect = Signal()
    sources_changed = Signal()
    ended = Signal()
    origins_wanted = Signal(bool)
    """The words are to show where they came from, or not to."""
    pointed = Signal(int)
    """The number of the source that the word pointed at came from, 0 for none."""
    shrunk = Signal(int)
    """The finished turn is so many pixels lower than it was while it was written."""

    def __init__(self, turn: Turn, library_names: str) -> None:
        super().__init__()
        self.turn = turn
        self._library_names = library_names
        self._drawn = ""
        """The stage shown in full."""
        self._coloured = False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.question = QuestionBubble(turn.question)
        self.rewritten = RewrittenLine()
        self.answer = AnswerView()
        self.guess = GuessBox()
        self.notes = AnswerNotes()
        self.pulse = Pulse()
        self._notice = label("", 0.95, tone="muted", wrap=True)
        self._problem = ProblemBox()
        self.tools = TurnActions(turn)
        self.feedback = FeedbackBox()
        layout = column(spacing=14, margins=(0, 0, 0, 26))
        for part in (
            self.question,
            self.rewritten,
            self.answer,
            self.guess,
            self.notes,
            self.pulse,
            self._notice,
            self._problem,
            self.tools,
            self.feedback,
        ):
            layout.addWidget(part)
        self.setLayout(layout)
        self._connect()
        self._show()

    def _connect(self) -> None:
        self.answer.cited.connect(self.cited)
        self.answer.link_copied.connect(self.link_copied)
        self.answer.pointed.connect(self._pointed)
        self.tools.origins_wanted.connect(self.origins_wanted)
        self.question.resent.connect(self.resent)
        self.rewritten.exact_wanted.connect(self.exact)
        self.tools.again.connect(self.again)
        self.tools.edit.connect(self.question.begin_edit)
        self.tools.judged.connect(self._judged)
        self.tools.correct.connect(self.feedback.open_field)
        self.tools.version_wanted.connect(self.version_wanted)
        self.tools.inspect.connect(self.inspect)
        self.feedback.kept.connect(lambda text: self.judged.emit("down", text))
        self.turn.changed.connect(self._show)
        self.turn.ended.connect(self._end)
        self.turn.sources_changed.connect(self.sources_changed)

    def timing(self) -> str:
        """The line of figures under the answer."""
        return self.tools.timing()

    def notice(self) -> str:
        """The remark under the answer."""
        return self._notice.text()

    def problem(self) -> str:
        """What is said to have gone wrong, empty when nothing has."""
        return self._problem.text()

    def _show(self) -> None:
        turn = self.turn
        if turn.stage == "writing" == self._drawn:
            # A token: nothing else has changed, and there may be hundreds a second.
            self.answer.show_answer(turn.text, len(turn.passages))
            return
        before = self.height() if self._drawn == "writing" else 0
        self._drawn = turn.stage
        self.question.show_question(turn.report.question if turn.report else turn.question)
        self.question.set_editable(not turn.running)
        self.rewritten.show_question(turn.rewritten, not turn.running and not turn.exact)
        self._show_origins()
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
        self.tools.setVisible(not turn.running)
        self.tools.show_turn()
        self._show_correction()
        if before and not turn.running:
            self._say_shrunk(before)

    def colour_words(self, on: bool) -> None:
        """Show where the words came from, or stop showing it."""
        if on == self._coloured:
            return
        self._coloured = on
        self._show_origins()
        if not self.turn.running and self.turn.text:
            self.answer.show_answer(self.turn.text, len(self.turn.passages), now=True)

    def _show_origins(self) -> None:
        turn = self.turn
        origins = turn.origins
        shown = self._coloured and bool(origins.sources)
        self.answer.set_origins(origins, shown)
        self.notes.show_report(turn.report, origins, shown)
        self.tools.show_origins(bool(origins.sources), shown)
        refused = turn.report is not None and turn.report.refused
        self.guess.show_guess(turn.report.guess if refused and turn.report else "")

    def _pointed(self, piece: Piece | None) -> None:
        lines = self.answer.explained(piece)
        hue = self.turn.origins.hue(piece.n) if piece is not None and self._coloured else -1
        self.notes.origin.explain(lines, hue)
        self.pointed.emit(piece.n if piece is not None and hue >= 0 else 0)

    def _say_shrunk(self, before: int) -> None:
        layout = self.layout()
        assert layout is not None
        hangs = layout.hasHeightForWidth()
        wide = layout.totalHeightForWidth(self.width())
        now = wide if hangs else layout.totalSizeHint().height()
        if now < before:
            self.shrunk.emit(before - now)

    def _show_correction(self) -> None:
        newest = self.turn.newest
        shown = self.turn.version == self.turn.versions
        given = newest.feedback if newest is not None and shown else None
        self.feedback.show_correction(given.correction if given is not None else "")

    def _stage_text(self) -> str:
        if self.turn.stage == "loading":
            return english.LOADING.format(model=names.one_line(self.turn.loading, 60))
        if self.turn.stage == "searching" and self._library_names:
            return english.SEARCHING.format(library=names.one_line(self._library_names, 60))
        return english.THINKING

    def _remark(self) -> str:
        turn = self.turn
        parts = []
        if turn.version < turn.versions:
            parts.append(english.VERSION_EARLIER)
        if turn.stage == "stopped":
            parts.append(english.STOPPED)
        if turn.report is not None:
            # An answer that is the engine's own words says so by itself.
            if turn.report.refused and not turn.report.guess and turn.passages:
                parts.append(english.REFUSED)
            if turn.report.notice:
                parts.append(names.one_line(turn.report.notice))
        return " ".join(parts)

    def _judged(self, verdict: str) -> None:
        given = self.turn.newest.feedback if self.turn.newest is not None else None
        kept = given.correction if given is not None and verdict == "down" else ""
        self.judged.emit(verdict, kept)
        if verdict == "down" and not kept:
            self.feedback.open_field()
        elif verdict != "down":
            self.feedback.close_field()

    def _end(self) -> None:
        self._show()
        self.ended.emit()
        if self.turn.stage == "done":
            announce(self.answer, english.ANSWER_READY)
