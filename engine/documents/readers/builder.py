"""Builds a document's text piece by piece, for formats whose text is not the file itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.documents.readers.text import clean
from engine.documents.types import Anchor, Block, BlockKind, Document, PageSpan, Unit
from engine.errors import UnreadableDocument

MAX_CHARACTERS = 30_000_000
"""More text than this is no document a person wrote: it is refused, not cut short."""
CELL_SEPARATOR = " | "
_MAX_LABEL_CHARACTERS = 120


class DocumentBuilder:
    """Collects blocks; each stands on lines of its own, parted by a blank line.

    Args:
        unit: what `anchor` and the row numbers of `table` count.
    """

    def __init__(self, unit: Unit = "") -> None:
        self._unit: Unit = unit
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[PageSpan] = []
        self._anchors: list[Anchor] = []

    def page(self, number: int, label: str = "", columns: str = "") -> None:
        """Begin a page; it ends where the next one begins.

        Args:
            number: 1-based.
            label: a person's name for it ("Slide 3"), a sheet's bare name with `columns`.
            columns: a sheet's span of columns ("A:F").
        """
        self._end_page()
        self._pages.append(PageSpan(number, self._length, self._length, _label(label), columns))

    def anchor(self, number: int) -> None:
        """What is added next is unit `number` (a line, a cell, a record)."""
        if self._anchors and self._anchors[-1].start == self._length:
            self._anchors.pop()
        self._anchors.append(Anchor(self._length, number))

    def add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        """Add a block; one without words is left out.

        Raises:
            UnreadableDocument: the document grew past `MAX_CHARACTERS`.
        """
        text = clean(text).strip("\n")
        if text.strip():
            self._append(kind, text, level)

    def name(self, words: str, level: int = 1) -> None:
        """Name what follows, without adding text; "" ends the section of that level."""
        self._blocks.append(
            Block("heading", self._length, self._length, level, name=_label(words))
        )

    def append(self, document: Document) -> None:
        """Add another document's text and blocks where this one stands, without its places.

        Raises:
            UnreadableDocument: the document grew past `MAX_CHARACTERS`.
        """
        base = self._length
        self._append_text(document.text)
        for block in document.blocks:
            header_end = base + block.header_end if block.header_end else 0
            start, end = base + block.start, base + block.end
            self._blocks.append(replace(block, start=start, end=end, header_end=header_end))

    def include(self, document: Document, label: str) -> None:
        """Add another document's text, as pages called `label` and its own places in it.

        Its pages are numbered on from those here. Its anchors are kept unless those here
        count something else.

        Raises:
            UnreadableDocument: the document grew past `MAX_CHARACTERS`.
        """
        self._end_page()
        base, number = self._length, self._pages[-1].number if self._pages else 0
        self.append(document)
        for page in document.pages or [PageSpan(1, 0, len(document.text))]:
            number += 1
            start, end = base + page.start, base + page.end
            words = f"{label}, {place}" if (place := _place(page, document)) else label
            self._pages.append(PageSpan(number, start, end, _label(words)))
        if document.anchors and not self._anchors:
            self._unit = document.unit
        if self._unit == document.unit:
            moved = (Anchor(base + anchor.start, anchor.number) for anchor in document.anchors)
            self._anchors.extend(moved)

    def table(
        self,
        rows: Iterable[Sequence[str]],
        header: bool = False,
        numbers: Sequence[int] | None = None,
    ) -> None:
        """Add a table, a row a line, its cells parted by " | "; empty rows are left out.

        Args:
            rows: the cells of each row.
            header: the first row that is not empty names the columns.
            numbers: an anchor for each of `rows`.

        Raises:
            UnreadableDocument: the document grew past `MAX_CHARACTERS`.
        """
        lines: list[str] = []
        length = header_end = 0
        for index, row in enumerate(rows):
            cells = [" ".join(clean(cell).split()) for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if not cells:
                continue
            line = CELL_SEPARATOR.join(cells).strip()
            if numbers is not None:
                self._anchors.append(Anchor(self._length + length, numbers[index]))
            if header and not lines:
                header_end = self._length + len(line)
            lines.append(line)
            length += len(line) + 1
            self._check(length)
        if lines:
            self._append("table", "\n".join(lines), header_end=header_end)

    @property
    def empty(self) -> bool:
        """Whether no text was added yet."""
        return self._length == 0

    def heading(self) -> str:
        """The first heading so far, for a title."""
        for block in self._blocks:
            if block.kind == "heading":
                return "".join(self._parts)[block.start : block.end].strip()
        return ""

    def document(self, title: str) -> Document:
        """The finished document."""
        self._end_page()
        return Document(
            title=title.strip(),
            text="".join(self._parts),
            blocks=self._blocks,
            pages=self._pages,
            anchors=self._anchors,
            unit=self._unit if self._anchors else "",
        )

    def _append(self, kind: BlockKind, text: str, level: int = 0, header_end: int = 0) -> None:
        start = self._length
        self._append_text(text)
        self._blocks.append(Block(kind, start, start + len(text), level, header_end))

    def _append_text(self, text: str) -> None:
        self._check(len(text) + 2)
        self._parts.append(text + "\n\n")
        self._length += len(text) + 2

    def _check(self, more: int) -> None:
        if self._length + more > MAX_CHARACTERS:
            raise UnreadableDocument("The file holds more text than can be indexed.")

    def _end_page(self) -> None:
        if self._pages:
            last = self._pages[-1]
            self._pages[-1] = PageSpan(
                last.number, last.start, self._length, last.label, last.columns
            )


def _label(words: str) -> str:
    return " ".join(clean(words).split())[:_MAX_LABEL_CHARACTERS]


def _place(page: PageSpan, document: Document) -> str:
    """A page's name within an included document."""
    if page.columns:
        return f"Sheet {page.label}"
    return page.label or (f"page {page.number}" if document.pages else "")
