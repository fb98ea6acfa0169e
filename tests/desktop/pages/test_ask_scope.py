from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt

from desktop.app import App
from desktop.strings import english
from desktop.widgets.filter_panel import FilterPanel
from tests.desktop.conftest import Opener, last, lines
from tests.desktop.pages.test_ask import ask


def panel_of(app: App, qtbot: Any) -> FilterPanel:
    """The filter, opened, once it knows what there is."""
    control = app.window.ask.scope
    app.window.ask.composer.filter.click()
    qtbot.waitUntil(
        lambda: control.panel is not None and control.panel.types_model.rowCount() > 0,
        timeout=5_000,
    )
    assert control.panel is not None
    return control.panel


def test_several_libraries_are_asked_together(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    chooser = page.composer.chooser
    assert chooser.shown() == "Clinic protocols"
    chooser.tick("lib3")
    assert chooser.shown() == "Clinic protocols + 1 more"
    chooser.tick("lib2")
    assert chooser.shown() == english.ALL_LIBRARIES
    chooser.tick("lib1")
    assert chooser.shown() == "Site reports + 1 more"
    turn = ask(app, qtbot, "both?")
    assert turn.report.libraries == ["lib2", "lib3"]
    app.window.open_library("lib1")
    app.window.open_conversation(turn.report.conversation)
    assert chooser.shown() == "Site reports + 1 more"


def test_a_removed_library_is_no_longer_asked(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    page.composer.chooser.tick("lib3")
    app.state.remove_library("lib3")
    qtbot.waitUntil(lambda: len(app.state.libraries) == 2, timeout=5_000)
    assert page.composer.chooser.shown() == "Clinic protocols"
    assert ask(app, qtbot, "still?").report.libraries == ["lib1"]


def test_ticking_in_the_menu_leaves_it_open(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    chooser = app.window.ask.composer.chooser
    chooser.click()
    menu = chooser._menu
    assert menu.isVisible()
    menu.setActiveAction(menu.actions()[1])
    qtbot.keyClick(menu, Qt.Key.Key_Space)
    assert menu.isVisible()
    assert app.window.ask.talk.scope.libraries == ("lib1", "lib2")
    qtbot.keyClick(menu, Qt.Key.Key_Escape)
    assert not menu.isVisible()


def test_a_filter_is_sent_shown_and_lifted(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    panel = panel_of(app, qtbot)
    assert panel.types_model.values() == ["PDF", "Word", "Spreadsheet", "Mail"]
    panel.types.setCurrentIndex(panel.types_model.index(1))
    qtbot.keyClick(panel.types, Qt.Key.Key_Space)
    panel.folders_model.toggle(0)
    panel.pattern.setText("*-SOP-*")
    qtbot.keyClick(panel.pattern, Qt.Key.Key_Return)
    panel.since.setText("2026")
    qtbot.keyClick(panel.since, Qt.Key.Key_Return)
    panel.done.click()
    assert page.scope.panel is None
    assert page.chips.texts() == ["2023", "*-SOP-*", "Word", "since 1 Jan 2026"]
    turn = ask(app, qtbot, "filtered?")
    kept = turn.report.filter
    assert kept.types == ["Word"]
    assert set(kept.paths) == {"*-SOP-*", "/home/ada/Clinic protocols/2023"}
    assert kept.since == "2026-01-01"
    chip = page.chips.chips()[0]
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert len(page.chips.texts()) == 3
    page.chips.chips()[-1].click()
    assert page.chips.texts() == []
    assert page.chips.isHidden()
    assert ask(app, qtbot, "all?").report.filter.empty()


def test_a_date_that_is_none_waits(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    panel = panel_of(app, qtbot)
    qtbot.waitUntil(lambda: panel._range.text().startswith("files from "), timeout=5_000)
    panel.since.setText("2026-13")
    qtbot.keyClick(panel.since, Qt.Key.Key_Return)
    assert panel._date_hint.isVisible()
    assert not app.window.ask.talk.scope.filtered
    panel.spans["month"].click()
    assert app.window.ask.talk.scope.since
    assert panel.spans["month"].isChecked()
    panel.clear.click()
    assert not app.window.ask.talk.scope.filtered
    assert panel.spans["any"].isChecked()
    panel.close()


def test_news_from_the_engine_disturbs_no_choice(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    panel = panel_of(app, qtbot)
    panel.types.setCurrentIndex(panel.types_model.index(2))
    panel.since.setText("2026-0")
    app.state.libraries_changed.emit()
    assert panel.since.text() == "2026-0"
    assert panel.types.currentIndex().row() == 2
    panel.since.clear()
    panel.close()
    qtbot.waitUntil(lambda: bool(app.state.presets), timeout=5_000)
    actions = page.composer.presets._menu.actions()
    app.state.libraries_changed.emit()
    assert page.composer.presets._menu.actions() == actions


def test_the_facets_of_all_libraries_are_added_up(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.ask.composer.chooser.tick("lib2")
    panel = panel_of(app, qtbot)
    qtbot.waitUntil(lambda: panel.folders_model.rowCount() == 6, timeout=5_000)
    shown = [str(panel.folders_model.index(i).data()) for i in range(6)]
    assert shown[0] == "Clinic protocols/2023"
    assert len(set(shown)) == 6
    panel.close()


def test_a_source_can_become_the_filter(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    app.window.open_conversation("c0")
    qtbot.waitUntil(lambda: len(page.sources.cards()) == 3, timeout=10_000)
    actions = {a.text(): a for a in page.sources.cards()[1].menu().actions()}
    actions[english.SOURCE_ONLY_FILE].trigger()
    assert page.chips.texts() == ["Diabetes-guideline-2024.pdf"]
    assert ask(app, qtbot, "only that?").report.filter.file_ids == [1]
    page.sources.only_folder.emit(page.talk.turns[-1].passages[0])
    assert page.chips.texts() == ["Clinic protocols"]
    assert page.talk.scope.paths == ("/home/ada/Clinic protocols",)
    action = last(app).action
    assert action is not None
    action[1]()
    assert page.chips.texts() == []


def test_a_preset_is_chosen_and_goes_with_the_conversation(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    page = app.window.ask
    qtbot.waitUntil(lambda: "For nurses" in page.composer.presets.choices(), timeout=5_000)
    assert page.composer.presets.shown() == english.PRESET_NONE
    page.scope.default_preset = "brief"
    assert page.composer.presets.shown() == "Brief"
    page.scope.default_preset = ""
    page.composer.preset_chosen.emit("p1")
    assert page.composer.presets.shown() == "For nurses"
    turn = ask(app, qtbot, "how?")
    assert turn.report.preset == "p1"
    app.window.open_library("lib2")
    assert page.composer.presets.shown() == english.PRESET_NONE
    app.window.open_conversation(turn.report.conversation)
    assert page.composer.presets.shown() == "For nurses"


def test_a_dropped_file_that_is_known_becomes_the_filter(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    page.take_files(["/home/ada/Clinic protocols/2024/Metformin-SOP-v7.pdf"])
    qtbot.waitUntil(lambda: page.chips.texts() == ["Metformin-SOP-v7.pdf"], timeout=5_000)
    page.take_files(["/home/ada/Clinic protocols/2024/Minutes.md"])
    qtbot.waitUntil(lambda: len(page.chips.texts()) == 2, timeout=5_000)
    assert page.talk.scope.file_ids == (1, 3)
    page.take_files(["/home/ada/Clinic protocols/2024/broken.pdf"])
    qtbot.waitUntil(lambda: "broken.pdf cannot be asked" in lines(app)[-1], timeout=5_000)
    assert len(page.chips.texts()) == 2


def test_a_dropped_file_that_is_unknown_offers_its_folder(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app(STEPS="2")
    folder = tmp_path / "Voyages"
    folder.mkdir()
    (folder / "log <b>.txt").write_text("At sea.", "utf-8")
    app.window.ask.take_files([os.fspath(folder / "log <b>.txt")])
    qtbot.waitUntil(lambda: bool(lines(app)), timeout=10_000)
    assert "is in no library" in last(app).text
    action = last(app).action
    assert action is not None
    action[1]()
    qtbot.waitUntil(
        lambda: any(view.name == "Voyages" for view in app.state.libraries), timeout=10_000
    )


def test_drafts_scopes_and_the_place_survive_a_crash(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    page = app.window.ask
    page.composer.chooser.tick("lib2")
    page.composer.field.setPlainText("half a question")
    app.window.open_conversation("c1")
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)
    page.composer.field.setPlainText("a follow-up, not sent")
    actions = {a.text(): a for a in page.sources.cards()[0].menu().actions()}
    actions[english.SOURCE_ONLY_FILE].trigger()
    written = app.home.root / "window.json"
    # What is on the disk now is all that a killed window leaves.
    qtbot.waitUntil(
        lambda: written.exists() and "not sent" in written.read_text("utf-8"), timeout=15_000
    )
    left = written.read_bytes()
    app.close()
    written.write_bytes(left)

    again = open_app()
    page = again.window.ask
    qtbot.waitUntil(lambda: page.conversation_id == "c1", timeout=10_000)
    qtbot.waitUntil(lambda: bool(page.views()), timeout=10_000)
    assert page.composer.field.toPlainText() == "a follow-up, not sent"
    assert page.chips.texts() == ["Metformin-SOP-v7.pdf"]
    again.window.open_library("lib1")
    assert page.composer.field.toPlainText() == "half a question"
    assert page.talk.scope.libraries == ("lib1", "lib2")


def test_how_to_read_is_chosen_and_stays_with_the_conversation(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    page = app.window.ask
    modes = page.composer.modes
    assert (modes.mode, modes.shown()) == ("auto", "Automatic")
    assert modes.accessibleName() == "How to read: Automatic"
    page.scope.set_usual_mode("sequence")
    assert modes.mode == "sequence"
    assert ask(app, qtbot, "as usual?").report.mode == "sequence"
    page.scope.set_usual_mode("auto")
    modes.chosen.emit("token")
    turn = ask(app, qtbot, "word by word?")
    assert turn.report.mode == "token"
    app.window.open_library("lib2")
    assert modes.mode == "auto"
    modes.chosen.emit("joint")
    app.window.open_conversation(turn.report.conversation)
    assert modes.mode == "token"
    app.window.open_library("lib2")
    assert modes.mode == "joint"


def test_a_mode_chosen_for_a_draft_is_there_after_a_restart(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    app.window.open_library("lib3")
    app.window.ask.composer.mode_chosen.emit("token")
    app.close()
    again = open_app()
    again.window.open_library("lib3")
    assert again.window.ask.composer.modes.mode == "token"
    again.window.open_library("lib2")
    assert again.window.ask.composer.modes.mode == "auto"


def test_the_field_does_not_promise_documents_that_are_not_read(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    composer = app.window.ask.composer
    composer.mode_chosen.emit("none")
    assert composer.field.placeholderText() == english.ASK_PLACEHOLDER_NONE
    assert ask(app, qtbot, "alone?").report.mode == "none"
    composer.mode_chosen.emit("auto")
    assert "Clinic protocols" in composer.field.placeholderText()
    composer.libraries_chosen.emit([])
    assert composer.modes.isHidden()
