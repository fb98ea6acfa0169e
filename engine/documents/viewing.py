"""A place in a document, for the viewer: the page as a picture, or the text around it."""

from __future__ import annotations

import base64
import io
import os
from typing import Any, cast

from engine.documents.formats import PDF, format_of
from engine.documents.reading import document_of, read_bytes
from engine.documents.types import Document

TEXT_WINDOW_CHARACTERS = 20_000
_MAX_PIXELS = 12_000_000


def view(path: str, start: int, end: int, page: int | None, width_px: int) -> dict[str, Any]:
    """The place [start, end) of the file at `path`, as fields of `api.SourceView`.

    Args:
        path: the file, as `os.fsdecode` made it.
        start, end: offsets in the document's text, as a passage or citation has them.
        page: draw this page (1-based) instead of the one the place is on.
        width_px: width of the page picture.

    Raises:
        UnreadableDocument: the file cannot be read any more.
    """
    data, name = read_bytes(path), os.path.basename(path)
    document = document_of(data, name)
    if format_of(name) is PDF:
        return _page_view(path, data, document, start, end, page, width_px)
    return _text_view(path, document, start, end)


def _text_view(path: str, document: Document, start: int, end: int) -> dict[str, Any]:
    length = len(document.text)
    start, end = min(max(0, start), length), min(max(start, end), length)
    end = min(end, start + TEXT_WINDOW_CHARACTERS)
    around = (TEXT_WINDOW_CHARACTERS - (end - start)) // 2
    first = max(0, start - around)
    last = min(length, first + TEXT_WINDOW_CHARACTERS)
    return {
        "kind": "text",
        "path": _shown(path),
        "title": document.title,
        "text": document.text[first:last],
        "mark_start": start - first,
        "mark_end": end - first,
    }


def _page_view(
    path: str,
    data: bytes,
    document: Document,
    start: int,
    end: int,
    page: int | None,
    width_px: int,
) -> dict[str, Any]:
    from engine.documents.readers.pdf import boxes, open_pdf

    spans = document.pages
    home = next((span for span in spans if span.start <= start < span.end), spans[0])
    number = min(max(1, page or home.number), len(spans))
    span = spans[number - 1]
    first, last = max(start, span.start) - span.start, min(end, span.end) - span.start
    with open_pdf(data) as pdf:
        shown = pdf[number - 1]
        width, height = shown.get_size()
        scale = max(1, min(width_px, 4000)) / max(1.0, width)
        scale = min(scale, (_MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        rendered: Any = cast(Any, shown).render(scale=scale)
        found = boxes(shown, first, last) if last > first else []
        shown.close()
    stream = io.BytesIO()
    rendered.to_pil().convert("RGB").save(stream, "PNG", compress_level=3)
    return {
        "kind": "page",
        "path": _shown(path),
        "title": document.title,
        "page": number,
        "pages": len(spans),
        "png_base64": base64.b64encode(stream.getvalue()).decode("ascii"),
        "boxes": [dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)) for box in found],
    }


def _shown(path: str) -> str:
    from engine.files import show_path

    return show_path(path)
