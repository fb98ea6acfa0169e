"""PDF by PDFium: text with pages, which pages are scans, and the boxes of characters."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pypdfium2 as pdfium  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as raw  # pyright: ignore[reportMissingTypeStubs]

from engine.documents.pictures import MIN_PIXELS
from engine.documents.readers.builder import MAX_CHARACTERS
from engine.documents.readers.pdf_text import (
    Line,
    MendedPage,
    RawPage,
    raw_page,
    vocabulary_of,
)
from engine.documents.scans import NOTHING_READ, Scan, page_text
from engine.documents.types import Block, Document, PageSpan
from engine.errors import UnreadableDocument

MAX_PAGES = 20_000
_PAGE_BREAK = "\n\n"
_HEADING_AT_MOST_CHARACTERS = 120
_SCAN_SHARE = 0.1
"""Pictures that cover less of a page than this are no scan of it."""
_OBJECTS_LOOKED_AT = 2_000


@dataclass(frozen=True)
class ReadPdf:
    """A document, and for each page with text of its own the way back to PDFium's count."""

    document: Document
    mended: dict[int, MendedPage] = field(default_factory=dict[int, MendedPage])


def read_pdf(data: bytes, name: str, scan: Scan = NOTHING_READ) -> Document:
    """All pages; larger or bolder short lines become headings.

    A page without usable text that shows a picture takes its text from `scan`; where that
    has not seen it yet it is among `Document.unread`.

    Raises:
        UnreadableDocument: not a PDF, damaged, protected, or without any text.
    """
    return read_pages(data, scan).document


def read_pages(data: bytes, scan: Scan = NOTHING_READ) -> ReadPdf:
    """As `read_pdf`, with what the viewer needs to find a place on its page."""
    if b"%PDF-" not in data[:1024]:
        raise UnreadableDocument("This is not a PDF, whatever its name says.")
    with open_pdf(data) as pdf:
        if len(pdf) > MAX_PAGES:
            raise UnreadableDocument(f"The PDF has more than {MAX_PAGES:,} pages.")
        reading = _Reading(scan)
        for index in range(len(pdf)):
            reading.add_page(pdf, index)
        title = (pdf.get_metadata_dict(skip_empty=True).get("Title") or "").strip()
        document = reading.document(title if _is_title(title) else "")
        return ReadPdf(document, reading.mended)


@contextmanager
def open_pdf(data: bytes) -> Generator[pdfium.PdfDocument]:
    """The document behind `data`.

    Raises:
        UnreadableDocument: PDFium refuses it.
    """
    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "assword" in str(error):
            raise UnreadableDocument("The PDF is protected by a password.") from error
        raise UnreadableDocument("The PDF is damaged.", details=str(error)) from error
    try:
        yield pdf
    finally:
        pdf.close()


def shows_a_picture(page: pdfium.PdfPage) -> bool:
    """True when pictures large enough to hold words cover a good part of the page."""
    width, height = page.get_size()
    area = 0.0
    images = cast(Any, page).get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])
    for number, image in enumerate(images):
        if number >= _OBJECTS_LOOKED_AT:
            break
        try:
            left, bottom, right, top = image.get_bounds()
            wide, high = image.get_px_size()
        except pdfium.PdfiumError:
            continue
        if wide * high >= MIN_PIXELS or number:  # a page can be a mosaic of strips
            area += max(0.0, right - left) * max(0.0, top - bottom)
    return area >= _SCAN_SHARE * max(1.0, width * height)


def _is_title(text: str) -> bool:
    """Programs write file names and "untitled" into the title; those say nothing."""
    low = text.lower()
    return (
        3 <= len(text) <= 300
        and "\ufffd" not in text
        and not low.startswith(("untitled", "microsoft word", "document"))
        and not re.search(r"\.(?:docx?|pdf|tex|indd|dvi|rtf|odt|qxd)$", low)
    )


