from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLineEdit, QSlider, QWidget

from desktop.dialogs.confirm import ConfirmDialog
from desktop.dialogs.naming import NamingDialog
from desktop.theme import theme
from tests.desktop.conftest import Opener, describe, free_deleted
from tests.desktop.pages.tuning.conftest import walk

__all__ = ["walk"]


def test_nothing_yet_offers_a_first_tuning(open_app: Opener, qtbot: Any) -> None:
    app = open_app("empty")
    window = app.window
    qtbot.waitUntil(lambda: app.state.tunings.known, timeout=10_000)
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert window.page == "tune"
    assert window.sidebar.nav_tune.isChecked()
    assert window.tune.runs.empty.isVisible()
    assert window.tune.tabs["runs"].text() == "Trainings"
    window.tune.new.click()
    assert window.tune.in_wizard
    assert not window.tune.wizard.examples.datasets.isVisible()


def test_a_running_training_moves_in_the_list_and_keeps_its_card(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(RUN="184", RUN_STEPS="0")
    window = app.window
    window.show_page("tune")
    qtbot.waitUntil(lambda: len(window.tune.runs.cards()) == 1, timeout=10_000)
    card = window.tune.runs.cards()[0]
    assert card.state.text() == "Step 184 of 420"
    assert card.left.text() == "About 21 minutes left"
    assert window.tune.tabs["runs"].text() == "Trainings  1"
    card.pause.click()
    qtbot.waitUntil(lambda: card.state.text().startswith("Paused"), timeout=10_000)
    assert window.tune.runs.cards() == [card]
    assert card.resume.isVisible()
    card.remove.click()
    question = window.findChild(ConfirmDialog)
    assert question is not None
    question.yes.click()
    qtbot.waitUntil(lambda: not window.tune.runs.cards(), timeout=10_000)
    assert window.tune.runs.empty.isVisible()


def test_datasets_are_renamed_removed_and_tuned_with(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    window = app.window
    window.actions_table["tune.examples"].trigger()
    qtbot.waitUntil(lambda: len(window.tune.datasets.cards()) == 2, timeout=10_000)
    first, second = window.tune.datasets.cards()
    assert "1,181 to learn from · 131 held out" in first.facts.text()
    second.rename.click()
    naming = window.findChild(NamingDialog)
    assert naming is not None
    naming.field.setText("Our style")
    naming.save.click()
    qtbot.waitUntil(lambda: second.name.text() == "Our style", timeout=10_000)
    second.remove.click()
    question = window.findChild(ConfirmDialog)
    assert question is not None
    question.yes.click()
    qtbot.waitUntil(lambda: len(window.tune.datasets.cards()) == 1, timeout=10_000)
    window.tune.datasets.cards()[0].use.click()
    assert window.tune.wizard.draft.dataset == "set1"
    assert window.tune.wizard.examples.shows("rows")


def test_every_control_has_a_name_and_can_be_reached(
    open_app: Opener, qtbot: Any, walk: Any
) -> None:
    app = open_app(RUN="184", RUN_STEPS="0")
    wizard = walk(app, "check")
    wizard.examples.import_file("/x/odd.csv")
    qtbot.waitUntil(lambda: bool(wizard.examples.importing.choosers), timeout=10_000)
    kinds = (QAbstractButton, QAbstractItemView, QLineEdit, QSlider)
    controls = [
        widget
        for widget in app.window.tune.findChildren(QWidget)
        if isinstance(widget, kinds)
        and not widget.objectName().startswith("qt_")
        and not widget.inherits("QHeaderView")
        and not isinstance(widget.parent(), (QLineEdit, QAbstractItemView))
        and not (widget.parent() and widget.parent().inherits("QAbstractSpinBox"))
    ]
    assert len(controls) > 60
    nameless = [
        describe(widget)
        for widget in controls
        if not widget.accessibleName().strip()
        and not (isinstance(widget, QAbstractButton) and widget.text().strip())
    ]
    assert not nameless
    unreachable = [
        describe(w) for w in controls if not w.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert not [line for line in unreachable if "TableCornerButton" not in line]


@pytest.mark.parametrize("size", [(900, 600), (2500, 1500)])
def test_every_step_fits_into_the_window_in_both_schemes(
    open_app: Opener, qtbot: Any, walk: Any, size: tuple[int, int]
) -> None:
    app = open_app(RUN="184", RUN_STEPS="0")
    window = app.window
    window.resize(*size)
    wizard = walk(app, "check")
    for scheme in ("light", "dark"):
        window.set_theme(scheme)
        theme.finish()
        for at, step in enumerate(wizard.steps):
            wizard._at = at
            wizard.pages.setCurrentWidget(step)
            wizard._show()
            qtbot.wait(20)
            assert (window.width(), window.height()) == size
            cut = [
                describe(w)
                for w in window.tune.findChildren(QAbstractButton)
                if w.isVisible()
                and not w.objectName().startswith("qt_")
                and w.mapTo(window, w.rect().topRight()).x() > window.width()
            ]
            assert not cut, step.mark
    window.set_theme("system")


def test_opening_and_leaving_the_wizard_leaves_no_widget_behind(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(RUN="184", RUN_STEPS="0")
    window = app.window
    window.show_page("tune")
    qtbot.waitUntil(lambda: len(window.tune.runs.cards()) == 1, timeout=10_000)

    def walk() -> None:
        window.tune.open_run(app.state.tunings.runs[0])
        train = window.tune.wizard.train
        qtbot.waitUntil(lambda: train.run is not None, timeout=10_000)
        window.tune.begin_with("set1")
        qtbot.waitUntil(window.tune.wizard.next.isEnabled, timeout=10_000)
        for section in ("examples", "adapters", "runs"):
            window.tune.show_section(section)
        for signal in ("runs_changed", "datasets_changed", "adapters_changed"):
            getattr(app.state.tunings, signal).emit()
        free_deleted()

    walk()
    walk()
    before = len(window.findChildren(QWidget))
    for _ in range(6):
        walk()
    assert len(window.findChildren(QWidget)) <= before
