"""The engine's part for adapters: the registry with what the window has to be told."""

from __future__ import annotations

from collections.abc import Callable

from engine.models.registry import ModelRegistry
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.adapters.choosing import Chooser
from engine.tuning.adapters.registry import AdapterRegistry
from engine.work import api
from engine.work.jobs import NULL_JOB, Job


class Adapters:
    """Lists, changes, imports and exports adapters.

    Args:
        home: the user's data folder.
        store: remembers which are enabled.
        models: the models they belong to.
        on_changed: told which views are stale.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        models: ModelRegistry,
        on_changed: Callable[[list[str]], None],
    ) -> None:
        self.registry = AdapterRegistry(home, store, models)
        self.chooser = Chooser(self.registry)
        self._models = models
        self._on_changed = on_changed

    def list(self) -> api.AdapterList:
        """Every adapter, the newest first."""
        return api.AdapterList(adapters=self.registry.list())

    def find(self, ref: str) -> api.AdapterCard:
        """One card; see `AdapterRegistry.find`."""
        return self.registry.find(ref)

    def check(self, spec: api.AskSpec) -> None:
        """Refuse a question whose model or adapters cannot answer, before it is asked."""
        self.chooser.choose(spec, self._models.find)

    def rename(self, spec: api.RenameAdapterSpec) -> api.AdapterCard:
        """Give an adapter another name."""
        card = self.registry.rename(spec.adapter, spec.name)
        self._on_changed(["adapters"])
        return card

    def remove(self, ref: api.AdapterRef) -> None:
        """Delete an adapter of the user's own."""
        self.registry.remove(ref.adapter)
        self._on_changed(["adapters"])

    def enable(self, spec: api.EnableAdapterSpec) -> api.AdapterCard:
        """Put an adapter on its model where nothing else is said, or no longer."""
        card = self.registry.enable(spec)
        self._on_changed(["adapters"])
        return card

    def import_file(self, spec: api.ImportAdapterSpec, job: Job = NULL_JOB) -> api.AdapterCard:
        """Check a stranger's adapter and take it in; see `importing.import_adapter`."""
        from engine.tuning.adapters.importing import import_adapter

        card = import_adapter(self.registry, self._models, spec, job)
        self._on_changed(["adapters"])
        return card

    def export(self, spec: api.ExportAdapterSpec, job: Job = NULL_JOB) -> api.ExportedAdapter:
        """Write an adapter for other programs; see `exporting.export_adapter`."""
        from engine.tuning.adapters.exporting import export_adapter

        return export_adapter(self.registry, spec, job)
