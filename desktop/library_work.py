"""What can be done with libraries: choose a folder, rename, pause, take out, remove."""

from __future__ import annotations

import os

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.dialogs.confirm import confirm
from desktop.dialogs.naming import NamingDialog
from desktop.notices import Notice
from desktop.state import AppState
from desktop.strings import english, names


class LibraryWork(QObject):
    """Asks where asking is due, then has the engine do it."""

    def __init__(self, window: QWidget, state: AppState) -> None:
        super().__init__(window)
        self._window = window
        self._state = state

    def choose(
        self,
        title: str,
        taken,
        files: str = "",  # type: ignore[no-untyped-def]
    ) -> None:
        """Let the user choose a folder, or one of `files`; `taken` gets its path."""
        dialog = QFileDialog(self._window, title)
        if files:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilter(files)
        else:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(taken)
        dialog.open()

    def rename(self, library_id: str) -> None:
        """Ask for a new name."""
        view = self._state.library(library_id)
        if view is None:
            return
        others = [other.name for other in self._state.libraries if other.id != library_id]
        NamingDialog(
            self._window,
            english.RENAME_TITLE,
            view.name,
            others,
            lambda name: self._state.rename_library(library_id, name),
        ).open()

    def remove(self, library_id: str) -> None:
        """Ask, then forget a library."""
        view = self._state.library(library_id)
        if view is None:
            return
        title = english.REMOVE_TITLE.format(name=names.one_line(view.name, 80))
        confirm(
            self._window,
            title,
            english.REMOVE_TEXT,
            english.REMOVE,
            lambda: self._state.remove_library(library_id),
        )

    def remove_root(self, library_id: str, folder: str) -> None:
        """Ask, then take a folder out of a library."""
        view = self._state.library(library_id)
        if view is None or folder not in view.roots:
            return
        title = english.REMOVE_ROOT_TITLE.format(name=names.file_name(folder))
        text = english.REMOVE_ROOT_TEXT.format(library=names.one_line(view.name, 80))
        confirm(
            self._window,
            title,
            text,
            english.REMOVE_ROOT_YES,
            lambda: self._state.remove_root(library_id, folder),
        )

    def offer_folder(self, file: str, add) -> None:  # type: ignore[no-untyped-def]
        """A single file was dropped: offer the folder it lies in."""
        folder = os.path.dirname(file)
        text = english.DROP_OFFER.format(name=names.file_name(folder) or folder)
        action = (english.DROP_OFFER_YES, lambda: add(folder))
        self._state.notices.post(Notice(text, action=action, lasting=True))

    def library_of_file(self, path: str) -> str:
        """The library one of whose folders holds this file, "" for none."""
        real = os.path.realpath(path)
        for view in self._state.libraries:
            for root in view.roots:
                if real.startswith(os.path.join(os.path.realpath(root), "")):
                    return view.id
        return ""
