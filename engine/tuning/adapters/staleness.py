"""Whether what an adapter was tuned on is still what is there."""

from __future__ import annotations

from engine.errors import EngineError
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.datasets.storing import find_dataset
from engine.work.api import AdapterCard

_AT_ONCE = 500


def why_stale(home: Home, store: Store, card: AdapterCard) -> str:
    """Why the adapter may no longer be up to date, as a sentence; "" when nothing changed."""
    if card.dataset and card.source == "tuned":
        try:
            now = find_dataset(home, store, card.dataset).sha256
        except EngineError:
            return "The examples it was tuned with have been removed."
        if now != card.dataset_sha256:
            return "The examples it was tuned with have changed since."
    changed = _changed_documents(store, card.documents)
    if changed:
        what = "One document" if changed == 1 else f"{changed:,} documents"
        return f"{what} its examples came from changed since or left the library."
    return ""


def _changed_documents(store: Store, documents: dict[str, str]) -> int:
    """How many of the documents have no indexed file of that name and content any more."""
    names, there = list(documents), set[tuple[str, str]]()
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        rows = store.connection().execute(
            "SELECT files.shown, contents.sha256 FROM files JOIN contents USING (content_id)"
            f" WHERE files.shown IN ({','.join('?' * len(some))})",
            some,
        )
        there.update((str(row["shown"]), str(row["sha256"])) for row in rows)
    return sum((name, sha256) not in there for name, sha256 in documents.items())
