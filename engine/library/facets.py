"""What a library can be filtered by: kinds, folders, first and last change."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from engine.files import show_path
from engine.library.views import iso
from engine.store.ledger import LiveFile, covers
from engine.work.api import Counted, LibraryFacets

LEVELS = 2
"""So deep below a root folders are offered."""
MAX_FOLDERS = 1000


def count_facets(files: Iterable[LiveFile], roots: Sequence[bytes]) -> LibraryFacets:
    """Count files by kind and by folder; a folder counts everything below it.

    Args:
        files: those that count for search.
        roots: the library's folders; each is offered with two levels of folders below it.
    """
    kinds: Counter[str] = Counter()
    folders: Counter[bytes] = Counter()
    above: dict[bytes, list[bytes]] = {}
    times: list[int] = []
    for file in files:
        kinds[file.kind] += 1
        times.append(file.mtime_ns)
        folder = os.path.dirname(file.path)
        if folder not in above:
            above[folder] = _offered(folder, roots)
        folders.update(above[folder])
    most = sorted(folders, key=lambda folder: (-folders[folder], folder))[:MAX_FOLDERS]
    return LibraryFacets(
        types=[Counted(value=kind, files=n) for kind, n in kinds.most_common() if kind],
        folders=[
            Counted(value=show_path(folder), files=folders[folder]) for folder in sorted(most)
        ],
        oldest=iso(min(times)) if times else "",
        newest=iso(max(times)) if times else "",
    )


def _offered(folder: bytes, roots: Sequence[bytes]) -> list[bytes]:
    """The root above `folder`, and the first folders on the way down to it."""
    root = next((root for root in roots if covers(root, folder)), None)
    if root is None:
        return []
    sep = os.fsencode(os.sep)
    below = folder[len(root) :].strip(sep).split(sep)[:LEVELS]
    found = [root]
    for name in filter(None, below):
        found.append(os.path.join(found[-1], name))
    return found
