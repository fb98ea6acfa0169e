"""What is stored of a document that was read: rows of the tables, a line of the ledger."""

from __future__ import annotations

import os

from engine.files import show_path
from engine.library.reading import Candidate, Fresh
from engine.library.rows import PassageRow
from engine.store.ledger import PASSAGES_PER_CONTENT, ReadContent

_CONTEXT_CHARS = 120
"""About the 32 tokens the splitter leaves for it; the innermost heading says most."""


def context_of(title: str, heading: str) -> str:
    """What stands above a passage when it is embedded: title and headings, shortened."""
    parts = [part for part in (title.strip(), heading.strip()) if part]
    if len(parts) == 2 and parts[1].startswith(parts[0]):
        parts = parts[1:]
    context = " › ".join(" ".join(part.split()) for part in parts)
    if len(context) <= _CONTEXT_CHARS:
        return context
    return f"{context[: _CONTEXT_CHARS // 3]}…{context[-2 * _CONTEXT_CHARS // 3 :]}"


def title_of(item: Fresh) -> str:
    """The document's own title, or the file's name without its suffix."""
    own = item.document.title.strip() if item.document else ""
    return own or os.path.splitext(os.path.basename(show_path(item.path)))[0]


def passage_rows(content_id: int, item: Fresh) -> list[PassageRow]:
    """A document's passages as rows of the tables; none when it could not be read."""
    if item.document is None:
        return []
    title = title_of(item)
    return [
        PassageRow(
            passage_id=content_id * PASSAGES_PER_CONTENT + ordinal,
            context=context_of(title, passage.heading),
            text=passage.text,
            heading=passage.heading,
            start=passage.start,
            end=passage.end,
            page=passage.page,
            gap=passage.gap,
            place=passage.place,
            header=passage.header,
        )
        for ordinal, passage in enumerate(item.document.passages[:PASSAGES_PER_CONTENT])
    ]


def read_content(content_id: int, item: Fresh, files: list[Candidate]) -> ReadContent:
    """What the ledger notes of a content and of the `files` that have it."""
    document = item.document
    return ReadContent(
        content_id=content_id,
        files=tuple(candidate.seen for candidate in files),
        reason=item.reason,
        title=title_of(item),
        kind=document.kind if document else "",
        pages=document.pages if document else 0,
        passages=min(len(document.passages), PASSAGES_PER_CONTENT) if document else 0,
        scan_pages=item.scan_pages,
        scan_due=item.scan_due,
    )
