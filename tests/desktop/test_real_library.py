"""The library side over the real engine: followed, paused, renamed, read again, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import App
from desktop.dialogs.palette import Palette
from engine.paths import Home
from tests.desktop.conftest import free_deleted, lines


@pytest.mark.usefixtures("starter")
def test_a_followed_library_from_its_first_file_to_its_size_on_the_disk(
    qapp: QApplication, qtbot: Any, home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "Harbour"
    folder.mkdir()
    (folder / "boat.md").write_text("# Boat\n\nIt carries six people.\n", "utf-8")
    app = App(qapp, home)
    app.show()
    window, state = app.window, app.state
    files = window.library.model

    def until(true: Any) -> None:
        qtbot.waitUntil(lambda: bool(true()), timeout=90_000)

    try:
        until(lambda: state.known)
        window.add_folder(str(folder))
        until(lambda: not state.readings and state.libraries)
        library = state.libraries[0].id
        window.open_files(library)
        until(lambda: state.libraries[0].following == "live")
        until(lambda: window.library.head.following.text().startswith("Up to date"))
        told = len(lines(app))

        # A change on the disk comes in by itself, and makes no noise.
        (folder / "lamp.md").write_text("# Lamp\n\nCleaned on Thursdays.\n", "utf-8")
        until(lambda: [row.name for _, row in files.loaded()] == ["boat.md", "lamp.md"])
        until(lambda: all(row.state == "indexed" for _, row in files.loaded()))
        assert len(lines(app)) == told

        # Paused, nothing comes in; resumed, what was missed does.
        window.actions_table["library.pause"].trigger()
        until(lambda: state.libraries[0].following == "paused")
        (folder / "fog.md").write_text("# Fog\n\nThe horn sounds twice.\n", "utf-8")
        window.actions_table["library.resume"].trigger()
        until(lambda: len(list(files.loaded())) == 3)

        state.rename_library(library, "Pier <b>7")
        until(lambda: window.library.head.title.text() == "Pier <b>7")

        window.library.table.selectRow(0)
        window.actions_table["file.again"].trigger()
        until(lambda: any(line.startswith("Pier <b>7: 1 file ready") for line in lines(app)))

        window.library.sort_by("modified")
        until(lambda: next((row.name for _, row in files.loaded()), "") == "fog.md")

        window.open_settings("privacy")
        until(lambda: window.settings.privacy.total.text().endswith("B"))

        window.open_palette()
        palette = next(p for p in window.findChildren(Palette) if p.isVisible())
        palette.field.setText("lamp.md")
        until(lambda: palette.said() == "lamp.md")
        palette.close()
    finally:
        app.close()
        free_deleted()
