"""JSON as rows: a list of records, or an object whose parts are lists of them.

Records are objects or lists of columns. An object of lists may be parts of a dataset ("train",
"test"), columns side by side, or labels with their texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from engine.tuning.datasets.names import is_known
from engine.tuning.datasets.rows import MAX_COLUMNS, RawRow, Rows, tidy
from engine.tuning.datasets.squad import is_article, questions_of

_GAP = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()
_KEY_AT_MOST_CHARACTERS = 200


def parse(text: str, name: str) -> Rows:
    """The records of a JSON file; what comes after damage is left out and said."""
    found = Rows("json")
    parts: dict[str, list[tuple[int, Any]]] = {}
    whole: dict[str, Any] = {}
    try:
        for part, line, value, alone in _elements(text):
            if alone:
                whole[part] = value
            else:
                parts.setdefault(part, []).append((line, value))
    except JsonDamage as damage:
        found.add_broken(damage.line, f"The JSON ends here: {damage}.")
    if list(parts) == ["data"]:  # {"version": …, "data": […]}
        parts = {"": parts["data"]}
    if whole and not any(
        isinstance(value, dict) for rows in parts.values() for _, value in rows
    ):
        lists = {key: [value for _, value in rows] for key, rows in parts.items()}
        add_value(found, 1, whole | lists)
        return found
    if set(parts) - {""} and all(
        isinstance(value, str | int | float) for rows in parts.values() for _, value in rows
    ):
        _add_lists(found, parts)
        return found
    for part, rows in parts.items():
        for line, value in rows:
            add_value(found, line, value, part)
    return found


def parse_value(text: str) -> Any:
    """One JSON value.

    Raises:
        ValueError: it is none, or nests too deep to be one that anybody wrote.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def add_value(found: Rows, line: int, value: Any, part: str = "") -> None:
    """Keep a record that is an object or a list of columns; note anything else as broken."""
    if is_article(value):
        for question in questions_of(value):
            add_value(found, line, question, part)
        return
    if isinstance(value, dict):
        record = cast("dict[str, Any]", value)
        fields = {tidy(key): tidy(one) for key, one in list(record.items())[:MAX_COLUMNS]}
    elif isinstance(value, list):
        cells = cast("list[Any]", value)[:MAX_COLUMNS]
        fields = {f"column {n}": tidy(cell) for n, cell in enumerate(cells, 1)}
    else:
        found.add_broken(line, "This is a single value, not a record.")
        return
    if not fields:
        found.add_broken(line, "This record is empty.")
        return
    found.add(RawRow(line, fields, tidy(part)))


class JsonDamage(ValueError):
    """The text is no JSON from some line on."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def _elements(text: str) -> Iterator[tuple[str, int, Any, bool]]:
    """(part, line, value, whether it stands alone) of the records of a file.

    Raises:
        JsonDamage: the text is no JSON from there on.
    """
    lines = _Lines(text)
    at = _skip(text, 0)
    if text[at : at + 1] == "[":
        at += 1
        for line, value, end in _items(text, at, lines):
            at = end
            yield "", line, value, False
        _check_end(text, _skip(text, at) + 1, lines)
        return
    if text[at : at + 1] != "{":
        raise JsonDamage("there is no list and no object", lines.of(at))
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, end = _value(text, at, lines)
        if not isinstance(key, str) or len(key) > _KEY_AT_MOST_CHARACTERS:
            raise JsonDamage("there is no key", lines.of(at))
        at = _skip(text, end)
        if text[at : at + 1] != ":":
            raise JsonDamage("there is no value", lines.of(at))
        at = _skip(text, at + 1)
        if text[at : at + 1] == "[":
            at += 1
            for line, value, end in _items(text, at, lines):
                at = end
                yield key, line, value, False
            at = _skip(text, at) + 1
        else:
            line = lines.of(at)
            value, at = _value(text, at, lines)
            yield key, line, value, True
        at = _skip(text, at)
    _check_end(text, at + 1, lines)


def _check_end(text: str, at: int, lines: _Lines) -> None:
    rest = _skip(text, at)
    if rest < len(text):
        raise JsonDamage("something comes after it", lines.of(rest))


def _items(text: str, at: int, lines: _Lines) -> Iterator[tuple[int, Any, int]]:
    """The items of the list whose first one begins at `at`, and where each of them ends."""
    at = _skip(text, at)
    while text[at : at + 1] != "]":
        line = lines.of(at)
        value, end = _value(text, at, lines)
        yield line, value, end
        at = _skip(text, end)


def _value(text: str, at: int, lines: _Lines) -> tuple[Any, int]:
    if at >= len(text):
        raise JsonDamage("the text ends within a value", lines.of(at))
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise JsonDamage(error.msg, lines.of(error.pos)) from error
    except (RecursionError, ValueError) as error:
        raise JsonDamage("a value that nests too deep or is too long", lines.of(at)) from error


def _skip(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


class _Lines:
    """Line numbers of rising positions, each line counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def of(self, position: int) -> int:
        """The line a position stands on, from 1."""
        if position < self._at:
            return self._text.count("\n", 0, position) + 1
        self._line += self._text.count("\n", self._at, position)
        self._at = position
        return self._line


def _add_lists(found: Rows, parts: dict[str, list[tuple[int, Any]]]) -> None:
    """Lists of plain values: columns side by side, or the texts of each label."""
    sizes = {len(rows) for rows in parts.values()}
    if len(sizes) == 1 and any(map(is_known, parts)):
        for cells in zip(*parts.values(), strict=True):
            fields = {key: value for key, (_, value) in zip(parts, cells, strict=True)}
            add_value(found, cells[0][0], fields)
        return
    for label, rows in parts.items():
        for line, value in rows:
            add_value(found, line, {"text": str(value), "label": label})
