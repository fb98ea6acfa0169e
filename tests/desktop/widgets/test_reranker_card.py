from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel

from desktop.app import App
from desktop.strings import english
from desktop.widgets.reranker_card import RerankerCard
from tests.desktop.conftest import Opener, last
from tests.desktop.scripted_reranker import SENTENCES


def card(app: App, qtbot: Any) -> RerankerCard:
    """The card on the page that is shown, once the engine has said what is set."""
    app.window.open_settings("model")
    found = app.window.settings.model.reranker
    qtbot.waitUntil(lambda: found.folder.text() != "", timeout=5_000)
    return found


def choose(found: RerankerCard, qtbot: Any, folder: str) -> None:
    found.use_folder(folder)
    qtbot.waitUntil(lambda: found.folder.text() == folder, timeout=5_000)
    qtbot.waitUntil(found.choose.isEnabled, timeout=5_000)


def said(found: RerankerCard) -> list[str]:
    return [shown.text() for shown in found.findChildren(QLabel)]


def test_without_a_reranker_there_is_only_a_folder_to_choose(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    found = card(app, qtbot)
    assert found.folder.text() == english.RERANKER_NONE
    assert not found.switch.isVisible()
    assert not found.remove.isVisible()
    found.choose.click()
    dialog = found.window().findChild(QFileDialog)
    assert dialog is not None
    assert dialog.fileMode() == QFileDialog.FileMode.Directory
    dialog.reject()
    qtbot.waitUntil(lambda: found.window().findChild(QFileDialog) is None, timeout=5_000)


def test_a_folder_is_set_switched_and_taken_away(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    found = card(app, qtbot)
    choose(found, qtbot, "/models/ms-marco")
    assert found.switch.isVisible()
    assert not found.switch.isChecked()
    found.switch.setFocus()
    qtbot.keyClick(found.switch, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: found.view is not None and found.view.on, timeout=5_000)
    found.remove.click()
    qtbot.waitUntil(lambda: found.folder.text() == english.RERANKER_NONE, timeout=5_000)
    assert not found.switch.isChecked()


def test_a_folder_that_is_refused_says_why_and_changes_nothing(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    found = card(app, qtbot)
    choose(found, qtbot, "/models/ms-marco")
    found.use_folder("/models/pickled")
    qtbot.waitUntil(
        lambda: found.choose.isEnabled() and bool(app.notices.record), timeout=5_000
    )
    assert "it is not opened" in last(app).text
    assert found.folder.text() == "/models/ms-marco"


def test_a_measured_gain_switches_it_on_and_says_so_in_words(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    found = card(app, qtbot)
    choose(found, qtbot, "/models/ms-marco")
    found.measure.click()
    assert not found.measure.isEnabled()
    assert found.stop.isVisible()
    qtbot.waitUntil(found.switch.isChecked, timeout=10_000)
    qtbot.waitUntil(found.measure.isEnabled, timeout=5_000)
    assert f"Clinic protocols: {SENTENCES['gain']}" in said(found)
    [figures] = [text for text in said(found) if text.startswith("60 questions")]
    assert "Found first: 75%, reranked 87%" in figures
    assert "gain +0.07 to +0.17" in figures
    assert "38 ms, reranked 940 ms" in figures


def test_a_loss_leaves_it_off(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    found = card(app, qtbot)
    choose(found, qtbot, "/models/ms-marco")
    found.library.chosen.emit("lib2")
    assert found.library.shown() == "Site reports"
    found.measure.click()
    wanted = f"Site reports: {SENTENCES['loss']}"
    qtbot.waitUntil(lambda: wanted in said(found), timeout=10_000)
    assert not found.switch.isChecked()


def test_measuring_can_be_stopped(open_app: Opener, qtbot: Any) -> None:
    app = open_app(MEASURE_S="0.2")
    found = card(app, qtbot)
    choose(found, qtbot, "/models/ms-marco")
    found.measure.click()
    qtbot.waitUntil(lambda: "of 60 questions" in found.pulse.text(), timeout=10_000)
    found.stop.click()
    qtbot.waitUntil(found.measure.isEnabled, timeout=10_000)
    assert not found.pulse.isVisible()
    assert not app.notices.record
    assert not [text for text in said(found) if "Worth it" in text]


def test_a_switch_that_fails_goes_back(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    found = card(app, qtbot)
    choose(found, qtbot, "/models/gone")
    found.switch.click()
    qtbot.waitUntil(lambda: bool(app.notices.record), timeout=5_000)
    qtbot.waitUntil(lambda: not found.switch.isChecked(), timeout=5_000)
    assert last(app).text.startswith("The folder of the reranker is gone.")
