"""Which libraries are asked: one, several, all, or none."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu

from desktop.strings import english, names
from desktop.widgets.chooser import Chooser


class _LastingMenu(QMenu):
    """Stays open while entries are ticked, so that several can be."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._tick(self.actionAt(event.position().toPoint())):
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() not in keys or not self._tick(self.activeAction()):
            super().keyPressEvent(event)

    def _tick(self, action: QAction | None) -> bool:
        if action is None or not action.property("lasting"):
            return False
        action.trigger()
        return True


class LibraryChooser(Chooser):
    """`libraries_chosen` gives the ids ticked, in the order of the list; none is no library."""

    libraries_chosen = Signal(list)

    def __init__(self) -> None:
        super().__init__(english.LIBRARY_CHOOSER, "folder")
        self._rows: list[tuple[str, str]] = []
        self._ticks: dict[str, QAction] = {}
        self._all: QAction | None = None
        self._none: QAction | None = None

    def make_menu(self) -> QMenu:
        return _LastingMenu(self)

    def set_libraries(self, rows: list[tuple[str, str]], chosen: list[str]) -> None:
        """Offer (id, name) rows; an open menu keeps its place when only ticks change."""
        if rows != self._rows or self._none is None:
            self._fill(rows)
        for library_id, tick in self._ticks.items():
            tick.setChecked(library_id in chosen)
        known = [name for library_id, name in rows if library_id in chosen]
        if self._all is not None:
            self._all.setChecked(len(known) == len(rows))
        if self._none is not None:
            self._none.setChecked(not known)
        self.set_picture("folder" if known else "message-square")
        self.set_shown(said(known, len(rows)))

    def tick(self, library_id: str) -> None:
        """Tick or untick a library, as a click in the menu does."""
        self._ticks[library_id].trigger()

    def _fill(self, rows: list[tuple[str, str]]) -> None:
        self._rows = rows
        self._menu.clear()
        self._ticks = {}
        for library_id, name in rows:
            self._ticks[library_id] = self._entry(names.one_line(name, 60), self._ticked)
            self._ticks[library_id].setProperty("lasting", True)
        self._menu.addSeparator()
        everything = [library_id for library_id, _ in rows]
        self._all = None
        if len(rows) > 1:
            self._all = self._entry(
                english.ALL_LIBRARIES, lambda: self.libraries_chosen.emit(everything)
            )
        self._none = self._entry(
            english.WITHOUT_LIBRARY, lambda: self.libraries_chosen.emit([])
        )

    def _entry(self, text: str, act) -> QAction:  # type: ignore[no-untyped-def]
        action = self._menu.addAction(text.replace("&", "&&"))
        action.setCheckable(True)
        action.triggered.connect(lambda checked=False: act())
        return action

    def _ticked(self) -> None:
        self.libraries_chosen.emit(
            [library_id for library_id, _ in self._rows if self._ticks[library_id].isChecked()]
        )


def said(known: list[str], there: int) -> str:
    """ "Contracts", "Contracts + 2 more", "All libraries"."""
    if not known:
        return english.WITHOUT_LIBRARY
    if len(known) == 1:
        return known[0]
    if len(known) == there:
        return english.ALL_LIBRARIES
    return english.LIBRARIES_MORE.format(first=names.one_line(known[0], 40), n=len(known) - 1)
