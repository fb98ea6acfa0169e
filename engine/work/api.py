"""What the engine host can be asked, as types: the only thing the window knows of the engine.

The same models are what `whetstone … --json` prints, so the window, the command line and
the tests read one contract. Paths in here are text for show: bytes that are not UTF-8 are
escaped (see `engine.files.show_path`); identity is `file_id`, never the shown path.
Character offsets (`start`, `end`) count Unicode code points in the document's text.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class View(BaseModel):
    """Base of all specs and reports."""

    model_config = ConfigDict(extra="forbid")


class Empty(View):
    """No parameters, or no result beyond success."""


# --- libraries and files -------------------------------------------------------------

FileState = Literal["indexed", "read", "waiting", "skipped"]
"""indexed: searchable by words and meaning; read: by words only, vectors follow;
waiting: seen, not read yet; skipped: not readable, see `reason`."""


class SkippedFile(View):
    """A file that could not be read, and why, in one plain sentence."""

    path: str
    reason: str


class FileCounts(View):
    """Every regular file under the roots stands in exactly one of the first three."""

    indexed: int = 0
    unchanged: int = 0
    skipped: list[SkippedFile] = Field(default_factory=list[SkippedFile])
    removed: int = 0
    duplicates: int = 0


class IndexSpec(View):
    """Index `folder` into `library` (a name or id; default: one named after the folder)."""

    folder: str
    library: str | None = None


class IndexReport(View):
    """How an indexing run ended. `passages` counts the passages written in this run."""

    library: str
    library_id: str
    files: FileCounts
    passages: int
    seconds: float
    passages_per_second: float


class LibraryView(View):
    """One library as shown in a list. `state` says what the user can do with it."""

    id: str
    name: str
    roots: list[str]
    files: int
    skipped: int
    waiting: int
    passages: int
    size_bytes: int
    state: Literal["ready", "indexing", "outdated", "damaged", "empty"]
    embedder: str
    updated_at: str
    """UTC, ISO 8601; empty when never indexed."""


class FileRow(View):
    """One file of a library."""

    file_id: int
    path: str
    name: str
    kind: str
    state: FileState
    reason: str = ""
    size_bytes: int
    modified_at: str
    pages: int = 0
    passages: int = 0
    title: str = ""


class FilesSpec(View):
    """Page through a library's files; `match` filters on the shown path, case-insensitively."""

    library: str
    offset: int = 0
    limit: int = 200
    state: FileState | None = None
    match: str = ""


class FilesPage(View):
    """`total` counts all rows that match, not only those returned."""

    total: int
    rows: list[FileRow]


class LibraryRef(View):
    """A library by name or id."""

    library: str


class LibraryList(View):
    libraries: list[LibraryView]


# --- search --------------------------------------------------------------------------


class Ranks(View):
    """1-based rank in each candidate list; None when the passage was not in it."""

    dense: int | None = None
    keyword: int | None = None


class SearchSpec(View):
    """Find the `top` best passages for `query`."""

    query: str
    library: str
    top: int = 10
    method: Literal["hybrid", "dense", "keyword"] = "hybrid"


class PassageHit(View):
    """A passage found: `text` is exactly the document's text[start:end]."""

    passage_id: int
    file_id: int
    path: str
    title: str
    heading: str
    """Headings from the outermost in, joined by " › "; empty when there are none."""
    page: int | None
    """1-based; None for formats without pages."""
    text: str
    start: int
    end: int
    score: float
    ranks: Ranks


class SearchReport(View):
    passages: list[PassageHit]
    milliseconds: float
    notice: str = ""
    """A plain sentence when the result is less than asked, e.g. keyword search only."""


# --- answers -------------------------------------------------------------------------


class AskSpec(View):
    """Ask one question. `library` None means without documents (mode none)."""

    question: str
    library: str | None = None
    model: str | None = None
    adapter: str | None = None
    mode: Literal["auto", "joint", "none"] = "auto"
    top: int | None = None
    """Passages in the prompt; None lets the engine choose for the model."""
    conversation: str | None = None
    """Conversation id to continue; None starts a new one; "" keeps nothing."""
    max_tokens: int = 512


class Citation(View):
    """Evidence for the answer, checked: verified means text[start:end] == quote in the file."""

    n: int
    file_id: int
    path: str
    title: str
    heading: str
    page: int | None
    quote: str
    start: int
    end: int
    verified: bool


class PassageWeight(View):
    n: int
    weight: float


class Sentence(View):
    """One sentence of the answer and the passages that support it."""

    text: str
    passages: list[PassageWeight]
    supported: bool


class Timings(View):
    """Milliseconds since the question was received, the model already loaded."""

    retrieve_ms: float
    first_token_ms: float
    total_ms: float


class Tokens(View):
    prompt: int
    generated: int


class AnswerReport(View):
    """The finished answer. `passages[n-1]` is the source shown as number n."""

    question: str
    answer: str
    refused: bool
    stopped: bool = False
    citations: list[Citation]
    sentences: list[Sentence]
    passages: list[PassageHit]
    mode: str
    model: str
    adapter: str | None = None
    timings: Timings
    tokens: Tokens
    tokens_per_second: float = 0.0
    conversation: str = ""
    notice: str = ""


