from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt

from desktop.dialogs.confirm import ConfirmDialog
from desktop.dialogs.example import ExampleDialog
from desktop.strings import english
from tests.desktop.conftest import Opener, free_deleted, lines
from tests.desktop.pages.test_start import drop
from tests.desktop.pages.tuning.conftest import Walker


def test_a_dropped_file_is_previewed_corrected_and_imported(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app()
    app.window.show_page("tune")
    app.window.tune.begin()
    wizard = app.window.tune.wizard
    step = wizard.examples
    assert step.shows("choice")
    assert not wizard.next.isEnabled()
    drop(step.drop, tmp_path / "odd.csv")
    assert step.shows("import")
    panel = step.importing
    qtbot.waitUntil(panel.take.isEnabled, timeout=10_000)
    assert panel.recognised.text() == "48 examples in CSV, 5 of them held out. Is this right?"
    assert panel.task.shown() == english.TASKS["classification"]
    assert panel.choosers["input"].shown() == "intent"
    assert panel.choosers["output"].choices() == ["none", "text", "intent", "channel"]
    assert panel.model.rowCount() == 10
    panel.choose_column("input", "text")
    assert not panel.take.isEnabled()
    qtbot.waitUntil(panel.take.isEnabled, timeout=10_000)
    panel.choose_column("output", "intent")
    qtbot.waitUntil(panel.take.isEnabled, timeout=10_000)
    assert panel.choosers["input"].shown() == "text"
    panel.take.click()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=10_000)
    assert step.shows("rows")
    assert step.name.text() == "odd"
    assert english.IMPORTED.format(name="odd", rows="48 examples") in lines(app)


def test_a_file_without_examples_says_so_and_can_be_left(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.show_page("tune")
    app.window.tune.begin()
    step = app.window.tune.wizard.examples
    step.import_file("/x/broken.csv")
    qtbot.waitUntil(lambda: bool(step.importing.problem.text()), timeout=10_000)
    assert step.importing.problem.text().startswith("This file holds no examples.")
    assert not step.importing.take.isEnabled()
    step.importing.cancel.click()
    assert step.shows("choice")


def test_rows_are_searched_changed_added_and_deleted(
    open_app: Opener, qtbot: Any, walk: Walker
) -> None:
    app = open_app()
    step = walk(app, "examples").examples
    model = step.model
    qtbot.waitUntil(lambda: model.held(0) is not None, timeout=10_000)
    assert model.rowCount() == 1312
    step.search.setText("Customer 77")
    qtbot.waitUntil(lambda: model.rowCount() == 11, timeout=10_000)
    step.table.selectRow(0)
    assert step.edit.isEnabled()
    qtbot.keyClick(step.table, Qt.Key.Key_Return)
    dialog = app.window.findChild(ExampleDialog)
    assert dialog is not None
    assert dialog.input.toPlainText().startswith("Customer 77:")
    assert dialog.labels.choices()[0] == "freeze account"
    dialog.output.setPlainText("")
    assert not dialog.save.isEnabled()
    dialog.labels.chosen.emit("bill due")
    dialog.side.chosen.emit("heldout")
    dialog.save.click()
    qtbot.waitUntil(
        lambda: (row := model.held(0)) is not None and row.output == "bill due", timeout=10_000
    )
    changed = model.held(0)
    assert changed is not None
    assert changed.split == "heldout"
    step.table.selectRow(0)
    qtbot.keyClick(step.table, Qt.Key.Key_Delete)
    question = app.window.findChild(ConfirmDialog)
    assert question is not None
    question.yes.click()
    qtbot.waitUntil(lambda: model.rowCount() == 10, timeout=10_000)
    step.add.click()
    free_deleted()
    dialog = app.window.findChild(ExampleDialog)
    assert dialog is not None
    dialog.input.setPlainText("Customer 77 again")
    dialog.output.setPlainText("bill due")
    dialog.save.click()
    qtbot.waitUntil(lambda: model.rowCount() == 11, timeout=10_000)


def test_corrections_of_conversations_become_examples(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.actions_table["tune.feedback"].trigger()
    step = app.window.tune.wizard.examples
    qtbot.waitUntil(lambda: step.shows("rows") and step.ready(), timeout=10_000)
    assert step.name.text() == "From conversations"
    assert english.EXAMPLES_TOOK_FEEDBACK.format(rows="3 examples") in lines(app)
    step.others.click()
    assert step.shows("choice")
    assert not app.window.tune.wizard.next.isEnabled()


def test_a_dataset_is_chosen_with_the_keyboard(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.show_page("tune")
    app.window.tune.begin()
    step = app.window.tune.wizard.examples
    qtbot.waitUntil(lambda: step.datasets_model.rowCount() == 2, timeout=10_000)
    step.datasets.setCurrentIndex(step.datasets_model.index(1))
    qtbot.keyClick(step.datasets, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: step.name.text() == "House style", timeout=10_000)
