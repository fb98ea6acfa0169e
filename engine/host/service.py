"""The engine as one object: what the host process serves and the command line calls.

It owns the store, the readers, the embedder and the generator, and starts each when it is
first needed. The window talks to it through `engine.host.engine`; the command line holds
one in its own process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from engine import __version__
from engine.errors import EngineError, WorkerCrashed
from engine.paths import Home, sample_dir
from engine.store.db import Store
from engine.work import api
from engine.work.jobs import NULL_JOB, Job
from engine.work.lease import CoreLease
from engine.work.messages import PROTOCOL_VERSION

if TYPE_CHECKING:  # these load Arrow and friends: only when first needed
    from engine.answers.answerer import Answerer
    from engine.answers.generator import Generator
    from engine.documents.pool import ReaderPool
    from engine.library.embedding import Embedder
    from engine.library.libraries import Libraries
    from engine.models.registry import ModelRegistry

_P = TypeVar("_P")

READERS = 2

_WORKER_LINES: dict[str, str] = {
    "reader": "A reader stopped on a file and was started again.",
    "embedder": "The search model stopped and was started again.",
    "generator": "The language model stopped and was started again.",
}


class Engine:
    """Everything Whetstone can do, without a window.

    Args:
        home: the user's data folder.
        on_worker: told once for every child that died.
        on_changed: told which views are stale: "libraries", "models", "conversations".

    Raises:
        StorageDamaged: the home cannot be used by this version.
    """

    def __init__(
        self,
        home: Home,
        on_worker: Callable[[api.WorkerEvent], None] = lambda event: None,
        on_changed: Callable[[list[str]], None] = lambda what: None,
    ) -> None:
        self.home = home
        self.store = Store(home)
        self.lease = CoreLease(home)
        self._on_worker = on_worker
        self._on_changed = on_changed
        self._indexing: set[str] = set()
        self._parts: dict[str, Any] = {}
        self._building = threading.RLock()

    def __enter__(self) -> Engine:
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
            )

        return self._part("readers", build)

    @property
    def libraries(self) -> Libraries:
        """Libraries: index, search, list."""

        def build() -> Libraries:
            from engine.library.libraries import Libraries

            return Libraries(self.home, self.store, self.readers, self.embedder, self.lease)

        return self._part("libraries", build)

    @property
    def models(self) -> ModelRegistry:
        """The GGUF files at hand."""

        def build() -> ModelRegistry:
            from engine.models.registry import ModelRegistry

            return ModelRegistry(self.home, self.store)

        return self._part("models", build)

    @property
    def generator(self) -> Generator:
        """Client of the generator process."""

        def build() -> Generator:
            from engine.answers.generator import Generator

            return Generator(self.home, self.lease, on_death=self._death("generator"))

        return self._part("generator", build)

    @property
    def answerer(self) -> Answerer:
        """Asks: retrieval, prompt, generation, citations."""

        def build() -> Answerer:
            from engine.answers.answerer import Answerer

            return Answerer(self.store, self.models, self.generator, self.libraries.search)

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

    # --- what can be asked --------------------------------------------------------------

    def state(self) -> api.HostState:
        """What a fresh window shows."""
        return api.HostState(
            version=__version__,
            protocol=PROTOCOL_VERSION,
            libraries=self.list_libraries().libraries,
            models=self.models.list(),
            conversations=self.list_conversations().conversations,
            indexing=sorted(self._indexing),
            sample_folder=str(sample_dir()),
        )

    def list_libraries(self) -> api.LibraryList:
        """All libraries; one that is being indexed by this engine says so."""
        views = self.libraries.list()
        for view in views:
            if view.id in self._indexing:
                view.state = "indexing"
        return api.LibraryList(libraries=views)

    def index(self, spec: api.IndexSpec, job: Job = NULL_JOB) -> api.IndexReport:
        """Index a folder; see `Libraries.index` for the errors."""
        with _IndexingJob(job, self._indexing, self._on_changed) as watched:
            return self.libraries.index(spec, watched)

    def reindex(self, ref: api.LibraryRef, job: Job = NULL_JOB) -> api.IndexReport:
        """Scan all roots of a library again; rebuilds it when it is outdated."""
        with _IndexingJob(job, self._indexing, self._on_changed) as watched:
            return self.libraries.reindex(ref.library, watched)

    def search(self, spec: api.SearchSpec, job: Job = NULL_JOB) -> api.SearchReport:
        """Find passages."""
        return self.libraries.search(spec, job)

    def ask(self, spec: api.AskSpec, job: Job = NULL_JOB) -> api.AnswerReport:
        """Answer one question."""
        report = self.answerer.ask(spec, job)
        if report.conversation:
            self._on_changed(["conversations"])
        return report

    def list_conversations(self) -> api.ConversationList:
        """Conversations, newest first."""
        from engine.store import conversations

        return api.ConversationList(conversations=conversations.list_all(self.store))

    def remove_conversation(self, ref: api.ConversationRef) -> None:
        """Forget one conversation."""
        from engine.store import conversations

        conversations.remove(self.store, ref.conversation)
        self._on_changed(["conversations"])

    def remove_library(self, ref: api.LibraryRef) -> None:
        """Forget a library and its index; the user's own files are not touched."""
        self.libraries.remove(ref.library)
        self._on_changed(["libraries"])

    def view(self, spec: api.ViewSpec, job: Job = NULL_JOB) -> api.SourceView:
        """The place [start, end) of a file as a page image or as text.

        Raises:
            InvalidInput: there is no such library or file.
            UnreadableDocument: the file is gone or cannot be read any more.
        """
        path = self.libraries.file_path(spec.library, spec.file_id)
        shown = self.readers.view(path, spec.start, spec.end, spec.page, spec.width_px, job)
        changed = self.libraries.file_changed(spec.library, spec.file_id)
        return api.SourceView.model_validate({**shown, "changed": changed})

    def add_model(self, spec: api.AddModelSpec, job: Job = NULL_JOB) -> api.ModelCard:
        """Check a GGUF file and copy it into the home."""
        from pathlib import Path

        card = self.models.add(Path(spec.path).expanduser(), job)
        self._on_changed(["models"])
        return card

    def remove_model(self, ref: api.ModelRef) -> None:
        """Delete a model the user added."""
        self.models.remove(ref.model)
        self._on_changed(["models"])

    def set_default_model(self, ref: api.ModelRef) -> api.ModelCard:
        """Choose the model that answers when none is named."""
        self.models.set_default(ref.model)
        self._on_changed(["models"])
        return self.models.find(ref.model)

    def set_gpu_layers(self, spec: api.GpuLayersSpec) -> api.ModelCard:
        """Choose how many layers go on the GPU, or None for the automatic choice."""
        self.models.set_gpu_layers(spec.model, spec.layers)
        self._on_changed(["models"])
        return self.models.find(spec.model)

    def warm(self, job: Job = NULL_JOB) -> None:
        """Start the embedder and load the default model ahead of the first question.

        Never fails: what cannot be warmed now says why when it is asked.
        """
        for step in (self.embedder.warm, lambda: self.generator.warm(self.models.find(None))):
            try:
                step()
            except EngineError:
                continue

    def close(self) -> None:
        """End the children and close the store."""
        for name in ("libraries", "readers", "embedder", "generator"):
            part = self._parts.pop(name, None)
            if part is not None:
                part.close()
        self.store.close()


class _IndexingJob:
    """Passes everything on, and notes which library a run works on.

    The indexer says so with the event "library" {id} as soon as it knows, and with the
    event "stored" {} whenever more can be searched.
    """

    def __init__(
        self, job: Job, indexing: set[str], on_changed: Callable[[list[str]], None]
    ) -> None:
        self._job = job
        self._indexing = indexing
        self._on_changed = on_changed
        self._library = ""

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *ended: object) -> None:
        self._indexing.discard(self._library)
        self._on_changed(["libraries"])

    def progress(self, done: float, total: float, note: str = "") -> None:
        self._job.progress(done, total, note)

    def emit(self, kind: str, data: object) -> None:
        if kind == "library":
            self._library = str(cast("dict[str, object]", data)["id"])
            self._indexing.add(self._library)
        self._on_changed(["libraries"])
        self._job.emit(kind, data)

    def checkpoint(self) -> None:
        self._job.checkpoint()
