"""Rows as a file has them, before anybody knows what they mean; and what is broken in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.documents.readers.text import clean, decode
from engine.errors import InvalidInput, UnreadableDocument
from engine.files import open_regular, show_path

MAX_FILE_BYTES = 128 << 20
"""About thirty million tokens: more than a laptop trains on in a night."""
MAX_ROWS = 500_000
MAX_COLUMNS = 500
MAX_FIELD_CHARACTERS = 200_000
BROKEN_KEPT = 100
"""So many broken rows are told one by one; the others are counted."""
_LOOKED_AT_LINES = 50


@dataclass(frozen=True)
class RawRow:
    """One record: its first line in the file, what each column holds, and its part.

    `part` names what it stood under in the file ("train", "test"); empty where there is none.
    """

    line: int
    fields: dict[str, Any]
    part: str = ""


@dataclass(frozen=True)
class BrokenRow:
    """A row that was left out, and why."""

    line: int
    reason: str


@dataclass
class Rows:
    """What was read from one file."""

    format: str
    rows: list[RawRow] = field(default_factory=list[RawRow])
    broken: list[BrokenRow] = field(default_factory=list[BrokenRow])
    broken_total: int = 0

    def add(self, row: RawRow) -> None:
        """Keep a row.

        Raises:
            InvalidInput: there are more rows than can be imported.
        """
        if len(self.rows) >= MAX_ROWS:
            raise InvalidInput(
                f"The file has more than {MAX_ROWS:,} rows.",
                hint="Cut it into smaller files, or take a sample of it.",
            )
        self.rows.append(row)

    def add_broken(self, line: int, reason: str) -> None:
        """Note a row that cannot be used."""
        self.broken_total += 1
        if len(self.broken) < BROKEN_KEPT:
            self.broken.append(BrokenRow(line, reason))

    def columns(self) -> list[str]:
        """The names of all columns, in the order they first appear."""
        names: dict[str, None] = {}
        for row in self.rows:
            for name in row.fields:
                if name not in names:
                    if len(names) == MAX_COLUMNS:
                        return list(names)
                    names[name] = None
        return list(names)


Parser = Callable[[str, str], Rows]
"""Text and file name to rows; never raises for what the text says."""


def read_rows(path: Path) -> Rows:
    """Read a file of examples of any format that can be imported.

    Raises:
        InvalidInput: there is no such file, it is too large, no text, or has no rows.
    """
    text, name = _read_text(path), path.name
    rows = _parser(text, name)(text, name)
    if not rows.rows:
        told = "".join(f" Line {one.line}: {one.reason}" for one in rows.broken[:1])
        raise InvalidInput(
            f"{show_path(path.name)} holds no rows that can be read.{told}",
            hint="Choose a CSV, TSV, JSON, JSON Lines or CoNLL file with examples.",
        )
    return rows


def tidy(value: Any) -> Any:
    """A value without what cannot be stored or shown; texts cut at a size none needs."""
    if isinstance(value, str):
        return clean(value[:MAX_FIELD_CHARACTERS])
    return value


def _read_text(path: Path) -> str:
    try:
        with open_regular(Path(os.path.realpath(path))) as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"{show_path(path)} cannot be opened.",
            hint="Check that the file is there and that you may read it.",
            details=str(error),
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise InvalidInput(
            f"{show_path(path.name)} is larger than {MAX_FILE_BYTES >> 20} MB.",
            hint="Cut it into smaller files, or take a sample of it.",
        )
    try:
        return clean(decode(data))
    except UnreadableDocument as error:
        raise InvalidInput(f"{show_path(path.name)}: {error.message}") from error


def _parser(text: str, name: str) -> Parser:
    """The parser for a file, by its name and, where that says nothing, by how it begins."""
    from engine.tuning.datasets import conll, delimited, json_lines, json_values

    suffix = os.path.splitext(name.lower())[1]
    by_suffix: dict[str, Parser] = {
        ".csv": delimited.parse,
        ".tsv": delimited.parse,
        ".tab": delimited.parse,
        ".psv": delimited.parse,
        ".jsonl": json_lines.parse,
        ".ndjson": json_lines.parse,
        ".json": json_values.parse,
        ".conll": conll.parse,
        ".iob": conll.parse,
        ".bio": conll.parse,
    }
    parser = by_suffix.get(suffix)
    if parser is None and text.lstrip()[:1] in ("{", "["):
        parser = json_values.parse
    if parser is json_values.parse and _is_lines(text):
        return json_lines.parse
    if parser is json_lines.parse and _is_one_value(text):
        return json_values.parse
    return parser or (conll.parse if conll.looks_like(text) else delimited.parse)


def _is_lines(text: str) -> bool:
    """Whether a text that should be JSON has a record a line: the first two tell."""
    lines = _filled_lines(text)
    return len(lines) == 2 and _is_record(lines[0]) and lines[1].lstrip()[0] in "{["


def _is_one_value(text: str) -> bool:
    """Whether a text that should have a record a line is one list of them."""
    lines = _filled_lines(text)
    return bool(lines) and lines[0].strip() in ("[", "{", "[{") and not _is_record(lines[0])


def _filled_lines(text: str) -> list[str]:
    return [line for line in first_lines(text, _LOOKED_AT_LINES) if line.strip()][:2]


def _is_record(line: str) -> bool:
    from engine.tuning.datasets.json_values import parse_value

    try:
        return isinstance(parse_value(line), dict | list)
    except ValueError:
        return False


def first_lines(text: str, count: int) -> Iterator[str]:
    """The first lines of a text, without splitting all of it."""
    at = 0
    for _ in range(count):
        if at >= len(text):
            return
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield text[at:end]
        at = end + 1
