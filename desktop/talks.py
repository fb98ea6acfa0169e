"""The conversations of the window: those open, those not asked yet, and their drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.conversation import Talk
from desktop.scope import Scope
from desktop.state import AppState, Reading
from engine.errors import EngineError, InvalidInput

if TYPE_CHECKING:
    from engine.work.api import Conversation

KEEP_DELAY_MS = 700
DRAFTS_KEPT = 60
LONGEST_DRAFT = 8_000


class Talks(QObject):
    """Which talk is on the page, and what is to be found again after a restart."""

    switched = Signal()
    """Another talk is on the page."""
    shown_again = Signal()
    """The talk on the page has become known: its turns or its library."""
    kept_changed = Signal()
    """Drafts, scopes or the place changed a moment ago: worth writing down."""

    def __init__(self, state: AppState) -> None:
        super().__init__(state)
        self._state = state
        self._stored: dict[str, Talk] = {}
        """Conversation id → talk, for those opened or with a draft."""
        self._loading: set[str] = set()
        self._fresh: dict[str, Talk] = {}
        """First library → the talk of a question not asked yet, with its draft."""
        self.talk = Talk(state, Scope())
        self._fresh[""] = self.talk
        self.pending: Reading | None = None
        """A reading whose library has no id yet; questions to it wait in `pending_talk`."""
        self.pending_talk: Talk | None = None
        self._awake = False
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(KEEP_DELAY_MS)
        self._delay.timeout.connect(self.kept_changed)

    # --- going about ----------------------------------------------------------------------

    def open_library(self, library_id: str) -> None:
        """A new question in this library ("" for none)."""
        talk = self._fresh.get(library_id)
        if talk is None or talk.turns:
            talk = Talk(self._state, Scope((library_id,) if library_id else ()))
            self._fresh[library_id] = talk
        self.switch(talk)

    def open_reading(self, reading: Reading) -> None:
        """A question to a library that is only just being made."""
        self.pending = reading
        self.pending_talk = Talk(self._state, Scope())
        self.switch(self.pending_talk)

    def open_conversation(self, conversation_id: str) -> None:
        """A stored conversation; loaded when it is first shown."""
        talk = self._stored.get(conversation_id)
        if talk is None:
            talk = self._stored[conversation_id] = Talk(self._state, Scope(), conversation_id)
        if not talk.loaded and conversation_id not in self._loading:
            self._load(talk)
        self.switch(talk)

    def switch(self, talk: Talk) -> None:
        """Put a talk on the page."""
        self.talk, self._awake = talk, True
        self.switched.emit()
        self.note()

    def forget(self, conversation_id: str) -> None:
        """Leave a conversation that is deleted."""
        gone = self._stored.pop(conversation_id, None)
        if gone is not None and gone is self.talk:
            self.open_library(gone.library_id)

    def asked(self, talk: Talk) -> None:
        """The first question of a talk is asked: the next one is another talk."""
        for library_id in [key for key, kept in self._fresh.items() if kept is talk]:
            del self._fresh[library_id]
        talk.named.connect(lambda: self._named(talk))

    def scope_moved(self, talk: Talk) -> None:
        """A talk not asked yet is found under its first library."""
        if talk.turns or talk.id or talk not in self._fresh.values():
            return
        for library_id in [key for key, kept in self._fresh.items() if kept is talk]:
            del self._fresh[library_id]
        self._fresh[talk.library_id] = talk

    def _named(self, talk: Talk) -> None:
        self._stored[talk.id] = talk
        self._state.refresh("conversations")
        if talk is self.talk:
            self.switched.emit()
        self.note()

    def _load(self, talk: Talk) -> None:
        self._loading.add(talk.id)
        call = self._state.client.request("conversations.show", {"conversation": talk.id})
        call.succeeded.connect(lambda conversation: self._loaded(talk, conversation))
        call.failed.connect(lambda error: self._load_failed(talk, error))

    def _loaded(self, talk: Talk, conversation: Conversation) -> None:
        self._loading.discard(talk.id)
        talk.fill(conversation)
        if talk is self.talk:
            self.shown_again.emit()

    def _load_failed(self, talk: Talk, error: EngineError) -> None:
        self._loading.discard(talk.id)
        self._stored.pop(talk.id, None)
        self._state.notices.error(error)

    # --- a library that is being made -----------------------------------------------------

    def library_found(self, reading: Reading, library_id: str) -> None:
        """The library of a reading has an id: questions that waited are asked."""
        talk = self.pending_talk
        if self.pending is not reading or talk is None:
            return
        self.pending = self.pending_talk = None
        talk.scope = Scope((library_id,))
        if not talk.turns:
            self._fresh[library_id] = talk
        for turn in talk.turns:
            if turn.running and turn.call is None:
                talk.send(turn)
        self.shown_again.emit()

    def give_up_pending(self, why: str) -> None:
        """The reading ended before its library was known: so do the questions to it."""
        talk, self.pending, self.pending_talk = self.pending_talk, None, None
        for turn in talk.turns if talk is not None else []:
            if turn.running and turn.call is None:
                turn.fail(InvalidInput(why))

    # --- what survives a restart ----------------------------------------------------------

    def note(self) -> None:
        """Something changed that a restart should not lose; it is written down soon.

        Not before the place of last time is opened: it would be lost to the empty page that
        stands there until the engine has said what there is.
        """
        if self._awake:
            self._delay.start()

    def kept(self) -> dict[str, Any]:
        """Drafts, scopes and the place, for the settings file."""
        drafts = [
            {
                "conversation": talk.id,
                "text": talk.draft[:LONGEST_DRAFT],
                "scope": talk.scope.to_json(),
            }
            for talk in [*self._stored.values(), *self._fresh.values()]
            if talk.draft.strip() or talk.scope_chosen
        ]
        place = {"conversation": self.talk.id, "library": self.talk.library_id}
        return {"drafts": drafts[-DRAFTS_KEPT:], "place": place}

    def restore(self, kept: object) -> None:
        """Bring drafts and scopes back; what is not understood is left out."""
        drafts = kept.get("drafts") if isinstance(kept, dict) else None
        for draft in drafts[:DRAFTS_KEPT] if isinstance(drafts, list) else []:
            if not isinstance(draft, dict):
                continue
            text, name = draft.get("text"), draft.get("conversation")
            if not isinstance(text, str) or not isinstance(name, str):
                continue
            talk = Talk(self._state, Scope(), name)
            talk.restore(text[:LONGEST_DRAFT], Scope.from_json(draft.get("scope")))
            if name:
                self._stored[name] = talk
            else:
                self._fresh[talk.library_id] = talk

    def open_last(self, kept: object) -> bool:
        """Go where the user was; False when that is gone."""
        place = kept.get("place") if isinstance(kept, dict) else None
        if not isinstance(place, dict):
            return False
        name, library = place.get("conversation"), place.get("library")
        if any(row.id == name for row in self._state.conversations):
            self.open_conversation(str(name))
        elif isinstance(library, str) and self._state.library(library) is not None:
            self.open_library(library)
        else:
            return False
        return True
