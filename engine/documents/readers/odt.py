"""OpenDocument texts: headings, paragraphs, lists, tables, notes and comments."""

from __future__ import annotations

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.odf import local, open_document, paragraph, repeated, value
from engine.documents.types import Document
from engine.documents.xml import Element, iterate

_MOST_REPEATED = 64
_MOST_LEVELS = 10


def read_odt(data: bytes, name: str) -> Document:
    """The text in reading order, then foot- and endnotes, then comments; packed or flat.

    Raises:
        UnreadableDocument: no OpenDocument, damaged, protected, or a bomb.
    """
    opened = open_document(data, "an OpenDocument text")
    walk = _Walk()
    for event, element in iterate(opened.content):
        walk.follow(event, local(element), element)
    return walk.document(opened.title)


class _Walk:
    """Follows the events of the content and fills the builder."""

    def __init__(self) -> None:
        self._builder = DocumentBuilder()
        self._title = ""
        self._titles = {"Title"}
        """Styles of the title; automatic styles are named after their parent."""
        self._inside = False
        self._tables = 0
        self._lists = 0
        self._rows: list[list[str]] = []
        self._cell: list[str] = []
        self._listed: list[str] = []
        self._item_open = False
        self._deleted = 0
        self._aside: list[list[str]] = []
        self._notes: list[str] = []
        self._comments: list[str] = []

    def document(self, title: str) -> Document:
        """The finished document."""
        self._end_list()
        for note in self._notes:
            self._builder.add("paragraph", note)
        for comment in self._comments:
            self._builder.add("paragraph", f"Comment: {comment}")
        return self._builder.document(title or self._title or self._builder.heading())

    def follow(self, event: str, tag: str, element: Element) -> None:
        """One event of the content."""
        if tag == "office:text":
            self._inside = event == "start"
        elif tag == "style:style" and event == "start":
            if value(element, "style:parent-style-name") == "Title":
                self._titles.add(value(element, "style:name"))
        elif not self._inside:
            return
        elif tag == "text:tracked-changes":
            self._deleted += 1 if event == "start" else -1
        elif event == "start":
            self._start(tag)
        else:
            self._end(tag, element)

    def _start(self, tag: str) -> None:
        if tag in ("text:note", "office:annotation", "text:footnote", "text:endnote"):
            self._aside.append([])
        elif tag in ("text:list", "text:ordered-list", "text:unordered-list"):
            self._lists += 1
        elif tag == "text:list-item":
            self._item_open = True
        elif tag == "table:table":
            if not self._tables:
                self._end_list()
                self._rows = []
            self._tables += 1
        elif self._tables == 1 and tag == "table:table-row":
            self._rows.append([])
        elif self._tables == 1 and tag == "table:table-cell":
            self._cell = []

    def _end(self, tag: str, element: Element) -> None:
        if tag in ("text:p", "text:h"):
            text = paragraph(element)
            if text and not self._deleted:
                self._take(tag, text, element)
            element.clear(keep_tail=True)
        elif tag in ("text:note", "office:annotation", "text:footnote", "text:endnote"):
            text = " ".join(self._aside.pop()) if self._aside else ""
            if text:
                (self._comments if tag == "office:annotation" else self._notes).append(text)
        elif tag in ("text:list", "text:ordered-list", "text:unordered-list"):
            self._lists -= 1
            if not self._lists and not self._tables:
                self._end_list()
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            if self._tables == 1 and self._rows:
                times = repeated(element, "table:number-columns-repeated")
                self._rows[-1] += [" ".join(self._cell)] * min(times, _MOST_REPEATED)
                self._cell = []
        elif tag == "table:table":
            self._tables -= 1
            if not self._tables:
                # Nearly every table has a header row, and few say so.
                self._builder.table(self._rows, header=len(self._rows) > 2)
            element.clear(keep_tail=True)

    def _take(self, tag: str, text: str, element: Element) -> None:
        """A paragraph, where it stands."""
        if self._aside:
            self._aside[-1].append(text)
        elif self._tables:
            self._cell.append(text)
        elif tag == "text:h":
            self._end_list()
            level = repeated(element, "text:outline-level") or 1
            self._builder.add("heading", text, min(level, _MOST_LEVELS))
        elif self._lists:
            indent = "  " * min(self._lists - 1, _MOST_LEVELS)
            mark = "- " if self._item_open else "  "
            self._item_open = False
            self._listed.append(f"{indent}{mark}{text}")
        elif value(element, "text:style-name") in self._titles:
            self._title = self._title or text
            self._builder.add("heading", text, 1)
        else:
            self._builder.add("paragraph", text)

    def _end_list(self) -> None:
        if self._listed:
            self._builder.add("list", "\n".join(self._listed))
            self._listed = []
