"""The parts of the engine: each is made when it is first needed, and closed in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from engine.errors import WorkerCrashed
from engine.paths import Home
from engine.store.db import Store
from engine.work import api
from engine.work.lease import CoreLease

if TYPE_CHECKING:  # these load Arrow and friends: only when first needed
    from engine.answers.answerer import Answerer
    from engine.answers.calibrating import Calibrator
    from engine.answers.calibrating_idle import IdleCalibrating
    from engine.answers.generator import Generator
    from engine.answers.preparing import Preparing
    from engine.documents.pool import ReaderPool
    from engine.documents.scanner import Scanner
    from engine.host.adapters import Adapters
    from engine.host.comparing import Comparing
    from engine.host.datasets import Datasets
    from engine.host.exams import Exams
    from engine.host.tuning import Tuning
    from engine.library.embedding import Embedder
    from engine.library.following import Following
    from engine.library.libraries import Libraries
    from engine.models.registry import ModelRegistry
    from engine.work.idle import Idle

_P = TypeVar("_P")

READERS = 2

_PARTS_IN_ORDER = (
    "idle",
    "following",
    "libraries",
    "readers",
    "scanner",
    "embedder",
    "generator",
)
"""As they are closed: whoever uses a part goes before it."""
_WORKER_LINES: dict[str, str] = {
    "reader": "A reader stopped on a file and was started again.",
    "scanner": "The reader of scanned pages stopped and was started again.",
    "embedder": "The search model stopped and was started again.",
    "generator": "The language model stopped and was started again.",
}


class Parts:
    """What the engine is made of.

    Args:
        home: the user's data folder.
        on_worker: told once for every child that died.
        on_changed: told which views are stale: "libraries", "models", "conversations",
            "presets", "reranker", "datasets", "exams".
        on_indexing: told of indexing runs that a change on the disk began.

    Raises:
        StorageDamaged: the home cannot be used by this version.
    """

    def __init__(
        self,
        home: Home,
        on_worker: Callable[[api.WorkerEvent], None] = lambda event: None,
        on_changed: Callable[[list[str]], None] = lambda what: None,
        on_indexing: Callable[[api.IndexingEvent], None] = lambda event: None,
    ) -> None:
        self.home = home
        self.store = Store(home)
        self.lease = CoreLease(home)
        self._on_worker = on_worker
        self._on_changed = on_changed
        self._on_indexing = on_indexing
        self._indexing: set[str] = set()
        self._parts: dict[str, Any] = {}
        self._building = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- the parts, each made when first used -----------------------------------------

    def _part(self, name: str, build: Callable[[], _P]) -> _P:
        with self._building:
            if name not in self._parts:
                self._parts[name] = build()
            return self._parts[name]

    @property
    def embedder(self) -> Embedder:
        """Client of the embedder process."""

        def build() -> Embedder:
            from engine.library.embedding import Embedder
            from engine.models.embedders import starter_embedder

            died = self._death("embedder")
            return Embedder(starter_embedder(), self.store, self.lease, on_death=died)

        return self._part("embedder", build)

    @property
    def readers(self) -> ReaderPool:
        """The pool of reader processes."""

        def build() -> ReaderPool:
            from engine.documents.pool import ReaderPool

            died = self._death("reader")
            return ReaderPool(
                self.embedder.info.tokenizer,
                size=READERS,
                on_death=died,
                quarantine=self.home.quarantine,
                scans=self.home.scans,
            )

        return self._part("readers", build)

    @property
    def scanner(self) -> Scanner:
        """Client of the scanner process, which reads pages that are pictures."""

        def build() -> Scanner:
            from engine.documents.scanner import Scanner

            return Scanner(self.store, self.lease, on_death=self._death("scanner"))

        return self._part("scanner", build)

    @property
    def libraries(self) -> Libraries:
        """Libraries: index, search, list."""

        def build() -> Libraries:
            from engine.library.libraries import Libraries

            return Libraries(
                self.home, self.store, self.readers, self.embedder, self.lease, self.scanner
            )

        return self._part("libraries", build)

    @property
    def following(self) -> Following:
        """Keeps libraries current with the disk."""

        def build() -> Following:
            from engine.library.following import Following

            return Following(self.libraries, self._on_indexing, self._on_changed)

        return self._part("following", build)

    @property
    def models(self) -> ModelRegistry:
        """The GGUF files at hand."""

        def build() -> ModelRegistry:
            from engine.models.registry import ModelRegistry

            return ModelRegistry(self.home, self.store)

        return self._part("models", build)

    @property
    def adapters(self) -> Adapters:
        """The adapters at hand: list, change, import, export."""

        def build() -> Adapters:
            from engine.host.adapters import Adapters

            return Adapters(self.home, self.store, self.models, self._on_changed)

        return self._part("adapters", build)

    @property
    def generator(self) -> Generator:
        """Client of the generator process."""

        def build() -> Generator:
            from engine.answers.generator import Generator

            return Generator(self.home, self.lease, on_death=self._death("generator"))

        return self._part("generator", build)

    @property
    def datasets(self) -> Datasets:
        """Examples to tune with: import, list, check, edit."""

        def build() -> Datasets:
            from engine.host.datasets import Datasets

            return Datasets(self, self._on_changed)

        return self._part("datasets", build)

    @property
    def tuning(self) -> Tuning:
        """Training runs: plan, start, look after."""

        def build() -> Tuning:
            from engine.host.tuning import Tuning

            return Tuning(self, self._on_changed)

        return self._part("tuning", build)

    @property
    def exams(self) -> Exams:
        """Questions to judge by: import, make, list."""

        def build() -> Exams:
            from engine.host.exams import Exams

            return Exams(self.home, self.store, self._on_changed)

        return self._part("exams", build)

    @property
    def comparing(self) -> Comparing:
        """Lets arms answer exams, and scores them."""

        def build() -> Comparing:
            from engine.host.comparing import Comparing

            return Comparing(self, self._on_changed)

        return self._part("comparing", build)

    @property
    def idle(self) -> Idle:
        """Does work that nobody waits for."""

        def build() -> Idle:
            from engine.work.idle import Idle

            return Idle()

        return self._part("idle", build)

    @property
    def preparing(self) -> Preparing:
        """Computes passages ahead while nobody asks."""

        def build() -> Preparing:
            from engine.answers.preparing import Preparing

            return Preparing(self.generator, self.idle)

        return self._part("preparing", build)

    @property
    def calibrator(self) -> Calibrator:
        """Measures when an answer is refused."""

        def build() -> Calibrator:
            from engine.answers.calibrating import Calibrator, Tools

            libraries = self.libraries
            tools = Tools(
                self.store,
                self.generator,
                libraries.search,
                libraries.find,
                libraries.holdings.known_items,
                self.lease,
            )
            return Calibrator(tools, self.models, self.idle)

        return self._part("calibrator", build)

    @property
    def calibrating(self) -> IdleCalibrating:
        """Measures that while nobody asks."""

        def build() -> IdleCalibrating:
            from engine.answers.calibrating_idle import IdleCalibrating

            return IdleCalibrating(
                self.calibrator,
                self.libraries.find,
                self.models,
                self.generator,
                self.store,
                self.idle,
            )

        return self._part("calibrating", build)

    @property
    def answerer(self) -> Answerer:
        """Asks: retrieval, prompt, generation, citations."""

        def build() -> Answerer:
            from engine.answers.answerer import Answerer
            from engine.answers.routing import Holdings

            held = self.libraries.holdings
            return Answerer(
                self.store,
                self.models,
                self.generator,
                self.libraries.search,
                Holdings(held.files, held.read, held.count, held.keys),
                self.preparing,
                self.adapters.chooser,
            )

        return self._part("answerer", build)

    def _death(self, worker: str) -> Callable[[WorkerCrashed], None]:
        def tell(crash: WorkerCrashed) -> None:
            self._on_worker(
                api.WorkerEvent.model_validate(
                    {
                        "worker": worker,
                        "message": _WORKER_LINES[worker],
                        "details": crash.details,
                    }
                )
            )

        return tell

    def close(self) -> None:
        """End the children and close the store."""
        for name in _PARTS_IN_ORDER:
            part = self._parts.pop(name, None)
            if part is not None:
                part.close()
        self.store.close()
