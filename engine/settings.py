"""The user's settings: one versioned JSON file; unknown keys kept, migrations backed up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import StorageDamaged
from engine.files import atomic_write
from engine.paths import Home

SETTINGS_VERSION = 1


class Settings(BaseModel):
    """Everything the user can set. Keys this version does not know are kept as they are."""

    model_config = ConfigDict(extra="allow", validate_assignment=True)

    version: int = SETTINGS_VERSION
    theme: Literal["system", "light", "dark"] = "system"
    default_model: str = ""
    """Model id; empty lets the engine choose the best that fits."""
    gpu_layers: dict[str, int] = Field(default_factory=dict[str, int])
    """Model id → layers on the GPU, where the user overrode the automatic choice."""
    passages: int = Field(default=0, ge=0, le=20)
    """Passages put before the model; 0 lets the engine choose for the model."""
    context_tokens: int = Field(default=0, ge=0, le=131072)
    """Context window to use; 0 lets the engine choose for the model and the memory."""
    states_mb: int = Field(default=1024, ge=0, le=1 << 20)
    """Megabytes on disk for what models computed of passages; 0 keeps it in memory only."""
    reranker: str = ""
    """Folder of the cross-encoder that orders what was found; empty for none."""
    rerank: bool = False
    """Use it in every search; off until the user or a measured gain turns it on."""
    scan_seconds_per_file: int = Field(default=20, ge=0, le=3600)
    """Scanned pages and pictures are read by OCR when a file takes about this long at most;
    0 reads none unless asked."""
    follow: bool = True
    """Keep libraries current with the disk while the window is open."""
    notify: bool = True
    """Tell when long work ended while the window was not in front."""
    refuse: bool = True
    """Say "Not in these documents" where they probably hold no answer."""
    preset: str = ""
    """Preset of new conversations; empty for none."""
    mode: Literal["auto", "joint", "token", "sequence", "none"] = "auto"
    """How the window has passages read where a conversation does not say."""
    origins: bool = False
    """Colour the words of an answer by the passage they came from."""
    window: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Size, place and drafts of the window; owned by the desktop."""


_MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From version → function giving the data of the next version."""


def load_settings(home: Home) -> Settings:
    """Read the settings; defaults when there are none yet.

    A file from an older version is migrated after a copy was put into `backups`. A file
    that cannot be understood is set aside there, and defaults are used: settings are never
    worth refusing to start.

    Raises:
        StorageDamaged: the file was written by a newer version.
    """
    try:
        raw = home.settings.read_bytes()
    except FileNotFoundError:
        return Settings()
    try:
        data = json.loads(raw)
        version = int(data.get("version", 1))
        if version > SETTINGS_VERSION:
            raise StorageDamaged(
                "The settings were written by a newer version of Whetstone.",
                hint="Use that version, or move settings.json away to start fresh.",
                details=str(home.settings),
            )
        if version < SETTINGS_VERSION:
            _keep_copy(home, raw, f"settings-v{version}.json")
            for step in range(version, SETTINGS_VERSION):
                data = _MIGRATIONS[step](data)
        return Settings.model_validate(data)
    except (ValueError, TypeError, AttributeError, ValidationError):
        _keep_copy(home, raw, "settings-unreadable.json")
        return Settings()


def save_settings(home: Home, settings: Settings) -> None:
    """Write the settings atomically.

    Raises:
        StorageFull, InvalidInput: they could not be written; the old file is kept.
    """
    text = json.dumps(settings.model_dump(), indent=2, ensure_ascii=True, sort_keys=True)
    atomic_write(home.settings, text.encode() + b"\n")


def _keep_copy(home: Home, raw: bytes, name: str) -> None:
    atomic_write(home.backups / name, raw)
