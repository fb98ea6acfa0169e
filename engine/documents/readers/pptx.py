"""PowerPoint presentations (ECMA-376 PresentationML), read from the zip with lxml alone.

Every slide is a page, "Slide 3". python-pptx loads each part of a package as a tree before
the first word, and its parser accepts document types; here the zip's directory is judged
first, and parts are read as streams of events. Charts, SmartArt, speaker notes and comments
stand with the slide that shows them.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field

from engine.documents.archives import read_part
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.charts import read_chart, read_diagram
from engine.documents.readers.ooxml import (
    Relation,
    core_title,
    local,
    open_package,
    relation_id,
    relations,
)
from engine.documents.types import Document
from engine.documents.xml import Element, iterate
from engine.errors import UnreadableDocument

_SLIDE_PART = re.compile(r"ppt/slides/slide(\d+)\.xml")
_TITLES = frozenset({"title", "ctrTitle"})
_NO_LIST = frozenset({"subTitle", "ftr", "dt", "hdr"})
_MAX_LIST_LEVEL = 8


def read_pptx(data: bytes, name: str) -> Document:
    """Slides in order: title, text, tables, charts, diagrams, notes and comments.

    Raises:
        UnreadableDocument: not a presentation, damaged, protected, or a bomb.
    """
    archive = open_package(data, "a PowerPoint presentation", ".ppt", ".pptx")
    slides = _slides(archive)
    if not slides:
        raise UnreadableDocument("The presentation has no slides.")
    builder = DocumentBuilder()
    for number, part in enumerate(slides, 1):
        builder.page(number, f"Slide {number}")
        _add_slide(archive, part, builder)
    return builder.document(core_title(archive) or builder.heading())


def _slides(archive: zipfile.ZipFile) -> list[str]:
    """The slides' parts in the order they are shown."""
    main = next(
        (r.target for r in relations(archive, "") if r.kind == "officeDocument"),
        "ppt/presentation.xml",
    )
    presentation = read_part(archive, main)
    if presentation is None:
        parts = [m for name in archive.namelist() if (m := _SLIDE_PART.fullmatch(name))]
        if not parts:
            raise UnreadableDocument(
                "This is not a PowerPoint presentation, whatever its name says."
            )
        return [m.group() for m in sorted(parts, key=lambda m: int(m.group(1)))]
    targets = {relation.id: relation.target for relation in relations(archive, main)}
    shown = [
        targets.get(relation_id(element, "id"), "")
        for event, element in iterate(presentation)
        if event == "start" and local(element) == "p:sldId"
    ]
    return [part for part in shown if part in archive.NameToInfo]


def _add_slide(archive: zipfile.ZipFile, part: str, builder: DocumentBuilder) -> None:
    slide = _Shapes()
    slide.read(read_part(archive, part) or b"<none/>")
    related = relations(archive, part)
    title = " ".join(" ".join(slide.titles).split())
    if title:
        builder.add("heading", title, 1)
    for item in slide.items:
        if isinstance(item, _Reference):
            _add_graphic(archive, related, item.id, builder)
        elif isinstance(item, _Table):
            builder.table(item.rows, header=item.header and len(item.rows) > 1)
        elif item.listed:
            builder.add("list", "\n".join(_bullets(item.paragraphs)))
        else:
            builder.add("paragraph", "\n".join(text for _, text in item.paragraphs))
    for relation in related:
        if relation.kind == "notesSlide":
            _add_notes(archive, relation.target, builder)
        elif relation.kind == "comments":
            _add_comments(archive, relation.target, builder)


def _bullets(paragraphs: list[tuple[int, str]]) -> list[str]:
    return [f"{'  ' * level}- {text}" for level, text in paragraphs if text.strip()]


def _add_graphic(
    archive: zipfile.ZipFile, related: list[Relation], wanted: str, builder: DocumentBuilder
) -> None:
    """A chart or a diagram; one that is damaged leaves the slide's text standing."""
    relation = next((r for r in related if r.id == wanted), None)
    if relation is None:
        return
    try:
        data = read_part(archive, relation.target)
        if data is not None and relation.kind in ("chart", "chartEx"):
            read_chart(data, builder)
        elif data is not None and relation.kind == "diagramData":
            read_diagram(data, builder)
    except UnreadableDocument:
        return


def _add_notes(archive: zipfile.ZipFile, part: str, builder: DocumentBuilder) -> None:
    notes = _Shapes(only="body")
    try:
        notes.read(read_part(archive, part) or b"<none/>")
    except UnreadableDocument:
        return
    text = "\n".join(
        text for item in notes.items if isinstance(item, _Text) for _, text in item.paragraphs
    ).strip()
    if text:
        builder.add("paragraph", f"Notes: {text}")


