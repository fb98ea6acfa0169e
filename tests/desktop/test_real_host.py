"""The window over the real engine: a folder is dropped, a question asked, a citation opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import App
from engine.paths import Home
from tests.desktop.conftest import free_deleted, lines

NOTES = """# Boat rules

The landing boat carries at most six people and leaves from the north pier at seven.

# Lamps

The lighthouse lamp is cleaned every Thursday with distilled water.
"""


@pytest.mark.usefixtures("starter")
def test_from_a_folder_to_a_cited_answer_and_its_place(
    qapp: QApplication, qtbot: Any, home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "Harbour <b>notes"
    folder.mkdir()
    (folder / "boat.md").write_text(NOTES, "utf-8")
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00" * 64)
    app = App(qapp, home)
    app.show()
    try:
        qtbot.waitUntil(lambda: app.state.known, timeout=60_000)
        assert app.window.page == "start"
        assert app.state.models
        app.window.take_drop([str(folder)])
        assert app.window.page == "ask"
        qtbot.waitUntil(lambda: not app.state.readings, timeout=120_000)
        assert any("1 file ready in" in line for line in lines(app)), lines(app)

        app.window.ask.ask("How many people does the landing boat carry?")
        turn = app.window.ask.talk.turns[-1]
        qtbot.waitUntil(lambda: not turn.running, timeout=150_000)
        assert turn.stage == "done", turn.error and turn.error.details
        assert turn.text
        assert "six people" in turn.passages[0].text
        assert app.window.ask.sources.cards()

        app.window.ask.open_source(1)
        viewer = app.window.ask.viewer
        qtbot.waitUntil(lambda: bool(viewer.showing() or viewer.problem()), timeout=60_000)
        assert viewer.problem() == ""
        assert viewer.text.marked().strip() in NOTES
        assert viewer.text.marked().strip()

        app.window.show_page("library")
        model = app.window.library.model
        qtbot.waitUntil(
            lambda: model.rowCount() == 2 and model.row_at(1) is not None, timeout=30_000
        )
        shown = [model.row_at(0), model.row_at(1)]
        states = {row.name: (row.state, bool(row.reason)) for row in shown if row is not None}
        assert states == {"boat.md": ("indexed", False), "photo.png": ("skipped", True)}
        qtbot.waitUntil(lambda: bool(app.state.conversations), timeout=30_000)
    finally:
        app.close()
        free_deleted()