# Events of a running `ask` request, in order:
#   "sources": {"passages": [PassageHit…]}     once, before the first token
#   "loading": {"model": str}                  when the model has to be loaded first
#   "token":   {"text": str}                   the next piece of the answer
# The final AnswerReport may carry citation marks "[n]" that the streamed text lacked.


class ConversationRow(View):
    id: str
    title: str
    library: str
    updated_at: str
    turns: int


class ConversationList(View):
    conversations: list[ConversationRow]


class ConversationRef(View):
    conversation: str


class Conversation(View):
    id: str
    title: str
    library: str
    turns: list[AnswerReport]


# --- the viewer ----------------------------------------------------------------------


class ViewSpec(View):
    """Show the place [start, end) of a file; `page` overrides which page is drawn."""

    library: str
    file_id: int
    start: int
    end: int
    page: int | None = None
    width_px: int = 900


class Box(View):
    """A rectangle in fractions of the page, origin top left."""

    x0: float
    y0: float
    x1: float
    y1: float


class SourceView(View):
    """A place in a document: a page image with boxes, or text with the span marked."""

    kind: Literal["page", "text"]
    path: str
    title: str
    changed: bool
    """The file differs from what was indexed; the place may be off."""
    page: int | None = None
    pages: int = 0
    png_base64: str = ""
    boxes: list[Box] = Field(default_factory=list[Box])
    text: str = ""
    """A window of the document's text around the place (at most 20,000 characters)."""
    mark_start: int = 0
    """Offsets of the place inside `text`."""
    mark_end: int = 0


# --- models --------------------------------------------------------------------------


class ModelCard(View):
    """A GGUF file and whether this machine can run it. Sizes in bytes, context in tokens."""

    id: str
    name: str
    path: str
    architecture: str
    parameters: int
    quantization: str
    size_bytes: int
    context: int
    license: str
    chat_template: bool
    sha256: str
    source: Literal["starter", "added"]
    default: bool = False
    layers: int = 0
    gpu_layers: int = 0
    """Layers that will be put on the GPU; 0 when there is none."""
    gpu_layers_chosen: Literal["automatic", "user"] = "automatic"
    memory_bytes: int
    """Estimated memory to run it with `context_used` tokens."""
    context_used: int
    memory_available_bytes: int
    fits: bool


class ModelList(View):
    models: list[ModelCard]


class ModelRef(View):
    model: str


class AddModelSpec(View):
    path: str


class GpuLayersSpec(View):
    """`layers` None goes back to the automatic choice."""

    model: str
    layers: int | None


# --- the machine ---------------------------------------------------------------------


class BackendTiming(View):
    """One way to run the embedder here. `speedup` is against torch float32 in the same run."""

    backend: str
    passages_per_second: float
    speedup: float
    min_cosine: float
    """Smallest cosine to the float32 vector of the same passage."""
    chosen: bool


class Check(View):
    name: str
    ok: bool
    detail: str
    hint: str = ""


class DoctorReport(View):
    version: str
    python: str
    system: str
    cpu: str
    cores: int
    memory_bytes: int
    memory_available_bytes: int
    gpu: str
    home: str
    versions: dict[str, str]
    embedder_backends: list[BackendTiming]
    checks: list[Check]


class HostState(View):
    """What a fresh window shows. `crashes` counts children restarted since the host began."""

    version: str
    protocol: int
    libraries: list[LibraryView]
    models: list[ModelCard]
    conversations: list[ConversationRow]
    indexing: list[str]
    """Ids of libraries being indexed now."""
    sample_folder: str


class WorkerEvent(View):
    """A child died and was restarted: the one line the window shows."""

    worker: Literal["reader", "embedder", "generator"]
    message: str
    details: str


METHODS: dict[str, tuple[type[View], type[View]]] = {
    "state": (Empty, HostState),
    "libraries.list": (Empty, LibraryList),
    "libraries.remove": (LibraryRef, Empty),
    "libraries.files": (FilesSpec, FilesPage),
    "index": (IndexSpec, IndexReport),
    "reindex": (LibraryRef, IndexReport),
    "search": (SearchSpec, SearchReport),
    "ask": (AskSpec, AnswerReport),
    "conversations.list": (Empty, ConversationList),
    "conversations.show": (ConversationRef, Conversation),
    "conversations.remove": (ConversationRef, Empty),
    "view": (ViewSpec, SourceView),
    "models.list": (Empty, ModelList),
    "models.add": (AddModelSpec, ModelCard),
    "models.remove": (ModelRef, Empty),
    "models.default": (ModelRef, ModelCard),
    "models.gpu_layers": (GpuLayersSpec, ModelCard),
    "models.warm": (Empty, Empty),
    "doctor": (Empty, DoctorReport),
}
"""Host methods: name → (parameters, result). `index`, `reindex`, `ask`, `models.add` and
`doctor` are long: they report progress and can be cancelled. `models.warm` starts the
embedder and loads the default model ahead of the first question.

Notifications from the host outside a request: `changed` {what: [libraries | models |
conversations]} and `worker` (a WorkerEvent)."""


def parse_params(method: str, params: dict[str, Any]) -> View:
    """Validate the parameters of a host method; KeyError for an unknown method."""
    return METHODS[method][0].model_validate(params)
