"""Runs are processes of their own: they end, pause, die and go on, and leave an adapter."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine.answers.runtime import Runtime
from engine.answers.tokenizing import Tokenizer
from engine.errors import InvalidInput
from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.adapters.registry import AdapterRegistry
from engine.tuning.datasets.storing import remove_dataset, save_dataset
from engine.tuning.datasets.types import Example
from engine.tuning.prompting import prompt_of
from engine.tuning.run_folder import RunFolder
from engine.tuning.runs import Runs
from engine.work.api import RunView, TuneSpec

LIMIT_S = 170.0
GOING = ("planned", "running")


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    store = Store(home)
    yield store
    store.close()


@pytest.fixture
def spec(home: Home, store: Store, tiny_gguf: Path) -> TuneSpec:
    """Texts with "x" are "ab", others "cd"; a training of 40 steps."""
    card = ModelRegistry(home, store).add(tiny_gguf)
    examples = [
        Example(
            id=str(n),
            input=f"{'q' * (n % 5)} {'x' if n % 2 else 'y'} {n}",
            output="ab" if n % 2 else "cd",
            split="heldout" if n % 5 == 0 else "train",
        )
        for n in range(50)
    ]
    row = save_dataset(home, store, "signs", "classification", "test", examples, 0)
    return TuneSpec(
        dataset=row.id,
        name="signs",
        model=card.id,
        rank=4,
        epochs=4,
        batch_examples=4,
        learning_rate=5e-3,
        early_stopping=False,
    )


@pytest.fixture
def runs(home: Home) -> Iterator[Runs]:
    runs = Runs(home)
    yield runs
    for run in runs.list():
        if run.state == "running" and run.pid and psutil.pid_exists(run.pid):
            os.kill(run.pid, signal.SIGKILL)


def until(runs: Runs, run: str, ready: Callable[[RunView], bool]) -> RunView:
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        view = runs.find(run)
        if ready(view):
            return view
        time.sleep(0.05)
    pytest.fail(f"{runs.find(run)} {RunFolder(runs._folder / run).errors()}")


def ended(view: RunView) -> bool:
    return view.state not in GOING


def test_a_run_leaves_a_proven_adapter_and_a_report(
    runs: Runs, spec: TuneSpec, home: Home, store: Store
) -> None:
    view = until(runs, runs.start(spec).id, ended)
    assert view.state == "done", (view, RunFolder(home.runs / view.id).errors())
    assert view.report is not None
    assert view.plan is not None
    assert view.report.steps == view.plan.steps == 36
    assert view.report.loss.heldout is not None
    assert view.report.loss.before is not None
    assert view.report.loss.heldout < view.report.loss.before * 0.6
    assert view.report.parity is not None
    assert view.report.parity.passed
    card = AdapterRegistry(home, store).find(view.report.adapter)
    assert card.proof == "proven"
    assert card.run == view.id
    assert card.dataset == spec.dataset
    report, plan = view.report, view.plan
    assert report.seconds == pytest.approx(report.spans.total())
    assert view.seconds == pytest.approx(report.seconds, abs=0.5)
    assert min(report.spans.model_dump().values()) > 0
    assert plan.spans.convert == pytest.approx(report.spans.convert)
    assert plan.spans.measure == pytest.approx(report.spans.measure, abs=1.0)
    assert report.planned_seconds == pytest.approx(plan.spans.total())
    lines = runs.metrics(view.id).lines
    assert [one["step"] for one in lines if one["kind"] == "step"] == list(range(1, 37))
    assert runs.metrics(view.id, after=len(lines) - 1).lines == lines[-1:]
    with pytest.raises(InvalidInput, match="nothing to resume"):
        runs.resume(view.id)
    runs.remove(view.id)
    assert runs.list() == []
    assert AdapterRegistry(home, store).find(card.id) == card


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_adapter_is_tuned_further(
    runs: Runs, spec: TuneSpec, home: Home, store: Store
) -> None:
    first = until(runs, runs.start(spec).id, ended).report
    assert first is not None
    further = spec.model_copy(update={"from_adapter": first.adapter, "name": "further"})
    view = until(runs, runs.start(further).id, ended)
    assert view.report is not None, view.error
    assert view.report.loss.before == pytest.approx(first.loss.heldout, rel=0.05, abs=0.02)
    assert AdapterRegistry(home, store).find(view.report.adapter).lineage == [first.adapter]


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_ten_kills_change_nothing(runs: Runs, spec: TuneSpec) -> None:
    spec = spec.model_copy(update={"epochs": 40})
    whole = until(runs, runs.start(spec).id, ended).report
    assert whole is not None
    run = runs.start(spec.model_copy(update={"name": "killed"})).id
    chance = random.Random(7)
    for _ in range(10):
        view = until(runs, run, lambda view: view.state == "running" or ended(view))
        time.sleep(chance.uniform(0.0, 12.0))
        if ended(runs.find(run)):
            break
        os.kill(view.pid, signal.SIGKILL)
        until(runs, run, lambda view: view.state == "interrupted")
        runs.resume(run)
    report = until(runs, run, ended).report
    assert report is not None
    assert report.steps == whole.steps
    assert report.loss.heldout == pytest.approx(whole.loss.heldout, rel=0.05, abs=0.01)


@pytest.mark.timeout(600)
def test_kills_pauses_and_a_stop(runs: Runs, spec: TuneSpec, home: Home, store: Store) -> None:
    """Killed while it trains, paused, and stopped in the end with the best kept.

    Its examples are removed while it is paused.
    """
    spec = spec.model_copy(update={"epochs": 60})
    run = runs.start(spec).id
    chance = random.Random(7)
    for _ in range(1):
        view = until(runs, run, lambda view: view.stage == "training" and view.step > 0)
        time.sleep(chance.uniform(0.0, 1.0))
        os.kill(view.pid, signal.SIGKILL)
        view = until(runs, run, lambda view: view.state == "interrupted")
        assert runs.resume(run).state == "running"
    until(runs, run, lambda view: view.stage == "training" and view.step > 5)
    paused = runs.pause(run)
    assert paused.state == "paused"
    assert not psutil.pid_exists(paused.pid) or ended(paused)
    with pytest.raises(InvalidInput, match="does not run"):
        runs.pause(run)
    remove_dataset(home, store, spec.dataset)
    runs.resume(run)
    resumed = until(
        runs, run, lambda view: view.stage == "training" and view.step > paused.step
    )
    assert resumed.step <= paused.step + 40
    runs.stop(run)
    view = until(runs, run, ended)
    assert view.state == "stopped", view.error
    assert view.report is not None
    assert view.report.ended == "stopped"
    assert AdapterRegistry(home, store).find(view.report.adapter).dataset == spec.dataset
    assert not (home.runs / run / "sources").exists()


@pytest.mark.timeout(600)
def test_what_goes_wrong_is_said_and_the_run_can_be_resumed(
    runs: Runs, spec: TuneSpec, home: Home
) -> None:
    model = next(home.models.glob("*.gguf"))
    away = model.with_suffix(".away")
    model.rename(away)
    view = until(runs, runs.start(spec).id, ended)
    assert view.state == "failed"
    assert view.error is not None
    assert view.error["kind"] in ("InvalidInput", "ModelUnavailable")
    away.rename(model)
    runs.resume(view.id)
    assert until(runs, view.id, ended).state == "done"


def test_a_plan_is_made_without_a_run(runs: Runs, spec: TuneSpec) -> None:
    plan = runs.plan(spec)
    assert plan.steps == 36
    assert (plan.examples, plan.validation, plan.heldout) == (36, 4, 10)
    assert plan.seconds > 0
    assert plan.fits
    assert runs.list() == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_soft_prompt_is_proven_too(runs: Runs, spec: TuneSpec) -> None:
    spec = spec.model_copy(update={"method": "prompt", "learning_rate": 0.05, "epochs": 8})
    view = until(runs, runs.start(spec).id, ended)
    assert view.state == "done", view.error


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_full_fine_tuning_becomes_a_model(
    runs: Runs, spec: TuneSpec, home: Home, store: Store
) -> None:
    spec = spec.model_copy(update={"method": "full", "learning_rate": 2e-3})
    view = until(runs, runs.start(spec).id, ended)
    assert view.report is not None, view.error
    card = ModelRegistry(home, store).find(view.report.adapter)
    assert card.quantization == "F32"
    ids, answer = starting("x")
    runtime = Runtime(Path(card.path), 256, threads=1)
    try:
        runtime.read_prompt(ids)
        assert int(runtime.logits().argmax()) == answer
    finally:
        runtime.close()


def starting(sign: str) -> tuple[list[int], int]:
    """Tokens of a prompt, and the first of the answer it should have."""
    example = Example(id="1", input=f"qq {sign} 7", output="ab")
    with Tokenizer(next(Path(os.environ["WHETSTONE_HOME"]).glob("models/tiny.gguf"))) as tokens:
        prompt = tokens.prompt(prompt_of("classification", ["ab", "cd"], example))
        return prompt, tokens.answer(example.output)[0]


def test_refs_and_damage(runs: Runs, home: Home) -> None:
    with pytest.raises(InvalidInput, match="no run"):
        runs.find("nothing")
    (home.runs / "broken").mkdir(parents=True)
    (home.runs / "broken" / "status.json").write_text("{")
    (view,) = runs.list()
    assert view.state == "failed"
    runs.remove("broken")
    assert runs.list() == []
