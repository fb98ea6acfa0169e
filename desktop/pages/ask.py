"""The main page: a conversation in the middle, its sources or a document beside it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.conversation import Talk, Turn
from desktop.dialogs.confirm import confirm
from desktop.dialogs.inspector import InspectorDialog
from desktop.pages.ask_origins import OriginsControl
from desktop.pages.ask_scope import ScopeControl
from desktop.pages.side_pane import SidePane
from desktop.state import AppState, Reading
from desktop.strings import english, figures
from desktop.talks import Talks
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    centred,
    clear_layout,
    column,
    icon_button,
    row,
)
from desktop.widgets.composer import Composer
from desktop.widgets.empty_ask import EmptyAsk
from desktop.widgets.filter_chips import FilterChips
from desktop.widgets.reading_bar import ReadingBar
from desktop.widgets.turn_list import READING_WIDTH_PX, SIDE_PX, TurnList
from desktop.widgets.turn_view import TurnView

_SOURCES_PX = 318
_VIEWER_SHARE = 0.52


class AskPage(QFrame):
    """Shows one `Talk`; others go on being answered while they are not shown."""

    place_changed = Signal()
    """Another library or conversation is on the page now."""
    kept_changed = Signal()
    """Drafts, scopes or the place changed a moment ago: `kept()` is worth writing down."""
    folder_offered = Signal(str)
    """The user wants this folder read."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self.talks = Talks(state)
        self._hidden = False
        self.passages = 0
        self.composer = Composer()
        self.chips = FilterChips()
        self.turns = TurnList()
        self.pane = SidePane(state)
        self.sources, self.viewer = self.pane.sources, self.pane.viewer
        self.scope = ScopeControl(state, self.talks, self.composer, self.chips, self)
        self.origins = OriginsControl(self.turns, self.pane, self)
        self._shown: Talk | None = None
        self._wanted_turn = 0
        self._build()
        self._connect()
        self._show_talk()

    # --- layout ---------------------------------------------------------------------------

    def _build(self) -> None:
        self.title = ElidedLabel(scale=1.08, weight=BOLD)
        self.why = icon_button("text-search", english.INSPECT, self.inspect, 18, "Ctrl+I")
        self.toggle = icon_button(
            "panel-right", english.HIDE_SOURCES, self.toggle_pane, 19, "Ctrl+B"
        )
        head = row(self.title, self.why, self.toggle, spacing=4, margins=(28, 12, 14, 10))
        head.setStretch(0, 1)
        self._empty = EmptyAsk()
        self._middle = QStackedWidget()
        self._middle.addWidget(self.turns)
        self._middle.addWidget(self._empty)
        self._reading_place = QVBoxLayout()
        foot = QWidget()
        inner = column(spacing=8, margins=(SIDE_PX, 8, SIDE_PX, 16))
        inner.addLayout(self._reading_place)
        inner.addWidget(self.chips)
        inner.addWidget(self.composer)
        foot.setLayout(inner)
        chat = QWidget()
        chat.setMinimumWidth(330)
        body = column(spacing=0)
        body.addLayout(head)
        body.addWidget(self._middle, 1)
        body.addWidget(centred(foot, READING_WIDTH_PX + 2 * SIDE_PX))
        chat.setLayout(body)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(chat)
        self.splitter.addWidget(self.pane)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setSizes([700, _SOURCES_PX])
        self.setLayout(column(self.splitter))

    def _connect(self) -> None:
        state, talks, sources = self._state, self.talks, self.sources
        self.composer.asked.connect(self.ask)
        self.composer.stopped.connect(self.stop)
        self.composer.field.textChanged.connect(self._keep_draft)
        self.scope.changed.connect(self._scope_changed)
        self.scope.folder_offered.connect(self.folder_offered)
        sources.why_wanted.connect(self.inspect)
        sources.only_file.connect(self.scope.only_file)
        sources.only_folder.connect(self.scope.only_folder)
        self.pane.viewer_toggled.connect(self._viewer_toggled)
        talks.switched.connect(self._switched)
        talks.shown_again.connect(self._shown_again)
        talks.kept_changed.connect(self.kept_changed)
        state.libraries_changed.connect(self._show_scope)
        state.library_found.connect(talks.library_found)
        state.readings_changed.connect(self._show_readings)

    # --- where the user is ----------------------------------------------------------------

    @property
    def talk(self) -> Talk:
        """The conversation on the page."""
        return self.talks.talk

    @property
    def library_id(self) -> str:
        """The first library the page asks, "" for none."""
        return self.talk.library_id

    @property
    def conversation_id(self) -> str:
        """The stored conversation on the page, "" for a new one."""
        return self.talk.id

    def new_question(self) -> None:
        """An empty page for the same library, its draft kept."""
        self.open_library(self.talk.library_id)

    def open_library(self, library_id: str) -> None:
        """A new question in this library ("" for none)."""
        self.talks.open_library(library_id)
        self.composer.field.setFocus()

    def open_reading(self, reading: Reading) -> None:
        """The page of a library that is only just being made."""
        if reading.library_id:
            self.open_library(reading.library_id)
            return
        self.talks.open_reading(reading)
        self.composer.field.setFocus()

    def open_conversation(self, conversation_id: str, turn: int = 0) -> None:
        """A stored conversation, at turn `turn` (from 1) or at its end."""
        self._wanted_turn = turn
        self.talks.open_conversation(conversation_id)
        if turn and self.talk.loaded:
            self.turns.to_turn(turn)

    def forget_conversation(self, conversation_id: str) -> None:
        """Leave a conversation that is deleted."""
        self.talks.forget(conversation_id)

    def kept(self) -> dict[str, Any]:
        """Drafts, scopes and the place, for `restore` after the next start."""
        return self.talks.kept()

    def restore(self, kept: object) -> None:
        """Bring back what `kept` gave; damaged parts are left out."""
        self.talks.restore(kept)
        self._show_talk()

    def open_last(self, kept: object) -> bool:
        """Go where the user was when `kept` was taken; False when that is gone."""
        return self.talks.open_last(kept)

    def take_files(self, paths: list[str]) -> None:
        """Files were dropped here: ask only them, or offer to read their folder."""
        self.scope.take_files(paths)

    # --- showing --------------------------------------------------------------------------

    def _switched(self) -> None:
        if self._shown is not self.talk:
            self.close_viewer()
            self._show_talk()
        self.place_changed.emit()

    def _shown_again(self) -> None:
        self._show_talk()
        self.place_changed.emit()

    def _show_talk(self) -> None:
        talk = self.talk
        if talk is not self._shown:
            if self._shown is not None:
                self._shown.rebuilt.disconnect(self._show_talk)
            talk.rebuilt.connect(self._show_talk)
            self._shown = talk
        self.title.set_text(talk.title)
        field = self.composer.field
        field.blockSignals(True)
        field.setPlainText(talk.draft)
        field.moveCursor(field.textCursor().MoveOperation.End)
        field.blockSignals(False)
        field.textChanged.emit()
        self.turns.fill(talk.turns, self._make_view)
        self._show_scope()
        self._show_readings()
        self._show_busy()
        self._show_sources(talk.turns[-1] if talk.turns else None)
        if self._wanted_turn and talk.turns:
            self.turns.to_turn(self._wanted_turn)
            self._wanted_turn = 0
        else:
            self.turns.to_end()

    def _make_view(self, turn: Turn) -> TurnView:
        reading = self._reading_here()
        view = TurnView(turn, reading.name if reading is not None else self.scope.names())
        talk = self.talk
        view.cited.connect(lambda number: self._cited(turn, number))
        view.link_copied.connect(self._link_copied)
        view.again.connect(lambda: self._ask_again(turn, other_words=True))
        view.exact.connect(lambda: self._ask_again(turn, exact=True))
        view.resent.connect(lambda text: self._ask_again(turn, question=text))
        view.judged.connect(lambda verdict, text: talk.judge(turn, verdict, text))
        view.version_wanted.connect(lambda number: talk.show_version(turn, number))
        view.inspect.connect(lambda: self._inspect(turn, 0))
        view.sources_changed.connect(lambda: self._turn_sources(turn))
        view.ended.connect(self._show_busy)
        self.origins.bind(view)
        return view

    def views(self) -> list[TurnView]:
        """The turns on the page."""
        return self.turns.views()

    def _show_scope(self) -> None:
        self.scope.show()
        if (pending := self._reading_here()) is not None and not self.talk.library_id:
            self.composer.show_library(pending.name)
        self._show_empty()

    def _scope_changed(self) -> None:
        self._show_scope()
        self.place_changed.emit()

    def _show_empty(self) -> None:
        empty = not self.talk.turns
        self._middle.setCurrentWidget(self._empty if empty else self.turns)
        self.pane.setVisible(not empty and not self._hidden)
        self.toggle.setVisible(not empty)
        self.why.setVisible(not empty and bool(self.talk.library_id))
        if empty:
            self._empty.say(*self._empty_words())

    def _empty_words(self) -> tuple[str, str]:
        if not self.talk.loaded:
            return "", english.QUESTION_LOADING
        if self._reading_here() is not None:
            return english.EMPTY_ASK_TITLE, english.EMPTY_ASK_INDEXING
        return english.EMPTY_ASK_TITLE, self.scope.invitation()

    def _show_readings(self) -> None:
        if self.talks.pending is not None and self.talks.pending not in self._state.readings:
            self.talks.give_up_pending(english.READING_FAILED)
            self._show_scope()
        wanted = self._reading_here()
        item = self._reading_place.itemAt(0)
        shown = item.widget() if item is not None else None
        if isinstance(shown, ReadingBar) and shown.reading is wanted:
            return
        clear_layout(self._reading_place)
        if wanted is not None:
            self._reading_place.addWidget(ReadingBar(wanted, slim=False))
        self._show_empty()

    def _reading_here(self) -> Reading | None:
        """The reading of the library on the page, known by its id or not yet."""
        if self.talks.pending is not None and self.talk is self.talks.pending_talk:
            return self.talks.pending
        return self._state.reading_of(self.talk.library_id)

    def _show_busy(self) -> None:
        self.composer.set_busy(self.talk.running is not None)

    # --- asking ---------------------------------------------------------------------------

    def ask(self, question: str) -> None:
        """Ask in the conversation on the page."""
        talk = self.talk
        if talk.running is not None or not talk.loaded:
            return
        talk.draft = ""
        self.scope.prepare(talk, self.passages)
        if not talk.turns:
            self.talks.asked(talk)
        self.composer.field.clear()
        turn = talk.ask(question, hold=talk is self.talks.pending_talk)
        self.title.set_text(talk.title)
        self.turns.add(turn)
        self.close_viewer()
        self._show_empty()
        self._show_sources(turn)
        self._show_busy()
        self.turns.to_end()

    def _ask_again(
        self, turn: Turn, question: str = "", exact: bool = False, other_words: bool = False
    ) -> None:
        """Ask in place of a turn; when others follow it, only if the user agrees."""
        talk = self.talk
        if talk.running is not None or turn not in talk.turns:
            return

        def go() -> None:
            self.scope.prepare(talk, self.passages)
            talk.ask_again(turn, question, exact, other_words)

        after = len(talk.turns) - talk.turns.index(turn) - 1
        if not after or not turn.number:
            go()
            return
        lost = figures.count(after, "question", "questions")
        text = english.REPLACE_TEXT.format(questions=lost)
        confirm(self, english.REPLACE_TITLE, text, english.REPLACE, go)

    def stop(self) -> None:
        """Stop the answer being written."""
        if (turn := self.talk.running) is not None:
            turn.stop()

    def _keep_draft(self) -> None:
        self.talk.draft = self.composer.field.toPlainText()
        self.talks.note()

    def _link_copied(self, address: str) -> None:
        self._state.notices.info(english.LINK_COPIED.format(address=address))

    # --- sources and viewer ---------------------------------------------------------------

    def inspect(self, number: int = 0) -> None:
        """Why these sources? For the turn whose sources are shown, at source `number`."""
        if self.pane.turn is not None:
            self._inspect(self.pane.turn, number)

    def _inspect(self, turn: Turn, number: int) -> None:
        if not self.talk.library_id:
            return
        for dialog in self.findChildren(InspectorDialog):
            dialog.close()
        InspectorDialog(self, self._state.client, self.talk, turn, number).show()

    def toggle_pane(self) -> None:
        """Show or hide what is beside the conversation."""
        self._hidden = not self._hidden
        self._show_empty()

    def _turn_sources(self, turn: Turn) -> None:
        if turn is self.pane.turn or (self.talk.turns and turn is self.talk.turns[-1]):
            self._show_sources(turn)

    def _show_sources(self, turn: Turn | None) -> None:
        self.pane.show_turn(turn, self.talk.library_id)

    def _cited(self, turn: Turn, number: int) -> None:
        if turn is not self.pane.turn:
            self._show_sources(turn)
        self.open_source(number)

    def open_source(self, number: int) -> None:
        """Open source `number` of the turn whose sources are shown, at the quoted words."""
        self._hidden = False
        self.pane.open_source(number)

    def _viewer_toggled(self, opened: bool) -> None:
        width = self.splitter.width()
        pane = int(width * _VIEWER_SHARE) if opened else _SOURCES_PX
        self.splitter.setSizes([width - pane, pane])
        self._show_empty()

    @property
    def viewer_open(self) -> bool:
        """True while a document is shown beside the conversation."""
        return self.pane.viewer_open

    def close_viewer(self) -> None:
        """Back to the list of sources."""
        self.pane.close_viewer()

    def escape(self) -> None:
        """Esc: stop the answer, or else close the document."""
        if self.talk.running is not None:
            self.stop()
        else:
            self.close_viewer()
