"""A conversation as the window holds it: turns that go on being answered while not shown."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal

from desktop.client import Call
from desktop.origins import Origins, origins_of
from desktop.scope import Scope
from desktop.state import AppState
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import AnswerReport, Conversation, PassageHit

Stage = Literal["searching", "loading", "reading", "writing", "done", "failed", "stopped"]


class Turn(QObject):
    """One question and its answer, finished or on its way; one of its versions is shown."""

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
        self.rewritten = ""
        """The question as it is searched for, where that is not the question as asked."""
        self.exact = False
        """Asked to be searched for word by word."""
        self.report: AnswerReport | None = None
        """The answer shown: the newest, or an earlier version."""
        self.newest: AnswerReport | None = None
        self.version = 1
        """Which version is shown, from 1, the oldest."""
        self.error: EngineError | None = None
        self.call: Call | None = None
        self._origins: tuple[AnswerReport | None, Origins] = (None, Origins())
        self.instead_of: list[Turn] = []
        """The turns this one takes the place of; they come back if it is never answered."""

    @property
    def running(self) -> bool:
        """True until the answer has ended one way or another."""
        return self.stage not in ("done", "failed", "stopped")

    @property
    def number(self) -> int:
        """Its number in the stored conversation, 0 when it is not kept."""
        return self.newest.turn if self.newest is not None else 0

    @property
    def versions(self) -> int:
        """How many answers there are."""
        return self.newest.versions if self.newest is not None else 1

    @property
    def origins(self) -> Origins:
        """Where the words of the answer shown came from; nothing while it is written."""
        if self._origins[0] is not self.report:
            self._origins = (self.report, origins_of(self.report))
        return self._origins[1]

    def stop(self) -> None:
        """Stop at once; what was written so far stays."""
        if self.call is not None:
            self.call.cancel()
        else:
            self.fail(Cancelled())

    def finish(self, report: AnswerReport) -> None:
        """Take over the finished answer, citation marks and all."""
        self.newest = report
        self.stage = "stopped" if report.stopped else "done"
        self.show_report(report, report.versions)
        self.ended.emit()

    def show_report(self, report: AnswerReport, version: int) -> None:
        """Show this answer: the newest, or an earlier version."""
        self.report, self.passages = report, report.passages
        self.text, self.rewritten, self.version = report.answer, report.rewritten, version
        self.sources_changed.emit()
        self.changed.emit()

    def judge(self, report: AnswerReport) -> None:
        """Take over what the user thinks of the newest answer."""
        was_shown = self.report is self.newest
        self.newest = report
        if was_shown:
            self.report = report
        self.changed.emit()

    def hear(self, kind: str, data: Any) -> None:
        """A partial result of the engine; what is not understood is passed over."""
        from engine.work.api import PassageHit

        if kind == "sources":
            self.passages = [PassageHit.model_validate(hit) for hit in data["passages"]]
            self.stage = "reading"
            self.sources_changed.emit()
        elif kind == "rewritten":
            self.rewritten = str(data.get("question", ""))
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
    rebuilt = Signal()
    """Turns were taken out or put back."""
    changed = Signal()
    named = Signal()
    """The engine has given it an id."""
    scope_changed = Signal()

    def __init__(self, state: AppState, scope: Scope, conversation_id: str = "") -> None:
        super().__init__(state)
        self.id = conversation_id
        self.scope = scope
        self.title = ""
        self.turns: list[Turn] = []
        self.loaded = not conversation_id
        self.draft = ""
        self.passages_wanted = 0
        self.usual_mode = "auto"
        """How passages are read where the scope does not say."""
        self.scope_chosen = False
        """The scope is the user's choice for the next question, not yet asked with."""
        self._state = state

    @property
    def library_id(self) -> str:
        """The first library it searches, "" for none."""
        return self.scope.library

    @property
    def running(self) -> Turn | None:
        """The turn being answered now."""
        return next((turn for turn in self.turns if turn.running), None)

    def set_scope(self, scope: Scope) -> None:
        """Search elsewhere from the next question on."""
        if scope != self.scope:
            self.scope, self.scope_chosen = scope, True
            self.scope_changed.emit()

    def restore(self, draft: str, scope: Scope) -> None:
        """What the user had prepared when the window was last open."""
        self.draft, self.scope, self.scope_chosen = draft, scope, True

    def fill(self, conversation: Conversation) -> None:
        """Take over a stored conversation."""
        self.title = conversation.title
        stored = Scope.of(conversation)
        known = {**self.scope.names, **stored.names}
        self.scope = replace(self.scope if self.scope_chosen else stored, names=known)
        for report in conversation.turns:
            turn = Turn(report.question, self)
            turn.finish(report)
            self.turns.append(turn)
        self.loaded = True
        self.changed.emit()

    # --- asking ---------------------------------------------------------------------------

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

    def ask_again(
        self, old: Turn, question: str = "", exact: bool = False, other_words: bool = False
    ) -> Turn:
        """Ask in place of `old`: it and the turns after it no longer count.

        `question` replaces its words, `exact` searches for them as they are, `other_words`
        draws another wording of the answer. A question that the engine never kept (it
        failed) is simply asked anew.
        """
        at = self.turns.index(old)
        turn = Turn(question or old.question, self)
        turn.exact, turn.instead_of = exact, self.turns[at:]
        self.turns[at:] = [turn]
        if at == 0 and not self.id:
            self.title = turn.question
        self.send(turn, seed=random.randrange(1, 2**31) if other_words else None)
        self.rebuilt.emit()
        return turn

    def send(self, turn: Turn, seed: int | None = None) -> None:
        """Have the engine answer a turn."""
        self.scope_chosen = False
        params: dict[str, Any] = {"question": turn.question, "conversation": self.id or None}
        params |= self._there().params() or {"mode": "none"}
        params.setdefault("mode", self.scope.mode or self.usual_mode)
        if self.scope.preset is not None:
            params["preset"] = self.scope.preset
        if self.passages_wanted:
            params["top"] = self.passages_wanted
        if turn.instead_of and turn.instead_of[0].number:
            params["replaces"] = turn.instead_of[0].number
        if turn.exact:
            params["rewrite"] = False
        if seed is not None:
            params["seed"] = seed
        call = self._state.client.request("ask", params)
        turn.call = call
        call.said.connect(turn.hear)
        call.succeeded.connect(lambda report: self._answered(turn, report))
        call.failed.connect(lambda error: self._failed(turn, error))

    def _there(self) -> Scope:
        """The scope without libraries that have been removed, as long as one is left."""
        known = tuple(lib for lib in self.scope.libraries if self._state.library(lib))
        return replace(self.scope, libraries=known) if known else self.scope

    def _answered(self, turn: Turn, report: AnswerReport) -> None:
        new = bool(report.conversation) and not self.id
        if new:
            self.id = report.conversation
        self._let_go(turn)
        turn.finish(report)
        self._state.note_speed(report.tokens_per_second)
        if new:
            self.named.emit()

    def _failed(self, turn: Turn, error: EngineError) -> None:
        """A turn that was to replace a kept one gives its place back."""
        if not (turn.instead_of and turn.instead_of[0].number and turn in self.turns):
            self._let_go(turn)
            turn.fail(error)
            return
        at = self.turns.index(turn)
        self.turns[at : at + 1] = turn.instead_of
        turn.instead_of = []
        turn.fail(error)
        if not isinstance(error, Cancelled):
            self._state.notices.error(error)
        self.rebuilt.emit()
        turn.deleteLater()

    def _let_go(self, turn: Turn) -> None:
        for old in turn.instead_of:
            old.deleteLater()
        turn.instead_of = []

    # --- what was answered ----------------------------------------------------------------

    def judge(self, turn: Turn, verdict: str, correction: str = "") -> None:
        """Keep what the user thinks of an answer."""
        params = {
            "conversation": self.id,
            "turn": turn.number,
            "verdict": verdict,
            "correction": correction,
        }
        call = self._state.client.request("conversations.feedback", params)
        call.succeeded.connect(turn.judge)
        call.failed.connect(self._state.notices.error)

    def show_version(self, turn: Turn, version: int) -> None:
        """Show an earlier answer of a turn, or the newest again."""
        if turn.newest is not None and version == turn.versions:
            turn.show_report(turn.newest, version)
            return
        params = {"conversation": self.id, "turn": turn.number, "version": version}
        call = self._state.client.request("conversations.version", params)
        call.succeeded.connect(lambda report: turn.show_report(report, version))
        call.failed.connect(self._state.notices.error)
