"""OpenDocument spreadsheets: cells keep the text they show, so that is what is read."""

from __future__ import annotations

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.odf import local, open_document, paragraph, repeated, value
from engine.documents.readers.sheets import Cell, CellCount, Row, Sheet, add_sheet
from engine.documents.types import Document
from engine.documents.xml import Element, iterate

_MOST_COLUMNS = 1 << 14


def read_ods(data: bytes, name: str) -> Document:
    """All tables with their comments and floating text; packed or flat.

    Raises:
        UnreadableDocument: no OpenDocument, damaged, protected, or too large.
    """
    opened = open_document(data, "an OpenDocument spreadsheet")
    walk = _Walk()
    for event, element in iterate(opened.content):
        walk.follow(event, local(element), element)
    builder = DocumentBuilder("row")
    for number, sheet in enumerate(walk.sheets, 1):
        add_sheet(builder, number, sheet)
    return builder.document(opened.title)


class _Walk:
    """Follows the events of the content and collects sheets."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self._count = CellCount()
        self._depth = 0
        self._row = 0
        self._column = 0
        self._cells: list[Cell] = []
        self._words: list[str] = []
        self._note: list[str] | None = None
        self._floating = 0
        self._inside = False

    def follow(self, event: str, tag: str, element: Element) -> None:
        """One event; changes that were undone are not part of the sheet."""
        if tag == "office:spreadsheet":
            self._inside = event == "start"
        elif not self._inside:
            return
        elif event == "start":
            self._start(tag, element)
        else:
            self._end(tag, element)

    def _start(self, tag: str, element: Element) -> None:
        if tag in ("table:table", "table:tracked-changes"):
            self._depth += 1
            if self._depth == 1 and tag == "table:table":
                self.sheets.append(Sheet(value(element, "table:name")))
                self._row = 0
        elif self._depth != 1:
            return
        elif tag == "table:table-row":
            self._column, self._cells = 0, []
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._words = []
        elif tag == "office:annotation":
            self._note = []
        elif tag.startswith("draw:"):
            self._floating += 1

    def _end(self, tag: str, element: Element) -> None:
        if tag in ("table:table", "table:tracked-changes"):
            self._depth -= 1
            element.clear(keep_tail=True)
        elif self._depth != 1:
            return
        elif tag == "text:p":
            self._take(paragraph(element))
        elif tag == "office:annotation":
            text = " ".join(self._note or [])
            if text.strip():
                self.sheets[-1].notes.append(f"Comment in row {self._row + 1}: {text}")
            self._note = None
        elif tag.startswith("draw:"):
            self._floating -= 1
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._end_cell(element)
        elif tag == "table:table-row":
            self._end_row(element)

    def _take(self, text: str) -> None:
        if self._note is not None:
            self._note.append(text)
        elif self._floating:
            if text:
                self.sheets[-1].notes.append(text)
        else:
            self._words.append(text)

    def _end_cell(self, element: Element) -> None:
        times = repeated(element, "table:number-columns-repeated")
        text = " ".join(self._words).strip()
        kind = value(element, "office:value-type")
        if text:
            word = kind in ("", "string")
            last = min(self._column + times, _MOST_COLUMNS)
            self._cells += [Cell(at, text, word) for at in range(self._column, last)]
        self._column += times
        self._words = []
        element.clear(keep_tail=True)

    def _end_row(self, element: Element) -> None:
        times = repeated(element, "table:number-rows-repeated")
        if self._cells:
            self._count.add(len(self._cells) * times)
            rows = self.sheets[-1].rows
            rows += [Row(self._row + n, self._cells) for n in range(1, times + 1)]
        self._row += times
        parent = element.getparent()
        element.clear(keep_tail=True)
        while parent is not None and element.getprevious() is not None:
            del parent[0]
