"""CSV, TSV and their relatives as rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from engine.documents.readers.delimited import (
    SAMPLE_CHARACTERS,
    SEPARATOR_LINE,
    find_delimiter,
    has_header,
    parse_rows,
    runs_away,
)
from engine.tuning.datasets.names import is_known
from engine.tuning.datasets.rows import MAX_COLUMNS, MAX_FIELD_CHARACTERS, RawRow, Rows, tidy

_SAMPLE_RECORDS = 50


def parse(text: str, name: str) -> Rows:
    """The records of a table; the first one names the columns when it looks like names."""
    skipped = 0
    named = SEPARATOR_LINE.match(text)
    if named:
        text, skipped = text[named.end() :], 1
    delimiter = named.group(1) if named else find_delimiter(text[:SAMPLE_CHARACTERS], name)
    quoted = not runs_away(text, delimiter)
    found = Rows("tsv" if delimiter == "\t" else "csv")
    records = _records(text, delimiter, quoted, found, skipped)
    sample = [record for _, record in zip(range(_SAMPLE_RECORDS), records, strict=False)]
    if not sample:
        return found
    header = _header([cells for _, cells in sample])
    names = header or [f"column {n}" for n in range(1, len(sample[0][1]) + 1)]
    for line, cells in sample[1 if header else 0 :]:
        _add(found, line, cells, names)
    for line, cells in records:
        _add(found, line, cells, names)
    return found


def _records(
    text: str, delimiter: str, quoted: bool, found: Rows, skipped: int
) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not empty, with the number of its first line."""
    reader = parse_rows(text, delimiter, quoted)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            found.add_broken(line + skipped, f"This row cannot be read: {error}.")
            cells = []
        if any(cell.strip() for cell in cells):
            yield line + skipped, cells
        line = _line_number(reader) + 1


def _line_number(reader: Iterator[list[str]]) -> int:
    return int(getattr(reader, "line_num", 0))


def _header(sample: list[list[str]]) -> list[str]:
    """The column names of the first record, made unique; empty when it is an example."""
    first = [cell.strip() for cell in sample[0]]
    known = sum(map(is_known, first))
    if not (has_header(sample) if known == 0 else known * 3 >= len(first) or known >= 2):
        return []
    names: dict[str, None] = {}
    for n, name in enumerate(first[:MAX_COLUMNS], 1):
        unique = name or f"column {n}"
        while unique in names:
            unique += " again"
        names[unique] = None
    return list(names)


def _add(found: Rows, line: int, cells: list[str], names: list[str]) -> None:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        found.add_broken(
            line, f"It has {len(cells)} cells; the table has {len(names)} columns."
        )
        return
    if len(cells) < len(names) and len(cells) == 1 and len(names) > 1:
        found.add_broken(line, f"It has one cell; the table has {len(names)} columns.")
        return
    if max(map(len, cells)) > MAX_FIELD_CHARACTERS:
        found.add_broken(line, f"A cell has more than {MAX_FIELD_CHARACTERS:,} characters.")
        return
    fields = {key: tidy(cell) for key, cell in zip(names, cells, strict=False)}
    found.add(RawRow(line, fields))
