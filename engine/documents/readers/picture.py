"""Pictures: their text is what OCR found on their frames."""

from __future__ import annotations

from engine.documents.pictures import frame_count, open_picture
from engine.documents.scans import NOTHING_READ, Scan, page_text
from engine.documents.types import Block, Document, PageSpan
from engine.errors import UnreadableDocument

NO_TEXT = "No text was found in this picture."
_PAGE_BREAK = "\n\n"


def read_picture(data: bytes, name: str, scan: Scan = NOTHING_READ) -> Document:
    """The text of all frames, a page each, as far as `scan` has them.

    `Document.unread` are the frames OCR has still to look at.

    Raises:
        UnreadableDocument: no picture, an icon, too large, or all frames were read and hold
            no text.
    """
    with open_picture(data) as image:
        frames = frame_count(image)
    parts: list[str] = []
    length = 0
    pages: list[PageSpan] = []
    blocks: list[Block] = []
    unread: list[int] = []
    for number in range(1, frames + 1):
        page = scan.pages.get(number)
        if page is None:
            unread.append(number)
            pages.append(PageSpan(number, length, length))
            continue
        found = page_text(page)
        blocks += [
            Block("paragraph", length + start, length + end) for start, end in found.blocks
        ]
        pages.append(PageSpan(number, length, length + len(found.text)))
        parts.append(found.text + _PAGE_BREAK)
        length += len(found.text) + len(_PAGE_BREAK)
    if not unread and not blocks:
        notes = {page.note for page in scan.pages.values() if page.note}
        raise UnreadableDocument(" ".join(sorted(notes)) or NO_TEXT)
    return Document("", "".join(parts), blocks, pages, unread=tuple(unread))
