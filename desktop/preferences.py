"""The settings the window shows and changes. Kept in settings.json, which the engine reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.paths import Home

THEMES = ("system", "light", "dark")
MOST_PASSAGES = 20
MOST_SCAN_S = 3600
MOST_CONTEXT = 131_072
MOST_STATES_MB = 1 << 20
USUAL_STATES_MB = 1024
MODES = ("auto", "joint", "token", "sequence", "none")
_LARGEST_FILE_BYTES = 4_000_000


class Preferences:
    """What the user chose.

    Reading before the window shows goes straight to the file, because checking it loads
    pydantic, which takes longer than the rest of the start; writing goes through
    `engine.settings`, which migrates, keeps unknown keys and writes atomically.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        data = peek(home.settings)
        self.theme: str = _one_of(data.get("theme"), THEMES)
        self.passages = _number(data.get("passages"), 0, MOST_PASSAGES)
        self.context_tokens = _number(data.get("context_tokens"), 0, MOST_CONTEXT)
        self.scan_seconds_per_file = _number(data.get("scan_seconds_per_file"), 20, MOST_SCAN_S)
        self.follow = data.get("follow") is not False
        self.states_mb = _number(data.get("states_mb"), USUAL_STATES_MB, MOST_STATES_MB)
        self.notify = data.get("notify") is not False
        self.mode: str = _one_of(data.get("mode"), MODES)
        self.refuse = data.get("refuse") is not False
        """Say so where the documents probably hold no answer."""
        self.origins = data.get("origins") is True
        """Words of answers wear the colours of their sources."""
        preset = data.get("preset")
        self.preset = preset if isinstance(preset, str) else ""
        window = data.get("window")
        self.window: dict[str, Any] = window if isinstance(window, dict) else {}
        """Where earlier versions kept the place of the window; only read."""

    def save(self) -> EngineError | None:
        """Write what the window owns, leaving what others wrote; the error if it failed."""
        from engine.settings import load_settings, save_settings

        try:
            settings = load_settings(self._home)
            settings.theme = self.theme  # type: ignore[assignment]
            settings.passages = self.passages
            settings.context_tokens = self.context_tokens
            settings.scan_seconds_per_file = self.scan_seconds_per_file
            settings.follow, settings.notify = self.follow, self.notify
            settings.preset = self.preset
            settings.states_mb, settings.mode = self.states_mb, self.mode  # type: ignore[assignment]
            settings.origins, settings.refuse = self.origins, self.refuse
            save_settings(self._home, settings)
        except EngineError as error:
            return error
        return None


def peek(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty when there is none or it cannot be understood."""
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            return {}
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    return value if isinstance(value, str) and value in allowed else allowed[0]


def _number(value: object, default: int, most: int) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= most else default  # type: ignore[operator]
