from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QLabel, QMenu, QWidget

from desktop.actions import COMMANDS, Actions, shown_keys
from desktop.dialogs.shortcuts import ShortcutsDialog
from tests.desktop.conftest import Opener, free_deleted


def test_no_two_commands_share_a_key_or_a_name() -> None:
    keys = Counter(QKeySequence(key).toString() for c in COMMANDS for key in c.keys)
    assert all(keys)
    assert not [key for key, times in keys.items() if times > 1]
    assert len({c.name for c in COMMANDS}) == len({c.text for c in COMMANDS}) == len(COMMANDS)


def test_a_command_without_a_handler_refuses_to_start(qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    handlers: dict[str, Any] = {c.name: lambda: None for c in COMMANDS}
    Actions(window, handlers)
    del handlers["quit"]
    with pytest.raises(KeyError, match="quit"):
        Actions(window, handlers)
    with pytest.raises(KeyError, match="fly"):
        Actions(window, {**handlers, "quit": lambda: None, "fly": lambda: None})


def test_keys_of_the_window_come_from_the_table_alone(open_app: Opener, qtbot: Any) -> None:
    window = open_app().window
    bound = {
        key.toString(): action.objectName()
        for action in window.findChildren(QAction)
        for key in action.shortcuts()
    }
    table = {QKeySequence(key).toString(): c.name for c in COMMANDS for key in c.keys}
    assert {key: bound.get(key) for key in table} == table


def test_f1_lists_every_key_of_the_table(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.show_shortcuts()
    dialog = app.window.findChild(ShortcutsDialog)
    assert dialog is not None
    said = {found.text() for found in dialog.findChildren(QLabel)}
    for command in COMMANDS:
        if command.keys:
            assert {shown_keys(command.keys), command.text} <= said
    dialog.close()


def test_commands_are_allowed_where_they_make_sense(open_app: Opener, qtbot: Any) -> None:
    app = open_app("empty")
    table = app.window.actions_table
    assert not table["library.scan"].isEnabled()
    assert not table["file.show"].isEnabled()
    assert not table["page.on"].isEnabled()
    assert table["folder.add"].isEnabled()


def test_the_menu_of_a_library_in_the_sidebar_is_about_that_library(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    window = app.window
    window.open_library("lib1")
    window.sidebar.libraries.menu_wanted.emit("lib3", window.rect().center())
    menu = next(m for m in window.sidebar.findChildren(QMenu) if m.isVisible())
    offered = {action.objectName(): action for action in menu.actions()}
    assert {"library.rename", "library.pause", "library.remove"} <= set(offered)
    offered["library.files"].trigger()
    menu.close()
    free_deleted()
    assert (window.page, window.library.library_id) == ("library", "lib3")
    window.open_library("lib1")
    assert window.here() == "lib1"
