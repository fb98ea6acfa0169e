"""The turns of a conversation one under the other, scrolled to the end while it grows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop.conversation import Turn
from desktop.widgets.basics import centred
from desktop.widgets.turn_view import TurnView

READING_WIDTH_PX = 780
SIDE_PX = 28
_NEAR_END_PX = 40
_ABOVE_PX = 10
_AT_ONCE = 6
_NEAR_TOP_PX = 900


class TurnList(QScrollArea):
    """Stays at the end unless the user scrolls away from it.

    A turn costs some milliseconds to lay out, so they are made one at a time, the newest
    first: a few at once, older ones when the user comes near them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._views: list[TurnView] = []
        self._waiting: list[Turn] = []
        """The turns above those shown, oldest first."""
        self._make: Callable[[Turn], TurnView] | None = None
        self._follow_end = True
        self._anchor: tuple[TurnView, int] | None = None
        """While turns are put above: one the user sees, and where it stands in the viewport."""
        self._wanted = 0
        """The turn to be brought to the top, from 1; 0 for none."""
        self._column = QVBoxLayout()
        self._hold(0)
        self._column.setSpacing(0)
        self._column.setAlignment(Qt.AlignmentFlag.AlignTop)
        holder = QWidget()
        holder.setLayout(self._column)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inside = centred(holder, READING_WIDTH_PX + 2 * SIDE_PX)
        self.setWidget(self._inside)
        self._maker = QTimer(self)
        self._maker.setSingleShot(True)
        self._maker.setInterval(0)
        self._maker.timeout.connect(self._make_older)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._range_changed)
        bar.valueChanged.connect(self._scrolled)
        bar.actionTriggered.connect(self._moved_by_hand)

    def views(self) -> list[TurnView]:
        """The turns shown, which are the newest ones."""
        return self._views

    # --- filling --------------------------------------------------------------------------

    def fill(self, turns: list[Turn], make: Callable[[Turn], TurnView]) -> None:
        """Show a conversation; turns that are shown already stay as they are."""
        kept = [view for view in self._views if view.turn in turns]
        first = turns.index(kept[0].turn) if kept else max(0, len(turns) - 1)
        if len(turns) - first - len(kept) > _AT_ONCE:
            kept, first = [], len(turns) - 1
        for view in self._views:
            if view not in kept:
                self._column.removeWidget(view)
                view.hide()
                view.setParent(None)
                view.deleteLater()
        self._views, self._make, self._wanted, self._anchor = kept, make, 0, None
        self._waiting = turns[:first]
        self._hold(0)
        for turn in turns[first + len(kept) :]:
            self.add(turn)
        self._maker.start()

    def add(self, turn: Turn) -> None:
        """One more turn at the end."""
        if self._make is not None:
            view = self._make(turn)
            self._hold(0)
            self._views.append(view)
            self._column.addWidget(view)
            view.shrunk.connect(self._shrunk)

    def _make_older(self) -> None:
        """The turn above the first one shown, if it is wanted."""
        bar = self.verticalScrollBar()
        searched = len(self._waiting) >= self._wanted > 0
        near = bar.value() < _NEAR_TOP_PX
        if not self._waiting or self._make is None:
            return
        if not (searched or near or len(self._views) < _AT_ONCE):
            return
        if not self._follow_end and self._anchor is None:
            self._anchor = self._seen()
        view = self._make(self._waiting.pop())
        self._views.insert(0, view)
        self._column.insertWidget(0, view)
        if self._wanted:
            self._show_wanted()
        self._maker.start()

    def _hold(self, room_px: int) -> None:
        """Keep room under the last turn."""
        self._room_px = room_px
        self._column.setContentsMargins(SIDE_PX, 6, SIDE_PX, 8 + room_px)

    def _shrunk(self, lower_px: int) -> None:
        """What was written is replaced by something lower: nothing moves until a next turn."""
        bar = self.verticalScrollBar()
        if bar.maximum() > 0:
            self._hold(self._room_px + min(lower_px, bar.maximum()))

    # --- scrolling ------------------------------------------------------------------------

    def to_end(self) -> None:
        """Go to the end, and stay there while it grows."""
        self._follow_end, self._wanted, self._anchor = True, 0, None
        bar = self.verticalScrollBar()
        QTimer.singleShot(0, bar, lambda: bar.setValue(bar.maximum()))

    def to_turn(self, number: int) -> None:
        """Bring turn `number`, from 1, to the top."""
        if 1 <= number <= len(self._waiting) + len(self._views):
            self._follow_end, self._wanted, self._anchor = False, number, None
            self._maker.start()
            QTimer.singleShot(0, self, self._show_wanted)

    def _show_wanted(self) -> None:
        at = self._wanted - 1 - len(self._waiting)
        if self._wanted and 0 <= at < len(self._views):
            self.verticalScrollBar().setValue(self._top_of(self._views[at]) - _ABOVE_PX)

    def _top_of(self, view: TurnView) -> int:
        return view.mapTo(self._inside, QPoint(0, 0)).y()

    def _seen(self) -> tuple[TurnView, int] | None:
        """The first turn in sight, and how far below the viewport's top it begins."""
        value = self.verticalScrollBar().value()
        for view in self._views:
            top = self._top_of(view)
            if top + view.height() > value:
                return view, top - value
        return None

    def _scrolled(self, value: int) -> None:
        self._follow_end = value >= self.verticalScrollBar().maximum() - _NEAR_END_PX
        if self._waiting and value < _NEAR_TOP_PX:
            self._maker.start()

    def _range_changed(self, low: int, high: int) -> None:
        if self._wanted:
            self._show_wanted()  # answers above it have only now got their height
        elif self._follow_end:
            self.verticalScrollBar().setValue(high)
        elif self._anchor is not None:
            view, at = self._anchor  # turns above it and below it may both have grown
            self.verticalScrollBar().setValue(self._top_of(view) - at)

    def _moved_by_hand(self) -> None:
        self._wanted, self._anchor = 0, None

    def wheelEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        self._moved_by_hand()
        super().wheelEvent(event)
