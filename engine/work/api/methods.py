"""The methods a host answers."""

from __future__ import annotations

from typing import Any

from engine.work.api.adapters import (
    AdapterCard,
    AdapterComparison,
    AdapterList,
    AdapterRef,
    CompareAdapterSpec,
    EnableAdapterSpec,
    ExportAdapterSpec,
    ExportedAdapter,
    ImportAdapterSpec,
    RenameAdapterSpec,
)
from engine.work.api.answers import AnswerReport, AskSpec
from engine.work.api.base import Empty, View
from engine.work.api.calibration import CalibrateSpec, CalibrationReport
from engine.work.api.compare import (
    AnsweredRows,
    CompareReport,
    CompareRowsSpec,
    CompareSpec,
)
from engine.work.api.conversations import (
    Conversation,
    ConversationHits,
    ConversationList,
    ConversationQuery,
    ConversationRef,
    ConversationRow,
    Exported,
    ExportSpec,
    FeedbackSpec,
    Preset,
    PresetList,
    PresetRef,
    RenameConversationSpec,
    SavePresetSpec,
    VersionSpec,
)
from engine.work.api.datasets import (
    CheckSpec,
    DatasetCheck,
    DatasetList,
    DatasetRef,
    DatasetRow,
    DatasetView,
    EditReport,
    EditRowSpec,
    ExamList,
    ExamRef,
    ExamReport,
    ExamRow,
    ExamView,
    FromFeedbackSpec,
    ImportExamSpec,
    ImportPreview,
    ImportReport,
    ImportSpec,
    MakeExamplesReport,
    MakeExamplesSpec,
    MakeExamSpec,
    RenameDatasetSpec,
    RowsPage,
    RowsSpec,
)
from engine.work.api.libraries import (
    FilesPage,
    FilesSpec,
    IndexReport,
    IndexSpec,
    LibraryFacets,
    LibraryList,
    LibraryRef,
    LibraryView,
    RenameLibrarySpec,
    RetrySpec,
    RootSpec,
)
from engine.work.api.machine import DoctorReport, HostState, StorageReport
from engine.work.api.models import (
    AddModelSpec,
    GpuLayersSpec,
    MeasureRerankerSpec,
    ModelCard,
    ModelList,
    ModelRef,
    RerankerMeasurement,
    RerankerSpec,
    RerankerSwitch,
    RerankerView,
)
from engine.work.api.search import SearchReport, SearchSpec
from engine.work.api.tuning import (
    MetricsSpec,
    RunList,
    RunMetrics,
    RunRef,
    RunView,
    TunePlan,
    TuneSpec,
)
from engine.work.api.viewing import SourceView, ViewSpec

