"""Datasets: examples to tune with, and exams: examples to judge by."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from engine.work.api.answers import Said
from engine.work.api.base import View

TaskKind = Literal["answers", "instruction", "classification", "entities", "fields"]
"""Question → answer, instruction → response, text → label, text → JSON list of entities,
text → JSON object."""
Split = Literal["train", "heldout"]
PartSide = Literal["train", "heldout", "leave"]


class DatasetRow(View):
    """A stored dataset. `labels` are those of its classes or entities, or its fields."""

    id: str
    name: str
    task: TaskKind
    source: str
    """The file, or "conversations", it was made from."""
    rows: int
    train: int
    heldout: int
    labels: list[str]
    sha256: str
    seed: int
    size_bytes: int
    created_at: str
    updated_at: str
    problem: str = ""
    """Why its examples cannot be read; empty when they can."""


class DatasetList(View):
    datasets: list[DatasetRow]


class DatasetRef(View):
    """Id, name, or the beginning of an id that only one has."""

    dataset: str


class ExampleRow(View):
    """One example. `output` of entities and fields is JSON; `source` says where it is from."""

    id: str
    input: str
    output: str
    context: str = ""
    system: str = ""
    group: str = ""
    """Rows of one group are always on the same side of the split."""
    split: Split = "train"
    source: dict[str, Any] = Field(default_factory=dict[str, Any])
    history: list[Said] = Field(default_factory=list[Said])


class DatasetView(View):
    """A dataset, how many rows each label has, and its first examples."""

    dataset: DatasetRow
    label_rows: dict[str, int]
    first: list[ExampleRow]


class BrokenRow(View):
    line: int
    reason: str


class ImportSpec(View):
    """What to import: a CSV, TSV, JSON, JSON Lines or CoNLL file."""

    path: str
    name: str = ""
    """Empty: that of the file."""
    task: TaskKind | None = None
    """None: recognised."""
    columns: dict[str, str] = Field(default_factory=dict[str, str])
    """Role → column, over what is recognised; "" takes a role away. Roles: input, output,
    context, system, history, messages, group, split, id. The output of fields may be several
    columns, parted by commas."""
    heldout: str = ""
    """A file of its own for the held-out rows."""
    parts: dict[str, PartSide] = Field(default_factory=dict[str, PartSide])
    """Where parts of the file go, over what their names say."""
    labels: int | None = Field(default=None, ge=1)
    """Keep so many labels, drawn by `seed`."""
    per_label: int | None = Field(default=None, ge=1)
    """Keep so many rows of each label to train on."""
    share: float = Field(default=0.1, ge=0, le=0.9)
    """Of the rows that are held out where the file does not say which."""
    seed: int = 0


class ImportPreview(View):
    """What an import would make of a file; nothing is stored."""

    path: str
    format: str
    task: TaskKind
    confidence: float
    """0 guessed, 1 named as such files are."""
    columns: dict[str, str]
    available: list[str]
    """All columns of the file."""
    rows: int
    train: int
    heldout: int
    labels: list[str]
    parts: dict[str, int]
    first: list[ExampleRow]
    broken: list[BrokenRow]
    """The first hundred rows that cannot be used."""
    broken_total: int
    warnings: list[str]


class ImportReport(View):
    """A dataset that was made; `dataset` is its id."""

    dataset: str
    name: str
    task: TaskKind
    rows: int
    train: int
    heldout: int
    labels: list[str]
    added: int
    """Rows that are new in it."""
    broken: list[BrokenRow]
    broken_total: int
    warnings: list[str]


class RenameDatasetSpec(View):
    dataset: str
    name: str


class RowsSpec(View):
    """A page of examples: those that hold `search`, on one side, with one label or id."""

    dataset: str
    search: str = ""
    split: Split | None = None
    label: str = ""
    ids: list[str] = Field(default_factory=list[str])
    """Only these rows, as a finding names them; empty: all."""
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=1000)


class RowsPage(View):
    """`total` counts all rows that fit, not only those of this page."""

    total: int
    rows: list[ExampleRow]


class EditRowSpec(View):
    """Change one row, add one (`id` empty), or remove some (`remove`). None: as it is.

    A side that is chosen moves the row's whole group.
    """

    dataset: str
    id: str = ""
    remove: list[str] = Field(default_factory=list[str])
    input: str | None = None
    output: str | None = None
    context: str | None = None
    system: str | None = None
    group: str | None = None
    split: Split | None = None


class EditReport(View):
    """The dataset as it is now, and the row that was changed or added."""

    dataset: DatasetRow
    row: ExampleRow | None = None


class CheckSpec(View):
    """Look for what would spoil a tuning.

    `model`: count tokens with its vocabulary; None: an estimate. `max_tokens`: longer rows are
    overlong; None: half of the model's context, or 1,024. `by_meaning`: compare rows by their
    embeddings too.
    """

    dataset: str
    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=16)
    by_meaning: bool = True


class Finding(View):
    """One thing a check found; `rows` are the ids of at most a hundred of the `count` rows."""

    kind: Literal[
        "empty",
        "overlong",
        "duplicates",
        "near duplicates",
        "leakage",
        "balance",
        "few rows",
        "conflicts",
        "personal data",
        "nothing held out",
        "unknown labels",
        "not compared",
    ]
    severity: Literal["error", "warning", "note"]
    sentence: str
    advice: str
    count: int
    rows: list[str] = Field(default_factory=list[str])
    counts: dict[str, int] = Field(default_factory=dict[str, int])
    """By label or by kind of personal data, where that says more."""


class TokenBin(View):
    """Rows with more than the bin before it and at most `up_to` tokens."""

    up_to: int
    rows: int


class DatasetCheck(View):
    """What was looked for and what was found, the worst first."""

    dataset: str
    rows: int
    train: int
    heldout: int
    findings: list[Finding]
    histogram: list[TokenBin]
    tokens: int
    """Of all rows: prompt and answer."""
    longest_tokens: int
    tokens_by: str
    """The model whose vocabulary counted them; empty: an estimate by characters."""
    labels: dict[str, int]
    compared_by: list[Literal["words", "meaning"]]


class FromFeedbackSpec(View):
    """Make examples of what the user corrected or rejected in conversations.

    They go to `dataset`, or else to a new one called `name`, or with neither to the one made
    so before. Rows that are there already are not added twice.
    """

    dataset: str = ""
    name: str = ""
    share: float = Field(default=0.1, ge=0, le=0.9)
    seed: int = 0


class MakeExamplesSpec(View):
    """Make questions and answers from the passages of a library, with a model of the user's.

    What a call that was cancelled or killed has made is kept: the next one with the same
    library, model and seed goes on.
    """

    library: str
    count: int = Field(default=100, ge=1, le=100_000)
    """Questions that a passage answers."""
    unanswerable: float = Field(default=0.2, ge=0, le=1)
    """Questions that nothing answers, for each of those."""
    model: str | None = None
    """None: the default model."""
    name: str = ""
    anyway: bool = False
    """Go on with a model that the sample shows to be weak."""
    share: float = Field(default=0.1, ge=0, le=0.9)
    """Of the rows that are held out, by document."""
    seed: int = 0


class MadeSample(View):
    """What the first passages gave, said before the others are tried (event "sample")."""

    tried: int
    usable: int
    weak: bool
    sentence: str


class MakeExamplesReport(View):
    """A dataset that was made of a library; `dataset` is its id."""

    dataset: str
    name: str
    task: TaskKind
    rows: int
    train: int
    heldout: int
    answerable: int
    unanswerable: int
    model: str
    tried: int
    """Passages that were tried; `usable` of them gave an example."""
    usable: int
    flaws: dict[str, int]
    """Why the others gave none."""
    sample: MadeSample
    warnings: list[str]


class ExamRow(View):
    """A stored exam: questions or texts with what is right."""

    id: str
    name: str
    task: TaskKind
    source: str
    dataset: str
    """Id of the dataset whose held-out rows it is made of; empty when it was imported."""
    rows: int
    labels: list[str]
    sha256: str
    created_at: str


class ExamList(View):
    exams: list[ExamRow]


class ExamRef(View):
    """Id, name, or the beginning of an id that only one has."""

    exam: str


class ExamItem(View):
    """One question with its right answers, or one text with its label, entities or fields."""

    id: str
    question: str = ""
    answers: list[str] = Field(default_factory=list[str])
    answerable: bool = True
    text: str = ""
    label: str = ""
    output: str = ""
    """JSON of entities or fields."""
    context: str = ""
    system: str = ""
    group: str = ""
    history: list[Said] = Field(default_factory=list[Said])


class ExamView(View):
    exam: ExamRow
    first: list[ExamItem]


class ImportExamSpec(View):
    """JSON lines of `id, question, answers[], answerable` or of `text, label`, or any file a
    dataset can be imported from.
    """

    path: str
    name: str = ""
    task: TaskKind | None = None
    columns: dict[str, str] = Field(default_factory=dict[str, str])


class MakeExamSpec(View):
    """An exam of a dataset's held-out rows, at most `limit` of them, drawn by `seed`."""

    dataset: str
    name: str = ""
    limit: int | None = Field(default=None, ge=1)
    seed: int = 0


class ExamReport(View):
    """An exam that was made; `exam` is its id."""

    exam: str
    name: str
    task: TaskKind
    rows: int
    labels: list[str]
    warnings: list[str]