class _Reading:
    """Collects pages, then makes their text and decides which lines were headings."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._raw: list[RawPage | None] = []
        self._characters = 0
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[PageSpan] = []
        self._blocks: list[Block] = []
        self._unread: list[int] = []
        self.mended: dict[int, MendedPage] = {}

    def add_page(self, pdf: pdfium.PdfDocument, index: int) -> None:
        """Read page `index`; a page PDFium cannot load is empty, the others still count."""
        try:
            page = pdf[index]
        except pdfium.PdfiumError:
            self._raw.append(None)
            return
        found = raw_page(page)
        if not found.usable and (index + 1 in self._scan.pages or shows_a_picture(page)):
            if index + 1 not in self._scan.pages:
                self._unread.append(index + 1)
            found = RawPage("", ()) if index + 1 in self._scan.pages else found
        self._raw.append(found)
        self._characters += len(found.text)
        if self._characters > MAX_CHARACTERS:
            raise UnreadableDocument("The file holds more text than can be indexed.")
        page.close()

    def document(self, title: str) -> Document:
        """The text with its blocks.

        Raises:
            UnreadableDocument: no page holds text, nor a picture still to be read.
        """
        levels = self._levels()
        vocabulary = vocabulary_of(page for page in self._raw if page)
        for number, page in enumerate(self._raw, 1):
            scanned = self._scan.pages.get(number)
            if scanned is not None and page is not None and not page.text:
                found = page_text(scanned)
                self._add(number, found.text)
                base = self._pages[-1].start
                self._blocks += [
                    Block("paragraph", base + start, base + end) for start, end in found.blocks
                ]
                continue
            mended = MendedPage.of(page or RawPage("", ()), vocabulary)
            self._add(number, mended.text)
            self.mended[number] = mended
            base = self._pages[-1].start
            self._blocks.extend(_blocks(mended, base, levels))
        text = "".join(self._parts)
        if not text.strip() and not self._unread:
            raise UnreadableDocument(self._why_empty())
        if not title:
            heads = [text[b.start : b.end] for b in self._blocks if b.kind == "heading"]
            title = heads[0].strip() if heads else ""
        return Document(title, text, self._blocks, self._pages, unread=tuple(self._unread))

    def _why_empty(self) -> str:
        notes = sorted({page.note for page in self._scan.pages.values() if page.note})
        if notes:
            return " ".join(notes)
        return (
            "No text was found on its pages." if self._scan.pages else "The PDF holds no text."
        )

    def _add(self, number: int, text: str) -> None:
        self._pages.append(PageSpan(number, self._length, self._length + len(text)))
        self._parts.append(text + _PAGE_BREAK)
        self._length += len(text) + len(_PAGE_BREAK)

    def _levels(self) -> dict[float, int]:
        """Sizes of type that are larger than the body's, each with its level of heading."""
        sizes: Counter[float] = Counter()
        for page in self._raw:
            for line in page.lines if page else ():
                sizes[line.size] += line.end - line.start
        body = sizes.most_common(1)[0][0] if sizes else 0.0
        larger = sorted({size for size in sizes if size > body * 1.12}, reverse=True)[:4]
        return {size: level for level, size in enumerate(larger, 1)}


def _blocks(page: MendedPage, base: int, levels: dict[float, int]) -> Iterator[Block]:
    """A large short line is a heading; other lines are paragraphs as their places part them."""
    open_lines: list[Line] = []
    for line in page.lines:
        words = page.text[line.start : line.end]
        level = levels.get(line.size, 0)
        heading = (
            level > 0
            and len(words) <= _HEADING_AT_MOST_CHARACTERS
            and any(char.isalpha() for char in words)
        )
        if open_lines and (heading or line.joint == "block"):
            yield Block("paragraph", base + open_lines[0].start, base + open_lines[-1].end)
            open_lines = []
        if heading:
            yield Block("heading", base + line.start, base + line.end, level)
        else:
            open_lines.append(line)
    if open_lines:
        yield Block("paragraph", base + open_lines[0].start, base + open_lines[-1].end)


def boxes(
    page: pdfium.PdfPage, start: int, end: int
) -> list[tuple[float, float, float, float]]:
    """Rectangles (x0, y0, x1, y1) around characters [start, end), one a line.

    In fractions of the page as it is shown, origin top left.
    """
    textpage = page.get_textpage()
    try:
        count = raw.FPDFText_CountRects(textpage.raw, start, max(0, end - start))
        left, top, right, bottom = (ctypes.c_double() for _ in range(4))
        found: list[tuple[float, float, float, float]] = []
        width, height = page.get_size()
        for index in range(count):
            if not raw.FPDFText_GetRect(textpage.raw, index, left, top, right, bottom):
                continue
            corners = [
                _to_page(page, x, y, width, height)
                for x, y in ((left.value, top.value), (right.value, bottom.value))
            ]
            (xa, ya), (xb, yb) = corners
            found.append((min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)))
        return found
    finally:
        textpage.close()


def _to_page(
    page: pdfium.PdfPage, x: float, y: float, width: float, height: float
) -> tuple[float, float]:
    """PDF points to fractions of the shown page, rotation and crop box included."""
    scale = 1000
    device_x, device_y = ctypes.c_int(), ctypes.c_int()
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    raw.FPDF_PageToDevice(page.raw, 0, 0, wide, high, 0, x, y, device_x, device_y)
    fraction_x, fraction_y = device_x.value / wide, device_y.value / high
    return min(1.0, max(0.0, fraction_x)), min(1.0, max(0.0, fraction_y))
