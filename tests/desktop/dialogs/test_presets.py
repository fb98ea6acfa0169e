from __future__ import annotations

from typing import Any

from desktop.app import App
from desktop.dialogs.confirm import ConfirmDialog
from desktop.dialogs.presets import PresetsDialog
from desktop.strings import english
from tests.desktop.conftest import Opener, free_deleted


def opened(app: App, qtbot: Any) -> PresetsDialog:
    """The dialog, opened from the composer."""
    qtbot.waitUntil(lambda: bool(app.state.presets), timeout=5_000)
    app.window.ask.composer.presets_wanted.emit()
    dialog = app.window.findChild(PresetsDialog)
    assert dialog is not None
    return dialog


def known(app: App) -> list[str]:
    return [preset.name for preset in app.state.presets]


def test_presets_are_added_changed_copied_and_deleted(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    dialog = opened(app, qtbot)
    dialog.add.click()
    assert not dialog.save.isEnabled()
    dialog.name.setText("Short <b>")
    dialog.system.setPlainText("Two sentences.")
    dialog.save.click()
    qtbot.waitUntil(lambda: "Short <b>" in known(app), timeout=5_000)
    assert dialog.list.current() == app.state.presets[-1].id
    assert not dialog.save.isEnabled()
    dialog.system.setPlainText("One sentence.")
    dialog.save.click()
    qtbot.waitUntil(lambda: app.state.presets[-1].system == "One sentence.", timeout=5_000)
    dialog.copy.click()
    qtbot.waitUntil(lambda: "Short <b> (copy)" in known(app), timeout=5_000)
    qtbot.waitUntil(lambda: dialog.name.text() == "Short <b> (copy)", timeout=5_000)
    dialog.delete.click()
    sure = dialog.findChild(ConfirmDialog)
    assert sure is not None
    sure.yes.click()
    qtbot.waitUntil(lambda: "Short <b> (copy)" not in known(app), timeout=5_000)
    assert "Short <b>" in app.window.ask.composer.presets.choices()
    dialog.close_button.click()
    free_deleted()
    assert app.window.findChild(PresetsDialog) is None


def test_a_built_in_preset_can_only_be_copied(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    dialog = opened(app, qtbot)
    assert dialog.name.text() == "Brief"
    assert dialog.name.isReadOnly()
    assert dialog.system.isReadOnly()
    assert not dialog.delete.isEnabled()
    assert not dialog.save.isEnabled()
    dialog.copy.click()
    copied = english.PRESET_COPY_NAME.format(name="Brief")
    qtbot.waitUntil(lambda: dialog.name.text() == copied, timeout=5_000)
    assert not dialog.name.isReadOnly()
