"""Training runs as the host and the command line use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.models.gguf import read_header
from engine.tuning.adapters.registry import AdapterRegistry
from engine.tuning.datasets.storing import find_dataset
from engine.tuning.families import why_untrainable
from engine.tuning.runs import Runs
from engine.work import api
from engine.work.jobs import NULL_JOB, Job

if TYPE_CHECKING:
    from engine.host.parts import Parts


class Tuning:
    """Plans, starts and looks after training runs; the work is done in their processes.

    Args:
        parts: the engine's parts.
        on_changed: told when the list of runs is stale.
    """

    def __init__(self, parts: Parts, on_changed: Callable[[list[str]], None]) -> None:
        self._parts = parts
        self._on_changed = on_changed
        self.runs = Runs(parts.home)

    def plan(self, spec: api.TuneSpec, job: Job = NULL_JOB) -> api.TunePlan:
        """Measure what a training would take; see `Runs.plan`."""
        return self.runs.plan(self._checked(spec), job)

    def start(self, spec: api.TuneSpec) -> api.RunView:
        """Start a training; it plans for itself and goes on when this process ends.

        Raises:
            InvalidInput: the dataset, model or adapter is not there.
            ModelUnavailable: the model cannot be trained.
        """
        run = self.runs.start(self._checked(spec))
        self._on_changed(["runs"])
        return run

    def _checked(self, spec: api.TuneSpec) -> api.TuneSpec:
        """`spec` with ids in place of names, so that a rename does not confuse a run."""
        from pathlib import Path

        from engine.errors import ModelUnavailable

        parts = self._parts
        dataset = find_dataset(parts.home, parts.store, spec.dataset).id
        parent, model = spec.from_adapter, spec.model
        if parent:
            card = AdapterRegistry(parts.home, parts.store, parts.models).find(parent)
            parent, model = card.id, model or card.model
        found = parts.models.find(model or None)
        if reason := why_untrainable(read_header(Path(found.path))):
            raise ModelUnavailable(reason, hint="Choose another model to tune.")
        return spec.model_copy(
            update={"dataset": dataset, "model": found.id, "from_adapter": parent}
        )

    def list(self) -> api.RunList:
        """All runs, the newest first."""
        return api.RunList(runs=self.runs.list())

    def show(self, spec: api.MetricsSpec) -> api.RunMetrics:
        """A run and its metrics."""
        return self.runs.metrics(spec.run, spec.after)

    def pause(self, ref: api.RunRef, job: Job = NULL_JOB) -> api.RunView:
        """Pause a run; see `Runs.pause`."""
        return self._told(self.runs.pause(ref.run, job))

    def resume(self, ref: api.RunRef) -> api.RunView:
        """Go on with a run; see `Runs.resume`."""
        return self._told(self.runs.resume(ref.run))

    def stop(self, ref: api.RunRef, job: Job = NULL_JOB) -> api.RunView:
        """End a run and keep the best; see `Runs.stop`."""
        return self._told(self.runs.stop(ref.run, job))

    def remove(self, ref: api.RunRef) -> None:
        """Forget a run; see `Runs.remove`."""
        self._told(self.runs.remove(ref.run))

    def _told(self, run: api.RunView) -> api.RunView:
        self._on_changed(["runs"])
        return run
