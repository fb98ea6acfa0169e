from __future__ import annotations

from typing import Any

from desktop.dialogs.confirm import ConfirmDialog
from desktop.strings import english
from tests.desktop.conftest import Opener, lines
from tests.desktop.pages.tuning.conftest import Walker


def test_the_plan_says_what_it_takes_and_greys_out_what_does_not_fit(
    open_app: Opener, qtbot: Any, walk: Walker
) -> None:
    app = open_app()
    wizard = walk(app, "model")
    step = wizard.model
    assert not wizard.next.isEnabled()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=10_000)
    assert step.facts.value("time") == "about 21 minutes"
    assert step.facts.value("memory") == "3.1 GB"
    assert step.facts.value("epochs") == "3 · 420"
    full = step.methods["full"]
    assert not full.radio.isEnabled()
    assert full.reason.text() == "It would need 24 GB of memory."
    assert step.methods["prompt"].radio.isEnabled()


def test_another_choice_is_measured_anew_and_a_model_too_large_stops_it(
    open_app: Opener, qtbot: Any, walk: Walker
) -> None:
    app = open_app()
    wizard = walk(app, "model")
    qtbot.waitUntil(wizard.next.isEnabled, timeout=10_000)
    wizard.model.minutes.setValue(10)
    assert not wizard.next.isEnabled()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=10_000)
    assert wizard.model.facts.value("time") == "about 10 minutes"
    wizard.model.model.chosen.emit("model0")
    qtbot.waitUntil(lambda: wizard.model.plan is not None, timeout=10_000)
    assert not wizard.next.isEnabled()
    wizard.model.model.chosen.emit("model1")
    wizard.model.minutes.setValue(13)
    wizard.model.methods["prompt"].radio.setChecked(True)
    qtbot.waitUntil(lambda: bool(wizard.model.problem.text()), timeout=10_000)
    assert wizard.model.again.isVisible()
    assert not wizard.next.isEnabled()


def test_findings_lead_to_their_rows(open_app: Opener, qtbot: Any, walk: Walker) -> None:
    app = open_app()
    wizard = walk(app, "check")
    qtbot.waitUntil(lambda: len(wizard.check.cards()) == 2, timeout=10_000)
    assert wizard.next.text() == english.TUNE_START
    assert "16 tokens: 620" in wizard.check.histogram.accessibleName()
    wizard.check.cards()[0].show_rows.click()
    model = wizard.examples.model
    qtbot.waitUntil(lambda: model.rowCount() == 2, timeout=10_000)
    assert wizard.step is wizard.examples
    wizard.examples.only.click()
    qtbot.waitUntil(lambda: model.rowCount() == 1312, timeout=10_000)


def test_from_examples_to_an_adapter_in_use(open_app: Opener, qtbot: Any, walk: Walker) -> None:
    app = open_app(RUN_STEPS="120")
    wizard = walk(app, "train")
    step = wizard.train
    marks = ["done", "done", "done", "busy", "later", "later"]
    qtbot.waitUntil(
        lambda: [mark.state for mark in wizard.marks.marks] == marks, timeout=10_000
    )
    qtbot.waitUntil(lambda: "120 of 420" in step.where.text(), timeout=10_000)
    assert step.where.text() == "Step 120 of 420 · epoch 1 of 3"
    assert step.left.text().startswith("About ")
    train, heldout = step.chart.points()
    assert len(train) == 120
    assert [int(at) for at, _ in heldout] == [0, 30, 60, 90, 120]
    assert step.facts.value("memory") == "3.1 GB"
    qtbot.waitUntil(wizard.next.isEnabled, timeout=20_000)
    assert step.where.text() == english.RUN_STATES["done"]
    assert not step.pause.isVisible()
    wizard.next.click()
    qtbot.waitUntil(lambda: len(wizard.compare.cards()) == 4, timeout=10_000)
    assert [card.fields["tuned_right"] for card in wizard.compare.cards()] == [
        True,
        True,
        False,
        True,
    ]
    qtbot.waitUntil(lambda: wizard.compare.facts.value("exact") == "86 %", timeout=10_000)
    assert not wizard.save.buttons()
    wizard.next.click()
    qtbot.waitUntil(lambda: bool(wizard.save.name.text()), timeout=10_000)
    wizard.save.name.setText("House style")
    assert wizard.save.taken.isVisible()
    assert not wizard.next.isEnabled()
    wizard.save.name.setText("Intents of May")
    wizard.next.click()
    assert app.window.tune.section() == "adapters"
    assert not app.window.tune.in_wizard
    tunings = app.state.tunings
    qtbot.waitUntil(
        lambda: [card.name for card in tunings.adapters if card.enabled] == ["Intents of May"],
        timeout=10_000,
    )
    assert english.SAVED_IN_USE.format(name="Intents of May") in lines(app)


