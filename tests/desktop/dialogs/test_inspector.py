from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from desktop.app import App
from desktop.dialogs.inspector import InspectorDialog, search_params
from desktop.models.candidates import MEANING
from desktop.strings import english
from tests.desktop.conftest import Opener, free_deleted
from tests.desktop.pages.test_ask import ask


def inspector(app: App, qtbot: Any) -> InspectorDialog:
    """The open inspector, once it has found something."""
    dialog = app.window.ask.findChild(InspectorDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.table.shown()), timeout=5_000)
    return dialog


def test_the_keys_open_it_and_it_shows_every_candidate(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    turn = ask(app, qtbot, "What is the dose?")
    qtbot.keyClick(app.window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    dialog = inspector(app, qtbot)
    rows = dialog.table.shown()
    assert len(rows) == 30
    assert [row.chosen for row in rows[:4]] == [1, 2, 3, None]
    assert len(turn.passages) == 3
    said = [shown.text() for shown in dialog.findChildren(QLabel)]
    assert "11.8 ms" in said
    assert "100 nearest of 51,200 passages" in said
    assert dialog.query.text() == "What is the dose?"
    dialog.close_button.click()
    free_deleted()
    assert app.window.ask.findChild(InspectorDialog) is None


def test_a_source_leads_to_its_own_row(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: len(page.sources.cards()) == 3, timeout=10_000)
    menu = page.sources.cards()[2].menu()
    next(a for a in menu.actions() if a.text() == english.SOURCE_WHY).trigger()
    dialog = inspector(app, qtbot)
    assert dialog.table.currentIndex().row() == 2
    assert dialog.details()[0] == "Chosen."


def test_columns_explain_themselves_and_sort_by_key(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    ask(app, qtbot, "What is the dose?")
    app.window.ask.inspect()
    dialog = inspector(app, qtbot)
    table = dialog.table
    table.setCurrentIndex(table.model().index(0, MEANING))
    assert dialog.details()[1].startswith("Meaning: ")
    heads = [table.model().headerData(at, Qt.Orientation.Horizontal, 3) for at in range(6)]
    assert all(isinstance(tip, str) and tip.endswith(".") for tip in heads)
    qtbot.keyClick(table, Qt.Key.Key_S)
    qtbot.keyClick(table, Qt.Key.Key_S)
    assert table.shown()[0].dense_rank == 29
    assert table.shown()[-1].dense_rank is None
    dialog.copy.click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 31
    assert lines[0].split("\t")[2] == "Meaning"


def test_it_repeats_the_search_of_the_turn(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)
    page.composer.chooser.tick("lib2")
    page.scope.only_folder(page.talk.turns[0].passages[0])
    page.composer.chooser.tick("lib2")
    ask(app, qtbot, "and below 30?")
    page.chips.chips()[0].click()  # the scope of now is not the scope of the turn
    page.inspect()
    dialog = inspector(app, qtbot)
    said = " ".join(shown.text() for shown in dialog.findChildren(QLabel))
    assert "/home/ada/Clinic protocols" in said
    assert "in 2 libraries" in said
    turn = page.talk.turns[-1]
    asked = search_params(page.talk, turn)
    assert asked["query"] == turn.report.searched == f"and below 30? {turn.rewritten}"
    assert asked["top"] == len(turn.passages)
    assert dialog.query.text().startswith("What is the maximum metformin dose")


def test_a_search_that_fails_says_so(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    ask(app, qtbot, "search fails")
    app.window.ask.inspect()
    dialog = app.window.ask.findChild(InspectorDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.problem.text()), timeout=5_000)
    assert dialog.problem.text() == "The library is gone. Choose another one."
