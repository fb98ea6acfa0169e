"""What may be dropped on the window, and what happens to it: said before it is let go."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt
from PySide6.QtGui import QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.strings import english, names
from desktop.widgets.basics import BOLD
from desktop.widgets.drop_area import dropped_paths

if TYPE_CHECKING:
    from desktop.library_work import LibraryWork
    from desktop.state import AppState
    from desktop.window import MainWindow

MOST_PATHS = 200


@dataclass(frozen=True)
class Drop:
    """The parts of a drop, by what they are."""

    folders: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, paths: list[str]) -> Drop:
        """Sort local paths."""
        result = cls()
        for path in paths[:MOST_PATHS]:
            if os.path.isdir(path):
                result.folders.append(path)
            elif path.lower().endswith(".gguf"):
                result.models.append(path)
            else:
                result.files.append(path)
        return result

    @classmethod
    def of_data(cls, data: QMimeData) -> Drop:
        """Sort what is held over the window; web addresses and the rest are left out."""
        return cls.of(dropped_paths(data))

    def __bool__(self) -> bool:
        return bool(self.folders or self.models or self.files)

    def promise(self, library: str) -> str:
        """What letting go will do; `library` is the name of the one a folder goes to."""
        if self.folders and library:
            return english.DROP_TO_LIBRARY.format(name=names.one_line(library, 60))
        if self.folders:
            return english.DROP_NEW
        return english.DROP_MODEL if self.models else english.DROP_FILES


class DropVeil(QWidget):
    """Laid over the window while something is held over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._text = ""
        self.hide()

    def say(self, text: str) -> None:
        """Show what letting go will do; "" takes the veil away."""
        self._text = text
        self.setVisible(bool(text))
        if text:
            self.setGeometry(self.parentWidget().rect())
            self.raise_()
            self.update()

    def text(self) -> str:
        """What is promised now."""
        return self._text

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = theme.colour("page")
        veil.setAlphaF(0.94)
        painter.fillRect(self.rect(), veil)
        pen = QPen(theme.colour("accent"), 2)
        pen.setDashPattern([4, 3.2])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(14, 14, -14, -14), 16, 16)
        painter.setFont(theme.font(1.5, BOLD))
        painter.setPen(theme.colour("text"))
        room = self.rect().adjusted(40, 0, -40, 0)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room, flags, self._text)
        painter.end()


class Drops(QObject):
    """Takes whatever is dropped on the window and not on a part that has a use of its own."""

    def __init__(self, window: MainWindow, state: AppState, libraries: LibraryWork) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._libraries = libraries
        self.veil = DropVeil(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragLeaveEvent):
            self.veil.say("")
        elif not isinstance(event, QDropEvent):  # entering and moving are drops as well
            return False
        elif event.type() == QEvent.Type.Drop:
            self.veil.say("")
            event.acceptProposedAction()
            self.take(dropped_paths(event.mimeData()), self.library())
        elif promised := self._for_tuning(dropped_paths(event.mimeData())):
            event.acceptProposedAction()
            self.veil.say(promised)
        elif drop := Drop.of_data(event.mimeData()):
            event.acceptProposedAction()
            view = self._state.library(self.library())
            self.veil.say(drop.promise(view.name if view is not None else ""))
        return True

    def _for_tuning(self, paths: list[str]) -> str:
        """What letting go does on the page of tuning, "" elsewhere or for other things."""
        if self._window.page != "tune":
            return ""
        promises = {"adapter": english.DROP_ADAPTER, "examples": english.DROP_EXAMPLES}
        return promises.get(self._window.tune.takes(paths[:MOST_PATHS]), "")

    def library(self) -> str:
        """The library a folder dropped on the page goes to, "" for one of its own."""
        view = self._state.library(self._window.library.library_id)
        return view.id if self._window.page == "library" and view is not None else ""

    def take(self, paths: list[str], library_id: str = "") -> None:
        """Read folders, into a library or one of their own; take models and files in."""
        window = self._window
        if self._for_tuning(paths):
            window.tune.take(paths[:MOST_PATHS])
            return
        drop = Drop.of(paths)
        for folder in drop.folders:
            window.add_folder(folder, library_id)
        if drop.models:
            window.show_page("models")
            for model in drop.models:
                window.models.add_file(model)
        if drop.files and window.page == "ask":
            window.ask.take_files(drop.files)
        elif drop.files:
            self._show_file(drop.files[0])

    def _show_file(self, path: str) -> None:
        """Show a file where its library has it, or offer its folder."""
        library = self._libraries.library_of_file(path)
        if library:
            self._window.open_files(library, match=names.file_name(path))
        else:
            self._libraries.offer_folder(path, self._window.add_folder)
