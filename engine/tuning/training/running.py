"""A run from beginning to end, in the process made for it; goes on where it was left."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Generator
from typing import Any, Self

import psutil

from engine.errors import EngineError, NotEnoughMemory, StorageFull, TrainingFailed
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.run_folder import RunFolder, process_seconds
from engine.tuning.training import preparing, saving
from engine.tuning.training.loop import Asked, Outcome, Paused, Training, TrainingData
from engine.tuning.training.preparing import Subject
from engine.tuning.training.scoring import Lease
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import Tuned, not_enough
from engine.work.api import ParityReport, RunView, TuneLoss, TunePlan, TuneReport
from engine.work.lease import CoreLease
from engine.work.serve import unexpected

STATUS_EVERY_S = 0.5
BATTERY_EVERY_S = 30.0
BATTERY_LOW = 30


class Run:
    """One run; also the job and the watcher of all its steps.

    Args:
        folder: of the run.
        home: the data folder.
    """

    def __init__(self, folder: RunFolder, home: Home) -> None:
        self._folder, self._home = folder, home
        self._view: RunView = folder.view()
        self._written = 0.0
        self._battery_at = 0.0
        self._peak = 0
        self._prove_s = 0.0
        self._lease = CoreLease(home)
        self._span = "measure"
        self._span_at = time.monotonic() - process_seconds()

    # --- as a job: the preparation can be paused too ---------------------------------

    def progress(self, done: float, total: float, note: str = "") -> None:
        """Show what is done now."""
        if note and note != self._view.note:
            self._view.note = note
            self._write(now=True)

    def emit(self, kind: str, data: object) -> None:
        """Nothing in a run hands out partial results."""

    def checkpoint(self) -> None:
        """Raise `Paused` when asked to pause; the work of the stage is done again."""
        if self._folder.wish() == "pause":
            raise Paused

    # --- as a watcher ------------------------------------------------------------------

    def asked(self) -> Asked:
        """What the user wants; on a low battery, a pause."""
        wish = self._folder.wish()
        if wish or time.monotonic() < self._battery_at:
            return wish
        self._battery_at = time.monotonic() + BATTERY_EVERY_S
        if battery_low():
            self._view.note = (
                f"The battery is below {BATTERY_LOW} %. Plug in and resume; nothing is lost."
            )
            return "pause"
        return ""

    def note(self, entry: dict[str, Any]) -> None:
        """Keep a line of metrics, and what it says in the status."""
        self._folder.add_metrics(entry)
        view = self._view
        if entry["kind"] == "step":
            view.step, view.steps = entry["step"], entry["steps"]
            view.loss = entry["loss"]
            view.tokens_per_second = entry["tokens_per_second"]
            view.memory_bytes = entry["memory_bytes"]
            self._peak = max(self._peak, view.memory_bytes)
            each = entry["seconds"] / max(1, view.step)
            view.eta_s = each * (view.steps - view.step) + self._prove_s
        elif entry["kind"] == "evaluation":
            view.heldout_loss = entry["heldout_loss"]
            if entry["best"]:
                view.best_loss = entry["heldout_loss"]
        else:
            view.warnings = [*view.warnings, str(entry["name"])]
        self._write(now=entry["kind"] != "step")

    def rewind(self, step: int) -> None:
        """Forget the lines after a step."""
        self._folder.rewind_metrics(step)

    def _write(self, now: bool = False) -> None:
        if now or time.monotonic() - self._written > STATUS_EVERY_S:
            self._written = time.monotonic()
            self._enter(self._span)
            self._folder.write_status(self._view)

    def _enter(self, span: str, took_s: float = 0.0) -> None:
        """Give the time since the last call to its span, `took_s` of it to another; go on."""
        spans, now = self._view.spans, time.monotonic()
        spent = getattr(spans, self._span) + now - self._span_at - took_s
        self._view.spans = spans.model_copy(
            update={self._span: max(0.0, spent), "convert": spans.convert + took_s}
        )
        self._view.seconds = self._view.spans.total()
        self._span, self._span_at = span, now

    # --- the run -----------------------------------------------------------------------

    def execute(self) -> None:
        """Do all that is left; every end is in the status, none is raised."""
        view = self._view
        view.state, view.pid, view.error = "running", os.getpid(), None
        view.stage, view.note = "preparing", ""
        self._write(now=True)
        try:
            report = self._work()
            self._folder.write_report(report)
            view.state = "stopped" if report.ended == "stopped" else "done"
            view.stage, view.note, view.eta_s = "ended", "", 0.0
            for left in (self._folder.path / "checkpoint", self._folder.sources):
                shutil.rmtree(left, ignore_errors=True)
        except Paused:
            view.state, view.eta_s = "paused", None
        except EngineError as error:
            self._fail(error)
        except MemoryError as error:
            self._fail(not_enough(error))
        except OSError as error:
            self._fail(StorageFull("The run's files could not be written.", details=str(error)))
        except Exception as error:
            self._fail(unexpected("tune", error))
        with contextlib.suppress(EngineError):
            self._write(now=True)

    def _fail(self, error: EngineError) -> None:
        view = self._view
        view.state, view.eta_s, view.error = "failed", None, error.to_dict()

    def _work(self) -> TuneReport:
        store = Store(self._home)
        try:
            keep = self._folder.sources
            subject = preparing.prepare(self._folder.spec(), self._home, store, self, keep)
            self._enter("measure", subject.convert_s)
            view = self._view
            view.dataset, view.dataset_name = subject.dataset.id, subject.dataset.name
            view.model, view.model_name = subject.model.id, subject.model.name
            plan = self._plan(subject)
            self._prove_s = plan.spans.prove
            settings = Settings.model_validate(plan.settings)
            tuned, data, outcome = self._train(subject, settings)
            parity, adapter = self._save(tuned, subject, settings, data, outcome, store)
        finally:
            store.close()
        return self._report(plan, data, outcome, parity, adapter)

    def _plan(self, subject: Subject) -> TunePlan:
        plan = self._folder.plan()
        if plan is None:
            self._view.stage = "measuring"
            self._write(now=True)
            plan = preparing.make_plan(subject, self._home, self, self._view.seconds)
            self._enter("measure")
            spans = self._view.spans
            plan = preparing.with_spent(plan, spans.convert, spans.measure)
            self._folder.write_plan(plan)
        if not plan.fits:
            raise NotEnoughMemory(
                "This training does not fit: " + " ".join(plan.reasons),
                hint="Close other programs, choose a smaller model, or train fewer layers.",
            )
        return plan

    def _train(
        self, subject: Subject, settings: Settings
    ) -> tuple[Tuned, TrainingData, Outcome]:
        self._enter("train")
        self._view.stage, self._view.note = "training", ""
        self._write(now=True)
        data = preparing.within(subject.data, settings.max_tokens)
        tuned = preparing.load_tuned(subject, settings)
        training = Training(tuned, data, self._folder.path, self._hold, self)
        outcome = training.run()
        self._peak = max(self._peak, psutil.Process().memory_info().rss)
        return tuned, data, outcome

    @contextlib.contextmanager
    def _hold(self) -> Generator[int]:
        with self._lease.hold("batch") as threads:
            yield threads

    def _save(
        self,
        tuned: Tuned,
        subject: Subject,
        settings: Settings,
        data: TrainingData,
        outcome: Outcome,
        store: Store,
    ) -> tuple[ParityReport | None, str]:
        self._enter("prove")
        self._view.stage, self._view.note = "proving", ""
        self._write(now=True)
        folder = self._folder.path / "adapter"
        if settings.method == "full":
            with self._hold():
                model = saving.keep_model(folder, subject, outcome, self._home, store, self)
            shutil.rmtree(folder, ignore_errors=True)
            return None, model.id
        file = saving.write_files(folder, subject, settings, outcome)
        with _Turns(self._hold) as turns:
            parity = saving.prove_files(
                file, tuned, subject, data, outcome, tuned.threads.best(turns.threads), turns
            )
        card = saving.keep(
            folder, subject, settings, outcome, parity, self._folder.id, self._home, store
        )
        shutil.rmtree(folder, ignore_errors=True)
        if not parity.passed:
            raise TrainingFailed(
                "The adapter does not do in llama.cpp what was trained, so it is not offered: "
                + " ".join(parity.reasons),
                hint="Copy the details and report them. Earlier adapters are kept.",
                details=parity.model_dump_json(indent=2),
            )
        return parity, card.id

    def _report(
        self,
        plan: TunePlan,
        data: TrainingData,
        outcome: Outcome,
        parity: ParityReport | None,
        adapter: str,
    ) -> TuneReport:
        position = outcome.position
        self._enter("prove")
        view = self._view
        return TuneReport.model_validate(
            {
                "adapter": adapter,
                "method": plan.method,
                "examples": len(data.train),
                "steps": position.step,
                "seconds": view.seconds,
                "spans": view.spans,
                "tokens_per_second": position.tokens / max(position.seconds, 1e-9),
                "loss": TuneLoss(
                    train=position.interval_loss or position.train_loss,
                    heldout=outcome.heldout_loss if data.heldout else None,
                    before=position.heldout_first,
                ),
                "heldout_exact": outcome.heldout_exact if data.heldout else None,
                "parity": parity,
                "run": self._folder.id,
                "ended": position.finished,
                "warnings": position.warnings,
                "planned_seconds": plan.seconds,
                "planned_spans": plan.spans,
                "planned_memory_bytes": plan.memory_bytes,
                "memory_bytes": self._peak,
            }
        )


class _Turns:
    """A job that holds the cores, and at every checkpoint lets a question go first."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._held = contextlib.ExitStack()
        self.threads = 1

    def __enter__(self) -> Self:
        self.threads = self._held.enter_context(self._lease())
        return self

    def __exit__(self, *ended: object) -> None:
        self._held.close()

    def progress(self, done: float, total: float, note: str = "") -> None:
        pass

    def emit(self, kind: str, data: object) -> None:
        pass

    def checkpoint(self) -> None:
        self._held.close()
        self._held.enter_context(self._lease())


def battery_low() -> bool:
    """Whether the machine runs on a battery that is nearly empty."""
    sensors: Any = psutil
    try:
        battery = sensors.sensors_battery()
    except (AttributeError, OSError, RuntimeError):
        return False
    return battery is not None and not battery.power_plugged and battery.percent < BATTERY_LOW
