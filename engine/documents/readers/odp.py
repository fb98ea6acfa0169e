"""OpenDocument presentations: every slide a page, "Slide 3"."""

from __future__ import annotations

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.odf import local, open_document, paragraph, repeated, value
from engine.documents.types import Document
from engine.documents.xml import Element, iterate

_MOST_REPEATED = 64
_MOST_LEVELS = 8
_FRAMES = frozenset({"draw:frame", "draw:text-box", "draw:custom-shape", "draw:page"})


def read_odp(data: bytes, name: str) -> Document:
    """Slides in order: title, text, lists, tables, notes and comments; packed or flat.

    Raises:
        UnreadableDocument: no OpenDocument, damaged, protected, or a bomb.
    """
    opened = open_document(data, "an OpenDocument presentation")
    walk = _Walk()
    for event, element in iterate(opened.content):
        walk.follow(event, local(element), element)
    return walk.builder.document(opened.title or walk.builder.heading())


class _Walk:
    """Follows the events of the content; a slide is written when it ends."""

    def __init__(self) -> None:
        self.builder = DocumentBuilder()
        self._inside = False
        self._slide = 0
        self._titles: list[str] = []
        self._blocks: list[tuple[str, list[str]] | list[list[str]]] = []
        """Text as (kind, lines), tables as rows."""
        self._lines: list[str] = []
        self._notes: list[str] = []
        self._comment: list[str] | None = None
        self._comments: list[str] = []
        self._in_title = self._in_notes = 0
        self._lists = self._listed = 0
        self._rows: list[list[str]] | None = None
        self._cell: list[str] = []

    def follow(self, event: str, tag: str, element: Element) -> None:
        """One event of the content; master pages stand outside of the presentation."""
        if tag == "office:presentation":
            self._inside = event == "start"
        elif not self._inside:
            return
        elif event == "start":
            self._start(tag, element)
        else:
            self._end(tag, element)

    def _start(self, tag: str, element: Element) -> None:
        if tag == "draw:page":
            self._slide += 1
        elif tag == "presentation:notes":
            self._in_notes += 1
        elif tag == "office:annotation":
            self._comment = []
        elif tag == "draw:frame":
            self._end_text()
            if value(element, "presentation:class") == "title":
                self._in_title += 1
        elif tag == "text:list":
            self._lists += 1
        elif tag == "table:table":
            self._rows = []
        elif tag == "table:table-row" and self._rows is not None:
            self._rows.append([])

    def _end(self, tag: str, element: Element) -> None:
        if tag in ("text:p", "text:h"):
            self._take(paragraph(element))
            element.clear(keep_tail=True)
        elif tag == "text:list":
            self._lists -= 1
        elif tag == "table:table-cell" and self._rows:
            times = min(repeated(element, "table:number-columns-repeated"), _MOST_REPEATED)
            self._rows[-1] += [" ".join(self._cell)] * times
            self._cell = []
        elif tag == "table:table" and self._rows is not None:
            self._blocks.append(self._rows)
            self._rows = None
        elif tag == "presentation:notes":
            self._in_notes -= 1
        elif tag == "office:annotation":
            self._comments.append(" ".join(self._comment or []))
            self._comment = None
        elif tag in _FRAMES:
            self._end_text()
            if tag == "draw:frame" and value(element, "presentation:class") == "title":
                self._in_title -= 1
            if tag == "draw:page":
                self._end_slide()
                element.clear(keep_tail=True)

    def _take(self, text: str) -> None:
        """A paragraph, where it stands."""
        if not text:
            return
        if self._comment is not None:
            self._comment.append(text)
        elif self._in_notes:
            self._notes.append(text)
        elif self._rows is not None:
            self._cell.append(text)
        elif self._in_title:
            self._titles.append(text)
        elif self._lists:
            self._lines.append("  " * min(self._lists - 1, _MOST_LEVELS) + f"- {text}")
            self._listed += 1
        else:
            self._lines.append(text)

    def _end_text(self) -> None:
        if self._lines:
            self._blocks.append(("list" if self._listed else "paragraph", self._lines))
        self._lines, self._listed = [], 0

    def _end_slide(self) -> None:
        self.builder.page(self._slide, f"Slide {self._slide}")
        self.builder.add("heading", " ".join(" ".join(self._titles).split()), 1)
        for block in self._blocks:
            if isinstance(block, tuple):
                kind, lines = block
                self.builder.add("list" if kind == "list" else "paragraph", "\n".join(lines))
            else:
                self.builder.table(block, header=len(block) > 2)
        for comment in self._comments:
            self.builder.add("paragraph", f"Comment: {comment}" if comment else "")
        notes = "\n".join(self._notes)
        self.builder.add("paragraph", f"Notes: {notes}" if notes else "")
        self._titles, self._blocks, self._notes, self._comments = [], [], [], []
