"""Whether words show where they came from, and what is pointed at on either side."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from desktop.pages.side_pane import SidePane
from desktop.widgets.turn_list import TurnList
from desktop.widgets.turn_view import TurnView


class OriginsControl(QObject):
    """Between the turns of the page and the cards beside them."""

    toggled = Signal(bool)

    def __init__(self, turns: TurnList, pane: SidePane, page: QObject) -> None:
        super().__init__(page)
        self._turns, self._pane = turns, pane
        self.on = False
        self._late: deque[TurnView] = deque()
        self._turn = QTimer(self)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._next)
        pane.sources.pointed.connect(self._source_pointed)

    def bind(self, view: TurnView) -> None:
        """Have a turn take part."""
        view.colour_words(self.on)
        view.origins_wanted.connect(self.choose)
        view.pointed.connect(lambda n: self._word_pointed(view, n))

    def toggle(self) -> None:
        """Show the colours, or hide them."""
        self.choose(not self.on)

    def choose(self, on: bool) -> None:
        """Colours for every turn or for none: the newest at once, others in later turns of
        the loop, because each is drawn anew."""
        if on == self.on:
            return
        self.on = on
        self._pane.sources.colour_words(on)
        self._late = deque(reversed(self._turns.views()))
        self._next()
        self._turn.start()
        self.toggled.emit(on)

    def _next(self) -> None:
        while self._late:
            view = self._late.popleft()
            if isValid(view):
                view.colour_words(self.on)
                break
        if not self._late:
            self._turn.stop()

    def _word_pointed(self, view: TurnView, n: int) -> None:
        if view.turn is self._pane.turn:
            self._pane.sources.point_at(n)

    def _source_pointed(self, n: int) -> None:
        for view in self._turns.views():
            if view.turn is self._pane.turn:
                view.answer.light_source(n)
