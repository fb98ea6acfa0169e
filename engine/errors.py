"""Every failure the user can meet, in words the user can act on.

A third-party exception is turned into one of these in the single module that
imports that library; nothing above that module catches foreign exceptions.
"""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """A failure with a sentence for the user, one thing to do, and details for a report.

    Args:
        message: what happened and what was kept, in one or two plain sentences.
        hint: the one thing the user can do about it; may be empty.
        details: technical text behind "Copy details"; may be long.
    """

    kinds: ClassVar[dict[str, type[EngineError]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        EngineError.kinds[cls.__name__] = cls

    def __init__(self, message: str, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    @property
    def kind(self) -> str:
        """The class name, which is what crosses process borders."""
        return type(self).__name__

    def to_dict(self) -> dict[str, str]:
        """The error as JSON-ready text fields: kind, message, hint, details."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "details": self.details,
        }

    @staticmethod
    def from_dict(data: dict[str, str]) -> EngineError:
        """Rebuild an error from `to_dict`; an unknown kind becomes a plain EngineError."""
        cls = EngineError.kinds.get(data.get("kind", ""), EngineError)
        error = cls.__new__(cls)
        EngineError.__init__(
            error, data.get("message", ""), data.get("hint", ""), data.get("details", "")
        )
        return error

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(EngineError):
    """The request itself cannot be met: a missing folder, an unknown library, a bad value."""


class UnreadableDocument(EngineError):
    """One file could not be read; the message is the reason shown in the list."""


class ModelUnavailable(EngineError):
    """A model is missing, damaged or of a kind this version cannot load."""


class NotEnoughMemory(EngineError):
    """The work needs more memory than the machine can give."""


class StorageFull(EngineError):
    """The disk has no room for what was to be written."""


class StorageDamaged(EngineError):
    """Something stored cannot be read back."""


class LibraryBusy(EngineError):
    """Another process is writing to this library."""


class LibraryOutdated(EngineError):
    """The library was made with another embedder or reader version; a rebuild is offered."""


class TrainingFailed(EngineError):
    """Tuning stopped without a usable adapter."""


class WorkerCrashed(EngineError):
    """A child ended without saying so, or spoke rubbish; details hold its stderr tail."""


class DownloadFailed(EngineError):
    """A download the user asked for did not complete."""


class Cancelled(EngineError):
    """The user, or a closing window, asked the work to stop."""

    def __init__(self, message: str = "Stopped.", hint: str = "", details: str = "") -> None:
        super().__init__(message, hint, details)
