"""JSON (RFC 8259) as a flat stream of events: any depth, any length, no recursion.

It is lenient where files in the wild are: comments, commas too many, NaN and Infinity,
several values in a row, the same key twice. Numbers keep the digits they were written with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import decoder
from typing import Literal, cast

EventKind = Literal["{", "}", "[", "]", "key", "text", "plain", "numbers"]
Event = tuple[EventKind, str]
"""One step through a value.

"key" and "text" carry a string, "plain" a number, true, false or null as written, and
"numbers" the source of a long array that holds nothing but numbers.
"""


class JsonError(ValueError):
    """The text stops being JSON."""


_COMMENT = r"//[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*\*/"
_GAP = re.compile(rf"(?:[\s,]+|{_COMMENT})*")
_KEY = re.compile(r'"([^"\\]*)"\s*:\s*')
_COLON = re.compile(rf"(?:\s+|{_COMMENT})*:(?:\s+|{_COMMENT})*")
_PLAIN = re.compile(
    r"[-+]?(?:\d[\d.eE+-]*|\.\d[\deE+-]*|Infinity)|NaN|true|false|null|undefined"
)
_NUMBERS = re.compile(r"\[[\d\s.,eE+\-\[\]]{500,}")
_BRACKET = re.compile(r"[\[\]]")
# (text, start, strict) → (string, end); the module is typed without it.
_scanstring = cast(
    Callable[[str, int, bool], tuple[str, int]],
    getattr(decoder, "scanstring"),  # noqa: B009
)


def events(text: str) -> Iterator[Event]:
    """The events of all values in `text`, one after the other.

    Raises:
        JsonError: the text is no JSON from here on, or ends within a value.
    """
    # One long loop: with a call or two a token, a large file would not be done in time.
    open_: list[str] = []
    at = tried = 0
    while True:
        at = _after_gap(text, at)
        char = text[at : at + 1]
        if not char:
            break
        if char in "}]":
            if not open_ or (open_.pop() == "{") != (char == "}"):
                raise JsonError(f"an unexpected {char} at {at}")
            at += 1
            yield ("}", "") if char == "}" else ("]", "")
            continue
        if open_ and open_[-1] == "{":
            key, at = _key(text, at)
            yield "key", key
            char = text[at : at + 1]
        if char == '"':
            value, at = _string(text, at)
            yield "text", value
        elif char == "{":
            open_.append("{")
            at += 1
            yield "{", ""
        elif char == "[":
            numbers, tried = _numbers(text, at, tried)
            at += len(numbers) or 1
            if numbers:
                yield "numbers", numbers
            else:
                open_.append("[")
                yield "[", ""
        else:
            plain = _PLAIN.match(text, at)
            if plain is None:
                raise JsonError(f"no value at {at}")
            at = plain.end()
            yield "plain", plain.group()
    if open_:
        raise JsonError("the text ends within a value")


def _after_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _key(text: str, at: int) -> tuple[str, int]:
    """The key at `at`, and where its value begins."""
    plain = _KEY.match(text, at)
    if plain is not None and text[plain.end() : plain.end() + 1] != "/":
        return plain.group(1), plain.end()
    if text[at : at + 1] != '"':
        raise JsonError(f"no key at {at}")
    key, end = _string(text, at)
    colon = _COLON.match(text, end)
    if colon is None:
        raise JsonError(f"no value at {end}")
    return key, colon.end()


def _string(text: str, at: int) -> tuple[str, int]:
    try:
        return _scanstring(text, at + 1, False)
    except decoder.JSONDecodeError as error:
        raise JsonError(str(error)) from error


def _numbers(text: str, at: int, tried: int) -> tuple[str, int]:
    """The long array of nothing but numbers, of any shape, that begins at `at`; "" if none.

    The second value says how far no other such array begins: looking is then in vain.
    """
    run = _NUMBERS.match(text, at) if at >= tried else None
    if run is None:
        return "", tried
    depth = 0
    for bracket in _BRACKET.finditer(text, at, run.end()):
        depth += 1 if bracket.group() == "[" else -1
        if depth == 0:
            return text[at : bracket.end()], tried
    return "", run.end()
