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
    from engine.answers.preparing import Preparing
    from engine.documents.pool import ReaderPool
    from engine.documents.scanner import Scanner
    from engine.library.embedding import Embedder
    from engine.library.following import Following
    from engine.library.libraries import Libraries
    from engine.models.registry import ModelRegistry

_P = TypeVar("_P")

READERS = 2

_PARTS_IN_ORDER = (
    "preparing",
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


class Engine:
    """Everything Whetstone can do, without a window.

    Args:
        home: the user's data folder.
        on_worker: told once for every child that died.
        on_changed: told which views are stale: "libraries", "models", "conversations",
            "presets", "reranker".
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
    def generator(self) -> Generator:
        """Client of the generator process."""

        def build() -> Generator:
            from engine.answers.generator import Generator

            return Generator(self.home, self.lease, on_death=self._death("generator"))

        return self._part("generator", build)

    @property
    def preparing(self) -> Preparing:
        """Computes passages ahead while nobody asks."""

        def build() -> Preparing:
            from engine.answers.preparing import Preparing

            return Preparing(self.generator)

        return self._part("preparing", build)

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

    def follow(self) -> None:
        """Keep all libraries current from now on; see `Following`."""
        self.following.start()

    def pause_library(self, ref: api.LibraryRef) -> None:
        """Stop a library's run, whoever began it, and do not follow it for now."""
        self.following.pause(ref.library)
        self._on_changed(["libraries"])

    def resume_library(self, ref: api.LibraryRef) -> None:
        """Go on where `pause_library` stopped."""
        self.following.resume(ref.library)
        self._on_changed(["libraries"])

    def rename_library(self, spec: api.RenameLibrarySpec) -> api.LibraryView:
        """Give a library another name."""
        view = self.libraries.rename(spec.library, spec.name)
        self._on_changed(["libraries", "conversations"])
        return view

    def remove_root(self, spec: api.RootSpec) -> api.LibraryView:
        """Take one folder out of a library; the documents are not touched."""
        view = self.libraries.remove_root(spec.library, spec.folder)
        self.following.refresh()
        self._on_changed(["libraries"])
        return view

    def retry(self, spec: api.RetrySpec, job: Job = NULL_JOB) -> api.IndexReport:
        """Read some files again."""
        with _IndexingJob(job, self._indexing, self._on_changed) as watched:
            return self.libraries.retry(spec, watched)

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

    def clear_conversations(self) -> None:
        """Forget all conversations."""
        from engine.store import conversations

        conversations.clear(self.store)
        self._on_changed(["conversations"])

    def rename_conversation(self, spec: api.RenameConversationSpec) -> api.ConversationRow:
        """Give a conversation another title."""
        from engine.store import conversations

        row = conversations.rename(self.store, spec.conversation, spec.title)
        self._on_changed(["conversations"])
        return row

    def search_conversations(self, spec: api.ConversationQuery) -> api.ConversationHits:
        """Find conversations by what was said in them."""
        from engine.store import conversations

        return api.ConversationHits(
            hits=conversations.search(self.store, spec.query, spec.limit)
        )

    def export_conversation(self, spec: api.ExportSpec) -> api.Exported:
        """A conversation as Markdown, HTML or JSON."""
        from engine.answers.exporting import export
        from engine.store import conversations

        return export(conversations.show(self.store, spec.conversation), spec.format)

    def give_feedback(self, spec: api.FeedbackSpec) -> api.AnswerReport:
        """Keep what the user thinks of an answer."""
        from engine.store import conversations

        report = conversations.give_feedback(
            self.store, spec.conversation, spec.turn, spec.verdict, spec.correction
        )
        self._on_changed(["conversations"])
        return report

    def answer_version(self, spec: api.VersionSpec) -> api.AnswerReport:
        """An earlier answer of a turn."""
        from engine.store import conversations

        return conversations.version(self.store, spec.conversation, spec.turn, spec.version)

    def list_presets(self) -> api.PresetList:
        """System prompts to choose from."""
        from engine.answers import presets

        return api.PresetList(presets=presets.list_all(self.store))

    def save_preset(self, spec: api.SavePresetSpec) -> api.Preset:
        """Make or change a preset."""
        from engine.answers import presets

        preset = presets.save(self.store, spec.id, spec.name, spec.system)
        self._on_changed(["presets"])
        return preset

    def remove_preset(self, ref: api.PresetRef) -> None:
        """Delete a preset of the user's own."""
        from engine.answers import presets

        presets.remove(self.store, ref.preset)
        self._on_changed(["presets"])

    def storage(self) -> api.StorageReport:
        """What the data folder holds, by part."""
        from engine.host.storage import measure

        return measure(self.home)

    def clear_states(self) -> None:
        """Forget what models computed of passages, on disk and in memory."""
        from engine.answers import states

        with self._building:
            built = "generator" in self._parts
        if built:  # else there is no process that could hold any
            self.generator.forget()
        states.clear(self.home.states)

    def remove_library(self, ref: api.LibraryRef) -> None:
        """Forget a library and its index; the user's own files are not touched."""
        self.libraries.remove(ref.library)
        self.clear_states()  # computed from documents that are to be forgotten
        self.following.refresh()
        self._on_changed(["libraries"])

    def view(self, spec: api.ViewSpec, job: Job = NULL_JOB) -> api.SourceView:
        """The place [start, end) of a file as a page image or as text.

        Raises:
            InvalidInput: there is no such library or file.
            UnreadableDocument: the file is gone or cannot be read any more.
        """
        path = self.libraries.file_path(spec.library, spec.file_id)
        sha256 = self.libraries.file_hash(spec.library, spec.file_id)
        shown = self.readers.view(
            path, spec.start, spec.end, spec.page, spec.width_px, job, sha256
        )
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

    def set_reranker(self, spec: api.RerankerSpec, job: Job = NULL_JOB) -> api.RerankerView:
        """Set the cross-encoder that orders what was found, or take it away."""
        view = self.libraries.reranker.choose(spec.folder, job)
        self._on_changed(["reranker"])
        return view

    def switch_reranker(self, spec: api.RerankerSwitch) -> api.RerankerView:
        """Use the reranker in searches, or no longer."""
        view = self.libraries.reranker.switch(spec.on)
        self._on_changed(["reranker"])
        return view

    def measure_reranker(
        self, spec: api.MeasureRerankerSpec, job: Job = NULL_JOB
    ) -> api.RerankerMeasurement:
        """Find out whether the reranker is worth it in a library."""
        measured = self.libraries.measure_reranker(spec, job)
        self._on_changed(["reranker"])
        return measured

    def warm(self, job: Job = NULL_JOB) -> None:
        """Start the embedder and load the models ahead of the first question.

        Never fails: what cannot be warmed now says why when it is asked.
        """
        for step in (
            self.embedder.warm,
            lambda: self.generator.warm(self.models.find(None)),
            self._warm_reranker,
            lambda: self.answerer.prepare_recent(self.models.find(None)),
        ):
            try:
                step()
            except EngineError:
                continue

    def _warm_reranker(self) -> None:
        self.libraries.reranker.warm()

    def close(self) -> None:
        """End the children and close the store."""
        for name in _PARTS_IN_ORDER:
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