METHODS: dict[str, tuple[type[View], type[View]]] = {
    "state": (Empty, HostState),
    "libraries.list": (Empty, LibraryList),
    "libraries.remove": (LibraryRef, Empty),
    "libraries.files": (FilesSpec, FilesPage),
    "index": (IndexSpec, IndexReport),
    "reindex": (LibraryRef, IndexReport),
    "libraries.pause": (LibraryRef, Empty),
    "libraries.resume": (LibraryRef, Empty),
    "libraries.rename": (RenameLibrarySpec, LibraryView),
    "libraries.remove_root": (RootSpec, LibraryView),
    "libraries.retry": (RetrySpec, IndexReport),
    "libraries.calibrate": (CalibrateSpec, CalibrationReport),
    "libraries.facets": (LibraryRef, LibraryFacets),
    "follow": (Empty, Empty),
    "search": (SearchSpec, SearchReport),
    "ask": (AskSpec, AnswerReport),
    "conversations.list": (Empty, ConversationList),
    "conversations.show": (ConversationRef, Conversation),
    "conversations.remove": (ConversationRef, Empty),
    "conversations.clear": (Empty, Empty),
    "conversations.rename": (RenameConversationSpec, ConversationRow),
    "conversations.search": (ConversationQuery, ConversationHits),
    "conversations.export": (ExportSpec, Exported),
    "conversations.feedback": (FeedbackSpec, AnswerReport),
    "conversations.version": (VersionSpec, AnswerReport),
    "presets.list": (Empty, PresetList),
    "presets.save": (SavePresetSpec, Preset),
    "presets.remove": (PresetRef, Empty),
    "view": (ViewSpec, SourceView),
    "models.list": (Empty, ModelList),
    "models.add": (AddModelSpec, ModelCard),
    "models.remove": (ModelRef, Empty),
    "models.default": (ModelRef, ModelCard),
    "models.gpu_layers": (GpuLayersSpec, ModelCard),
    "models.warm": (Empty, Empty),
    "adapters.list": (Empty, AdapterList),
    "adapters.rename": (RenameAdapterSpec, AdapterCard),
    "adapters.remove": (AdapterRef, Empty),
    "adapters.enable": (EnableAdapterSpec, AdapterCard),
    "adapters.import": (ImportAdapterSpec, AdapterCard),
    "adapters.export": (ExportAdapterSpec, ExportedAdapter),
    "adapters.compare": (CompareAdapterSpec, AdapterComparison),
    "reranker.show": (Empty, RerankerView),
    "reranker.set": (RerankerSpec, RerankerView),
    "reranker.switch": (RerankerSwitch, RerankerView),
    "reranker.measure": (MeasureRerankerSpec, RerankerMeasurement),
    "datasets.list": (Empty, DatasetList),
    "datasets.show": (DatasetRef, DatasetView),
    "datasets.preview": (ImportSpec, ImportPreview),
    "datasets.import": (ImportSpec, ImportReport),
    "datasets.make": (MakeExamplesSpec, MakeExamplesReport),
    "datasets.check": (CheckSpec, DatasetCheck),
    "datasets.rows": (RowsSpec, RowsPage),
    "datasets.edit_row": (EditRowSpec, EditReport),
    "datasets.rename": (RenameDatasetSpec, DatasetRow),
    "datasets.remove": (DatasetRef, DatasetRow),
    "datasets.from_feedback": (FromFeedbackSpec, ImportReport),
    "tune.plan": (TuneSpec, TunePlan),
    "tune.start": (TuneSpec, RunView),
    "runs.list": (Empty, RunList),
    "runs.show": (MetricsSpec, RunMetrics),
    "runs.pause": (RunRef, RunView),
    "runs.resume": (RunRef, RunView),
    "runs.stop": (RunRef, RunView),
    "runs.remove": (RunRef, Empty),
    "exams.list": (Empty, ExamList),
    "exams.show": (ExamRef, ExamView),
    "exams.import": (ImportExamSpec, ExamReport),
    "exams.make": (MakeExamSpec, ExamReport),
    "exams.remove": (ExamRef, ExamRow),
    "compare.run": (CompareSpec, CompareReport),
    "compare.rows": (CompareRowsSpec, AnsweredRows),
    "doctor": (Empty, DoctorReport),
    "storage": (Empty, StorageReport),
    "states.clear": (Empty, Empty),
}
"""Host methods: name → (parameters, result). `index`, `reindex`, `libraries.retry`,
`libraries.calibrate`, `ask`, `models.add`, `reranker.set`, `reranker.measure`,
`datasets.preview`, `datasets.import`, `datasets.make`, `datasets.check`, `tune.plan`,
`adapters.import`, `adapters.export`, `adapters.compare`, `exams.import`, `compare.run` and
`doctor` are long: they report progress and can be cancelled. `models.warm` starts the embedder
and loads the default model ahead of the first question.

`follow` begins to keep all libraries current: a scan of each now, then changes as they
happen, until the host ends. `libraries.pause` stops a library's run, whoever started it, and
keeps it from being followed until `libraries.resume`, also in later starts.

Notifications from the host outside a request: `changed` {what: [libraries | models |
conversations | presets | reranker | datasets | exams | runs | adapters | comparisons]},
`worker` (a WorkerEvent) and `indexing` (an IndexingEvent)."""


def parse_params(method: str, params: dict[str, Any]) -> View:
    """Validate the parameters of a host method; KeyError for an unknown method."""
    return METHODS[method][0].model_validate(params)
