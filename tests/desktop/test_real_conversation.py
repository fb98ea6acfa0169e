"""A conversation over the real engine: filtered, judged, asked again, found, explained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import App
from desktop.dialogs.inspector import InspectorDialog
from engine.paths import Home
from tests.desktop.conftest import free_deleted, lines

LAMPS = "# Lamps\n\nThe lighthouse lamp is cleaned every Thursday with distilled water.\n"
BOATS = "The landing boat carries at most six people and leaves from the north pier."


@pytest.mark.usefixtures("starter")
def test_a_conversation_from_filter_to_export(
    qapp: QApplication, qtbot: Any, home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "Harbour [2026]"
    (folder / "boats").mkdir(parents=True)
    (folder / "lamps.md").write_text(LAMPS, "utf-8")
    (folder / "boats" / "rules.txt").write_text(BOATS, "utf-8")
    app = App(qapp, home)
    app.show()
    try:
        qtbot.waitUntil(lambda: app.state.known, timeout=60_000)
        window, page = app.window, app.window.ask
        window.take_drop([str(folder)])
        qtbot.waitUntil(lambda: not app.state.readings, timeout=120_000)
        qtbot.waitUntil(lambda: bool(app.state.presets), timeout=20_000)

        page.scope.open_filter()
        panel = page.scope.panel
        assert panel is not None
        qtbot.waitUntil(lambda: panel.types_model.rowCount() == 2, timeout=20_000)
        panel.close()
        page.take_files([str(folder / "boats" / "rules.txt")])
        qtbot.waitUntil(lambda: page.chips.texts() == ["rules.txt"], timeout=20_000)
        page.ask("When is the lamp cleaned?")
        turn = page.talk.turns[-1]
        qtbot.waitUntil(lambda: not turn.running, timeout=150_000)
        assert {Path(hit.path).name for hit in turn.passages} <= {"rules.txt"}

        only = page.scope.scope.unfiltered()
        page.scope.choose(replace(only, paths=(str(folder),), types=("Markdown",)))
        page.views()[-1].question.resent.emit("When is the lighthouse lamp cleaned?")
        turn = page.talk.turns[-1]
        qtbot.waitUntil(lambda: not turn.running, timeout=150_000)
        assert turn.stage == "done", lines(app)
        assert {Path(hit.path).name for hit in turn.passages} == {"lamps.md"}
        view = page.views()[-1]
        assert view.tools.version() == "2 of 2"
        view.tools.older.click()
        qtbot.waitUntil(
            lambda: view.question.text() == "When is the lamp cleaned?", timeout=20_000
        )
        view.tools.newer.click()
        view.judged.emit("down", "Every Thursday.")
        qtbot.waitUntil(lambda: view.feedback.text().endswith("Thursday."), timeout=20_000)

        page.inspect()
        dialog = page.findChild(InspectorDialog)
        assert dialog is not None
        qtbot.waitUntil(lambda: bool(dialog.table.shown()), timeout=60_000)
        chosen = [row for row in dialog.table.shown() if row.chosen == 1]
        assert chosen[0].passage_id == turn.passages[0].passage_id
        assert [Path(row.path).name for row in dialog.table.shown()] == ["lamps.md"]
        dialog.close()

        panel = window.sidebar.questions
        panel.search.setText("lighthouse")
        qtbot.waitUntil(
            lambda: any(e.kind == "hit" and e.turn for e in panel.model.entries()),
            timeout=20_000,
        )
        panel.search.clear()
        panel.model.setData(panel.model.index(1), "Lamps")
        qtbot.waitUntil(lambda: app.state.conversations[0].title == "Lamps", timeout=20_000)
        export = panel.export(page.conversation_id, "html")
        qtbot.waitUntil(lambda: export.dialog is not None, timeout=20_000)
        target = tmp_path / "out.html"
        assert export.dialog is not None
        export.dialog.fileSelected.emit(str(target))
        qtbot.waitUntil(target.exists, timeout=20_000)
        assert "lighthouse lamp" in target.read_text("utf-8")
        export.dialog.close()
        assert not [n.text for n in app.notices.record if n.tone == "danger"]
    finally:
        app.close()
        free_deleted()
