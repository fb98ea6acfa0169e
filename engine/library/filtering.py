"""A filter as a person writes it, made into a condition the ledger can answer exactly.

Paths compare the way the system's own files do: letters count by case on Linux only, and on
Windows both slashes separate. Everywhere letters and their accents count as one however they
are coded (Unicode NFC), because macOS and the keyboard code them differently.
"""

from __future__ import annotations

import datetime
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable

from engine.errors import InvalidInput
from engine.files import show_path
from engine.store.ledger import FileCondition
from engine.work.api import Filter

MAX_PATTERNS = 200
MAX_PATTERN_CHARACTERS = 4096
_CASELESS_SYSTEMS = ("win32", "cygwin", "darwin")
_BACKSLASH_SYSTEMS = ("win32", "cygwin")
_LATEST_NS = 2**63 - 1
_ANY_NAME = "[^/]+"
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")
_DATE_HINT = "Write a date such as 2024-05-31, 2024-05 or 2024, or a time: 2024-05-31T14:00."


def condition(wanted: Filter) -> FileCondition | None:
    """What `wanted` asks of a file; None when every file counts.

    Raises:
        InvalidInput: a pattern, type or date that says nothing, and how to write one.
    """
    if wanted.empty():
        return None
    since, until = _since(wanted.since), _until(wanted.until)
    if since is not None and until is not None and since >= until:
        raise InvalidInput(
            f"No file can be from {wanted.since} or later and also from before "
            f"{wanted.until} has ended.",
            hint="Exchange the two dates.",
        )
    kinds, suffixes = _types(wanted.types)
    return FileCondition(
        passes=path_matcher(wanted.paths) if wanted.paths else None,
        pieces=common_pieces(wanted.paths),
        file_ids=tuple(wanted.file_ids),
        kinds=kinds,
        suffixes=suffixes,
        since_ns=since,
        until_ns=until,
    )


# --- paths --------------------------------------------------------------------------------


def path_matcher(patterns: Iterable[str], system: str = sys.platform) -> Callable[[str], bool]:
    """A test of shown paths: does any of `patterns` match the file or a folder above it?

    A pattern that is not absolute may begin at any name of the path. `*` and `?` stand for
    characters of one name, `[ab]` for one of these, `**` for any names between.

    Args:
        patterns: files, folders or globs.
        system: as `sys.platform`; says how case and backslashes count.

    Raises:
        InvalidInput: an empty pattern, one that is too long, or a bracket without its end.
    """
    given = list(patterns)
    if len(given) > MAX_PATTERNS:
        raise InvalidInput(
            f"{len(given)} paths to filter by are too many; {MAX_PATTERNS} are allowed.",
            hint="Name a folder above them.",
        )
    even = _evened(system)
    anchored: list[str] = []
    floating: list[str] = []
    for pattern in given:
        for way in _ways(pattern, system):
            text = even(way)
            if _ABSOLUTE.match(text):
                anchored.append(_path_regex(text.rstrip("/"), pattern))
            else:
                floating.append(_path_regex(text.rstrip("/").removeprefix("./"), pattern))
    parts = [f"^(?:{'|'.join(anchored)})(?:/|\\Z)"] if anchored else []
    # No name is empty: `*` does not stand for the nothing before the first slash.
    parts += [f"(?:^|/)(?=[^/])(?:{'|'.join(floating)})(?:/|\\Z)"] if floating else []
    found = re.compile("|".join(parts), re.DOTALL).search
    return lambda shown: found(even(shown)) is not None


def common_pieces(patterns: Iterable[str], system: str = sys.platform) -> tuple[str, ...]:
    """For every pattern the longest ASCII text within one name that what matches must hold.

    Whatever its case, and only in paths that are ASCII themselves. Empty when a pattern has
    none, since then nothing can be left out.
    """
    even = _evened(system)
    pieces: list[str] = []
    for pattern in patterns:
        for text in map(even, _ways(pattern, system)):
            certain = re.sub(r"\[[^/]*", "*", text.removeprefix("./"))
            runs = re.split(r"[/*?]|[^\x20-\x7e]", certain)
            longest = max(runs, key=len)
            if not longest:
                return ()
            pieces.append(longest)
    return tuple(dict.fromkeys(pieces))


def _evened(system: str) -> Callable[[str], str]:
    """Brings paths and patterns to one form in which equal ones are equal."""
    backslash = system in _BACKSLASH_SYSTEMS
    caseless = system in _CASELESS_SYSTEMS

    def even(text: str) -> str:
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if backslash:
            text = text.replace("\\", "/")
        return text.casefold() if caseless else text

    return even


def _ways(pattern: str, system: str) -> list[str]:
    """The forms a person's pattern may have in the ledger: as shown, and without links."""
    if not pattern.strip() or "\x00" in pattern:
        raise InvalidInput(
            "A path to filter by is empty.", hint="Name a folder, a file, or a glob: *.pdf."
        )
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise InvalidInput(
            f"A path to filter by has {len(pattern)} characters; "
            f"{MAX_PATTERN_CHARACTERS} are allowed."
        )
    try:
        raw = os.fsencode(os.path.expanduser(pattern))
    except UnicodeEncodeError:  # half a surrogate pair that no file name was decoded to
        raw = pattern.encode("utf-8", "backslashreplace")
    ways = [show_path(raw)]
    if os.path.isabs(raw) and system == sys.platform and not _is_glob(ways[0]):
        real = show_path(os.path.realpath(raw))
        ways += [real] if real != ways[0] else []
    return ways


def _is_glob(text: str) -> bool:
    return re.search(r"[*?]|\[[^/]+\]", text) is not None


