"""Builds a document's text piece by piece, for formats whose text is not the file itself."""

from __future__ import annotations

from engine.documents.readers.text import clean
from engine.documents.types import Block, BlockKind, Document
from engine.errors import UnreadableDocument

MAX_CHARACTERS = 30_000_000
"""More text than this is no document a person wrote: it is refused, not cut short."""


class DocumentBuilder:
    """Collects blocks; each stands on lines of its own, parted by a blank line."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []

    def add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        """Add a block; one without words is left out.

        Raises:
            UnreadableDocument: the document grew past `MAX_CHARACTERS`.
        """
        text = clean(text).strip("\n")
        if not text.strip():
            return
        start = self._length
        self._parts.append(text + "\n\n")
        self._length += len(text) + 2
        if self._length > MAX_CHARACTERS:
            raise UnreadableDocument("The file holds more text than can be indexed.")
        self._blocks.append(Block(kind, start, start + len(text), level))

    def heading(self) -> str:
        """The first heading so far, for a title."""
        for block in self._blocks:
            if block.kind == "heading":
                return "".join(self._parts)[block.start : block.end].strip()
        return ""

    def document(self, title: str) -> Document:
        """The finished document."""
        text = "".join(self._parts)
        return Document(title=title.strip(), text=text, blocks=self._blocks)
