"""JSON and JSON Lines as text: "path: value" a line, so that each line says what it is about.

The elements of the outermost array are records with anchors; so are the lines of JSON Lines
(https://jsonlines.org) and several values in one file.
"""

from __future__ import annotations

import re

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.json_events import EventKind, JsonError, events
from engine.documents.readers.text import clean, decode, read_text
from engine.documents.types import Document

_NUMBERS_SHOWN = 16
"""Of a list of numbers the first ones show what it is; all of them are data, not text."""
_ROWS_OF_NUMBERS_SHOWN = 20
_PATH_ENDS = 4
_KEY_AT_MOST_CHARACTERS = 100
_LIST_ON_ONE_LINE_CHARACTERS = 300
_SHORTENED_CHARACTERS = 2000
_NUMBER = re.compile(r"[-+]?[\d.][\d.eE+-]*")


def read_json(data: bytes, name: str) -> Document:
    """A value as lines of text; what is no JSON after all is read as JSON Lines or as text.

    Raises:
        UnreadableDocument: not text, or more of it than can be indexed.
    """
    text = clean(decode(data))
    try:
        return _values(text)
    except JsonError:
        first = next((line for line in text.split("\n") if line.strip()), "")
        if first.lstrip().startswith(("{", "[")) and _is_json(first):
            return _lines(text)
        return read_text(data, name)


def read_json_lines(data: bytes, name: str) -> Document:
    """A record a line; a line that is no JSON is kept as the text it is.

    Raises:
        UnreadableDocument: not text, or more of it than can be indexed.
    """
    return _lines(clean(decode(data)))


def _values(text: str, several: bool = False) -> Document:
    """The one value of a text, or all of them, each a record."""
    builder = DocumentBuilder("record")
    writer = _Writer(builder)
    number = depth = 0
    for kind, value in events(text):
        if depth == 0:
            number += 1
            if several:
                writer.begin_record(number)
            elif number > 1:
                return _values(text, several=True)
        depth += (kind in ("{", "[")) - (kind in ("}", "]"))
        writer.take(kind, value)
    writer.write()
    return builder.document(writer.title)


def _is_json(line: str) -> bool:
    try:
        return any(True for _ in list(events(line)))
    except JsonError:
        return False


def _lines(text: str) -> Document:
    builder = DocumentBuilder("record")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        writer = _Writer(builder)
        writer.begin_record(number)
        try:
            for kind, value in events(line):
                writer.take(kind, value)
            writer.write()
        except JsonError:
            builder.add("paragraph", line)
    return builder.document("")


class _Frame:
    """An open object or array."""

    def __init__(self, array: bool, home: _Frame | None) -> None:
        self.array = array
        self.place = ""
        """The key or the index of what is being read in it."""
        self.count = 0
        self.home = home or self
        """The array that collects the scalars of the arrays right within it."""
        self.scalars: list[str] = []
        self.texts = False
        self.numbers = 0


