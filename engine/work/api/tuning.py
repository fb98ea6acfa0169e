"""Tuning: what to train, what it will take, and how a run goes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from engine.work.api.adapters import ParityReport
from engine.work.api.base import View

TuneMethod = Literal["lora", "prompt", "full"]
RunState = Literal["planned", "running", "paused", "interrupted", "done", "failed", "stopped"]
"""`interrupted`: its process ended without a word; it can be resumed. `stopped`: the user
ended it and the best so far was kept."""
Stage = Literal["waiting", "preparing", "measuring", "training", "proving", "ended"]


class TuneSpec(View):
    """What to tune. Zero or "" leaves the choice to the plan."""

    dataset: str
    name: str = Field(min_length=1, max_length=200)
    model: str = ""
    """Id or name; "" for the default model."""
    method: TuneMethod = "lora"
    from_adapter: str = ""
    """Tune further from this adapter."""
    minutes: float = Field(default=0.0, ge=0.0, le=10_000.0)
    """Time there is; epochs, layers and rank are chosen to fit."""
    epochs: int = Field(default=0, ge=0, le=100)
    rank: int = Field(default=0, ge=0, le=512)
    layers: int = Field(default=0, ge=0)
    """How many of the uppermost layers learn."""
    learning_rate: float = Field(default=0.0, ge=0.0, le=1.0)
    batch_examples: int = Field(default=0, ge=0, le=1024)
    max_tokens: int = Field(default=0, ge=0)
    rslora: bool = False
    early_stopping: bool = True
    seed: int = 0


class TuneSpans(View):
    """Seconds of work in each part of a run, from the start of its process; no pauses."""

    convert: float = 0.0
    """Making a base for training out of the model file; once for each model."""
    measure: float = 0.0
    """Loading the program, reading the examples, measuring what it will take."""
    train: float = 0.0
    prove: float = 0.0
    """Writing the adapter, proving it in llama.cpp, keeping it."""

    def total(self) -> float:
        """All of it."""
        return self.convert + self.measure + self.train + self.prove


class MethodView(View):
    """Whether a method can be used here, and if not, why."""

    method: TuneMethod
    fits: bool
    why: str = ""


class TunePlan(View):
    """What a training will do and take, measured on the user's own examples."""

    model: str
    model_name: str
    method: TuneMethod
    examples: int
    validation: int = 0
    """Of the training examples, those put aside to choose the best state by."""
    heldout: int
    """Only judge the result."""
    left_out: int
    """Examples longer than `max_tokens`."""
    epochs: int
    steps: int
    layers: int
    layers_of: int
    rank: int
    max_tokens: int
    learning_rate: float
    precision: str
    seconds: float
    """The whole run, from the start of its process to the adapter saved; see `spans`."""
    spans: TuneSpans = Field(default_factory=TuneSpans)
    """What was done before the plan was made is what it took."""
    tokens_per_second: float
    memory_bytes: int
    disk_bytes: int
    memory_available_bytes: int
    fits: bool
    fits_minutes: bool = True
    """False when even the shortest training takes longer than the minutes given: it then
    ends in the middle, with the best so far."""
    reasons: list[str] = Field(default_factory=list[str])
    methods: list[MethodView] = Field(default_factory=list[MethodView])
    settings: dict[str, Any] = Field(default_factory=dict[str, Any])


class TuneLoss(View):
    """Losses in nats a token; None where nothing is held out."""

    train: float
    heldout: float | None = None
    before: float | None = None
    """Held-out, before the first step."""


class TuneReport(View):
    """A finished training. `parity` is None for a full fine-tuning."""

    adapter: str
    """Its id; for a full fine-tuning the new model's."""
    method: TuneMethod
    examples: int
    steps: int
    seconds: float
    """The whole run, as `planned_seconds` foretold it; pauses left out."""
    tokens_per_second: float
    loss: TuneLoss
    heldout_exact: float | None = None
    """Share of the held-out examples answered to the letter, greedily."""
    parity: ParityReport | None = None
    run: str = ""
    ended: Literal["done", "early", "stopped", "time"] = "done"
    warnings: list[str] = Field(default_factory=list[str])
    spans: TuneSpans = Field(default_factory=TuneSpans)
    planned_seconds: float = 0.0
    planned_spans: TuneSpans = Field(default_factory=TuneSpans)
    planned_memory_bytes: int = 0
    memory_bytes: int = 0
    """The most it used."""


class RunView(View):
    """A run as it stands. Times in seconds, UTC; losses in nats a token."""

    id: str
    name: str
    state: RunState
    stage: Stage = "waiting"
    note: str = ""
    """What it does now, or why it paused, in words."""
    dataset: str = ""
    dataset_name: str = ""
    model: str = ""
    model_name: str = ""
    method: TuneMethod = "lora"
    pid: int = 0
    step: int = 0
    steps: int = 0
    eta_s: float | None = None
    seconds: float = 0.0
    """Of work so far, pauses left out."""
    spans: TuneSpans = Field(default_factory=TuneSpans)
    loss: float | None = None
    heldout_loss: float | None = None
    """On examples put aside from the training ones, as `best_loss`; those held out for the
    report are scored before and after only."""
    best_loss: float | None = None
    tokens_per_second: float = 0.0
    memory_bytes: int = 0
    warnings: list[str] = Field(default_factory=list[str])
    error: dict[str, str] | None = None
    created: str = ""
    updated: str = ""
    plan: TunePlan | None = None
    report: TuneReport | None = None


class RunList(View):
    runs: list[RunView]


class RunRef(View):
    """A run by id, name, or the unique beginning of one of them."""

    run: str


class MetricsSpec(View):
    """Lines of metrics from number `after` on."""

    run: str
    after: int = Field(default=0, ge=0)


class RunMetrics(View):
    """Lines of `metrics.jsonl`, of the kinds "step", "evaluation" and "warning"."""

    run: RunView
    after: int
    lines: list[dict[str, Any]]
