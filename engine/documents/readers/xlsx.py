"""Excel workbooks (ECMA-376 SpreadsheetML), read from the zip with lxml alone.

Every sheet is a page with its rows numbered. Cells read as on the screen: the stored value
with the decimals, percent sign or currency of its format, dates as 2024-03-05. calamine,
which reads the binary formats, lays a sheet out as a full grid: one stray cell in the last
row and column ends the process. Here a sheet costs what it holds.
"""

from __future__ import annotations

import zipfile

from engine.documents.archives import read_part
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.numbers import CellFormat, format_of_code, shown
from engine.documents.readers.ooxml import core_title, local, relation_id, relations
from engine.documents.readers.sheets import (
    Cell,
    CellCount,
    Row,
    Sheet,
    add_sheet,
    column_number,
)
from engine.documents.types import Document
from engine.documents.xml import Element, iterate
from engine.errors import UnreadableDocument

_MOST_COLUMNS = 1 << 14
_ROWS = (
    "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}row",
    "{http://purl.oclc.org/ooxml/spreadsheetml/main}row",
)


def read_xlsx(archive: zipfile.ZipFile) -> Document:
    """All worksheets in order, hidden ones too, with their comments and text boxes.

    Raises:
        UnreadableDocument: no workbook, damaged, or more cells than can be indexed.
    """
    main = next(
        (r.target for r in relations(archive, "") if r.kind == "officeDocument"),
        "xl/workbook.xml",
    )
    workbook = read_part(archive, main)
    if workbook is None:
        raise UnreadableDocument("This is not an Excel workbook, whatever its name says.")
    related = {relation.id: relation for relation in relations(archive, main)}
    by_kind = {relation.kind: relation.target for relation in related.values()}
    listed, from_1904 = _sheets(workbook)
    reading = _Reading(
        _strings(read_part(archive, by_kind.get("sharedStrings", ""))),
        _formats(read_part(archive, by_kind.get("styles", ""))),
        from_1904,
    )
    builder = DocumentBuilder("row")
    number = 0
    for name, identity in listed:
        relation = related.get(identity)
        if relation is None or relation.kind != "worksheet":
            continue  # a sheet that is a chart shows cells of another
        sheet = Sheet(name, reading.rows(read_part(archive, relation.target)))
        sheet.notes = _notes(archive, relation.target)
        number += 1
        add_sheet(builder, number, sheet)
    return builder.document(core_title(archive))


def _sheets(workbook: bytes) -> tuple[list[tuple[str, str]], bool]:
    """(name, relation id) of each sheet, and whether dates count from 1904."""
    listed: list[tuple[str, str]] = []
    from_1904 = False
    for event, element in iterate(workbook):
        if event != "start":
            continue
        tag = local(element)
        if tag == "s:sheet":
            listed.append((str(element.get("name") or ""), relation_id(element, "id")))
        elif tag == "s:workbookPr":
            from_1904 = element.get("date1904") in ("1", "true")
    return listed, from_1904


def _strings(data: bytes | None) -> list[str]:
    """The shared strings; the reading aids of Japanese text are left out."""
    strings: list[str] = []
    words: list[str] = []
    aside = 0
    for event, element in iterate(data or b"<none/>"):
        tag = local(element)
        if tag == "s:rPh":
            aside += 1 if event == "start" else -1
        elif event == "end" and tag == "s:t" and not aside:
            words.append(element.text or "")
        elif event == "end" and tag == "s:si":
            strings.append("".join(words))
            words.clear()
            _forget(element)
    return strings


def _formats(data: bytes | None) -> list[CellFormat]:
    """The number format of each cell style."""
    codes: dict[int, str] = {}
    formats: list[CellFormat] = []
    cells = False
    for event, element in iterate(data or b"<none/>"):
        tag = local(element)
        if tag == "s:cellXfs":
            cells = event == "start"
        elif event == "start" and tag in ("s:numFmt", "s:xf"):
            number = _integer(element.get("numFmtId"))
            if tag == "s:numFmt":
                codes[number] = str(element.get("formatCode") or "")
            elif cells:
                formats.append(format_of_code(number, codes.get(number)))
    return formats


def _notes(archive: zipfile.ZipFile, part: str) -> list[str]:
    """Comments on cells, then text boxes; a damaged one does not cost the sheet."""
    notes: list[str] = []
    for relation in relations(archive, part):
        tags = {"comments": ("s:t", "s:comment"), "drawing": ("a:t", "a:p")}.get(relation.kind)
        if tags is None:
            continue
        words: list[str] = []
        try:
            for event, element in iterate(read_part(archive, relation.target) or b"<none/>"):
                tag = local(element)
                if event == "end" and tag == tags[0]:
                    words.append(element.text or "")
                elif event == "end" and tag == tags[1]:
                    text = "".join(words).strip()
                    where = str(element.get("ref") or "")
                    if text:
                        notes.append(f"Comment on {where}: {text}" if where else text)
                    words.clear()
        except UnreadableDocument:
            continue
    return notes


class _Reading:
    """What the sheets of one workbook share, and how many cells they have had."""

    def __init__(self, strings: list[str], formats: list[CellFormat], from_1904: bool) -> None:
        self._strings = strings
        self._formats = formats
        self._from_1904 = from_1904
        self._count = CellCount()

    def rows(self, data: bytes | None) -> list[Row]:
        """The filled rows of a worksheet part."""
        rows: list[Row] = []
        number = 0
        for _, row in iterate(data or b"<none/>", _ROWS):
            number = _integer(row.get("r")) or number + 1
            cells: list[Cell] = []
            column = -1
            for element in row:
                column = self._column(element, column)
                text, word = self._text(element)
                if text.strip() and column < _MOST_COLUMNS:
                    cells.append(Cell(column, text, word))
            self._count.add(len(cells))
            if cells:
                cells.sort()
                rows.append(Row(number, cells))
            _forget(row)
        rows.sort(key=lambda row: row.number)
        return rows

    @staticmethod
    def _column(element: Element, last: int) -> int:
        found = column_number(str(element.get("r") or ""))
        return found if found >= 0 else last + 1

    def _text(self, element: Element) -> tuple[str, bool]:
        """A cell as seen, and whether it is a word."""
        kind = str(element.get("t") or "n")
        value = formula = ""
        for child in element:
            tag = local(child)
            if tag == "s:v":
                value = child.text or ""
            elif tag == "s:f":
                formula = child.text or ""
            elif tag == "s:is":
                return _inline(child), True
        if kind == "s":
            index = _integer(value) if value else -1
            return (self._strings[index] if 0 <= index < len(self._strings) else ""), True
        if not value:
            # Written by a program that did not compute it: the formula says at least what.
            return (f"={formula}" if formula else ""), False
        if kind == "b":
            return ("TRUE" if value == "1" else "FALSE"), False
        if kind != "n":
            return value, kind == "str"
        style = _integer(element.get("s"))
        form = self._formats[style] if style < len(self._formats) else CellFormat()
        return shown(value, form, self._from_1904), False


def _inline(element: Element) -> str:
    """The words of a string that stands in its cell."""
    found = (child for child in element.iter() if local(child) == "s:t")
    return "".join(t.text or "" for t in found if local(t.getparent()) != "s:rPh")


def _forget(element: Element) -> None:
    """Free an element and those before it, so that a million rows cost as much as one."""
    element.clear(keep_tail=True)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _integer(text: object) -> int:
    """A number of at most nine digits, else 0."""
    digits = str(text or "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
