"""The ledger: which files a library knows, what they contain, and how far indexing came.

What is committed here is what counts: rows in LanceDB that the ledger does not vouch for are
ignored by search and removed at the next reconciliation.
"""

from __future__ import annotations

from engine.store.ledger.contents import ContentLedger
from engine.store.ledger.files import FileLedger
from engine.store.ledger.libraries import LibraryLedger
from engine.store.ledger.matching import FileCondition, HeldFile, LiveFile, MatchingLedger
from engine.store.ledger.rows import (
    PASSAGES_PER_CONTENT,
    Content,
    KnownFile,
    LibraryRecord,
    LiveContent,
    ReadContent,
    SeenFile,
    Totals,
    covers,
)

__all__ = [
    "PASSAGES_PER_CONTENT",
    "Content",
    "FileCondition",
    "HeldFile",
    "KnownFile",
    "Ledger",
    "LibraryRecord",
    "LiveContent",
    "LiveFile",
    "ReadContent",
    "SeenFile",
    "Totals",
    "covers",
]


class Ledger(LibraryLedger, FileLedger, ContentLedger, MatchingLedger):
    """Reads and writes the ledger; each method is one transaction.

    Every method raises StorageFull or StorageDamaged when SQLite refuses.
    """
