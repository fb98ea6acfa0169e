"""The main page: a conversation in the middle, its sources or a document beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.conversation import Talk, Turn
from desktop.pages.sources import SourcesPane
from desktop.pages.viewer import Place, Viewer
from desktop.state import AppState, Reading
from desktop.strings import english, figures, names
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
from desktop.widgets.reading_bar import ReadingBar
from desktop.widgets.turn_view import TurnView
from engine.errors import EngineError, InvalidInput

if TYPE_CHECKING:
    from engine.work.api import Conversation

_READING_WIDTH_PX = 780
_SOURCES_PX = 318
_VIEWER_SHARE = 0.52
_NEAR_END_PX = 40


class AskPage(QFrame):
    """Shows one `Talk`; others go on being answered while they are not shown."""

    place_changed = Signal()
    """Another library or conversation is on the page now."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self._talks: dict[str, Talk] = {}
        self._fresh: dict[str, Talk] = {}
        """Library id → the talk of a question not asked yet, with its draft."""
        self.talk = Talk(state, "")
        self._fresh[""] = self.talk
        self._shown_turn: Turn | None = None
        self._views: list[TurnView] = []
        self._follow_end = True
        self._hidden = False
        self._pending: Reading | None = None
        """A reading whose library has no id yet; questions to it wait in `_pending_talk`."""
        self._pending_talk: Talk | None = None
        self.passages = 0
        self.composer = Composer()
        self.sources = SourcesPane()
        self.viewer = Viewer(state.client, back=True)
        self._build()
        self._connect()
        self._show_talk()

    # --- layout ---------------------------------------------------------------------------

    def _build(self) -> None:
        self.title = ElidedLabel(scale=1.08, weight=BOLD)
        self.toggle = icon_button(
            "panel-right", english.HIDE_SOURCES, self.toggle_pane, 19, "Ctrl+B"
        )
        head = row(self.title, self.toggle, margins=(28, 12, 14, 10))
        head.setStretch(0, 1)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(28, 6, 28, 8)
        self._column.setSpacing(0)
        holder = QWidget()
        holder.setLayout(self._column)
        self._column.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.scroller = QScrollArea()
        self.scroller.setWidgetResizable(True)
        self.scroller.setFrameShape(QFrame.Shape.NoFrame)
        self.scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroller.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroller.setWidget(centred(holder, _READING_WIDTH_PX + 56))
        self._empty = EmptyAsk()
        self._middle = QStackedWidget()
        self._middle.addWidget(self.scroller)
        self._middle.addWidget(self._empty)
        self._reading_place = QVBoxLayout()
        foot = QWidget()
        inner = QVBoxLayout(foot)
        inner.setContentsMargins(28, 8, 28, 16)
        inner.setSpacing(10)
        inner.addLayout(self._reading_place)
        inner.addWidget(self.composer)
        chat = QWidget()
        chat.setMinimumWidth(330)
        body = column(spacing=0)
        body.addLayout(head)
        body.addWidget(self._middle, 1)
        body.addWidget(centred(foot, _READING_WIDTH_PX + 56))
        chat.setLayout(body)
        self._pane = QStackedWidget()
        self._pane.setMinimumWidth(250)
        self._pane.addWidget(self.sources)
        self._pane.addWidget(self.viewer)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(chat)
        self.splitter.addWidget(self._pane)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setSizes([700, _SOURCES_PX])
        self.setLayout(column(self.splitter))

    def _connect(self) -> None:
        state = self._state
        self.composer.asked.connect(self.ask)
        self.composer.stopped.connect(self.stop)
        self.composer.library_chosen.connect(self.open_library)
        self.sources.opened.connect(self.open_source)
        self.viewer.closed.connect(self.close_viewer)
        state.libraries_changed.connect(self._show_libraries)
        state.library_found.connect(self._library_found)
        state.readings_changed.connect(self._show_readings)
        bar = self.scroller.verticalScrollBar()
        bar.rangeChanged.connect(self._range_changed)
        bar.valueChanged.connect(self._scrolled)
        self.composer.field.textChanged.connect(self._keep_draft)

    # --- where the user is ----------------------------------------------------------------

    @property
    def library_id(self) -> str:
        """The library on the page, "" for none."""
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
        talk = self._fresh.get(library_id)
        if talk is None or talk.turns:
            talk = Talk(self._state, library_id)
            self._fresh[library_id] = talk
        self._switch(talk)
        self.composer.field.setFocus()

    def open_reading(self, reading: Reading) -> None:
        """The page of a library that is only just being made."""
        if reading.library_id:
            self.open_library(reading.library_id)
            return
        self._pending = reading
        self._pending_talk = Talk(self._state, "")
        self._switch(self._pending_talk)
        self.composer.field.setFocus()

    def open_conversation(self, conversation_id: str) -> None:
        """A stored conversation; loaded when it is first shown."""
        talk = self._talks.get(conversation_id)
        if talk is None:
            talk = Talk(self._state, "", conversation_id)
            self._talks[conversation_id] = talk
            self._load(talk)
        self._switch(talk)

    def forget_conversation(self, conversation_id: str) -> None:
        """Leave a conversation that is deleted."""
        gone = self._talks.pop(conversation_id, None)
        if gone is not None and gone is self.talk:
            self.open_library(gone.library_id)

    def _load(self, talk: Talk) -> None:
        call = self._state.client.request("conversations.show", {"conversation": talk.id})
        call.succeeded.connect(lambda conversation: self._loaded(talk, conversation))
        call.failed.connect(lambda error: self._load_failed(talk, error))

    def _loaded(self, talk: Talk, conversation: Conversation) -> None:
        talk.fill(conversation)
        if talk is self.talk:
            self._show_talk()
            self.place_changed.emit()

    def _load_failed(self, talk: Talk, error: EngineError) -> None:
        self._talks.pop(talk.id, None)
        self._state.notices.error(error)

    def _switch(self, talk: Talk) -> None:
        if talk is not self.talk:
            self.talk = talk
            self.close_viewer()
            self._show_talk()
        self.place_changed.emit()

    def _library_found(self, reading: Reading, library_id: str) -> None:
        talk = self._pending_talk
        if self._pending is not reading or talk is None:
            return
        self._pending = self._pending_talk = None
        talk.library_id = library_id
        if not talk.turns:
            self._fresh[library_id] = talk
        for turn in talk.turns:
            if turn.running and turn.call is None:
                talk.send(turn)
        self._show_libraries()
        self._show_readings()
        self.place_changed.emit()

    # --- showing --------------------------------------------------------------------------

    def _show_talk(self) -> None:
        clear_layout(self._column)
        self._views = []
        self._shown_turn = None
        talk = self.talk
        self.title.set_text(talk.title)
        field = self.composer.field
        field.blockSignals(True)
        field.setPlainText(talk.draft)
        field.moveCursor(field.textCursor().MoveOperation.End)
        field.blockSignals(False)
        field.textChanged.emit()
        for turn in talk.turns:
            self._add_view(turn)
        self._show_libraries()
        self._show_readings()
        self._show_busy()
        self._show_sources(talk.turns[-1] if talk.turns else None)
        self._follow_end = True
        self._to_end()

    def _add_view(self, turn: Turn) -> None:
        library = self._state.library(self.talk.library_id) or self._reading_here()
        view = TurnView(turn, self._state, library.name if library else "")
        view.cited.connect(lambda number: self._cited(turn, number))
        view.link_copied.connect(self._link_copied)
        view.ask_again.connect(self.ask)
        turn.sources_changed.connect(lambda: self._turn_sources(turn))
        turn.ended.connect(self._show_busy)
        self._views.append(view)
        self._column.addWidget(view)

    def views(self) -> list[TurnView]:
        """The turns on the page."""
        return self._views

    def _show_libraries(self) -> None:
        rows = [(view.id, view.name) for view in self._state.libraries]
        self.composer.set_libraries(rows, self.talk.library_id)
        if (pending := self._reading_here()) is not None and not self.talk.library_id:
            self.composer.show_library(pending.name)
        self._show_empty()

    def _show_empty(self) -> None:
        loading = not self.talk.loaded
        empty = not self.talk.turns
        self._middle.setCurrentWidget(self._empty if empty else self.scroller)
        self._pane.setVisible(not empty and not self._hidden)
        self.toggle.setVisible(not empty)
        if empty:
            self._empty.say(*self._empty_words(loading))

    def _empty_words(self, loading: bool) -> tuple[str, str]:
        if loading:
            return "", english.QUESTION_LOADING
        view = self._state.library(self.talk.library_id)
        if self._reading_here() is not None:
            return english.EMPTY_ASK_TITLE, english.EMPTY_ASK_INDEXING
        if view is None:
            return english.EMPTY_ASK_TITLE, english.EMPTY_ASK_NONE
        readable = view.files - view.skipped
        if readable <= 0 and view.passages == 0:
            return english.EMPTY_ASK_TITLE, english.EMPTY_ASK_NO_FILES
        files = figures.count(max(readable, 0), "file", "files")
        text = english.EMPTY_ASK_TEXT.format(files=files, library=names.one_line(view.name, 60))
        return english.EMPTY_ASK_TITLE, text

    def _show_readings(self) -> None:
        if self._pending is not None and self._pending not in self._state.readings:
            self._give_up_pending()
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
        if self._pending is not None and self.talk is self._pending_talk:
            return self._pending
        return self._state.reading_of(self.talk.library_id)

    def _give_up_pending(self) -> None:
        """The reading ended before its library was known: so do the questions to it."""
        talk, self._pending, self._pending_talk = self._pending_talk, None, None
        for turn in talk.turns if talk is not None else []:
            if turn.running and turn.call is None:
                turn.fail(InvalidInput(english.READING_FAILED))
        self._show_libraries()

    def _show_busy(self) -> None:
        self.composer.set_busy(self.talk.running is not None)

    # --- asking ---------------------------------------------------------------------------

    def ask(self, question: str) -> None:
        """Ask in the conversation on the page."""
        talk = self.talk
        if talk.running is not None or not talk.loaded:
            return
        talk.draft = ""
        talk.passages_wanted = self.passages
        if not talk.turns:
            self._fresh.pop(talk.library_id, None)
            talk.named.connect(lambda: self._named(talk))
        self.composer.field.clear()
        turn = talk.ask(question, hold=talk is self._pending_talk)
        self.title.set_text(talk.title)
        self._add_view(turn)
        self.close_viewer()
        self._show_empty()
        self._show_sources(turn)
        self._show_busy()
        self._follow_end = True
        self._to_end()

    def stop(self) -> None:
        """Stop the answer being written."""
        if (turn := self.talk.running) is not None:
            turn.stop()

    def _named(self, talk: Talk) -> None:
        self._talks[talk.id] = talk
        self._state.refresh("conversations")
        if talk is self.talk:
            self.place_changed.emit()

    def _keep_draft(self) -> None:
        self.talk.draft = self.composer.field.toPlainText()

    def _link_copied(self, address: str) -> None:
        self._state.notices.info(english.LINK_COPIED.format(address=address))

    # --- sources and viewer ---------------------------------------------------------------

    def toggle_pane(self) -> None:
        """Show or hide what is beside the conversation."""
        self._hidden = not self._hidden
        self._show_empty()

    def _turn_sources(self, turn: Turn) -> None:
        if turn in self.talk.turns and turn is self.talk.turns[-1]:
            self._show_sources(turn)

    def _show_sources(self, turn: Turn | None) -> None:
        self._shown_turn = turn
        self.sources.show_turn(turn)

    def _cited(self, turn: Turn, number: int) -> None:
        if turn is not self._shown_turn:
            self._show_sources(turn)
        self.open_source(number)

    def open_source(self, number: int) -> None:
        """Open source `number` of the turn whose sources are shown, at the quoted words."""
        turn = self._shown_turn
        if turn is None or not 1 <= number <= len(turn.passages) or not self.talk.library_id:
            return
        hit = turn.passages[number - 1]
        start, end = hit.start, hit.end
        cites = turn.report.citations if turn.report is not None else []
        quoted = [cite for cite in cites if cite.n == number and cite.verified]
        if quoted:
            start, end = quoted[0].start, quoted[0].end
        self.sources.choose(number)
        self._hidden = False
        if self._pane.currentWidget() is not self.viewer:
            self._pane.setCurrentWidget(self.viewer)
            width = self.splitter.width()
            pane = int(width * _VIEWER_SHARE)
            self.splitter.setSizes([width - pane, pane])
        self._show_empty()
        name = names.file_name(hit.path)
        self.viewer.open_place(Place(self.talk.library_id, hit.file_id, start, end, name))

    @property
    def viewer_open(self) -> bool:
        """True while a document is shown beside the conversation."""
        return self._pane.currentWidget() is self.viewer

    def close_viewer(self) -> None:
        """Back to the list of sources."""
        if not self.viewer_open:
            return
        self.viewer.stop()
        self._pane.setCurrentWidget(self.sources)
        width = self.splitter.width()
        self.splitter.setSizes([width - _SOURCES_PX, _SOURCES_PX])

    def escape(self) -> None:
        """Esc: stop the answer, or else close the document."""
        if self.talk.running is not None:
            self.stop()
        else:
            self.close_viewer()

    # --- scrolling ------------------------------------------------------------------------

    def _scrolled(self, value: int) -> None:
        bar = self.scroller.verticalScrollBar()
        self._follow_end = value >= bar.maximum() - _NEAR_END_PX

    def _range_changed(self, low: int, high: int) -> None:
        if self._follow_end:
            self.scroller.verticalScrollBar().setValue(high)

    def _to_end(self) -> None:
        bar = self.scroller.verticalScrollBar()
        QTimer.singleShot(0, bar, lambda: bar.setValue(bar.maximum()))
