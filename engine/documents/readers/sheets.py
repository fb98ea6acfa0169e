"""Sheets of a spreadsheet into a document: a page a sheet, a line a row, cells as seen.

A row of words, years or days after which rows of other things follow is taken for the header
of the table below it, and a single cell standing alone before a table for its title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from engine.documents.readers.builder import DocumentBuilder
from engine.errors import UnreadableDocument

MAX_CELLS = 2_000_000
"""Filled cells of a workbook; more than this is a data set, not a document."""
_NO_NAME = re.compile(r"(?:sheet|tabelle|feuil|hoja|foglio|blad|ark|planilha|лист)\s?\d*", re.I)
_YEAR_OR_DAY = re.compile(r"(?:19|20)\d\d(?:-\d\d-\d\d)?")
_HEADER_SHARE = 0.5
"""Part of the filled columns that a header row names at least."""


class Cell(NamedTuple):
    """A filled cell: its column from 0, its text as a person sees it, whether it is a word."""

    column: int
    text: str
    word: bool


class Row(NamedTuple):
    """A row with its number, 1-based; only filled cells, from left to right."""

    number: int
    cells: list[Cell]


@dataclass
class Sheet:
    """A sheet's name, its filled rows from the top, and text that floats over the cells."""

    name: str
    rows: list[Row] = field(default_factory=list[Row])
    notes: list[str] = field(default_factory=list[str])


class CellCount:
    """Counts a workbook's cells while they are read."""

    def __init__(self) -> None:
        self._cells = 0

    def add(self, cells: int) -> None:
        """Count more filled cells.

        Raises:
            UnreadableDocument: there are more than `MAX_CELLS`.
        """
        self._cells += cells
        if self._cells > MAX_CELLS:
            raise UnreadableDocument(
                f"The spreadsheet has more than {MAX_CELLS:,} filled cells: it is a data set, "
                "not a document."
            )


def column_name(column: int) -> str:
    """0 → "A", 26 → "AA"."""
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


def column_number(name: str) -> int:
    """The column of a cell: "A5" → 0, "AA" → 26; -1 where no letter leads."""
    number = 0
    for char in name[:4]:
        if not "A" <= char <= "Z":
            break
        number = number * 26 + ord(char) - 64
    return number - 1


def add_sheet(builder: DocumentBuilder, number: int, sheet: Sheet) -> None:
    """Add a sheet as page `number`; one without cells and notes leaves an empty page.

    Raises:
        UnreadableDocument: the document grew past what can be indexed.
    """
    used = sorted({cell.column for row in sheet.rows for cell in row.cells})
    columns = f"{column_name(used[0])}:{column_name(used[-1])}" if used else ""
    builder.page(number, sheet.name, columns)
    if (used or sheet.notes) and not _NO_NAME.fullmatch(sheet.name.strip()):
        builder.add("heading", sheet.name, 1)
    # Columns that no row fills would only part the others.
    at = {column: place for place, column in enumerate(used)}
    for table in _tables(sheet.rows, len(used)):
        if len(table) == 1 and len(table[0].cells) == 1:
            builder.anchor(table[0].number)
            builder.add("paragraph", table[0].cells[0].text)
            continue
        builder.table(
            (_line(row, at) for row in table),
            header=_is_header(table, 0, len(used)),
            numbers=[row.number for row in table],
        )
    for note in sheet.notes:
        builder.add("paragraph", note)


def _line(row: Row, at: dict[int, int]) -> list[str]:
    line = [""] * (at[row.cells[-1].column] + 1)
    for cell in row.cells:
        line[at[cell.column]] = cell.text
    return line


def _tables(rows: Sequence[Row], columns: int) -> list[list[Row]]:
    """Rows in runs with one header each; a run of one single cell is a title."""
    cuts = {0, len(rows)}
    for at, row in enumerate(rows):
        after_gap = at == 0 or rows[at - 1].number < row.number - 1
        title = at == 0 or after_gap or at in cuts
        if title and len(row.cells) == 1 and columns > 1:
            cuts |= {at, at + 1}
        elif after_gap and _is_header(rows, at, columns):
            cuts.add(at)
    return [list(rows[start:end]) for start, end in pairwise(sorted(cuts))]


def _is_header(rows: Sequence[Row], at: int, columns: int) -> bool:
    """Whether row `at` names the columns of the rows below it."""
    if at + 1 >= len(rows):
        return False
    cells = rows[at].cells
    below = {cell.column for row in rows[at + 1 : at + 20] for cell in row.cells}
    if len(cells) < 2 or len(cells) < _HEADER_SHARE * min(columns, len(below)):
        return False
    kinds = {cell.column: _kind(cell) for cell in cells}
    if set(kinds.values()) == {"word"}:
        return True
    # Years and days name columns too, unless the row below has them in the same place.
    following = {cell.column: _kind(cell) for cell in rows[at + 1].cells}
    return "number" not in kinds.values() and any(
        following.get(column) == "number" for column, kind in kinds.items() if kind == "time"
    )


def _kind(cell: Cell) -> str:
    if cell.word:
        return "word"
    return "time" if _YEAR_OR_DAY.fullmatch(cell.text) else "number"
