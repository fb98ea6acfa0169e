"""A conversation as a file, written where the user says and whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QDir,
    QIODevice,
    QObject,
    QSaveFile,
    QStandardPaths,
    Qt,
    QThreadPool,
    Signal,
)
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.notices import Notice
from desktop.state import AppState
from desktop.strings import english, names

if TYPE_CHECKING:
    from engine.work.api import Exported

FORMATS: dict[str, str] = {
    "md": english.EXPORT_MD,
    "html": english.EXPORT_HTML,
    "json": english.EXPORT_JSON,
}


class Export(QObject):
    """One export, from the request to the line that says where the file is."""

    written = Signal(str, str)
    """The path, and why it could not be written ("" when it was)."""

    def __init__(self, parent: QWidget, state: AppState, conversation: str, kind: str) -> None:
        super().__init__(parent)
        self._window, self._state, self._kind = parent, state, kind
        self.dialog: QFileDialog | None = None
        self.written.connect(self._told)
        call = state.client.request(
            "conversations.export", {"conversation": conversation, "format": kind}
        )
        call.succeeded.connect(self._choose)
        call.failed.connect(self._failed)

    def _failed(self, error) -> None:  # type: ignore[no-untyped-def]
        self._state.notices.error(error)
        self.deleteLater()

    def _choose(self, exported: Exported) -> None:
        dialog = self.dialog = QFileDialog(self._window, english.EXPORT_DIALOG)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilter(f"{FORMATS[self._kind]} (*.{self._kind})")
        dialog.setDefaultSuffix(self._kind)
        where = QStandardPaths.writableLocation(
            QStandardPaths.StandardLocation.DocumentsLocation
        )
        dialog.setDirectory(where if os.path.isdir(where) else QDir.homePath())
        dialog.selectFile(file_name(exported.name, self._kind))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(path, exported.text))
        dialog.rejected.connect(self.deleteLater)
        dialog.open()

    def write(self, path: str, text: str) -> None:
        """Write in a thread: flushing to a slow disk may take longer than a window may wait."""

        def work() -> None:
            file = QSaveFile(path)
            done = file.open(QIODevice.OpenModeFlag.WriteOnly)
            done = done and file.write(text.encode("utf-8", "backslashreplace")) >= 0
            done = done and file.commit()
            self.written.emit(path, "" if done else file.errorString())

        QThreadPool.globalInstance().start(work)

    def _told(self, path: str, problem: str) -> None:
        shown = names.one_line(path)
        if problem:
            text = english.EXPORT_FAILED.format(path=shown, why=names.one_line(problem))
            self._state.notices.post(Notice(text, "danger", f"{path}\n{problem}", lasting=True))
        else:
            self._state.notices.post(Notice(english.EXPORTED.format(path=shown), "good"))
        self.deleteLater()


def file_name(wanted: str, kind: str) -> str:
    """A name that every file system takes, whatever the conversation is called."""
    stem = wanted.removesuffix(f".{kind}")
    kept = "".join(c if c.isalnum() or c in " -_.,()" else "-" for c in stem).strip(" .-")
    return f"{kept[:80] or english.EXPORT_NAME}.{kind}"
