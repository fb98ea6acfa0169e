"""What the engine host can be asked, as types: the only thing the window knows of the engine.

The same models are what `whetstone … --json` prints, so the window, the command line and
the tests read one contract. Paths in here are text for show: bytes that are not UTF-8 are
escaped (see `engine.files.show_path`); identity is `file_id`, never the shown path.
Character offsets (`start`, `end`) count Unicode code points in the document's text.
"""

from engine.work.api.adapters import (
    AdapterCard as AdapterCard,
)
from engine.work.api.adapters import (
    AdapterComparison as AdapterComparison,
)
from engine.work.api.adapters import (
    AdapterList as AdapterList,
)
from engine.work.api.adapters import (
    AdapterMix as AdapterMix,
)
from engine.work.api.adapters import (
    AdapterRef as AdapterRef,
)
from engine.work.api.adapters import (
    AnswerPair as AnswerPair,
)
from engine.work.api.adapters import (
    CompareAdapterSpec as CompareAdapterSpec,
)
from engine.work.api.adapters import (
    EnableAdapterSpec as EnableAdapterSpec,
)
from engine.work.api.adapters import (
    ExportAdapterSpec as ExportAdapterSpec,
)
from engine.work.api.adapters import (
    ExportedAdapter as ExportedAdapter,
)
from engine.work.api.adapters import (
    ImportAdapterSpec as ImportAdapterSpec,
)
from engine.work.api.adapters import (
    ParityReport as ParityReport,
)
from engine.work.api.adapters import (
    RenameAdapterSpec as RenameAdapterSpec,
)
from engine.work.api.answers import (
    AnswerReport as AnswerReport,
)
from engine.work.api.answers import (
    AskSpec as AskSpec,
)
from engine.work.api.answers import (
    Citation as Citation,
)
from engine.work.api.answers import (
    Feedback as Feedback,
)
from engine.work.api.answers import (
    PassageWeight as PassageWeight,
)
from engine.work.api.answers import (
    Said as Said,
)
from engine.work.api.answers import (
    Sentence as Sentence,
)
from engine.work.api.answers import (
    Timings as Timings,
)
from engine.work.api.answers import (
    Tokens as Tokens,
)
from engine.work.api.answers import (
    WordSource as WordSource,
)
from engine.work.api.base import (
    Empty as Empty,
)
from engine.work.api.base import (
    View as View,
)
from engine.work.api.calibration import (
    CalibrateSpec as CalibrateSpec,
)
from engine.work.api.calibration import (
    CalibrationReport as CalibrationReport,
)
from engine.work.api.compare import (
    AnsweredRow as AnsweredRow,
)
from engine.work.api.compare import (
    AnsweredRows as AnsweredRows,
)
from engine.work.api.compare import (
    ArmAnswer as ArmAnswer,
)
from engine.work.api.compare import (
    ArmReport as ArmReport,
)
from engine.work.api.compare import (
    CompareReport as CompareReport,
)
from engine.work.api.compare import (
    CompareRowsSpec as CompareRowsSpec,
)
from engine.work.api.compare import (
    CompareSpec as CompareSpec,
)
from engine.work.api.compare import (
    Confusion as Confusion,
)
from engine.work.api.compare import (
    Interval as Interval,
)
from engine.work.api.conversations import (
    Conversation as Conversation,
)
from engine.work.api.conversations import (
    ConversationHit as ConversationHit,
)
from engine.work.api.conversations import (
    ConversationHits as ConversationHits,
)
from engine.work.api.conversations import (
    ConversationList as ConversationList,
)
from engine.work.api.conversations import (
    ConversationQuery as ConversationQuery,
)
from engine.work.api.conversations import (
    ConversationRef as ConversationRef,
)
from engine.work.api.conversations import (
    ConversationRow as ConversationRow,
)
from engine.work.api.conversations import (
    Exported as Exported,
)
from engine.work.api.conversations import (
    ExportSpec as ExportSpec,
)
from engine.work.api.conversations import (
    FeedbackSpec as FeedbackSpec,
)
from engine.work.api.conversations import (
    Preset as Preset,
)
from engine.work.api.conversations import (
    PresetList as PresetList,
)
from engine.work.api.conversations import (
    PresetRef as PresetRef,
)
from engine.work.api.conversations import (
    RenameConversationSpec as RenameConversationSpec,
)
from engine.work.api.conversations import (
    SavePresetSpec as SavePresetSpec,
)
from engine.work.api.conversations import (
    VersionSpec as VersionSpec,
)
from engine.work.api.datasets import (
    BrokenRow as BrokenRow,
)
from engine.work.api.datasets import (
    CheckSpec as CheckSpec,
)
from engine.work.api.datasets import (
    DatasetCheck as DatasetCheck,
)
from engine.work.api.datasets import (
    DatasetList as DatasetList,
)
from engine.work.api.datasets import (
    DatasetRef as DatasetRef,
)
from engine.work.api.datasets import (
    DatasetRow as DatasetRow,
)
from engine.work.api.datasets import (
    DatasetView as DatasetView,
)
from engine.work.api.datasets import (
    EditReport as EditReport,
)
from engine.work.api.datasets import (
    EditRowSpec as EditRowSpec,
)
from engine.work.api.datasets import (
    ExamItem as ExamItem,
)
from engine.work.api.datasets import (
    ExamList as ExamList,
)
from engine.work.api.datasets import (
    ExampleRow as ExampleRow,
)
from engine.work.api.datasets import (
    ExamRef as ExamRef,
)
from engine.work.api.datasets import (
    ExamReport as ExamReport,
)
from engine.work.api.datasets import (
    ExamRow as ExamRow,
)
from engine.work.api.datasets import (
    ExamView as ExamView,
)
from engine.work.api.datasets import (
    Finding as Finding,
)
from engine.work.api.datasets import (
    FromFeedbackSpec as FromFeedbackSpec,
)
from engine.work.api.datasets import (
    ImportExamSpec as ImportExamSpec,
)
from engine.work.api.datasets import (
    ImportPreview as ImportPreview,
)
from engine.work.api.datasets import (
    ImportReport as ImportReport,
)
from engine.work.api.datasets import (
    ImportSpec as ImportSpec,
)
from engine.work.api.datasets import (
    MadeSample as MadeSample,
)
from engine.work.api.datasets import (
    MakeExamplesReport as MakeExamplesReport,
)
from engine.work.api.datasets import (
    MakeExamplesSpec as MakeExamplesSpec,
)
from engine.work.api.datasets import (
    MakeExamSpec as MakeExamSpec,
)
from engine.work.api.datasets import (
    PartSide as PartSide,
)
from engine.work.api.datasets import (
    RenameDatasetSpec as RenameDatasetSpec,
)
from engine.work.api.datasets import (
    RowsPage as RowsPage,
)
from engine.work.api.datasets import (
    RowsSpec as RowsSpec,
)
from engine.work.api.datasets import (
    Split as Split,
)
from engine.work.api.datasets import (
    TaskKind as TaskKind,
)
from engine.work.api.datasets import (
    TokenBin as TokenBin,
)
from engine.work.api.libraries import (
    Counted as Counted,
)
from engine.work.api.libraries import (
    FileCounts as FileCounts,
)
from engine.work.api.libraries import (
    FileRow as FileRow,
)
from engine.work.api.libraries import (
    FilesPage as FilesPage,
)
from engine.work.api.libraries import (
    FilesSpec as FilesSpec,
)
from engine.work.api.libraries import (
    FileState as FileState,
)
from engine.work.api.libraries import (
    IndexingEvent as IndexingEvent,
)
from engine.work.api.libraries import (
    IndexReport as IndexReport,
)
from engine.work.api.libraries import (
    IndexSpec as IndexSpec,
)
from engine.work.api.libraries import (
    LibraryFacets as LibraryFacets,
)
from engine.work.api.libraries import (
    LibraryList as LibraryList,
)
from engine.work.api.libraries import (
    LibraryRef as LibraryRef,
)
from engine.work.api.libraries import (
    LibraryView as LibraryView,
)
from engine.work.api.libraries import (
    RenameLibrarySpec as RenameLibrarySpec,
)
from engine.work.api.libraries import (
    RetrySpec as RetrySpec,
)
from engine.work.api.libraries import (
    RootSpec as RootSpec,
)
from engine.work.api.libraries import (
    ScanChoice as ScanChoice,
)
from engine.work.api.libraries import (
    SkippedFile as SkippedFile,
)
from engine.work.api.machine import (
    BackendTiming as BackendTiming,
)
from engine.work.api.machine import (
    Check as Check,
)
from engine.work.api.machine import (
    DoctorReport as DoctorReport,
)
from engine.work.api.machine import (
    HostState as HostState,
)
from engine.work.api.machine import (
    StorageReport as StorageReport,
)
from engine.work.api.machine import (
    StoredPart as StoredPart,
)
from engine.work.api.machine import (
    WorkerEvent as WorkerEvent,
)
from engine.work.api.methods import (
    METHODS as METHODS,
)
from engine.work.api.methods import (
    parse_params as parse_params,
)
from engine.work.api.models import (
    AddModelSpec as AddModelSpec,
)
from engine.work.api.models import (
    Gain as Gain,
)
from engine.work.api.models import (
    GpuLayersSpec as GpuLayersSpec,
)
from engine.work.api.models import (
    MeasureRerankerSpec as MeasureRerankerSpec,
)
from engine.work.api.models import (
    ModelCard as ModelCard,
)
from engine.work.api.models import (
    ModelList as ModelList,
)
from engine.work.api.models import (
    ModelRef as ModelRef,
)
from engine.work.api.models import (
    RerankerMeasurement as RerankerMeasurement,
)
from engine.work.api.models import (
    RerankerSpec as RerankerSpec,
)
from engine.work.api.models import (
    RerankerSwitch as RerankerSwitch,
)
from engine.work.api.models import (
    RerankerVerdict as RerankerVerdict,
)
from engine.work.api.models import (
    RerankerView as RerankerView,
)
from engine.work.api.models import (
    RetrievalFigures as RetrievalFigures,
)
from engine.work.api.search import (
    ExplainedPassage as ExplainedPassage,
)
from engine.work.api.search import (
    Explanation as Explanation,
)
from engine.work.api.search import (
    Filter as Filter,
)
from engine.work.api.search import (
    PassageHit as PassageHit,
)
from engine.work.api.search import (
    Ranks as Ranks,
)
from engine.work.api.search import (
    SearchReport as SearchReport,
)
from engine.work.api.search import (
    SearchSpec as SearchSpec,
)
from engine.work.api.search import (
    SearchStep as SearchStep,
)
from engine.work.api.tuning import (
    MethodView as MethodView,
)
from engine.work.api.tuning import (
    MetricsSpec as MetricsSpec,
)
from engine.work.api.tuning import (
    RunList as RunList,
)
from engine.work.api.tuning import (
    RunMetrics as RunMetrics,
)
from engine.work.api.tuning import (
    RunRef as RunRef,
)
from engine.work.api.tuning import (
    RunState as RunState,
)
from engine.work.api.tuning import (
    RunView as RunView,
)
from engine.work.api.tuning import (
    Stage as Stage,
)
from engine.work.api.tuning import (
    TuneLoss as TuneLoss,
)
from engine.work.api.tuning import (
    TuneMethod as TuneMethod,
)
from engine.work.api.tuning import (
    TunePlan as TunePlan,
)
from engine.work.api.tuning import (
    TuneReport as TuneReport,
)
from engine.work.api.tuning import (
    TuneSpec as TuneSpec,
)
from engine.work.api.viewing import (
    Box as Box,
)
from engine.work.api.viewing import (
    SourceView as SourceView,
)
from engine.work.api.viewing import (
    ViewSpec as ViewSpec,
)
