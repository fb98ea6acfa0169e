"""What every command of the table does to the window, and when it is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop import file_work
from desktop.strings import english
from desktop.tunings import WAITING

if TYPE_CHECKING:
    from desktop.window import MainWindow
    from engine.work.api import FileRow

_ZOOM = 1.2


def handlers(window: MainWindow) -> dict[str, Callable[[], object]]:
    """What every command of the table does."""
    page, work, state = window.show_page, window.libraries, window.state
    result: dict[str, Callable[[], object]] = {
        "palette": window.open_palette,
        "question.new": window.new_question,
        "folder.add": lambda: window.choose_folder(""),
        "go.ask": lambda: page("ask"),
        "go.library": lambda: page("library"),
        "go.models": lambda: page("models"),
        "go.settings": lambda: page("settings"),
        "pane.toggle": window.ask.toggle_pane,
        "answer.origins": window.ask.origins.toggle,
        "sources.why": window.ask.inspect,
        "questions.find": window.sidebar.questions.find,
        "question.filter": window.ask.scope.open_filter,
        "presets.manage": window.ask.scope.manage_presets,
        "files.find": window.find_file,
        "library.ask": lambda: window.open_library(window.here()),
        "library.files": lambda: window.open_files(window.here()),
        "library.scan": lambda: window.rescan(window.here()),
        "library.pause": lambda: state.pause(window.here()),
        "library.resume": lambda: state.resume(window.here()),
        "library.rename": lambda: work.rename(window.here()),
        "library.add": lambda: window.choose_folder(window.here()),
        "library.skipped": lambda: window.open_files(window.here(), "skipped"),
        "library.remove": lambda: work.remove(window.here()),
        "model.add": window.choose_model,
        "data.open": window.settings.open_home,
        "computer.check": window.check_computer,
        "page.back": lambda: window.turn_page(-1),
        "page.on": lambda: window.turn_page(1),
        "page.larger": lambda: window.zoom(_ZOOM),
        "page.smaller": lambda: window.zoom(1 / _ZOOM),
        "escape": window.escape,
        "keys": window.show_shortcuts,
        "quit": window.close,
        **_file_handlers(window),
        **_tune_handlers(window),
    }
    for choice in ("system", "light", "dark"):
        result[f"look.{choice}"] = lambda choice=choice: window.set_theme(choice)
    for part in ("general", "library", "model", "privacy"):
        result[f"settings.{part}"] = lambda part=part: window.open_settings(part)
    for key in ("name", "state", "kind", "size", "modified"):
        result[f"sort.{key}"] = lambda key=key: window.library.sort_by(key)
    return result


def _tune_handlers(window: MainWindow) -> dict[str, Callable[[], object]]:
    tune = window.tune

    def there(act: Callable[..., object], *more: object) -> Callable[[], object]:
        def go() -> None:
            window.show_page("tune")
            act(*more)

        return go

    return {
        "go.tune": lambda: window.show_page("tune"),
        "tune.new": there(tune.begin),
        "tune.import": there(tune.choose_examples),
        "tune.feedback": there(tune.take_feedback),
        "tune.runs": there(tune.show_section, "runs"),
        "tune.examples": there(tune.show_section, "examples"),
        "tune.adapters": there(tune.show_section, "adapters"),
        "adapter.import": there(tune.import_adapter),
        "run.pause": lambda: tune.ask_run("pause"),
        "run.resume": lambda: tune.ask_run("resume"),
        "run.stop": lambda: tune.ask_run("stop"),
    }


def _file_handlers(window: MainWindow) -> dict[str, Callable[[], object]]:
    library, state, notices = window.library, window.state, window.notices

    def one(act: Callable[..., object], *more: object) -> Callable[[], object]:
        return lambda: library.with_chosen(lambda files: act(files[0], *more))

    def again(files: list[FileRow], scans: bool) -> None:
        state.retry(library.library_id, [file.file_id for file in files], scans)

    return {
        "file.show": one(library.open_file),
        "file.open": one(file_work.open_in_program, notices),
        "file.folder": one(file_work.show_in_folder, notices),
        "file.copy": lambda: library.with_chosen(
            lambda files: file_work.copy_paths(files, notices)
        ),
        "file.ask": lambda: library.with_chosen(
            lambda files: window.ask_about(library.library_id, files)
        ),
        "file.again": lambda: library.with_chosen(lambda files: again(files, False)),
        "file.scan": lambda: library.with_chosen(
            lambda files: again([file for file in files if file.scan_pages], True)
        ),
    }


def allow(window: MainWindow) -> None:
    """Allow the commands that make sense where the user is."""
    table = window.actions_table
    view = window.state.library(window.here())
    table.enable("library.", view is not None)
    if view is not None:
        paused = view.following == "paused"
        table["library.pause"].setEnabled(not paused and view.following != "off")
        table["library.resume"].setEnabled(paused)
        table["library.skipped"].setEnabled(view.skipped > 0)
        busy = window.state.reading_of(view.id) is not None
        table["library.scan"].setEnabled(not busy)
    files = window.library.chosen_count() if window.page == "library" else 0
    table.enable("file.", files > 0)
    for name in ("file.show", "file.open", "file.folder"):
        table[name].setEnabled(files == 1)
    many = files > 1
    table["file.ask"].setText(english.DO_FILES_ASK if many else english.DO_FILE_ASK)
    table["file.copy"].setText(english.DO_FILES_COPY if many else english.DO_FILE_COPY)
    held = window.library.chosen_held() if files else []
    table["file.scan"].setEnabled(any(file.scan_pages for file in held))
    table["file.ask"].setEnabled(any(file.state in ("indexed", "read") for file in held))
    table.enable("sort.", window.page == "library" and view is not None)
    table.enable("page.", window.viewer() is not None)
    run = window.tune.current_run()
    state = run.state if run is not None else ""
    table["run.pause"].setEnabled(state == "running")
    table["run.resume"].setEnabled(state in WAITING)
    table["run.stop"].setEnabled(state == "running")
