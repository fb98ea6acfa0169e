"""The machine, the data folder, and what a fresh window shows."""

from __future__ import annotations

from typing import Literal

from engine.work.api.base import View
from engine.work.api.conversations import ConversationRow
from engine.work.api.libraries import LibraryView
from engine.work.api.models import ModelCard


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


class StoredPart(View):
    """A part of the data folder and its size, for the privacy page."""

    name: Literal["libraries", "conversations", "models", "scans", "states", "logs", "other"]
    size_bytes: int


class StorageReport(View):
    home: str
    parts: list[StoredPart]


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

    worker: Literal["reader", "scanner", "embedder", "generator"]
    message: str
    details: str
