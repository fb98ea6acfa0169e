"""The disk against the ledger: what is new, changed, gone, refused, or cannot be reached."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.documents.pool import classify
from engine.errors import UnreadableDocument
from engine.files import show_path
from engine.library.reading import Candidate
from engine.library.scanning import Found, identity_of, is_away, look_at, open_failure, scan
from engine.store.ledger import KnownFile, Ledger, SeenFile, covers
from engine.work.api import SkippedFile
from engine.work.jobs import NULL_JOB, Job

_AT_ONCE = 500
_SIZE_CLASSES = (64 << 10, 1 << 20, 16 << 20)


@dataclass(frozen=True)
class Gone:
    """A file the ledger has and the disk has not; `held`: it had a content."""

    file_id: int
    path: bytes
    size_bytes: int
    held: bool


@dataclass
class Look:
    """What one look found; candidates are in reading order."""

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    gone: list[Gone] = field(default_factory=list[Gone])
    skipped: list[SkippedFile] = field(default_factory=list[SkippedFile])
    unchanged: int = 0
    present: set[int] = field(default_factory=set[int])
    """Contents that files which were looked at have."""
    lost: dict[bytes, str] = field(default_factory=dict[bytes, str])
    """Roots that cannot be reached, each with a sentence; nothing of theirs is forgotten."""


def reading_order(candidate: Candidate) -> tuple[int, int]:
    """Sort key: small files before large ones, and among files of a size the newest first.

    Most files of a folder are small and are read in milliseconds, so what a person has just
    written or received is found within seconds; a class is wide enough that the newest go
    first in it, and narrow enough that no long scan keeps a hundred notes waiting.
    """
    size = candidate.seen.size_bytes
    return sum(size > limit for limit in _SIZE_CLASSES), -candidate.seen.mtime_ns


class Looking:
    """Looks at whole roots or at single paths of a library.

    Args:
        library_id: whose files are known.
        ledger: what is known of them; files waiting or refused are noted there.
        leave_out: our own data folder, never indexed.
        job: told how many entries were seen; stops a look.
    """

    def __init__(
        self, library_id: str, ledger: Ledger, leave_out: bytes, job: Job = NULL_JOB
    ) -> None:
        self._library_id = library_id
        self._ledger = ledger
        self._leave_out = leave_out
        self._job = job
        self._kept: set[bytes] = set()
        self._seen = 0

    def at_roots(self, roots: Sequence[bytes]) -> Look:
        """Everything under `roots`."""
        look = Look()
        noted = self._ledger.root_identities(self._library_id)
        for root in roots:
            self._at_root(root, noted.get(root, ""), look)
        look.candidates.sort(key=reading_order)
        return look

    def at_paths(self, roots: Sequence[bytes], paths: Iterable[bytes]) -> Look:
        """Only these paths: files, folders with all below, or places where something was.

        A file named is looked into, whatever its size and time: something said it changed.
        Paths outside `roots`, in our own folder or behind a link are passed over.
        """
        look = Look()
        noted = self._ledger.root_identities(self._library_id)
        for path in _outermost(paths):
            root = self.root_of(path, roots)
            if not root or (self._leave_out and covers(self._leave_out, path)):
                continue
            if path == root:
                self._at_root(root, noted.get(root, ""), look)
            elif self.reachable(root, noted):
                self._at_path(root, path, look)
            else:
                look.lost[root] = _lost(root, identity_of(root))
        look.candidates.sort(key=reading_order)
        return look

    @staticmethod
    def root_of(path: bytes, roots: Sequence[bytes]) -> bytes:
        """The root that covers `path`; empty when none does."""
        return next((root for root in roots if covers(root, path)), b"")

    def reachable(self, root: bytes, noted: dict[bytes, str] | None = None) -> bool:
        """True when `root` is there and is the folder that was looked through before."""
        if noted is None:
            noted = self._ledger.root_identities(self._library_id)
        identity = identity_of(root)
        return bool(identity) and noted.get(root, "") in ("", identity)

    # --- parts ------------------------------------------------------------------------

    def _at_root(self, root: bytes, noted: str, look: Look) -> None:
        identity = identity_of(root)
        if not identity:
            look.lost[root] = _lost(root, "")
            return
        known = self._ledger.known_below(self._library_id, root)
        before = len(self._kept)
        try:
            closed = self._below(root, look, forced=False)
        except OSError as error:
            look.lost[root] = _lost(root, identity, open_failure(error))
            return
        empty = len(self._kept) == before and not closed
        another = noted not in ("", identity)
        if identity_of(root) != identity or (
            empty and another and any(held for *_, held in known)
        ):
            look.lost[root] = _lost(root, identity)
            return
        if noted != identity:
            self._ledger.note_identity(self._library_id, root, identity)
        self._collect_gone(known, closed, look)

    def _at_path(self, root: bytes, path: bytes, look: Look) -> None:
        folder = os.path.dirname(path)
        if os.path.realpath(folder) != folder:
            return  # it came through a link
        known = self._ledger.known_below(self._library_id, path)
        closed: list[bytes] = []
        try:
            found = look_at(path)
            if found is None:
                closed = self._below(path, look, forced=False)
            else:
                self._sort_in([found], look, forced=True)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            if is_away(error):
                look.lost[root] = _lost(root, "", open_failure(error))
            return
        self._collect_gone(known, closed, look)

    def _below(self, folder: bytes, look: Look, forced: bool) -> list[bytes]:
        """Sort in everything below a folder; gives the folders that could not be opened."""
        closed: list[bytes] = []
        batch: list[Found] = []
        for found in scan(folder, self._leave_out, self._job):
            if found.seen.path in self._kept:
                continue
            if found.stat is None:
                closed.append(found.seen.path)
            batch.append(found)
            if len(batch) >= _AT_ONCE:
                self._sort_in(batch, look, forced)
                batch = []
                self._job.progress(self._seen, 0, "Looking at the folder")
        self._sort_in(batch, look, forced)
        return closed

    def _sort_in(self, batch: list[Found], look: Look, forced: bool) -> None:
        """Each entry is unchanged, skipped, or a candidate."""
        known = self._ledger.known_at(self._library_id, [found.seen.path for found in batch])
        news: list[SeenFile] = []
        for found in batch:
            self._kept.add(found.seen.path)
            self._seen += 1
            new = self._sort_one(found, known.get(found.seen.path), look, forced)
            if new is not None:
                news.append(new)
        if news:
            self._ledger.see(self._library_id, news)

    def _sort_one(
        self, found: Found, known: KnownFile | None, look: Look, forced: bool
    ) -> SeenFile | None:
        """What the ledger is to note of it now, if anything."""
        seen = found.seen
        reason = seen.reason or _refusal(found)
        if reason:
            look.skipped.append(SkippedFile(path=show_path(seen.path), reason=reason))
            if known is None or known.reason != reason:
                return SeenFile(seen.path, seen.size_bytes, seen.mtime_ns, reason)
            return None
        same = known is not None and (known.size_bytes, known.mtime_ns) == (
            seen.size_bytes,
            seen.mtime_ns,
        )
        if same and known is not None and known.state and not known.stale and not forced:
            if known.state == "unreadable":
                reason = known.content_reason
                look.skipped.append(SkippedFile(path=show_path(seen.path), reason=reason))
            else:
                look.unchanged += 1
                look.present.add(known.content_id or 0)
            return None
        look.candidates.append(Candidate(seen, known))
        return seen if known is None or known.reason else None

    def _collect_gone(
        self, known: list[tuple[int, bytes, int, bool]], closed: list[bytes], look: Look
    ) -> None:
        """Files not seen are gone; not those in folders that could not be opened."""
        look.gone += [
            Gone(file_id, path, size_bytes, held)
            for file_id, path, size_bytes, held in known
            if path not in self._kept and not any(covers(folder, path) for folder in closed)
        ]


def _outermost(paths: Iterable[bytes]) -> list[bytes]:
    """The paths that lie below no other of them."""
    kept: list[bytes] = []
    for path in sorted(set(paths), key=lambda path: path.split(os.fsencode(os.sep))):
        if not kept or not covers(kept[-1], path):
            kept.append(path)
    return kept


def _refusal(found: Found) -> str:
    """Why the readers refuse this file unopened; "" when they do not."""
    if found.stat is None:
        return found.seen.reason
    try:
        kind = classify(found.seen.path, found.stat)
    except UnreadableDocument as error:
        return error.message
    return kind.message if isinstance(kind, UnreadableDocument) else ""


def _lost(root: bytes, identity: str, why: str = "") -> str:
    """The sentence for a folder whose files are kept although they cannot be seen."""
    if why or not identity:
        return (
            f"The folder {show_path(root)} cannot be reached; what was read of it is kept."
            + (f" {why}" if why else "")
        )
    return (
        f"Another folder is where {show_path(root)} was, as if its disk were not there; what"
        " was read of it is kept."
    )
