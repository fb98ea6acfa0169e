"""What the window remembers between starts: theme, size, passages. Kept in settings.json."""

from __future__ import annotations

import json
from typing import Any

from engine.errors import EngineError
from engine.paths import Home


class Preferences:
    """The window's part of the settings.

    Reading before the window shows goes straight to the file, because checking it loads
    pydantic, which takes longer than the rest of the start; writing goes through
    `engine.settings`, which migrates, keeps unknown keys and writes atomically.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        data = _peek(home)
        theme = data.get("theme")
        self.theme: str = theme if theme in ("system", "light", "dark") else "system"
        passages = data.get("passages")
        self.passages = passages if isinstance(passages, int) and 0 <= passages <= 20 else 0
        window = data.get("window")
        self.window: dict[str, Any] = window if isinstance(window, dict) else {}

    def save(self) -> EngineError | None:
        """Write what the window owns, leaving what others wrote; the error if it failed."""
        from engine.settings import load_settings, save_settings

        try:
            settings = load_settings(self._home)
            settings.theme = self.theme  # type: ignore[assignment]
            settings.passages = self.passages
            settings.window = {**settings.window, **self.window}
            save_settings(self._home, settings)
        except EngineError as error:
            return error
        return None


def _peek(home: Home) -> dict[str, Any]:
    try:
        data = json.loads(home.settings.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
