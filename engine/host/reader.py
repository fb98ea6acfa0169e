"""The reader process: one hostile file at a time, with nothing to gain by taking it over."""

from __future__ import annotations

import functools
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.documents import reading, viewing
from engine.documents.scans import load_scan
from engine.errors import UnreadableDocument
from engine.work.jobs import Job
from engine.work.sandbox import forbid_network_and_programs, forbid_writing, limit_memory
from engine.work.serve import serve

MEMORY_LIMIT_BYTES = 1 << 30

_viewer = viewing.Viewer()
_load_tokenizer = functools.cache(reading.load_tokenizer)


def hello(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Answer once the process is ready, with the tokenizer loaded."""
    _load_tokenizer(Path(params["tokenizer"]))
    return {}


def read(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """{path, tokenizer, scan} → the fields of `ReadDocument`; `scan` names what OCR found."""
    tokenizer = _load_tokenizer(Path(params["tokenizer"]))
    scan = load_scan(_path(params.get("scan")))
    return asdict(_guarded(lambda: reading.read_passages(params["path"], tokenizer, scan)))


def view(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """{path, start, end, page, width_px, scan} → fields of `api.SourceView`."""
    return _guarded(
        lambda: _viewer.view(
            params["path"],
            params["start"],
            params["end"],
            params.get("page"),
            params["width_px"],
            _path(params.get("scan")),
        )
    )


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _guarded(work: Any) -> Any:
    """Whatever a parser throws at a strange file is a fact about the file, not about us."""
    try:
        return work()
    except (UnreadableDocument, MemoryError):
        raise
    except RecursionError as error:
        raise UnreadableDocument("The file is nested too deeply to be read.") from error
    except Exception as error:
        raise UnreadableDocument(
            "The file could not be read; it is probably damaged.",
            details=f"{type(error).__name__}: {error}",
        ) from error


def main() -> None:
    """Give up what reading does not need, then serve."""
    limit_memory(MEMORY_LIMIT_BYTES)
    forbid_writing()
    forbid_network_and_programs()
    serve({"hello": hello, "read": read, "view": view})


if __name__ == "__main__":
    main()
