"""What the palette finds without asking the engine: commands, libraries, questions, models."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop.actions import Actions, shown_keys
from desktop.dialogs.palette import Entry, Palette
from desktop.handlers import allow
from desktop.state import AppState
from desktop.strings import english, names
from desktop.widgets.found_list import Found

if TYPE_CHECKING:
    from desktop.window import MainWindow
    from engine.work.api import FileRow

_QUESTIONS_LISTED = 1000


def entries(
    state: AppState,
    actions: Actions,
    open_library: Callable[[str], object],
    open_conversation: Callable[[str], object],
    use_model: Callable[[str], object],
) -> list[Entry]:
    """Everything, in the order shown while nothing is typed: commands that can be done now
    come first, and weigh a little more than a question that fits alike."""
    result = [
        Entry(
            Found(command.text, command.icon or "command", keys=shown_keys(command.keys[:1])),
            action.trigger,
            0.3,
        )
        for command, action in actions
        if command.listed and action.isEnabled()
    ]
    result += [
        Entry(
            Found(view.name, "folder", english.PALETTE_LIBRARY, tip="\n".join(view.roots)),
            lambda view=view: open_library(view.id),
            0.2,
        )
        for view in state.libraries
    ]
    result += [
        Entry(
            Found(asked.title, "message-square", english.PALETTE_QUESTION),
            lambda asked=asked: open_conversation(asked.id),
        )
        for asked in state.conversations[:_QUESTIONS_LISTED]
    ]
    result += [
        Entry(
            Found(
                english.PALETTE_USE_MODEL.format(name=card.name), "cpu", english.PALETTE_MODEL
            ),
            lambda card=card: use_model(card.id),
        )
        for card in state.models
        if not card.default
    ]
    return result


def open_palette(window: MainWindow) -> None:
    """Ctrl+K: find anything."""
    if any(palette.isVisible() for palette in window.findChildren(Palette)):
        return
    allow(window)
    found = entries(
        window.state,
        window.actions_table,
        window.open_library,
        window.open_conversation,
        window.models.use,
    )
    view = window.state.library(window.here())
    files_of = (view.id, view.name) if view is not None else None

    def show(file: FileRow) -> None:
        window.open_files(window.here(), match=names.file_name(file.path))
        window.library.open_file(file)

    Palette(window, window.state.client, found, files_of, show)
