"""The viewer: a place in a document."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.work.api.base import View


class ViewSpec(View):
    """Show the place [start, end) of a file; `page` overrides which page is drawn."""

    library: str
    file_id: int
    start: int
    end: int
    page: int | None = None
    width_px: int = 900


class Box(View):
    """A rectangle in fractions of the page, origin top left."""

    x0: float
    y0: float
    x1: float
    y1: float


class SourceView(View):
    """A place in a document: a page image with boxes, or text with the span marked."""

    kind: Literal["page", "text"]
    path: str
    title: str
    place: str = ""
    changed: bool
    """The file differs from what was indexed; the place may be off."""
    page: int | None = None
    pages: int = 0
    png_base64: str = ""
    boxes: list[Box] = Field(default_factory=list[Box])
    text: str = ""
    """A window of the document's text around the place (at most 20,000 characters)."""
    mark_start: int = 0
    """Offsets of the place inside `text`."""
    mark_end: int = 0
