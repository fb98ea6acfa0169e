"""The scanner process: reads the text in pictures of pages, one page at a time.

It holds the one page in work, so that its caller can pause between two steps of it. Files
are as hostile here as to a reader: it gives up the network, writing and starting programs
before it opens one.
"""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import PurePath
from typing import Any

from engine.errors import InvalidInput, UnreadableDocument
from engine.work.jobs import Job
from engine.work.sandbox import forbid_network_and_programs, forbid_writing, limit_memory
from engine.work.serve import serve

MEMORY_LIMIT_BYTES = 3 << 30
"""Of address space, of which the models and a dense page use about a third in earnest."""


class _Service:
    """The methods of the process; one step at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader: Any = None
        self._file: tuple[str, bytes] = ("", b"")
        self._reading: Any = None

    def hello(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """{threads}: load the models."""
        from engine.documents.ocr import TextReader

        with self._lock:
            self._reader = TextReader(int(params["threads"]))
        return {}

    def look(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """{path, sha256, page} → {lines, processor_s}: find the lines of a page (from 1)."""
        from engine.documents.ocr import look
        from engine.documents.page_images import page_pixels

        with self._lock:
            began = time.process_time()
            self._reading = None
            data = self._bytes(params["path"], params["sha256"])
            name = PurePath(params["path"]).name
            pixels = _guarded(lambda: page_pixels(data, name, int(params["page"])))
            self._reading = _guarded(lambda: look(self._reader, pixels))
            lines = len(self._reading.quads)
            return {"lines": lines, "processor_s": time.process_time() - began}

    def read(self, params: dict[str, Any], job: Job) -> dict[str, Any]:
        """{seconds, last} → {left, processor_s, page}: read on for so long.

        `page` comes once no line is left, or with `last`.
        """
        from engine.documents.scans import page_data

        with self._lock:
            if self._reading is None:
                raise InvalidInput("No page is being read.")
            began = time.process_time()
            _guarded(lambda: self._reading.read_for(self._reader, float(params["seconds"])))
            left = self._reading.left
            finished = left == 0 or bool(params.get("last"))
            return {
                "left": left,
                "processor_s": time.process_time() - began,
                "page": page_data(_guarded(self._reading.page)) if finished else None,
            }

    def _bytes(self, path: str, sha256: str) -> bytes:
        """The file's bytes, kept for its other pages.

        Raises:
            InvalidInput: it cannot be opened, or it is another file by now.
        """
        from engine.documents.reading import read_bytes

        if self._file[0] != sha256:
            try:
                data = read_bytes(path)
            except UnreadableDocument as error:
                # A fact about the file's place, not about its pages: nothing is noted.
                raise InvalidInput(error.message, details=error.details) from error
            if hashlib.sha256(data).hexdigest() != sha256:
                raise InvalidInput("The file changed while it was read.")
            self._file = (sha256, data)
        return self._file[1]


def _guarded(work: Any) -> Any:
    """Whatever a decoder throws at a strange page is a fact about the page, not about us."""
    try:
        return work()
    except (UnreadableDocument, MemoryError):
        raise
    except Exception as error:
        raise UnreadableDocument(
            "The page could not be drawn; it is probably damaged.",
            details=f"{type(error).__name__}: {error}",
        ) from error


def main() -> None:
    """Give up what reading does not need, then serve."""
    limit_memory(MEMORY_LIMIT_BYTES)
    forbid_writing()
    forbid_network_and_programs()
    service = _Service()
    serve({"hello": service.hello, "look": service.look, "read": service.read})


if __name__ == "__main__":
    main()