def test_a_run_is_paused_resumed_and_stopped_with_the_best_kept(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(RUN="100", RUN_STEPS="1")
    window = app.window
    window.show_page("tune")
    qtbot.waitUntil(lambda: len(window.tune.runs.cards()) == 1, timeout=10_000)
    window.tune.runs.cards()[0].open.click()
    step = window.tune.wizard.train
    qtbot.waitUntil(step.pause.isEnabled, timeout=10_000)
    assert len(step.chart.points()[0]) >= 100
    step.pause.click()
    qtbot.waitUntil(lambda: step.pause.text() == english.RUN_RESUME, timeout=10_000)
    assert step.where.text().startswith("Paused · Step 1")
    table = window.actions_table
    qtbot.waitUntil(table["run.resume"].isEnabled, timeout=10_000)
    assert not table["run.pause"].isEnabled()
    paused_at = step.run.step if step.run is not None else 0
    step.pause.click()
    qtbot.waitUntil(
        lambda: step.run is not None and step.run.state == "running", timeout=10_000
    )
    # Steps after the last checkpoint were done again: none stands twice in the curve.
    qtbot.waitUntil(lambda: len(step.chart.points()[0]) > paused_at, timeout=15_000)
    places = [at for at, _ in step.chart.points()[0]]
    assert places == sorted(set(places))
    step.stop.click()
    qtbot.waitUntil(window.tune.wizard.next.isEnabled, timeout=10_000)
    assert step.where.text() == english.RUN_STATES["stopped"]


def test_leaving_the_wizard_ends_nothing_and_coming_back_attaches_again(
    open_app: Opener, qtbot: Any
) -> None:
    app = open_app(RUN="50", RUN_STEPS="1")
    window = app.window
    window.show_page("tune")
    qtbot.waitUntil(lambda: len(window.tune.runs.cards()) == 1, timeout=10_000)
    window.tune.runs.cards()[0].open.click()
    step = window.tune.wizard.train
    qtbot.waitUntil(lambda: step.run is not None, timeout=10_000)
    window.actions_table["escape"].trigger()
    assert not window.tune.in_wizard
    assert not step._look.isActive()
    assert app.state.tunings.runs[0].state == "running"
    window.show_page("ask")
    window.show_page("tune")
    window.tune.runs.cards()[0].open.click()
    assert window.tune.wizard.step is step
    qtbot.waitUntil(lambda: len(step.chart.points()[0]) > 50, timeout=10_000)


def test_a_cancelled_run_is_gone_after_asking(open_app: Opener, qtbot: Any) -> None:
    app = open_app(RUN="50", RUN_STEPS="1")
    window = app.window
    window.show_page("tune")
    qtbot.waitUntil(lambda: len(window.tune.runs.cards()) == 1, timeout=10_000)
    window.tune.runs.cards()[0].open.click()
    step = window.tune.wizard.train
    qtbot.waitUntil(lambda: step.cancel.isVisible() and step.run is not None, timeout=10_000)
    step.cancel.click()
    question = window.findChild(ConfirmDialog)
    assert question is not None
    question.yes.click()
    qtbot.waitUntil(lambda: not app.state.tunings.runs, timeout=10_000)
    assert not window.tune.in_wizard
    assert not lines(app)


def test_a_failed_run_says_why_and_what_to_do(
    open_app: Opener, qtbot: Any, walk: Walker
) -> None:
    app = open_app(RUN_STEPS="80")
    window = app.window
    window.show_page("tune")
    qtbot.waitUntil(lambda: bool(app.state.tunings.datasets), timeout=10_000)
    call = app.state.tunings.ask("datasets.rename", {"dataset": "set1", "name": "weak"})
    with qtbot.waitSignal(call.succeeded, timeout=10_000):
        pass
    wizard = walk(app, "train")
    qtbot.waitUntil(lambda: bool(wizard.train.problem.text()), timeout=15_000)
    assert wizard.train.problem.text() == "The training ran away. Try fewer minutes."
    assert wizard.back.isVisible()
    assert not wizard.next.isEnabled()
    text = english.TUNE_ENDED_FAILED.format(name="weak", why="The training ran away.")
    qtbot.waitUntil(lambda: text in lines(app), timeout=10_000)


def test_a_full_fine_tuning_makes_a_model_that_is_compared_and_put_to_use(
    open_app: Opener, qtbot: Any, walk: Walker
) -> None:
    app = open_app(RUN_STEPS="300", FULL="1")
    wizard = walk(app, "model")
    assert not wizard.model.name.isVisible()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=10_000)
    wizard.model.methods["full"].radio.click()
    assert wizard.model.name.isVisible()
    qtbot.keyClicks(wizard.model.name, "Bank model")
    for step in (wizard.check, wizard.train, wizard.compare):
        qtbot.waitUntil(wizard.next.isEnabled, timeout=20_000)
        wizard.next.click()
        qtbot.waitUntil(lambda step=step: wizard.step is step, timeout=10_000)
    qtbot.waitUntil(lambda: len(wizard.compare.cards()) == 4, timeout=10_000)
    wizard.next.click()
    assert not wizard.save.name.isVisible()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=10_000)
    wizard.save.use_model.click()
    wizard.next.click()
    assert app.window.tune.section() == "runs"
    qtbot.waitUntil(
        lambda: [c.name for c in app.state.models if c.default] == ["Bank model"],
        timeout=10_000,
    )
    assert english.TUNE_ENDED_MODEL.format(name="Bank model") in lines(app)
