"""How the command line speaks: the result on stdout, all else on stderr."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.work import api
from engine.work.jobs import CallbackJob


class Console:
    """Where a command reports to.

    Args:
        as_json: print exactly one JSON document on stdout instead of text.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._line_open = False
        self._last_line = 0.0
        self._streamed = False
        self.job = CallbackJob(self._progress, self._event)
        self.on_event: Callable[[str, Any], None] | None = None

    def result(self, view: api.View | dict[str, Any], text: Callable[[], str]) -> None:
        """Print the result: `view` as JSON, or the text for a person."""
        self._end_line()
        if self.as_json:
            data = view.model_dump(mode="json") if isinstance(view, api.View) else view
            print(json.dumps(data, ensure_ascii=True, indent=2))
        else:
            _write(sys.stdout, text() + "\n")

    def stream(self, text: str) -> None:
        """Show a piece of a running answer (not with --json)."""
        if not self.as_json:
            self._end_line()
            _write(sys.stdout, text)
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Say something beside the result."""
        self._end_line()
        _write(sys.stderr, text + "\n")

    def error(self, error: EngineError) -> None:
        """Say what happened, what was kept, what to do. With --json, on stdout too."""
        self._end_line()
        if self.as_json:
            print(json.dumps({"error": error.to_dict()}, ensure_ascii=True, indent=2))
        _write(sys.stderr, f"whetstone: {error}\n")

    def worker(self, event: api.WorkerEvent) -> None:
        """A child died and comes back: one line."""
        self.note(event.message)

    def _progress(self, done: float, total: float, note: str, eta_s: float | None) -> None:
        left = "" if eta_s is None else f", about {duration(eta_s)} left"
        share = f"{done:,.0f} of {total:,.0f}" if total else f"{done:,.0f}"
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            line = f"{note}: {share}{left}"[:width].ljust(width)
            _write(sys.stderr, f"\r{line}")
            sys.stderr.flush()
            self._line_open = True
        elif time.monotonic() - self._last_line > 5:
            self._last_line = time.monotonic()
            _write(sys.stderr, f"{note}: {share}{left}\n")

    def _event(self, kind: str, data: Any) -> None:
        if self.on_event is not None:
            self.on_event(kind, data)

    def _end_line(self) -> None:
        if self._line_open:
            _write(sys.stderr, "\n")
            self._line_open = False


def _write(stream: Any, text: str) -> None:
    """Write text whatever the terminal's encoding: what it cannot show is escaped.

    Control characters of documents must not reach the terminal, where they are commands.
    """
    encoding = stream.encoding or "utf-8"
    safe = "".join(
        char if char.isprintable() or char in "\n\r\t" else f"\\x{ord(char):02x}"
        for char in text
    )
    stream.write(safe.encode(encoding, "backslashreplace").decode(encoding))


def duration(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def add_json(parser: argparse.ArgumentParser) -> None:
    """Every command can print JSON."""
    parser.add_argument(
        "--json", action="store_true", help="print exactly one JSON document on stdout"
    )


def place(path: str, page: int | None, heading: str, within: str = "") -> str:
    """A source in one line: file name, place (`within`) or else page, heading."""
    parts = [Path(path).name]
    if within:
        parts.append(within)
    elif page is not None:
        parts.append(f"page {page}")
    if heading:
        parts.append(heading)
    return ", ".join(parts)


def size(size_bytes: int) -> str:
    """Bytes as a person reads them."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return (
                f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
            )
        value /= 1000
    return f"{size_bytes} B"