class _Writer:
    """Turns events into lines and lines into blocks; a record is written when it is whole."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self.title = ""
        self._builder = builder
        self._frames: list[_Frame] = []
        self._lines: list[str] = []
        self._record: int | None = None
        """How many frames lie around a record; None outside of records."""
        self._rows_of_numbers = 0

    def begin_record(self, number: int) -> None:
        """What comes next is record `number`."""
        self.write()
        self._record = len(self._frames)
        self._builder.anchor(number)

    def write(self) -> None:
        """Add the lines so far as a block."""
        self._builder.add("list", "\n".join(self._lines))
        self._lines = []

    def take(self, kind: EventKind, value: str) -> None:
        """Take the next event."""
        frame = self._frames[-1] if self._frames else None
        if kind in ("}", "]"):
            self._close()
            return
        if kind == "key" and frame is not None:
            frame.place = value[:_KEY_AT_MOST_CHARACTERS]
            return
        if frame is not None and frame.array:
            frame.count += 1
            frame.place = f"[{frame.count - 1}]"
            self._begin_element(frame, kind)
        if kind in ("{", "["):
            self._open(frame, kind == "[")
        else:
            self._scalar(frame, kind, value)

    def _begin_element(self, frame: _Frame, kind: EventKind) -> None:
        """Objects and arrays in the outermost array are records; so are texts in the file's."""
        depth = len(self._frames)
        outermost = kind in ("{", "[") or (kind == "text" and depth == 1)
        if self._record is None and outermost:
            self._list(frame, self._frames[:-1])
            self.write()
            self._builder.name(self._path(self._frames[:-1]))
            self._record = depth
        if self._record == depth:
            self.begin_record(frame.count)

    def _open(self, parent: _Frame | None, array: bool) -> None:
        within = array and parent is not None and parent.array
        home = parent.home if within and parent and len(self._frames) != self._record else None
        self._frames.append(_Frame(array, home))

    def _close(self) -> None:
        frame = self._frames.pop()
        depth = len(self._frames)
        if frame.array:
            self._list(frame, self._frames)
        if self._record == depth + 1:
            self._end_records()
        elif self._record is None and depth <= 1:
            self.write()

    def _end_records(self) -> None:
        hidden = self._rows_of_numbers - _ROWS_OF_NUMBERS_SHOWN
        if hidden > 0:
            self._lines.append(f"… ({hidden} more rows of numbers)")
        self.write()
        self._rows_of_numbers = 0
        self._record = None
        self._builder.name("")
        self._builder.anchor(0)

    def _scalar(self, frame: _Frame | None, kind: EventKind, value: str) -> None:
        if frame is None or not frame.array:
            path = self._path(self._frames)
            if kind == "numbers":
                value = _shortened(value)
            if path == "title" and len(self._frames) == 1 and kind == "text":
                self.title = self.title or value
            self._lines.append(f"{path}: {value}" if path else value)
            return
        home = frame.home
        if kind == "text":
            home.texts = True
            if len(self._frames) == self._record:
                self._lines.append(value)
            else:
                home.scalars.append(value)
        elif kind == "numbers":
            home.scalars.append(_shortened(value))
        else:
            home.numbers += 1
            if home.numbers <= _NUMBERS_SHOWN:
                home.scalars.append(value)

    def _list(self, frame: _Frame, around: list[_Frame]) -> None:
        """A line of the scalars of an array, of numbers only the first."""
        hidden, items = frame.numbers - _NUMBERS_SHOWN, frame.scalars
        if not items:
            return
        path = self._path(around)
        if not path and not frame.texts:
            self._rows_of_numbers += 1
            if self._rows_of_numbers > _ROWS_OF_NUMBERS_SHOWN:
                return
        frame.scalars, frame.numbers = [], 0
        if hidden > 0:
            items.append(f"… ({hidden} more numbers)")
        long = sum(map(len, items)) > _LIST_ON_ONE_LINE_CHARACTERS
        listed = "".join(f"\n- {item}" for item in items) if long else ", ".join(items)
        self._lines.append(f"{path}: {listed}" if path else listed.lstrip("\n"))

    def _path(self, frames: list[_Frame]) -> str:
        """Where `frames` lead, from the record on; the middle of a long way is left out."""
        start = self._record or 0
        steps = [frame.place for frame in frames[start : start + _PATH_ENDS]]
        if len(steps) < 2:
            return "".join(steps)
        rest = max(start + _PATH_ENDS, len(frames) - _PATH_ENDS)
        if rest > start + _PATH_ENDS:
            steps.append("…")
        steps += [frame.place for frame in frames[rest:]]
        return ".".join(steps).replace(".[", "[")


def _shortened(numbers: str) -> str:
    """The first numbers of an array's source, and how many more there are."""
    first = _NUMBER.findall(numbers[:_SHORTENED_CHARACTERS])[:_NUMBERS_SHOWN]
    more = len(re.sub(r"\][\s,]*\[", ",", numbers).split(",")) - len(first)
    return ", ".join(first) + (f", … ({more} more numbers)" if more > 0 else "")
