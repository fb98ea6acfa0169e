"""The engine as one object: what the host process serves and the command line calls.

Its parts (`engine.host.parts`) are started when they are first needed. The window talks to it
through `engine.host.engine`; the command line holds one in its own process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from engine import __version__
from engine.errors import EngineError
from engine.host.parts import Parts
from engine.paths import sample_dir
from engine.work import api
from engine.work.jobs import NULL_JOB, Job
from engine.work.messages import PROTOCOL_VERSION


class Engine(Parts):
    """Everything Whetstone can do, without a window; made with what `Parts` takes."""

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
        with self.idle.paused():
            return self.libraries.search(spec, job)

    def ask(self, spec: api.AskSpec, job: Job = NULL_JOB) -> api.AnswerReport:
        """Answer one question."""
        report = self.answerer.ask(spec, job)
        if report.conversation:
            self._on_changed(["conversations"])
        self.calibrating.suggest(report.libraries)
        return report

    def calibrate(self, spec: api.CalibrateSpec, job: Job = NULL_JOB) -> api.CalibrationReport:
        """Measure when an answer from a library is to be refused."""
        return self.calibrator.calibrate(spec, job)

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
        from engine.answers import refusing
        from engine.tuning.making.keeping import forget_library

        library = self.libraries.find(ref.library).id
        with self.idle.paused():
            self.libraries.remove(library)
        refusing.forget(self.store, library)
        forget_library(self.home, library)
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

    def preview_examples(self, spec: api.ImportSpec, job: Job = NULL_JOB) -> api.ImportPreview:
        """What an import would make of a file; see `Datasets.preview`."""
        return self.datasets.preview(spec, job)

    def import_examples(self, spec: api.ImportSpec, job: Job = NULL_JOB) -> api.ImportReport:
        """Make a dataset of a file; see `Datasets.import_file`."""
        return self.datasets.import_file(spec, job)

    def make_examples(
        self, spec: api.MakeExamplesSpec, job: Job = NULL_JOB
    ) -> api.MakeExamplesReport:
        """Make a dataset of a library's passages; see `Datasets.make`."""
        return self.datasets.make(spec, job)

    def check_examples(self, spec: api.CheckSpec, job: Job = NULL_JOB) -> api.DatasetCheck:
        """Look for what would spoil a tuning; see `Datasets.check`."""
        return self.datasets.check(spec, job)

    def import_exam(self, spec: api.ImportExamSpec, job: Job = NULL_JOB) -> api.ExamReport:
        """Keep the questions of a file; see `Exams.import_file`."""
        return self.exams.import_file(spec, job)

    def compare(self, spec: api.CompareSpec, job: Job = NULL_JOB) -> api.CompareReport:
        """Let arms answer an exam; see `Comparing.run`."""
        return self.comparing.run(spec, job)

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
            self.calibrating.suggest_recent,
        ):
            try:
                step()
            except EngineError:
                continue

    def _warm_reranker(self) -> None:
        self.libraries.reranker.warm()


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
