"""What a reader gives and what the splitter makes of it. Offsets count code points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

READER_VERSION = 2
"""Bumped when extraction or splitting changes; a library remembers it and never mixes."""

BlockKind = Literal["heading", "paragraph", "list", "table", "code"]


@dataclass(frozen=True)
class PageSpan:
    """Page `number` (1-based) is document.text[start:end]; spans are in order.

    A page is any stretch that a person would name to find it: a slide, a sheet, a message, an
    attachment. No passage crosses it. `label` is that name ("Slide 3"), "" where the number
    says it, as for PDF; a page with a label begins a new outline, so that headings before it
    do not count in it. `columns` is a sheet's span of columns ("A:F"): then `label` is the
    sheet's bare name, and places in it read "Budget!A5:F9".
    """

    number: int
    start: int
    end: int
    label: str = ""
    columns: str = ""


Unit = Literal["", "row", "line", "cell", "record"]
"""What a document's anchors number, for a person: "rows 5–9", "lines 120–150"."""


@dataclass(frozen=True)
class Anchor:
    """From `start` to the next anchor (or the page's end) the text is unit `number`.

    Units count from 1; the number 0 says that the text belongs to none.
    """

    start: int
    number: int


@dataclass(frozen=True)
class Block:
    """A run of text that belongs together; `level` is a heading's depth, 1 outermost.

    `header_end` is where a table's header row ends (text[start:header_end]), 0 without one.
    `name` is a heading's words where its own text does not say them ("def parse"); such a
    heading may be empty (start == end), and one without any words ends the section before it.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    header_end: int = 0
    name: str = ""


@dataclass(frozen=True)
class Document:
    """A file's text with its structure. Blocks are in order and do not overlap.

    `anchors` ascend by `start` and number what `unit` names; "" when there are none.
    `unread` are the numbers of pages that only OCR could read and that it has not seen yet.
    """

    title: str
    text: str
    blocks: list[Block] = field(default_factory=list[Block])
    pages: list[PageSpan] = field(default_factory=list[PageSpan])
    anchors: list[Anchor] = field(default_factory=list[Anchor])
    unit: Unit = ""
    unread: tuple[int, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A piece of a document: text == document.text[start:end]."""

    ordinal: int
    start: int
    end: int
    page: int | None
    heading: str
    text: str
    gap: str | None = None
    """The white space between the passage before and this one; None when this one begins a
    section or a page, or the gap is long. Lets a search join neighbours exactly."""
    place: str = ""
    """Where it stands, for a person: "Slide 3", "Budget!A5:F9", "lines 120–150"; "" when the
    page number alone says it."""
    header: str = ""
    """The header row of the table it begins within; read above the text, not part of it."""


@dataclass(frozen=True)
class ReadDocument:
    """What crosses from the reader process: the passages, not the whole text.

    There are none while all its text waits to be read by OCR: see `Document.unread`.
    """

    title: str
    kind: str
    pages: int
    characters: int
    passages: list[Passage]
    unread: list[int] = field(default_factory=list[int])
