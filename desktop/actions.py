"""Everything the user can do, in one table: shortcuts, menus, palette and F1 read from it.

A command that is not in `COMMANDS` cannot be bound, and one without a handler refuses to
start, so the four places cannot tell different stories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from desktop import theme
from desktop.strings import english


@dataclass(frozen=True)
class Command:
    """One thing the user can do. `keys` are portable names, the first one is shown.

    `listed` says whether the palette offers it: what only makes sense while a key is held
    (closing, turning a page) is left out there, and still stands in the list of keys.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    listed: bool = True
    danger: bool = False


COMMANDS: tuple[Command, ...] = (
    Command("palette", english.DO_PALETTE, ("Ctrl+K", "Ctrl+Shift+P"), "search", False),
    Command("question.new", english.DO_NEW_QUESTION, ("Ctrl+N",), "message-square-plus"),
    Command("folder.add", english.DO_ADD_FOLDER, ("Ctrl+O",), "folder-plus"),
    Command("go.ask", english.DO_GO_ASK, ("Ctrl+1",), "message-square"),
    Command("go.library", english.DO_GO_LIBRARY, ("Ctrl+L", "Ctrl+2"), "library"),
    Command("go.models", english.DO_GO_MODELS, ("Ctrl+M", "Ctrl+3"), "cpu"),
    Command("go.settings", english.DO_GO_SETTINGS, ("Ctrl+,", "Ctrl+4"), "settings"),
    Command("go.tune", english.DO_GO_TUNE, ("Ctrl+T", "Ctrl+5"), "wand-sparkles"),
    Command("tune.new", english.DO_TUNE_NEW, ("Ctrl+Shift+T",), "wand-sparkles"),
    Command("tune.import", english.DO_TUNE_IMPORT, ("Ctrl+Shift+I",), "file-text"),
    Command("tune.feedback", english.DO_TUNE_FEEDBACK, (), "message-square"),
    Command("tune.runs", english.DO_TUNE_RUNS, (), "wand-sparkles"),
    Command("tune.examples", english.DO_TUNE_DATASETS, (), "database"),
    Command("tune.adapters", english.DO_TUNE_ADAPTERS, (), "sparkles"),
    Command("adapter.import", english.DO_ADAPTER_IMPORT, (), "download"),
    Command("run.pause", english.DO_TUNE_PAUSE, (), "circle-pause"),
    Command("run.resume", english.DO_TUNE_RESUME, (), "circle-play"),
    Command("run.stop", english.DO_TUNE_STOP, (), "circle-stop"),
    Command("pane.toggle", english.DO_TOGGLE_PANE, ("Ctrl+B",), "panel-right"),
    Command("answer.origins", english.DO_ORIGINS, ("Ctrl+E",), "highlighter"),
    Command("sources.why", english.INSPECT, ("Ctrl+I",), "text-search"),
    Command("questions.find", english.SEARCH_QUESTIONS, ("Ctrl+Shift+F",), "search"),
    Command("question.filter", english.FILTER_OPEN, ("Ctrl+Shift+L",), "list-filter"),
    Command("presets.manage", english.PRESETS_MANAGE, (), "sparkles"),
    Command("files.find", english.DO_FIND_FILE, ("Ctrl+F",), "search"),
    Command("library.ask", english.DO_LIBRARY_ASK, (), "message-square-plus"),
    Command("library.files", english.DO_LIBRARY_FILES, (), "files"),
    Command("library.scan", english.DO_LIBRARY_SCAN, ("F5",), "refresh-cw"),
    Command("library.pause", english.DO_LIBRARY_PAUSE, (), "circle-pause"),
    Command("library.resume", english.DO_LIBRARY_RESUME, (), "circle-play"),
    Command("library.rename", english.DO_LIBRARY_RENAME, ("F2",), "pencil"),
    Command("library.add", english.DO_LIBRARY_ADD, ("Ctrl+Shift+O",), "folder-plus"),
    Command("library.skipped", english.DO_LIBRARY_SKIPPED, (), "triangle-alert"),
    Command("library.remove", english.DO_LIBRARY_REMOVE, (), "trash-2", danger=True),
    Command("file.show", english.DO_FILE_SHOW, (), "file-text"),
    Command("file.ask", english.DO_FILE_ASK, (), "message-square-plus"),
    Command("file.open", english.DO_FILE_OPEN, ("Ctrl+Shift+E",), "external-link"),
    Command("file.folder", english.DO_FILE_FOLDER, (), "folder-open"),
    Command("file.again", english.DO_FILE_AGAIN, (), "rotate-cw"),
    Command("file.scan", english.DO_FILE_SCAN, (), "scan-text"),
    Command("file.copy", english.DO_FILE_COPY, ("Ctrl+Shift+C",), "copy"),
    Command("sort.name", english.DO_SORT_NAME, (), "files"),
    Command("sort.state", english.DO_SORT_STATE, (), "files"),
    Command("sort.kind", english.DO_SORT_KIND, (), "files"),
    Command("sort.size", english.DO_SORT_SIZE, (), "files"),
    Command("sort.modified", english.DO_SORT_MODIFIED, (), "files"),
    Command("model.add", english.DO_MODEL_ADD, (), "plus"),
    Command("look.system", english.DO_LOOK_SYSTEM, (), "monitor"),
    Command("look.light", english.DO_LOOK_LIGHT, (), "sun"),
    Command("look.dark", english.DO_LOOK_DARK, (), "moon"),
    Command("settings.general", english.DO_SETTINGS_GENERAL, (), "settings"),
    Command("settings.library", english.DO_SETTINGS_LIBRARY, (), "settings"),
    Command("settings.model", english.DO_SETTINGS_MODEL, (), "settings"),
    Command("settings.privacy", english.DO_SETTINGS_PRIVACY, (), "shield-check"),
    Command("data.open", english.DO_DATA_OPEN, (), "hard-drive"),
    Command("computer.check", english.DO_COMPUTER_CHECK, (), "circle-check"),
    Command("page.back", english.DO_PAGE_BACK, ("PgUp",), listed=False),
    Command("page.on", english.DO_PAGE_ON, ("PgDown",), listed=False),
    Command("page.larger", english.DO_PAGE_LARGER, ("Ctrl++", "Ctrl+="), listed=False),
    Command("page.smaller", english.DO_PAGE_SMALLER, ("Ctrl+-",), listed=False),
    Command("escape", english.DO_ESCAPE, ("Esc",), listed=False),
    Command("keys", english.DO_KEYS, ("F1",), "keyboard"),
    Command("quit", english.DO_QUIT, ("Ctrl+Q",), "x"),
)

