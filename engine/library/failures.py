"""LanceDB's and Arrow's failures in the engine's words."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import EngineError, StorageDamaged, StorageFull


@contextmanager
def told(folder: Path) -> Generator[None]:
    """Say what goes wrong inside with the tables in `folder`.

    Raises:
        StorageFull, StorageDamaged: what it was.
    """
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        text = str(error)
        if "os error 28" in text or "No space left" in text or "os error 122" in text:
            raise StorageFull(
                "The disk is full. What was indexed before is kept.",
                hint="Free some space and index again; it goes on where it stopped.",
                details=text,
            ) from error
        raise StorageDamaged(
            "Part of the search index cannot be read. Your documents are not affected.",
            hint="Index the library again to rebuild it.",
            details=f"{folder}: {error!r}",
        ) from error
