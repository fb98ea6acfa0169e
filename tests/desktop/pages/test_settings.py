from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from desktop import theme
from desktop.dialogs.confirm import ConfirmDialog
from desktop.pages.settings_library import scan_choice
from desktop.strings import english
from desktop.theme.tokens import DARK, LIGHT
from tests.desktop.conftest import Opener, free_deleted, lines


def kept(app: Any) -> dict[str, Any]:
    """What stands in the settings file."""
    return json.loads(app.home.settings.read_text())


def test_the_theme_switches_live_and_is_remembered(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.home.settings.write_text('{"version": 1, "default_model": "kept", "unknown": 7}')
    app.window.show_page("settings")
    themes = app.window.settings.general.themes
    themes["dark"].click()
    assert theme.theme.tokens is DARK
    written = kept(app)
    assert (written["theme"], written["default_model"], written["unknown"]) == (
        "dark",
        "kept",
        7,
    )
    themes["light"].click()
    assert theme.theme.tokens is LIGHT
    app.window.actions_table["look.dark"].trigger()
    assert themes["dark"].isChecked()
    themes["light"].click()


def test_four_sections_are_a_click_or_a_command_away(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.settings
    app.window.show_page("settings")
    assert [tab.text() for tab in page.tabs.values()] == [
        "General",
        "Library",
        "Model",
        "Privacy",
    ]
    page.tabs["library"].click()
    assert page.library.isVisible()
    assert not page.general.isVisible()
    app.window.show_page("ask")
    app.window.actions_table["settings.privacy"].trigger()
    assert app.window.page == "settings"
    assert page.privacy.isVisible()
    assert page.tabs["privacy"].isChecked()


def test_the_number_of_passages_goes_with_the_next_question(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    passages = app.window.settings.library.passages
    passages.chosen.emit("3")
    assert passages.shown() == "3"
    app.window.ask.ask("how many?")
    assert app.window.ask.talk.passages_wanted == 3
    assert kept(app)["passages"] == 3


def test_what_a_scan_may_cost_is_said_in_words_and_kept(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    scans = app.window.settings.library.scans
    assert scans.shown() == "Up to 20 seconds a file"
    scans.chosen.emit("300")
    assert scans.shown() == "Up to 5 minutes a file"
    assert kept(app)["scan_seconds_per_file"] == 300
    scans.chosen.emit("0")
    assert scans.shown() == "Never"
    assert scan_choice(3600) == "Up to an hour a file"


def test_switches_are_kept_and_work_with_the_keyboard(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.settings
    app.window.open_settings("library")
    page.library.follow.setFocus()
    qtbot.keyClick(page.library.follow, Qt.Key.Key_Space)
    app.window.open_settings("general")
    page.general.notify.click()
    assert (kept(app)["follow"], kept(app)["notify"]) == (False, False)
    assert not app.state.follow
    app.close()
    again = open_app()
    assert not again.state.follow
    assert not again.window.settings.library.follow.isChecked()
    assert all(view.following == "off" for view in again.state.libraries)
    again.window.settings.library.follow.click()
    qtbot.waitUntil(lambda: again.state.libraries[0].following == "live", timeout=10_000)


def test_model_context_and_preset_are_chosen(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    part = app.window.settings.model
    qtbot.waitUntil(lambda: "For nurses" in part.preset.choices(), timeout=10_000)
    assert part.model.shown() == "Qwen2.5 1.5B"
    part.model.chosen.emit("model0")
    qtbot.waitUntil(lambda: part.model.shown() == "SmolLM2 135M", timeout=10_000)
    part.context.chosen.emit("8192")
    assert part.context.shown() == "8,192 tokens"
    part.preset.chosen.emit("p1")
    assert part.preset.shown() == "For nurses"
    assert (kept(app)["context_tokens"], kept(app)["preset"]) == (8192, "p1")
    assert app.window.ask.scope.default_preset == "p1"


def test_whether_it_refuses_is_a_switch_that_is_kept(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    part = app.window.settings.model
    assert part.refuse.isChecked()
    part.refuse.click()
    assert kept(app)["refuse"] is False
    app.close()
    again = open_app()
    assert not again.window.settings.model.refuse.isChecked()
    again.window.settings.model.refuse.click()
    assert kept(again)["refuse"] is True


def test_privacy_says_what_is_kept_and_how_much(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    privacy = app.window.settings.privacy
    app.window.open_settings("privacy")
    qtbot.waitUntil(lambda: privacy.total.text() == "1.3 GB", timeout=10_000)
    said = {part.text() for part in privacy.findChildren(QLabel)}
    assert {english.OFFLINE_TITLE, english.STORED_SCANS, "182 MB", "12.4 MB"} <= said


def test_deleting_all_questions_asks_first(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    privacy = app.window.settings.privacy
    app.window.open_settings("privacy")
    privacy.clear.click()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    assert dialog.no.isDefault()
    dialog.yes.click()
    qtbot.waitUntil(lambda: not app.state.conversations, timeout=10_000)
    assert english.CLEARED in lines(app)
    assert not privacy.clear.isEnabled()


def test_the_index_of_a_library_is_deleted_after_asking(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.open_settings("privacy")
    wanted = f"{english.DELETE_INDEX} Contracts"
    gone = next(
        found
        for found in app.window.settings.privacy.findChildren(QPushButton)
        if found.accessibleName() == wanted
    )
    gone.click()
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(lambda: len(app.state.libraries) == 2, timeout=10_000)
    free_deleted()


def test_the_doctor_reports_and_the_report_can_be_copied(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    computer = app.window.settings.general.computer
    app.window.show_page("settings")
    computer.check.click()
    qtbot.waitUntil(computer.copy_report.isVisible, timeout=10_000)
    computer.copy_report.click()
    copied = json.loads(QGuiApplication.clipboard().text())
    assert copied["cpu"] == "A processor"
    assert computer.results.count() == 3


def test_how_to_read_is_set_for_new_questions(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    mode = app.window.settings.model.mode
    app.window.open_settings("model")
    assert mode.shown() == "Automatic"
    mode.chosen.emit("token")
    assert mode.shown() == english.MODES["token"][0]
    assert kept(app)["mode"] == "token"
    assert app.window.ask.composer.modes.mode == "token"


def test_what_models_computed_has_a_limit_and_can_be_cleared(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    states = app.window.settings.privacy.states
    app.window.open_settings("privacy")
    qtbot.waitUntil(lambda: states.used.text() == "96 MB used now", timeout=10_000)
    assert states.limit.shown() == "Up to 1 GB"
    states.limit.chosen.emit("256")
    assert (states.limit.shown(), kept(app)["states_mb"]) == ("Up to 256 MB", 256)
    states.limit.chosen.emit("0")
    assert states.limit.shown() == english.SETTINGS_STATES_MEMORY
    assert states.clear.accessibleName() == english.STATES_CLEAR_SAID
    states.clear.setFocus()
    qtbot.keyClick(states.clear, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: states.used.text() == english.STATES_USED_NONE, timeout=10_000)
    assert english.STATES_CLEARED in lines(app)
    assert states.clear.isEnabled()
