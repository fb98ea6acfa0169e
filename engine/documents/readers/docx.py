"""Word documents (ECMA-376 WordprocessingML), read from the zip with lxml alone.

python-docx builds the whole tree before the first word; a hostile file would choose its
size. Here parts are checked by the zip directory and read as a stream of events.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.documents.archives import read_part
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.ooxml import core_title, open_package
from engine.documents.types import Document
from engine.documents.xml import Element, iterate
from engine.errors import UnreadableDocument

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT_W = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING_NAME = re.compile(r"^(?:heading|überschrift|titre|título|titolo|kop)\s*(\d)$", re.I)
_TITLE_NAMES = frozenset({"title", "titel", "titre", "título"})


def read_docx(data: bytes, name: str) -> Document:
    """Paragraphs, headings, lists, tables, foot- and endnotes in reading order.

    Raises:
        UnreadableDocument: not a Word document, damaged, or a bomb.
    """
    archive = open_package(data, "a Word document", ".doc", ".docx")
    body = read_part(archive, "word/document.xml")
    if body is None:
        raise UnreadableDocument("This is not a Word document, whatever its name says.")
    levels, titles = _styles(read_part(archive, "word/styles.xml"))
    walk = _Walk(levels, titles)
    walk.read(body)
    for part in ("word/footnotes.xml", "word/endnotes.xml"):
        notes = read_part(archive, part)
        if notes is not None:
            walk.read(notes)
    return walk.builder.document(core_title(archive) or walk.title or walk.builder.heading())


def _styles(data: bytes | None) -> tuple[dict[str, int], set[str]]:
    """Style id → heading level, and the ids of title styles."""
    levels: dict[str, int] = {}
    titles: set[str] = set()
    if data is None:
        return levels, titles
    style = ""
    for event, element in iterate(data):
        tag = _local(element)
        if event == "start" and tag == "style":
            style = _value(element, "styleId")
        elif event == "start" and tag == "outlineLvl" and style:
            level = _value(element, "val")
            if level.isdigit() and int(level) < 9:
                levels[style] = int(level) + 1
        elif event == "start" and tag == "name" and style:
            named = _value(element, "val")
            heading = _HEADING_NAME.match(named)
            if heading:
                levels[style] = int(heading.group(1))
            elif named.lower() in _TITLE_NAMES:
                titles.add(style)
        elif event == "end" and tag == "style":
            element.clear()
            style = ""
    return levels, titles


def _local(element: Element) -> str:
    """The tag without its namespace when it is WordprocessingML, else ""."""
    tag = str(element.tag)
    for space in (_W, _STRICT_W):
        if tag.startswith(space):
            return tag[len(space) :]
    return ""


def _value(element: Element, name: str) -> str:
    return str(element.get(_W + name) or element.get(_STRICT_W + name) or "")


@dataclass
class _Paragraph:
    style: str = ""
    level: int = 0
    listed: bool = False
    words: list[str] = field(default_factory=list[str])


class _Walk:
    """Follows the events of one part and fills the builder."""

    def __init__(self, levels: dict[str, int], titles: set[str]) -> None:
        self.builder = DocumentBuilder()
        self.title = ""
        self._levels = levels
        self._titles = titles
        self._open: list[_Paragraph] = []
        self._tables = 0
        self._rows: list[list[str]] = []
        self._cell: list[str] = []
        self._fallback = 0
        self._listed: list[str] = []

    def read(self, data: bytes) -> None:
        """Read one part to its end."""
        for event, element in iterate(data):
            if element.tag == _FALLBACK:
                # The same content again, drawn for old programs.
                self._fallback += 1 if event == "start" else -1
                continue
            tag = _local(element)
            if event == "start":
                self._start(tag, element)
            else:
                if tag and not self._fallback:
                    self._end(tag, element)
                if tag in ("p", "tbl", "tr", "sectPr"):
                    element.clear(keep_tail=True)
        self._end_list()

    def _start(self, tag: str, element: Element) -> None:
        if self._fallback:
            return
        if tag == "p":
            self._open.append(_Paragraph())
        elif tag == "tbl":
            if self._tables == 0:
                self._end_list()
                self._rows = []
            self._tables += 1
        elif tag == "tr" and self._tables == 1:
            self._rows.append([])
        elif tag == "tc" and self._tables == 1:
            self._cell = []

    def _end(self, tag: str, element: Element) -> None:
        paragraph = self._open[-1] if self._open else None
        if tag == "p" and paragraph is not None:
            self._open.pop()
            self._end_paragraph(paragraph)
        elif tag == "tc" and self._tables == 1 and self._rows:
            self._rows[-1].append(" ".join(self._cell))
        elif tag == "tbl":
            self._tables -= 1
            if self._tables == 0:
                # Nearly every table has a header row, and few say so.
                self.builder.table(self._rows, header=len(self._rows) > 2)
        elif paragraph is not None:
            self._within(tag, element, paragraph)

    def _within(self, tag: str, element: Element, paragraph: _Paragraph) -> None:
        if tag == "t":
            paragraph.words.append(element.text or "")
        elif tag in ("tab", "ptab"):
            paragraph.words.append("\t")
        elif tag in ("br", "cr"):
            paragraph.words.append("\n")
        elif tag == "noBreakHyphen":
            paragraph.words.append("-")
        elif tag == "pStyle":
            paragraph.style = _value(element, "val")
        elif tag == "outlineLvl":
            level = _value(element, "val")
            paragraph.level = int(level) + 1 if level.isdigit() and int(level) < 9 else 0
        elif tag == "numPr":
            paragraph.listed = True

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        text = "".join(paragraph.words)
        if self._tables:
            if text.strip():
                self._cell.append(re.sub(r"\s+", " ", text).strip())
            return
        level = paragraph.level or self._levels.get(paragraph.style, 0)
        if paragraph.style in self._titles:
            self.title = self.title or text.strip()
            level = 1
        if paragraph.listed and not level:
            if text.strip():
                self._listed.append(f"- {text.strip()}")
            return
        self._end_list()
        self.builder.add("heading" if level else "paragraph", text, level)

    def _end_list(self) -> None:
        if self._listed:
            self.builder.add("list", "\n".join(self._listed))
            self._listed = []
