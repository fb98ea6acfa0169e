"""Beside the conversation: the sources of an answer, or the document behind one of them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget

from desktop.conversation import Turn
from desktop.pages.sources import SourcesPane
from desktop.pages.viewer import Place, Viewer
from desktop.state import AppState
from desktop.strings import names


class SidePane(QStackedWidget):
    """One turn's sources at a time."""

    viewer_toggled = Signal(bool)
    """A document was opened, or closed."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.sources = SourcesPane(state)
        self.viewer = Viewer(state.client, back=True)
        self.turn: Turn | None = None
        self._library = ""
        self.setMinimumWidth(250)
        self.addWidget(self.sources)
        self.addWidget(self.viewer)
        self.sources.opened.connect(self.open_source)
        self.viewer.closed.connect(self.close_viewer)

    def show_turn(self, turn: Turn | None, library: str) -> None:
        """Show the sources of a turn; `library` is where those without one come from."""
        self.turn, self._library = turn, library
        self.sources.show_turn(turn)

    def open_source(self, number: int) -> None:
        """Open source `number` of the turn whose sources are shown, at the quoted words."""
        turn = self.turn
        if turn is None or not 1 <= number <= len(turn.passages):
            return
        hit = turn.passages[number - 1]
        library = hit.library or self._library
        if not library:
            return
        start, end = hit.start, hit.end
        cites = turn.report.citations if turn.report is not None else []
        quoted = [cite for cite in cites if cite.n == number and cite.verified]
        if quoted:
            start, end = quoted[0].start, quoted[0].end
        self.sources.choose(number)
        if not self.viewer_open:
            self.setCurrentWidget(self.viewer)
            self.viewer_toggled.emit(True)
        name = names.file_name(hit.path)
        where = quoted[0].place if quoted and quoted[0].place else hit.place
        self.viewer.open_place(Place(library, hit.file_id, start, end, name, where))

    @property
    def viewer_open(self) -> bool:
        """True while a document is shown."""
        return self.currentWidget() is self.viewer

    def close_viewer(self) -> None:
        """Back to the list of sources."""
        if self.viewer_open:
            self.viewer.stop()
            self.setCurrentWidget(self.sources)
            self.viewer_toggled.emit(False)
