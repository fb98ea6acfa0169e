"""What can be done with files of a library: open, show, copy, read again."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from desktop.notices import Notice, Notices
from desktop.strings import english, names

if TYPE_CHECKING:
    from engine.work.api import FileRow

RUNS = frozenset(
    [
        ".app",
        ".appimage",
        ".bat",
        ".bin",
        ".cmd",
        ".com",
        ".command",
        ".cpl",
        ".csh",
        ".desktop",
        ".exe",
        ".hta",
        ".inf",
        ".jar",
        ".js",
        ".jse",
        ".ksh",
        ".lnk",
        ".msc",
        ".msi",
        ".pif",
        ".pl",
        ".ps1",
        ".py",
        ".pyw",
        ".pyz",
        ".rb",
        ".reg",
        ".run",
        ".scr",
        ".sh",
        ".url",
        ".vbe",
        ".vbs",
        ".ws",
        ".wsf",
        ".zsh",
    ]
)
"""Suffixes that some system starts instead of showing: those are only shown in their folder."""


def runs(path: str) -> bool:
    """True when opening the file could start a program."""
    return os.path.splitext(path)[1].lower() in RUNS


def open_in_program(file: FileRow, notices: Notices) -> None:
    """Hand a document to the program the system uses for it."""
    if runs(file.path):
        notices.info(english.FILE_RUNS.format(name=names.file_name(file.path)))
        show_in_folder(file, notices)
    elif _there(file, notices):
        QDesktopServices.openUrl(QUrl.fromLocalFile(file.path))


def show_in_folder(file: FileRow, notices: Notices) -> None:
    """Open the folder of a file, with the file chosen where the system can do that."""
    if not _there(file, notices):
        return
    if sys.platform == "win32":
        QProcess.startDetached("explorer", ["/select,", os.path.normpath(file.path)])
    elif sys.platform == "darwin":
        QProcess.startDetached("open", ["-R", file.path])
    else:
        QDesktopServices.openUrl(QUrl.fromLocalFile(os.path.dirname(file.path)))


def copy_paths(files: list[FileRow], notices: Notices) -> None:
    """Paths to the clipboard, one a line."""
    QGuiApplication.clipboard().setText("\n".join(file.path for file in files))
    one, many = english.PATHS_COPIED
    notices.post(Notice(one if len(files) == 1 else many.format(n=f"{len(files):,}")))


def _there(file: FileRow, notices: Notices) -> bool:
    # A shown path can differ from the real one: bytes that are no text are escaped in it.
    if os.path.exists(file.path):
        return True
    notices.info(english.FILE_GONE.format(name=names.file_name(file.path)))
    return False
