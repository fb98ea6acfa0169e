from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.dialogs.confirm import ConfirmDialog
from desktop.dialogs.naming import NamingDialog
from desktop.pages.tuning.adapters import AdapterView
from desktop.strings import english
from tests.desktop.conftest import Opener, lines
from tests.desktop.pages.test_start import drop


def cards(app: Any, qtbot: Any) -> list[AdapterView]:
    app.window.show_page("tune")
    app.window.tune.show_section("adapters")
    qtbot.waitUntil(lambda: len(app.window.tune.adapters.cards()) == 3, timeout=10_000)
    return app.window.tune.adapters.cards()


def enabled(app: Any) -> list[str]:
    return [card.id for card in app.state.tunings.adapters if card.enabled]


def test_a_card_says_what_an_adapter_is_worth_and_what_is_wrong_with_it(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app()
    first, second, third = cards(app, qtbot)
    assert first.facts.text() == "Qwen2.5 1.5B · Sorting texts by label · LoRA · 18.4 MB"
    assert [value.text() for value in first._values] == [
        "Bank intents",
        "3.21 → 0.94",
        "86 %",
        "99.3 %",
    ]

    def remarks(view: AdapterView) -> list[str]:
        from desktop.pages.tuning.step import Remark

        return [found.text.text() for found in view.findChildren(Remark)]

    assert remarks(first) == [english.PROOF_PROVEN]
    assert remarks(second)[1] == "May be out of date: 3 of its documents changed."
    assert remarks(third) == [english.PROOF_NONE]


def test_one_is_put_on_in_place_of_another_or_beside_it(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    first, second, third = cards(app, qtbot)
    assert enabled(app) == ["adapter1"]
    qtbot.waitUntil(first.scale.isVisible, timeout=10_000)
    assert not first.mix.isVisible()
    assert second.mix.isVisible()
    second.mix.click()
    qtbot.waitUntil(lambda: enabled(app) == ["adapter1", "adapter2"], timeout=10_000)
    qtbot.waitUntil(second.scale.isVisible, timeout=10_000)
    assert second.on.isChecked()
    third.on.click()
    qtbot.waitUntil(lambda: enabled(app) == ["adapter3"], timeout=10_000)
    qtbot.waitUntil(lambda: not second.on.isChecked(), timeout=10_000)
    third.on.click()
    qtbot.waitUntil(lambda: enabled(app) == [], timeout=10_000)
    assert not third.scale.isVisible()


def test_the_slider_changes_how_strongly_it_works(open_app: Opener, qtbot: Any) -> None:
    app = open_app()
    first = cards(app, qtbot)[0]
    assert first.figure.text() == "100 %"
    first.scale.setValue(10)
    assert first.figure.text() == "50 %"
    qtbot.waitUntil(lambda: app.state.tunings.adapters[0].scale == 0.5, timeout=10_000)
    assert first.scale.accessibleDescription() == "50 %"
    assert enabled(app) == ["adapter1"]


def test_renamed_removed_and_exported(open_app: Opener, qtbot: Any, tmp_path: Path) -> None:
    app = open_app()
    first = cards(app, qtbot)[0]
    assert first.card is not None
    offered = [action.text() for action in first.menu().actions() if action.text()]
    assert offered[0] == english.ADAPTER_RENAME
    assert offered[-1] == english.ADAPTER_REMOVE
    assert set(english.ADAPTER_FORMATS.values()) <= set(offered)
    page = app.window.tune.adapters
    page.rename(first.card)
    naming = app.window.findChild(NamingDialog)
    assert naming is not None
    naming.field.setText("house STYLE")
    assert not naming.save.isEnabled()
    naming.field.setText("Intents")
    naming.save.click()
    qtbot.waitUntil(lambda: first.name.text() == "Intents", timeout=10_000)
    page.export(first.card, "gguf", str(tmp_path / "out.gguf"))
    text = english.ADAPTER_EXPORTED.format(path=tmp_path / "out.gguf", size="18.4 MB")
    qtbot.waitUntil(lambda: text in lines(app), timeout=10_000)
    page.remove(first.card)
    question = app.window.findChild(ConfirmDialog)
    assert question is not None
    question.yes.click()
    qtbot.waitUntil(lambda: len(page.cards()) == 2, timeout=10_000)


def test_on_this_page_a_dropped_gguf_is_an_adapter_and_a_table_is_examples(
    open_app: Opener, qtbot: Any, tmp_path: Path
) -> None:
    app = open_app()
    cards(app, qtbot)
    window = app.window
    drop(window, tmp_path / "mine.gguf")
    qtbot.waitUntil(lambda: len(window.tune.adapters.cards()) == 4, timeout=10_000)
    assert len(app.state.models) == 2
    assert english.ADAPTER_IMPORTED.format(name="mine.gguf", model="Qwen2.5 1.5B") in lines(app)
    peft = tmp_path / "lora"
    peft.mkdir()
    (peft / "adapter_config.json").write_text("{}")
    drop(window, peft)
    qtbot.waitUntil(lambda: len(window.tune.adapters.cards()) == 5, timeout=10_000)
    drop(window, tmp_path / "broken.gguf")
    qtbot.waitUntil(
        lambda: "This adapter fits none of your models." in lines(app), timeout=10_000
    )
    drop(window, tmp_path / "intents.csv")
    qtbot.waitUntil(lambda: window.tune.wizard.examples.shows("import"), timeout=10_000)
    assert window.tune.in_wizard