def _add_comments(archive: zipfile.ZipFile, part: str, builder: DocumentBuilder) -> None:
    """Comments of both kinds: plain ones hold p:text, threads text bodies."""
    words: list[str] = []
    try:
        for event, element in iterate(read_part(archive, part) or b"<none/>"):
            tag = local(element)
            if event == "end" and tag in ("p:text", "a:t"):
                words.append(element.text or "")
            elif event == "end" and tag in ("p:cm", "p188:cm", "p188:reply"):
                builder.add("paragraph", "Comment: " + "".join(words) if words else "")
                words.clear()
                element.clear()
    except UnreadableDocument:
        return


@dataclass
class _Text:
    """A shape's paragraphs as (level, text)."""

    listed: bool
    paragraphs: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


@dataclass
class _Table:
    header: bool = False
    rows: list[list[str]] = field(default_factory=list[list[str]])


@dataclass
class _Reference:
    """A chart or diagram that another part holds."""

    id: str


class _Shapes:
    """Follows the events of one slide and keeps what its shapes say, in their order.

    Args:
        only: keep placeholders of this type alone (the notes page repeats the slide's).
    """

    def __init__(self, only: str = "") -> None:
        self.titles: list[str] = []
        self.items: list[_Text | _Table | _Reference] = []
        self._only = only
        self._holder: str | None = None
        """Type of the shape's placeholder, None for a shape that is none."""
        self._paragraphs: list[tuple[int, str]] = []
        self._words: list[str] = []
        self._level = 0
        self._table: _Table | None = None
        self._fallback = 0

    def read(self, data: bytes) -> None:
        """Read one part to its end."""
        for event, element in iterate(data):
            tag = local(element)
            if tag == "mc:Fallback":
                # The same content again, drawn for old programs.
                self._fallback += 1 if event == "start" else -1
            elif self._fallback or not tag:
                continue
            elif event == "start":
                self._start(tag, element)
            else:
                self._end(tag, element)

    def _start(self, tag: str, element: Element) -> None:
        if tag in ("p:sp", "p:graphicFrame", "p:cxnSp", "p:pic"):
            self._holder, self._paragraphs = None, []
        elif tag == "p:ph":
            self._holder = str(element.get("type") or "obj")
        elif tag in ("p:txBody", "a:txBody"):
            self._paragraphs = []
        elif tag == "a:p":
            self._words, self._level = [], 0
        elif tag == "a:pPr":
            level = str(element.get("lvl") or "0")
            self._level = min(int(level), _MAX_LIST_LEVEL) if level.isdigit() else 0
        elif tag == "a:tbl":
            self._table = _Table()
        elif tag == "a:tblPr" and self._table is not None:
            self._table.header = element.get("firstRow") in ("1", "true")
        elif tag == "a:tr" and self._table is not None:
            self._table.rows.append([])
        elif tag in ("c:chart", "cx:chart"):
            self.items.append(_Reference(relation_id(element, "id")))
        elif tag == "dgm:relIds":
            self.items.append(_Reference(relation_id(element, "dm")))

    def _end(self, tag: str, element: Element) -> None:
        if tag in ("a:t", "m:t"):
            self._words.append(element.text or "")
        elif tag == "a:br":
            self._words.append("\n")
        elif tag == "a:p":
            self._paragraphs.append((self._level, "".join(self._words).strip()))
            element.clear(keep_tail=True)
        elif tag == "a:tc" and self._table is not None and self._table.rows:
            self._table.rows[-1].append(" ".join(text for _, text in self._paragraphs))
            self._paragraphs = []
        elif tag == "a:tbl" and self._table is not None:
            self.items.append(self._table)
            self._table = None
            element.clear(keep_tail=True)
        elif tag == "p:txBody":
            self._end_shape()
        elif tag == "p:sp":
            element.clear(keep_tail=True)

    def _end_shape(self) -> None:
        paragraphs, self._paragraphs = self._paragraphs, []
        holder = self._holder
        if not any(text for _, text in paragraphs) or holder == "sldNum":
            return
        if self._only:
            if holder == self._only:
                self.items.append(_Text(False, paragraphs))
        elif holder in _TITLES:
            self.titles.extend(text for _, text in paragraphs)
        else:
            listed = holder is not None and holder not in _NO_LIST and len(paragraphs) > 1
            self.items.append(_Text(listed, paragraphs))
