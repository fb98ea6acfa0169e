"""Tables as text: CSV (RFC 4180) and its relatives with tabs, semicolons and bars.

A row of the document is a record of the file, numbered as a spreadsheet program would show
it: the first is row 1, empty lines count, a quoted cell with line breaks is one row.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from engine.documents.readers.builder import MAX_CHARACTERS, DocumentBuilder
from engine.documents.readers.text import clean, decode
from engine.documents.types import Document
from engine.errors import UnreadableDocument

_DELIMITERS = (",", ";", "\t", "|")
_BY_SUFFIX = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
SAMPLE_CHARACTERS = 100_000
SAMPLE_ROWS = 200
SEPARATOR_LINE = re.compile(r"\Asep=([^\w\s\"]|\t)\n", re.IGNORECASE)
_NONE = "\x1f"
"""Parts nothing: no text has it once it was cleaned."""
_EVEN_AT_LEAST = 0.5
_PREAMBLE_ROWS_MOST = 20
_RUNAWAY_CHARACTERS = 20_000
"""A cell with more text than this and line breaks is a quotation mark nobody closed."""
_NAME_AT_MOST_CHARACTERS = 80
_VALUE = re.compile(r"[-+(]?[\s$€£¥]*\d[\d\s.,:/%()TZe+-]*[$€£¥%]?", re.IGNORECASE)
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def read_delimited(data: bytes, name: str) -> Document:
    """A table with a row a line; ragged rows are kept as they are.

    Raises:
        UnreadableDocument: not text, or more of it than can be indexed.
    """
    text = clean(decode(data))
    if len(text) > MAX_CHARACTERS:
        raise UnreadableDocument("The table holds more text than can be indexed.")
    skipped = 0
    named = SEPARATOR_LINE.match(text)
    if named:
        text, skipped = text[named.end() :], 1
    delimiter = named.group(1) if named else find_delimiter(text[:SAMPLE_CHARACTERS], name)
    quoted = not runs_away(text, delimiter)
    sample = _sampled(text[:SAMPLE_CHARACTERS], delimiter)
    before = _preamble(sample)
    rows = parse_rows(text, delimiter, quoted)
    numbers = range(skipped + 1, skipped + text.count("\n") + 2)
    builder = DocumentBuilder("row")
    builder.table(islice(rows, before), numbers=numbers)
    builder.table(rows, header=has_header(sample[before:]), numbers=numbers[before:])
    return builder.document("")


def parse_rows(text: str, delimiter: str, quoted: bool = True) -> Iterator[list[str]]:
    """The records of a text; `line_num` of what it gives counts its lines."""
    csv.field_size_limit(MAX_CHARACTERS + 1)
    lines = (line.group() for line in _LINE.finditer(text))
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    return csv.reader(lines, delimiter=delimiter, quoting=quoting)


def find_delimiter(sample: str, name: str) -> str:
    """The character that cuts the sample's rows into the most even columns."""
    suffix = "." + name.lower().rpartition(".")[2]
    best, best_score = _NONE, 0.0
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in _sampled(sample, delimiter) if row]
        counts = Counter(width for width in widths if width > 1)
        if not counts:
            continue
        width, rows = counts.most_common(1)[0]
        if counts.total() < len(widths) * _EVEN_AT_LEAST:
            continue
        # Even columns first; among those as even, more of them; then the suffix's own.
        score = rows / len(widths) + min(width, 50) / 1000
        score += 0.2 if delimiter == _BY_SUFFIX.get(suffix) else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _sampled(sample: str, delimiter: str) -> list[list[str]]:
    """The first rows; the empty ones are among them, the last one may be cut short."""
    return list(islice(parse_rows(sample, delimiter), SAMPLE_ROWS))


def runs_away(text: str, delimiter: str) -> bool:
    """Whether a quotation mark that is never closed swallows rows."""
    return any(
        len(cell) > _RUNAWAY_CHARACTERS and "\n" in cell
        for row in parse_rows(text, delimiter)
        for cell in row
    )


def _preamble(rows: list[list[str]]) -> int:
    """How many rows stand before the table: a title, the date of a report, empty lines."""
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0
    usual = widths.most_common(1)[0][0]
    first = next((at for at, row in enumerate(rows) if len(row) >= usual), 0)
    return first if first <= _PREAMBLE_ROWS_MOST else 0


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: short, distinct words, no values."""
    if len(rows) < 2:
        return False
    names = [cell.strip() for cell in rows[0]]
    filled = [name for name in names if name]
    values = [name for name in filled if _VALUE.fullmatch(name)]
    if not filled or len(values) == len(filled) or len({*filled}) < len(filled):
        return False
    if max(map(len, filled)) > _NAME_AT_MOST_CHARACTERS:
        return False
    again = any(
        name and name == cell.strip()
        for row in rows[1:]
        for name, cell in zip(names, row, strict=False)
    )
    return not again and all(map(_YEAR.fullmatch, values))
