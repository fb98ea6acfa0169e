"""Which contents have a file that meets a condition, and which file that is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.store.ledger.files import FILE_STATE
from engine.store.ledger.querying import Querying
from engine.store.ledger.rows import LiveContent, content_of


@dataclass(frozen=True)
class FileCondition:
    """What is asked of a file; a part that is empty or None lets every file through.

    `passes` judges the shown path; every path of ASCII characters that passes holds one of
    `pieces`, in whatever case, if there are any: SQLite leaves most others out at a tenth of
    the cost. Kinds and suffixes are in lower case, and one of either is enough; times are
    nanoseconds since 1970, `until_ns` the first that is too late.
    """

    passes: Callable[[str], bool] | None = None
    pieces: tuple[str, ...] = ()
    file_ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None


@dataclass(frozen=True)
class LiveFile:
    """A file that counts for search, as far as filters look at it."""

    path: bytes
    kind: str
    mtime_ns: int


@dataclass(frozen=True)
class HeldFile:
    """A file that counts for search, and the content it has."""

    file_id: int
    content_id: int
    path: bytes
    shown: str
    title: str
    kind: str
    pages: int
    passages: int
    scan_pages: int


@dataclass
class _Where:
    """A condition in SQL, as far as SQL can express it."""

    terms: list[str] = field(default_factory=list[str])
    values: list[object] = field(default_factory=list[object])

    def add(self, term: str, *values: object) -> None:
        self.terms.append(term)
        self.values += values


class MatchingLedger(Querying):
    """Contents that count for search, by what is asked of their files."""

    def matching_contents(
        self,
        library_id: str,
        condition: FileCondition,
        content_ids: Iterable[int] | None = None,
    ) -> list[tuple[int, int]]:
        """(content_id, passages) of every content one of whose files meets `condition`.

        Args:
            library_id: where to look.
            condition: what is asked of a file.
            content_ids: look at these only; None for all.
        """
        where, values = _where(library_id, condition, content_ids)
        if condition.passes is None:
            rows = self._rows(f"SELECT DISTINCT c.content_id, c.passages{where}", values)
            return [(row[0], row[1]) for row in rows]
        rows = self._rows(f"SELECT c.content_id, c.passages, f.shown{where}", values)
        found: dict[int, int] = {}
        for content_id, passages, shown in map(tuple, rows):
            if content_id not in found and condition.passes(shown):
                found[content_id] = passages
        return list(found.items())

    def matching_live(
        self, library_id: str, condition: FileCondition, content_ids: Iterable[int]
    ) -> dict[int, LiveContent]:
        """Those of `content_ids` that count, each with its first file to meet `condition`."""
        where, values = _where(library_id, condition, content_ids)
        rows = self._rows(
            f"SELECT c.*, f.file_id, f.path, f.shown{where} ORDER BY f.file_id", values
        )
        found: dict[int, LiveContent] = {}
        for row in rows:
            if row["content_id"] in found:
                continue
            if condition.passes is None or condition.passes(row["shown"]):
                found[row["content_id"]] = LiveContent(
                    content_of(row), row["file_id"], bytes(row["path"]), row["shown"]
                )
        return found

    def live_files(self, library_id: str) -> list[LiveFile]:
        """Every file of the library that counts for search."""
        where, values = _where(library_id, FileCondition())
        rows = self._rows(f"SELECT f.path, c.kind, f.mtime_ns{where}", values)
        return [LiveFile(bytes(row[0]), row[1], row[2]) for row in rows]

    def matching_files(self, library_id: str, condition: FileCondition) -> list[HeldFile]:
        """Every file that counts for search and meets `condition`, by its id."""
        where, values = _where(library_id, condition)
        rows = self._rows(
            "SELECT f.file_id, c.content_id, f.path, f.shown, c.title, c.kind, c.pages,"
            f" c.passages, c.scan_pages{where} ORDER BY f.file_id",
            values,
        )
        return [
            HeldFile(row[0], row[1], bytes(row[2]), *tuple(row)[3:])
            for row in rows
            if condition.passes is None or condition.passes(row["shown"])
        ]

    def unread_files(self, library_id: str, condition: FileCondition) -> tuple[int, int]:
        """(refused, waiting) files that do not count for search but meet `condition`.

        A file of no known kind may be of any.
        """
        where = _Where()
        where.add("f.library_id = ?", library_id)
        where.add("(c.state IS NULL OR c.state NOT IN ('read', 'indexed'))")
        _narrow(where, condition, unknown=True)
        rows = self._rows(
            f"SELECT f.shown, {FILE_STATE} AS state FROM files f"
            f" LEFT JOIN contents c USING (content_id) WHERE {' AND '.join(where.terms)}",
            where.values,
        )
        states = [
            row["state"]
            for row in rows
            if condition.passes is None or condition.passes(row["shown"])
        ]
        return states.count("skipped"), states.count("waiting")

    def searchable(self, library_id: str) -> tuple[int, int]:
        """How many contents count for search, and how many passages they have."""
        row = self._rows(
            "SELECT COUNT(*), COALESCE(SUM(passages), 0) FROM contents"
            " WHERE library_id = ? AND state IN ('read', 'indexed')",
            (library_id,),
        )[0]
        return row[0], row[1]

    def equal_contents(self, content_ids: Iterable[int]) -> list[list[int]]:
        """Groups of two and more of `content_ids` that hold the same bytes, split alike."""
        rows = self._rows(
            "SELECT json_group_array(content_id) FROM contents WHERE sha256 IS NOT NULL"
            " AND content_id IN (SELECT value FROM json_each(?))"
            " GROUP BY sha256, passages HAVING COUNT(*) > 1",
            (_json(content_ids),),
        )
        return [json.loads(row[0]) for row in rows]


def _where(
    library_id: str, condition: FileCondition, content_ids: Iterable[int] | None = None
) -> tuple[str, list[object]]:
    where = _Where()
    tables = "files f JOIN contents c USING (content_id)"
    if content_ids is not None:
        # From the few contents to their files, not through all files of the library.
        tables = (
            "json_each(?) wanted CROSS JOIN contents c ON c.content_id = wanted.value"
            " CROSS JOIN files f ON f.content_id = c.content_id"
        )
        where.values.append(_json(content_ids))
    where.add(
        "+f.library_id = ?" if content_ids is not None else "f.library_id = ?", library_id
    )
    where.add("c.state IN ('read', 'indexed')")
    _narrow(where, condition)
    return f" FROM {tables} WHERE {' AND '.join(where.terms)}", where.values


def _narrow(where: _Where, condition: FileCondition, unknown: bool = False) -> None:
    """Add what is asked of a file; `unknown`: one without a kind may be of any."""
    if condition.file_ids:
        where.add("f.file_id IN (SELECT value FROM json_each(?))", _json(condition.file_ids))
    if condition.pieces:
        # Only a path of other than ASCII characters is longer in bytes than in characters.
        terms = ["length(f.shown) != length(f.path)"]
        terms += ["f.shown LIKE ? ESCAPE '!'"] * len(condition.pieces)
        where.add(
            f"({' OR '.join(terms)})", *(f"%{_literally(piece)}%" for piece in condition.pieces)
        )
    if condition.since_ns is not None:
        where.add("f.mtime_ns >= ?", condition.since_ns)
    if condition.until_ns is not None:
        where.add("f.mtime_ns < ?", condition.until_ns)
    if condition.kinds or condition.suffixes:
        types = ["lower(c.kind) IN (SELECT value FROM json_each(?))"]
        types += ["COALESCE(c.kind, '') = ''"] if unknown and condition.kinds else []
        types += ["f.name LIKE ? ESCAPE '!'"] * len(condition.suffixes)
        where.add(
            f"({' OR '.join(types)})",
            json.dumps(condition.kinds),
            # At least one character before: ".pdf" is a name without a suffix.
            *(f"_%{_literally(suffix)}" for suffix in condition.suffixes),
        )


def _json(numbers: Iterable[int]) -> str:
    return json.dumps(sorted(set(numbers)))


def _literally(text: str) -> str:
    for mark in "!%_":
        text = text.replace(mark, f"!{mark}")
    return text
