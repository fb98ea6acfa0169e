"""The first steps of a tuning over the real engine: import, correct, edit, check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import App
from desktop.dialogs.example import ExampleDialog
from engine.paths import Home
from tests.desktop.conftest import free_deleted, lines

WORDS = ("boat", "gull", "gale", "rope", "lamp", "pier", "buoy", "tide", "oar", "sail")


@pytest.mark.usefixtures("starter")
def test_a_table_becomes_examples_that_are_corrected_and_checked(
    qapp: QApplication, qtbot: Any, home: Home, tmp_path: Path
) -> None:
    table = tmp_path / "Logbook.csv"
    rows = [
        f"{word} seen at {n} o'clock,{'tool' if n % 2 else 'sight'}"
        for n, word in enumerate(WORDS * 4)
    ]
    table.write_text("what,about,kind\n" + "\n".join(f"x,{row}" for row in rows), "utf-8")
    app = App(qapp, home)
    app.show()

    def until(true: Any) -> None:
        qtbot.waitUntil(lambda: bool(true()), timeout=90_000)

    try:
        until(lambda: app.state.known and app.state.tunings.known)
        app.window.show_page("tune")
        assert app.window.tune.runs.empty.isVisible()
        app.window.tune.begin()
        wizard = app.window.tune.wizard
        step, panel = wizard.examples, wizard.examples.importing
        step.import_file(str(tmp_path / "missing.csv"))
        until(panel.problem.text)
        step.import_file(str(table))
        until(lambda: panel.preview is not None)
        panel._choose_task("classification")
        until(panel.take.isEnabled)
        panel.choose_column("input", "about")
        until(panel.take.isEnabled)
        panel.choose_column("output", "kind")
        until(panel.take.isEnabled)
        assert panel.recognised.text().startswith("40 examples in csv")
        panel.take.click()
        until(wizard.next.isEnabled)
        until(lambda: step.model.held(0))
        assert step.model.rowCount() == 40
        first = step.model.held(0)
        assert first is not None
        step.edit_example(first)
        dialog = app.window.findChild(ExampleDialog)
        assert dialog is not None
        assert dialog.labels.choices() == ["sight", "tool"]
        dialog.output.setPlainText("tool")
        dialog.save.click()
        until(lambda: (row := step.model.held(0)) and row.output == "tool")
        step.search.setText("boat")
        until(lambda: step.model.rowCount() == 4)
        step.take_feedback()
        until(lambda: any("No answer was corrected" in line for line in lines(app)))
        assert step.shows("rows")
        wizard._turn_to(wizard.steps.index(wizard.check))
        until(lambda: wizard.check.report is not None)
        assert wizard.check.summary.text().endswith("held out")
        assert wizard.next.isEnabled()
        app.window.tune.show_section("adapters")
        app.window.tune.adapters.take_path(str(table))
        until(lambda: app.notices.record[-1].tone == "danger")
    finally:
        app.close()
        free_deleted()
