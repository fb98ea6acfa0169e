"""PDF by PDFium: text with pages, and the boxes of its characters.

The text of a page is PDFium's own sequence of characters, one code point for one
character index, so that a place in the text is a place on the page.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pypdfium2 as pdfium  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as raw  # pyright: ignore[reportMissingTypeStubs]

from engine.documents.readers.builder import MAX_CHARACTERS
from engine.documents.types import Block, Document, PageSpan
from engine.errors import UnreadableDocument

MAX_PAGES = 20_000
_PAGE_BREAK = "\n\n"
_SPACES = {0x0D: " ", 0x0A: "\n", 0x09: " ", 0xA0: " ", 0x02: "-", 0xAD: "-", 0xFFFE: "-"}
"""PDFium says 2 or FFFE for a hyphen at a line's end and CR LF for the end of a line."""
_LINE = re.compile(r"[^\n]+")
_HEADING_AT_MOST_CHARACTERS = 120


def read_pdf(data: bytes, name: str) -> Document:
    """All pages; larger or bolder short lines become headings.

    Raises:
        UnreadableDocument: not a PDF, damaged, protected, or without any text.
    """
    if b"%PDF-" not in data[:1024]:
        raise UnreadableDocument("This is not a PDF, whatever its name says.")
    with open_pdf(data) as pdf:
        if len(pdf) > MAX_PAGES:
            raise UnreadableDocument(f"The PDF has more than {MAX_PAGES:,} pages.")
        reading = _Reading()
        for index in range(len(pdf)):
            reading.add_page(pdf, index)
        title = (pdf.get_metadata_dict(skip_empty=True).get("Title") or "").strip()
        return reading.document(title if _is_title(title) else "")


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


def page_text(textpage: pdfium.PdfTextPage) -> str:
    """A page's characters; index i of the text is PDFium's character i."""
    count = textpage.count_chars()
    handle = textpage.raw
    unicode_at = raw.FPDFText_GetUnicode
    return "".join(_character(unicode_at(handle, index)) for index in range(count))


def _character(code: int) -> str:
    mapped = _SPACES.get(code)
    if mapped is not None:
        return mapped
    if code < 32 or code == 127 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        return " "
    return chr(code)


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
    """Collects pages, then decides which lines were headings by the size of their type."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[PageSpan] = []
        self._lines: list[tuple[int, int, float]] = []
        self._sizes: Counter[float] = Counter()

    def add_page(self, pdf: pdfium.PdfDocument, index: int) -> None:
        """Read page `index`; a page PDFium cannot load is empty, the others still count."""
        start = self._length
        text = ""
        try:
            page = pdf[index]
        except pdfium.PdfiumError:
            page = None
        if page is not None:
            textpage = page.get_textpage()
            text = page_text(textpage)
            self._measure(text, start, textpage)
            textpage.close()
            page.close()
        self._parts.append(text + _PAGE_BREAK)
        self._length += len(text) + len(_PAGE_BREAK)
        if self._length > MAX_CHARACTERS:
            raise UnreadableDocument("The file holds more text than can be indexed.")
        self._pages.append(PageSpan(index + 1, start, start + len(text)))

    def _measure(self, text: str, start: int, textpage: pdfium.PdfTextPage) -> None:
        for match in _LINE.finditer(text):
            first = match.start() + len(match.group()) - len(match.group().lstrip())
            if first >= match.end():
                continue
            size = round(float(raw.FPDFText_GetFontSize(textpage.raw, first)), 1)
            self._lines.append((start + match.start(), start + match.end(), size))
            self._sizes[size] += match.end() - match.start()

    def document(self, title: str) -> Document:
        """The text with its blocks.

        Raises:
            UnreadableDocument: no page holds text.
        """
        text = "".join(self._parts)
        if not text.strip():
            raise UnreadableDocument(
                "The PDF holds no text; its pages are probably scanned pictures."
            )
        body = self._sizes.most_common(1)[0][0] if self._sizes else 0.0
        larger = sorted({size for size in self._sizes if size > body * 1.12}, reverse=True)[:4]
        levels = {size: level for level, size in enumerate(larger, 1)}
        blocks = list(self._blocks(text, levels))
        if not title:
            heads = [text[b.start : b.end] for b in blocks if b.kind == "heading"]
            title = heads[0].strip() if heads else ""
        return Document(title=title, text=text, blocks=blocks, pages=self._pages)

    def _blocks(self, text: str, levels: dict[float, int]) -> Iterator[Block]:
        """Runs of body lines on one page are a paragraph; a large short line is a heading."""
        start = end = -1
        page_ends = [page.end for page in self._pages]
        page = 0
        for first, last, size in self._lines:
            level = levels.get(size, 0)
            words = text[first:last].strip()
            heading = (
                level > 0
                and len(words) <= _HEADING_AT_MOST_CHARACTERS
                and any(char.isalpha() for char in words)
            )
            crossed = first >= page_ends[page]
            while first >= page_ends[page] and page < len(page_ends) - 1:
                page += 1
            if start >= 0 and (heading or crossed or "\n\n" in text[end:first]):
                yield Block("paragraph", start, end)
                start = -1
            if heading:
                yield Block("heading", first, last, level)
            else:
                start, end = (first if start < 0 else start), last
        if start >= 0:
            yield Block("paragraph", start, end)


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
