"""The pane beside an answer: the passages it stands on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop.conversation import Turn
from desktop.origins import Origins
from desktop.state import AppState
from desktop.strings import english
from desktop.widgets.basics import BOLD, clear_layout, column, label, row
from desktop.widgets.source_card import SourceCard


class SourcesPane(QFrame):
    """Cards of one turn; which of them the answer quotes is marked when it is finished."""

    opened = Signal(int)
    why_wanted = Signal(int)
    only_file = Signal(object)
    """A PassageHit: search nothing but its file."""
    only_folder = Signal(object)
    pointed = Signal(int)
    """The number of the card pointed at, 0 for none."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("pane")
        self._state = state
        self._turn: Turn | None = None
        self._cards: list[SourceCard] = []
        self._coloured = False
        self._none = label("", 0.95, tone="muted", wrap=True)
        self._none.setContentsMargins(2, 2, 2, 2)
        self._column = QVBoxLayout()
        self._column.setSpacing(10)
        self._column.setAlignment(Qt.AlignmentFlag.AlignTop)
        holder = QWidget()
        outer = column(self._none, spacing=0, margins=(14, 0, 8, 14))
        outer.addLayout(self._column)
        outer.addStretch(1)
        holder.setLayout(outer)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(holder)
        self._scroll = scroll
        layout = column(spacing=0)
        layout.addLayout(row(label(english.SOURCES, 1.08, BOLD), margins=(16, 15, 14, 11)))
        layout.addWidget(scroll, 1)
        self.setLayout(layout)
        self.show_turn(None)

    def cards(self) -> list[SourceCard]:
        """The cards shown, in the order of their numbers."""
        return self._cards

    def show_turn(self, turn: Turn | None) -> None:
        """Show the sources of a turn, reusing the cards when they are the same."""
        passages = turn.passages if turn is not None else []
        same = turn is self._turn and [c.hit.passage_id for c in self._cards] == [
            hit.passage_id for hit in passages
        ]
        if not same:
            clear_layout(self._column)
            self._cards = []
            several = len({hit.library for hit in passages}) > 1
            for number, hit in enumerate(passages, start=1):
                view = self._state.library(hit.library) if several else None
                shown = SourceCard(number, hit, view.name if view is not None else "")
                shown.opened.connect(self.opened)
                shown.why_wanted.connect(self.why_wanted)
                shown.only_file.connect(self.only_file)
                shown.only_folder.connect(self.only_folder)
                shown.pointed.connect(self.pointed)
                self._cards.append(shown)
                self._column.addWidget(shown)
        self._turn = turn
        self._show_evidence()
        waiting = turn is None or (turn.running and not passages)
        self._none.setText(english.SOURCES_EMPTY if waiting else english.SOURCES_NONE_FOUND)
        self._none.setVisible(not passages)

    def choose(self, number: int) -> None:
        """Ring card `number` and bring it into view."""
        for shown in self._cards:
            shown.set_chosen(shown.number == number)
            if shown.number == number:
                self._scroll.ensureWidgetVisible(shown, 0, 12)

    def colour_words(self, on: bool) -> None:
        """Have the cards wear the colours of their words in the answer, or not."""
        self._coloured = on
        self._show_evidence()

    def point_at(self, number: int) -> None:
        """Ring the card a word came from, 0 for none, and bring it into view."""
        for shown in self._cards:
            shown.set_pointed(shown.number == number)
            if shown.number == number:
                self._scroll.ensureWidgetVisible(shown, 0, 12)

    def _show_evidence(self) -> None:
        turn = self._turn
        report = turn.report if turn is not None else None
        for shown in self._cards:
            cites = report.citations if report is not None else []
            shown.show_evidence([cite for cite in cites if cite.n == shown.number])
            origins = turn.origins if turn is not None and self._coloured else Origins()
            shown.set_hue(origins.hue(shown.number))
