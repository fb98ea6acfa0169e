"""What a reader gives and what the splitter makes of it. Offsets count code points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

READER_VERSION = 1
"""Bumped when extraction or splitting changes; a library remembers it and never mixes."""

BlockKind = Literal["heading", "paragraph", "list", "table", "code"]


@dataclass(frozen=True)
class PageSpan:
    """Page `number` (1-based) is document.text[start:end]."""

    number: int
    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """A run of text that belongs together; `level` is a heading's depth, 1 outermost."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True)
class Document:
    """A file's text with its structure. Blocks are in order and do not overlap."""

    title: str
    text: str
    blocks: list[Block] = field(default_factory=list[Block])
    pages: list[PageSpan] = field(default_factory=list[PageSpan])


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


@dataclass(frozen=True)
class ReadDocument:
    """What crosses from the reader process: the passages, not the whole text."""

    title: str
    kind: str
    pages: int
    characters: int
    passages: list[Passage]
