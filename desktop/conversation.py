"""A conversation as the window holds it: turns that go on being answered while not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal

from desktop.client import Call
from desktop.state import AppState
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import AnswerReport, Conversation, PassageHit

Stage = Literal["searching", "loading", "reading", "writing", "done", "failed", "stopped"]


class Turn(QObject):
    """One question and its answer, finished or on its way."""

    changed = Signal()
    sources_changed = Signal()
    ended = Signal()

    def __init__(self, question: str, parent: QObject) -> None:
        super().__init__(parent)
        self.question = question
        self.stage: Stage = "searching"
        self.passages: list[PassageHit] = []
        self.text = ""
        self.loading = ""
        self.report: AnswerReport | None = None
        self.error: EngineError | None = None
        self.call: Call | None = None
        self._pieces: list[str] = []

    @property
    def running(self) -> bool:
        """True until the answer has ended one way or another."""
        return self.stage not in ("done", "failed", "stopped")

    def stop(self) -> None:
        """Stop at once; what was written so far stays."""
        if self.call is not None:
            self.call.cancel()
        else:
            self.fail(Cancelled())

    def finish(self, report: AnswerReport) -> None:
        """Take over the finished answer, citation marks and all."""
        self.report, self.passages = report, report.passages
        self.text = report.answer
        self.stage = "stopped" if report.stopped else "done"
        self.sources_changed.emit()
        self.changed.emit()
        self.ended.emit()

    def hear(self, kind: str, data: Any) -> None:
        """A partial result of the engine; what is not understood is passed over."""
        from engine.work.api import PassageHit

        if kind == "sources":
            self.passages = [PassageHit.model_validate(hit) for hit in data["passages"]]
            self.stage = "reading"
            self.sources_changed.emit()
        elif kind == "loading":
            self.loading = str(data.get("model", ""))
            self.stage = "loading"
        elif kind == "token":
            self.text += str(data["text"])
            self.stage = "writing"
        self.changed.emit()

    def fail(self, error: EngineError) -> None:
        """End without a whole answer."""
        if isinstance(error, Cancelled):
            self.stage = "stopped"
        else:
            self.stage, self.error = "failed", error
        self.changed.emit()
        self.ended.emit()


class Talk(QObject):
    """The turns of one conversation. `id` is empty until the engine has kept a first answer."""

    turn_added = Signal(object)
    changed = Signal()
    named = Signal()
    """The engine has given it an id."""

    def __init__(self, state: AppState, library_id: str, conversation_id: str = "") -> None:
        super().__init__(state)
        self.id = conversation_id
        self.library_id = library_id
        self.title = ""
        self.turns: list[Turn] = []
        self.loaded = not conversation_id
        self.draft = ""
        self.passages_wanted = 0
        self._state = state

    @property
    def running(self) -> Turn | None:
        """The turn being answered now."""
        return next((turn for turn in self.turns if turn.running), None)

    def fill(self, conversation: Conversation) -> None:
        """Take over a stored conversation."""
        self.title, self.library_id = conversation.title, conversation.library
        for report in conversation.turns:
            turn = Turn(report.question, self)
            turn.finish(report)
            self.turns.append(turn)
        self.loaded = True
        self.changed.emit()

    def ask(self, question: str, hold: bool = False) -> Turn:
        """Ask one more question in this conversation; `hold` keeps it back until `send`."""
        turn = Turn(question, self)
        if not self.turns:
            self.title = question
        self.turns.append(turn)
        if not hold:
            self.send(turn)
        self.turn_added.emit(turn)
        return turn

    def send(self, turn: Turn) -> None:
        """Have the engine answer a turn."""
        params: dict[str, Any] = {"question": turn.question, "conversation": self.id or None}
        if self.library_id:
            params["library"] = self.library_id
        else:
            params["mode"] = "none"
        if self.passages_wanted:
            params["top"] = self.passages_wanted
        call = self._state.client.request("ask", params)
        turn.call = call
        call.said.connect(turn.hear)
        call.succeeded.connect(lambda report: self._answered(turn, report))
        call.failed.connect(turn.fail)

    def _answered(self, turn: Turn, report: AnswerReport) -> None:
        new = bool(report.conversation) and not self.id
        if new:
            self.id = report.conversation
        turn.finish(report)
        self._state.note_speed(report.tokens_per_second)
        if new:
            self.named.emit()