def _path_regex(text: str, pattern: str) -> str:
    """The regex of a path, to be followed by the end or a separator.

    Whatever a star stands for is taken at its first fit and never tried again (atomic
    groups): what comes later only needs what lies behind, so nothing is missed, and no
    pattern takes more than quadratic time.
    """
    if not _is_glob(text):
        return re.escape(text)
    runs: list[list[str]] = [[]]
    for name in text.split("/"):
        if name == "**":
            runs.append([])
        else:
            runs[-1].append(_name_regex(name, pattern))
    blocks = ["/".join(run) for run in runs]
    below = f"/{_ANY_NAME}" if not runs[-1] and len(runs) > 1 else ""
    made = blocks[0] if runs[0] else ""
    for run, block in zip(runs[1:], blocks[1:], strict=True):
        if run:
            lead = "/" if made or runs[0] else ""
            made += f"{lead}(?>(?:[^/]*/)*?{block}(?=/|\\Z))"
    made += below if made or runs[0] else ""
    made = made or _ANY_NAME
    # A folder may be called what looks like a glob.
    return f"{made}|{re.escape(text)}" if "[" in text else made


def _name_regex(name: str, pattern: str) -> str:
    """The regex of one name: pieces of fixed length, and stars between them."""
    pieces = [""]
    place = 0
    while place < len(name):
        char = name[place]
        place += 1
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "[^/]"
        elif char == "[":
            made, place = _bracket(name, place, pattern)
            pieces[-1] += made
        else:
            pieces[-1] += re.escape(char)
    first, *others = pieces
    if not others:
        return first
    between = "".join(f"(?>[^/]*?{piece})" for piece in others[:-1])
    return f"{first}{between}[^/]*{others[-1]}(?=/|\\Z)"


def _bracket(name: str, place: int, pattern: str) -> tuple[str, int]:
    """The regex of the set whose "[" stands before `place`, and where it ends."""
    negated = name[place : place + 1] in ("!", "^")
    start = place + negated
    end = name.find("]", start + 1)
    if end < 0:
        if not re.search(r"[*?]", pattern):
            return re.escape("["), place
        raise InvalidInput(
            f"The path to filter by {pattern!r} has a [ without its ].",
            hint="Write [[] for the bracket itself.",
        )
    members = ""
    inside = name[start:end]
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            low, high = inside[at], inside[at + 2]
            if low > high:
                raise InvalidInput(
                    f"The path to filter by {pattern!r} has the range {low}-{high}, "
                    "in which no letter lies.",
                    hint=f"Write {high}-{low}.",
                )
            members += f"{re.escape(low)}-{re.escape(high)}"
            at += 3
        else:
            members += re.escape(inside[at])
            at += 1
    return (f"[^{members}/]" if negated else f"[{members}]"), end + 1


# --- types --------------------------------------------------------------------------------


def _types(given: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(kinds, suffixes) in lower case; a word without a dot may be either."""
    kinds: list[str] = []
    suffixes: list[str] = []
    for text in given:
        word = text.strip().lower().removeprefix("*")
        if not word.strip(".") or re.search(r"[/\\*?\x00]", word):
            raise InvalidInput(
                f"There is no type {text!r}.",
                hint='Name a kind such as "PDF" or a suffix such as .pdf.',
            )
        if not word.startswith("."):
            kinds.append(word)
        suffixes.append(word if word.startswith(".") else f".{word}")
    return tuple(kinds), tuple(suffixes)


# --- dates --------------------------------------------------------------------------------


def _since(text: str) -> int | None:
    """The first nanosecond that counts; None when all do."""
    if not text.strip():
        return None
    day = _day(text)
    return _nanoseconds(_time(text) if day is None else _midnight(day[0]))


def _until(text: str) -> int | None:
    """The first nanosecond that no longer counts; None when all do."""
    if not text.strip():
        return None
    day = _day(text)
    if day is None:
        return _nanoseconds(_time(text))
    return _LATEST_NS if day[1] is None else _nanoseconds(_midnight(day[1]))


def _day(text: str) -> tuple[datetime.date, datetime.date | None] | None:
    """The first day of a day, month or year and the day after its last; None for a time.

    The second is None where the calendar of Python ends, after the year 9999.
    """
    word = text.strip()
    try:
        if re.fullmatch(r"\d{4}", word):
            first, length = datetime.date(int(word), 1, 1), 366
        elif re.fullmatch(r"\d{4}-\d{2}", word):
            first, length = datetime.date(int(word[:4]), int(word[5:]), 1), 31
        else:
            first, length = datetime.date.fromisoformat(word), 1
    except ValueError as error:
        if len(word) > 10:
            return None
        raise _no_date(text) from error
    try:
        after = first + datetime.timedelta(days=length)
    except OverflowError:
        return first, None
    if length > 1:
        after = after.replace(day=1) if length == 31 else after.replace(month=1, day=1)
    return first, after


def _time(text: str) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise _no_date(text) from error


def _no_date(text: str) -> InvalidInput:
    return InvalidInput(f"{text!r} is not a date.", hint=_DATE_HINT)


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.min)


def _nanoseconds(when: datetime.datetime) -> int:
    """Nanoseconds since 1970; a time without a zone is this computer's own."""
    try:
        moment = when.astimezone(datetime.UTC)
    except (OverflowError, ValueError, OSError):  # no zone reaches to the ends of the calendar
        moment = when.replace(tzinfo=datetime.UTC)
    since_1970 = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    nanoseconds = since_1970 // datetime.timedelta(microseconds=1) * 1000
    return max(-_LATEST_NS, min(_LATEST_NS, nanoseconds))