FIELD_KEYS: tuple[tuple[str, str], ...] = (
    ("Return", english.KEY_ASK),
    ("Shift+Return", english.KEY_NEW_LINE),
    ("Ctrl+Down", english.KEY_NEXT_SENTENCE),
    ("Ctrl+Up", english.KEY_LAST_SENTENCE),
)
"""Keys that the question field and an answer take themselves."""


class Actions(QObject):
    """One `QAction` a command, bound to the window and to what it does.

    Raises:
        KeyError: a command has no handler, or a handler no command.
    """

    def __init__(self, window: QWidget, handlers: dict[str, Callable[[], object]]) -> None:
        super().__init__(window)
        unknown = set(handlers) ^ {command.name for command in COMMANDS}
        if unknown:
            raise KeyError(f"commands and handlers differ: {sorted(unknown)}")
        self._actions: dict[str, QAction] = {}
        for command in COMMANDS:
            self._actions[command.name] = self._make(window, command, handlers[command.name])

    def _make(self, window: QWidget, command: Command, act: Callable[[], object]) -> QAction:
        action = QAction(command.text, self)
        action.setObjectName(command.name)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.triggered.connect(lambda checked=False: act())
        if command.icon:
            role = "danger" if command.danger else "muted"
            theme.follow(action, lambda: action.setIcon(theme.icon(command.icon, role)))
        window.addAction(action)
        return action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[tuple[Command, QAction]]:
        return ((command, self._actions[command.name]) for command in COMMANDS)

    def enable(self, prefix: str, allowed: bool) -> None:
        """Allow or forbid every command whose name begins with `prefix`."""
        for name, action in self._actions.items():
            if name.startswith(prefix):
                action.setEnabled(allowed)

    def menu(self, parent: QWidget, *wanted: str) -> QMenu:
        """A menu of the named commands, "" for a separator; it frees itself when it closes."""
        result = QMenu(parent)
        result.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in wanted:
            if name:
                result.addAction(self._actions[name])
            else:
                result.addSeparator()
        return result


def shown_keys(keys: tuple[str, ...] | list[str]) -> str:
    """Keys as this platform names them: "Ctrl+K / Ctrl+Shift+P"."""
    form = QKeySequence.SequenceFormat.NativeText
    return " / ".join(QKeySequence(key).toString(form) or key for key in keys)
