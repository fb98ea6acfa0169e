from __future__ import annotations

import json
from typing import Any

from PySide6.QtGui import QGuiApplication

from desktop import theme
from desktop.theme.tokens import DARK, LIGHT
from tests.desktop.conftest import Opener


def test_the_theme_switches_live_and_is_remembered(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.home.settings.write_text('{"version": 1, "default_model": "kept", "unknown": 7}')
    app.window.show_page("settings")
    app.window.settings.themes["dark"].click()
    assert theme.theme.tokens is DARK
    kept = json.loads(app.home.settings.read_text())
    assert (kept["theme"], kept["default_model"], kept["unknown"]) == ("dark", "kept", 7)
    app.window.settings.themes["light"].click()
    assert theme.theme.tokens is LIGHT


def test_the_number_of_passages_goes_with_the_next_question(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    app.window.settings.passages.chosen.emit("3")
    assert app.window.settings.passages.shown() == "3"
    app.window.ask.ask("how many?")
    assert app.window.ask.talk.passages_wanted == 3
    assert json.loads(app.home.settings.read_text())["passages"] == 3


def test_the_doctor_reports_and_the_report_can_be_copied(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.settings
    app.window.show_page("settings")
    page.check.click()
    qtbot.waitUntil(page.copy_report.isVisible, timeout=10_000)
    page.copy_report.click()
    copied = json.loads(QGuiApplication.clipboard().text())
    assert copied["cpu"] == "A processor"
    assert page._results.count() == 3


def test_the_window_comes_back_where_it_was(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.resize(1111, 777)
    app.window.open_library("lib3")
    app.window.close()
    again = open_app()
    assert (again.window.width(), again.window.height()) == (1111, 777)
    assert again.window.ask.library_id == "lib3"
