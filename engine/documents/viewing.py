"""A place in a document, for the viewer: the page as a picture, or the text around it."""

from __future__ import annotations

import base64
import io
import os
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.documents.formats import PDF, PICTURE, format_of
from engine.documents.places import PlaceFinder
from engine.documents.reading import document_of, read_bytes
from engine.documents.scans import Rectangle, Scan, ScanPage, load_scan
from engine.documents.scans import boxes as scan_boxes
from engine.documents.types import Document, PageSpan
from engine.files import show_path

if TYPE_CHECKING:
    from PIL.Image import Image

    from engine.documents.readers.pdf_text import MendedPage

TEXT_WINDOW_CHARACTERS = 20_000
_MAX_PIXELS = 12_000_000
_MAX_WIDTH_PX = 4_000
_KEPT_BYTES = 150 << 20
_KEPT_DOCUMENTS = 8
_BYTES_PER_CHARACTER = 8


@dataclass(frozen=True)
class _Kept:
    """A document as it was extracted, with the bytes it was extracted from."""

    data: bytes
    document: Document
    scan: Scan
    mended: dict[int, MendedPage] = field(default_factory=dict[int, "MendedPage"])

    @property
    def cost_bytes(self) -> int:
        """About the memory it takes."""
        return len(self.data) + _BYTES_PER_CHARACTER * len(self.document.text)


class Viewer:
    """Shows places in documents, and keeps the last few documents extracted.

    A second click into a document draws one page and extracts nothing. One that changed on
    the disk, or of which OCR has read more, is extracted anew.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()
        self.extractions = 0

    def view(
        self,
        path: str,
        start: int,
        end: int,
        page: int | None,
        width_px: int,
        scan: Path | None = None,
    ) -> dict[str, Any]:
        """The place [start, end) of the file at `path`, as fields of `api.SourceView`.

        Args:
            path: the file, as `os.fsdecode` made it.
            start, end: offsets in the document's text, as a passage or citation has them.
            page: draw this page (1-based) instead of the one the place is on.
            width_px: width of the page picture.
            scan: where what OCR found on its pages is kept.

        Raises:
            UnreadableDocument: the file cannot be read any more.
        """
        kept = self._document(path, scan)
        if format_of(os.path.basename(path)) in (PDF, PICTURE):
            return _page_view(path, kept, start, end, page, width_px)
        return _text_view(path, kept.document, start, end)

    def _document(self, path: str, scan: Path | None) -> _Kept:
        key = (path, _stamp(path), _stamp(scan))
        found = self._kept.get(key)
        if found is None:
            for stale in [known for known in self._kept if known[0] == path]:
                del self._kept[stale]
            found = _extracted(path, load_scan(scan))
            self.extractions += 1
            self._kept[key] = found
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and (
            len(self._kept) > _KEPT_DOCUMENTS
            or sum(kept.cost_bytes for kept in self._kept.values()) > _KEPT_BYTES
        ):
            self._kept.popitem(last=False)
        return found


def _stamp(path: str | Path | None) -> tuple[int, ...]:
    """What changes when a file does."""
    try:
        about = os.lstat(path) if path is not None else None
    except OSError:
        about = None
    return (about.st_ino, about.st_size, about.st_mtime_ns) if about is not None else ()


def _extracted(path: str, scan: Scan) -> _Kept:
    data, name = read_bytes(path), os.path.basename(path)
    if format_of(name) is PDF:
        from engine.documents.readers.pdf import read_pages

        read = read_pages(data, scan)
        return _Kept(data, read.document, scan, read.mended)
    document = document_of(data, name, scan)
    # The text says all there is to show of other formats.
    return _Kept(data if format_of(name) is PICTURE else b"", document, scan)


def _text_view(path: str, document: Document, start: int, end: int) -> dict[str, Any]:
    length = len(document.text)
    start, end = min(max(0, start), length), min(max(start, end), length)
    end = min(end, start + TEXT_WINDOW_CHARACTERS)
    around = (TEXT_WINDOW_CHARACTERS - (end - start)) // 2
    first = max(0, start - around)
    last = min(length, first + TEXT_WINDOW_CHARACTERS)
    return {
        "kind": "text",
        "path": show_path(path),
        "title": document.title,
        "place": PlaceFinder(document).place_of(start, end),
        "text": document.text[first:last],
        "mark_start": start - first,
        "mark_end": end - first,
    }


def _page_view(
    path: str, kept: _Kept, start: int, end: int, page: int | None, width_px: int
) -> dict[str, Any]:
    spans = kept.document.pages
    home = next((span for span in spans if span.start <= start < span.end), spans[0])
    number = min(max(1, page or home.number), len(spans))
    span = spans[number - 1]
    first, last = max(start, span.start) - span.start, min(end, span.end) - span.start
    image, found = _drawn(path, kept, span, first, last, min(max(1, width_px), _MAX_WIDTH_PX))
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=3)
    return {
        "kind": "page",
        "path": show_path(path),
        "title": kept.document.title,
        "place": PlaceFinder(kept.document).place_of(span.start + first, span.start + last)
        if last > first
        else "",
        "page": number,
        "pages": len(spans),
        "png_base64": base64.b64encode(stream.getvalue()).decode("ascii"),
        "boxes": [dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)) for box in found],
    }


def _drawn(
    path: str, kept: _Kept, span: PageSpan, first: int, last: int, width_px: int
) -> tuple[Image, list[Rectangle]]:
    """A page's picture, and boxes around [first, last) of its text.

    A page that OCR found on its side is shown upright.
    """
    from engine.documents.page_images import draw, frame

    scanned = kept.scan.pages.get(span.number, ScanPage())
    found = scan_boxes(scanned, first, last)
    if format_of(os.path.basename(path)) is PICTURE:
        return upright(frame(kept.data, span.number, width_px), scanned.turns), found
    from engine.documents.readers.pdf import boxes, open_pdf

    with open_pdf(kept.data) as pdf:
        page = pdf[span.number - 1]
        image = draw(page, width_px / max(1.0, page.get_width()), _MAX_PIXELS)
        mended = kept.mended.get(span.number)
        if mended is not None and mended.text:
            found = boxes(page, *mended.indices(first, last)) if last > first else []
        else:
            image = upright(image, scanned.turns)
        page.close()
    return image, found


def upright(image: Image, turns: int) -> Image:
    """The picture after so many quarter turns counter-clockwise."""
    return image.rotate(90 * turns, expand=True) if turns else image
