from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.dialogs.confirm import ConfirmDialog
from desktop.dialogs.gpu_layers import GpuLayersDialog
from desktop.strings import english
from tests.desktop.conftest import Opener, free_deleted, lines
from tests.desktop.pages.test_start import drop


def test_cards_say_what_fits_and_which_is_in_use(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.show_page("models")
    first, second = app.window.models.cards()
    assert first.model.default
    assert first.fit.text() == "Fits: needs 1.1 GB of 16 GB of free memory"
    second.make_default.click()
    qtbot.waitUntil(lambda: app.window.models.cards()[1].model.default, timeout=10_000)
    assert app.window.sidebar.badge.name.text() == "SmolLM2 135M"


def test_a_dropped_gguf_is_taken_in_and_for_anything_else_its_folder_is_offered(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app()
    app.window.show_page("models")
    drop(app.window.models, tmp_path / "mine.gguf", tmp_path / "notes.txt")
    qtbot.waitUntil(lambda: len(app.window.models.cards()) == 3, timeout=10_000)
    assert english.DROP_OFFER.format(name=tmp_path.name) in lines(app)
    assert english.MODEL_ADDED.format(name="mine.gguf") in lines(app)
    added = app.window.models.cards()[2]
    assert added.fit.text() == "Too large now: needs 64 GB, 16 GB is free"


def test_a_broken_model_is_refused_with_its_reason(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.show_page("models")
    app.window.models.add_file("/x/broken.gguf")
    qtbot.waitUntil(lambda: bool(lines(app)), timeout=10_000)
    assert lines(app) == ["This file is not a usable model: it is cut short."]
    assert "block_count=0" in app.notices.record[-1].details
    assert len(app.window.models.cards()) == 2


def test_layers_on_the_gpu_are_automatic_or_chosen(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    app.window.show_page("models")
    card = app.window.models.cards()[0]
    card.adjust.emit(card.model)
    dialog = app.window.findChild(GpuLayersDialog)
    assert dialog is not None
    assert not dialog.layers.isEnabled()
    dialog.automatic.setChecked(False)
    dialog.layers.setValue(12)
    dialog.save.click()
    qtbot.waitUntil(lambda: app.state.models[0].gpu_layers == 12, timeout=10_000)
    assert app.state.models[0].gpu_layers_chosen == "user"
    free_deleted()
    assert app.window.findChild(GpuLayersDialog) is None


def test_only_added_models_can_be_removed_and_only_after_asking(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    app.window.show_page("models")
    card = app.window.models.cards()[0]
    card.remove.emit(card.model)
    dialog = app.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.yes.click()
    qtbot.waitUntil(lambda: len(app.state.models) == 1, timeout=10_000)
