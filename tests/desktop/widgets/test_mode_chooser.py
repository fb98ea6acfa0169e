from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from desktop.preferences import MODES
from desktop.strings import english
from desktop.theme import theme
from desktop.widgets.mode_chooser import ModeChooser
from engine.settings import Settings
from engine.work.api import AskSpec


@pytest.fixture
def chooser(qapp: QApplication, qtbot: Any) -> ModeChooser:
    theme.start(qapp, "light")
    result = ModeChooser()
    qtbot.addWidget(result)
    result.show()
    return result


def test_every_mode_offered_is_one_the_engine_takes() -> None:
    assert set(english.MODES) == set(MODES)
    for mode in english.MODES:
        assert AskSpec(question="?", mode=mode).mode == mode  # type: ignore[arg-type]
        assert Settings(mode=mode).mode == mode  # type: ignore[arg-type]


def test_a_mode_is_chosen_with_the_keyboard(chooser: ModeChooser, qtbot: Any) -> None:
    chosen: list[str] = []
    chooser.chosen.connect(chosen.append)
    qtbot.keyClick(chooser, Qt.Key.Key_Space)
    menu = chooser._menu
    qtbot.waitUntil(menu.isVisible, timeout=5_000)
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    hot = [entry.name for entry in chooser._entries.values() if entry.hot]
    assert hot == [english.MODES["token"][0]]
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert chosen == ["token"]
    assert not menu.isVisible()
    # Whoever hears of it decides: until then the old one is shown.
    assert chooser.mode == "auto"
    chooser.set_mode("token")
    assert [entry.ticked for entry in chooser._entries.values()].count(True) == 1
    assert chooser._entries["token"].ticked


def test_a_mode_is_chosen_with_the_pointer(chooser: ModeChooser, qtbot: Any) -> None:
    chosen: list[str] = []
    chooser.chosen.connect(chosen.append)
    chooser.click()
    menu = chooser._menu
    qtbot.waitUntil(menu.isVisible, timeout=5_000)
    action = menu.actions()[3]
    qtbot.mouseMove(menu, menu.actionGeometry(action).center())
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    assert chosen == ["joint"]


def test_names_and_hints_are_said_to_a_screen_reader(chooser: ModeChooser) -> None:
    for action, (name, hint) in zip(
        chooser._menu.actions(), english.MODES.values(), strict=True
    ):
        assert (action.text(), action.toolTip()) == (name, hint)
    for entry, (name, hint) in zip(
        chooser._entries.values(), english.MODES.values(), strict=True
    ):
        assert entry.accessibleName() == f"{name}: {hint}"
    chooser.set_mode("no such mode")
    assert chooser.mode == "auto"
