"""Markdown: its structure from markdown-it-py, its text exactly as it stands in the file."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from engine.documents.readers.text import clean, decode, paragraphs
from engine.documents.types import Block, BlockKind, Document

_PARSER = MarkdownIt("commonmark", {"maxNesting": 20}).enable("table")
# Only blocks matter here; what stands inside a line stays as it is written.
_PARSER.core.ruler.disable(["inline", "text_join"])
_PARSE_AT_MOST_CHARACTERS = 5_000_000
"""Beyond this a file is data, not a written page, and is read as plain text."""
_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_KINDS: dict[str, BlockKind] = {
    "paragraph_open": "paragraph",
    "blockquote_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "html_block": "paragraph",
    "heading_open": "heading",
}


def read_markdown(data: bytes, name: str) -> Document:
    """The source text with headings, lists, tables and code as blocks.

    Raises:
        UnreadableDocument: the bytes are not text.
    """
    text = clean(decode(data))
    if len(text) > _PARSE_AT_MOST_CHARACTERS:
        return Document(title="", text=text, blocks=paragraphs(text))
    front = _FRONT_MATTER.match(text)
    body_start = front.end() if front else 0
    blocks = paragraphs(text, 0, body_start) + _blocks(text, body_start)
    named = _FRONT_TITLE.search(front.group()) if front else None
    title = named.group(1) if named else _first_heading(text, blocks)
    return Document(title=title, text=text, blocks=blocks)


def heading_text(source: str) -> str:
    """A heading's words without its marks: "## Dose ##" is "Dose"."""
    line = source.strip().split("\n")[0]
    return re.sub(r"\s+#+\s*$", "", re.sub(r"^#{1,6}\s*", "", line)).strip(" *_`")


def _first_heading(text: str, blocks: list[Block]) -> str:
    for block in blocks:
        if block.kind == "heading":
            return heading_text(text[block.start : block.end])
    return ""


def _blocks(text: str, body_start: int) -> list[Block]:
    body = text[body_start:]
    starts = [body_start]
    for line in body.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    blocks: list[Block] = []
    covered = body_start
    for token in _PARSER.parse(body):
        block = _block(token, starts, len(text))
        if block is None or block.start < covered:
            continue
        # Link definitions and the like make no token; they are text all the same.
        blocks += paragraphs(text, covered, block.start)
        blocks.append(block)
        covered = block.end
    return blocks + paragraphs(text, covered, len(text))


def _block(token: Token, starts: list[int], length: int) -> Block | None:
    kind = _KINDS.get(token.type)
    if kind is None or token.level != 0 or token.map is None:
        return None
    first, last = token.map
    level = int(token.tag[1:]) if kind == "heading" else 0
    end = min(starts[min(last, len(starts) - 1)], length)
    header_end = starts[first + 1] - 1 if kind == "table" and first + 1 < last else 0
    return Block(kind, starts[first], end, level, header_end)
