"""A PDF page's characters, mended: words whole again, lines joined where a sentence flows on.

PDFium gives one code for each character and line end of a page. What is made of them for a
reader drops and replaces some, so each page keeps where its text parts from PDFium's count:
a place in the text is still a place on the page.
"""

from __future__ import annotations

import re
import statistics
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as raw  # pyright: ignore[reportMissingTypeStubs]

from engine.documents.hyphens import divides
from engine.documents.layout import Joint, Placed, joints

LINE_HYPHEN = "\x02"
"""PDFium's mark for a hyphen at a line's end; the line end itself is not given then."""
_HYPHEN_CODE, _UNKNOWN_CODE = 0x02, 0xFFFD
_SPACES = {
    0x0D: " ",
    0x0A: "\n",
    0x09: " ",
    0xA0: " ",
    **dict.fromkeys((_HYPHEN_CODE, 0xAD, 0xFFFE), LINE_HYPHEN),
}
_LINE = re.compile(rf"[^\n{LINE_HYPHEN}]+")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ITEM = re.compile(r"\s*(?:[•◦▪‣·●○■□–—*]|-\s|\(?\d{1,3}[.)]\s|\(?[a-zA-Z][.)]\s)")
_USABLE_LETTERS = 20
_AIRY = 1.3


@dataclass(frozen=True)
class Line:
    """A printed line: page text [start, end) before mending, its size of type, its place.

    `joint` says how it joins the line before it.
    """

    start: int
    end: int
    size: float
    joint: Joint


@dataclass(frozen=True)
class RawPage:
    """A page as PDFium has it: index i of `text` is PDFium's character i."""

    text: str
    lines: tuple[Line, ...]

    @property
    def usable(self) -> bool:
        """False for a page without words, or with codes that stand for none."""
        letters = sum(map(str.isalnum, self.text))
        strange = sum(char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in self.text)
        return letters >= _USABLE_LETTERS and strange < 0.3 * (letters + strange)


class MendedPage:
    """A page's text for a reader, its lines within it, and the way back to PDFium's count."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: tuple[Line, ...] = ()
        self._at = array("L", [0])
        self._index = array("L", [0])

    def index_of(self, position: int) -> int:
        """PDFium's index of the character at `position` of the text."""
        step = bisect_right(self._at, position) - 1
        return self._index[step] + position - self._at[step]

    def indices(self, start: int, end: int) -> tuple[int, int]:
        """PDFium's characters [first, last) for text[start:end]."""
        if end <= start:
            return 0, 0
        return self.index_of(start), self.index_of(end - 1) + 1

    @classmethod
    def of(cls, page: RawPage, vocabulary: frozenset[str]) -> MendedPage:
        """`page` mended; `vocabulary` are the document's words, see `vocabulary_of`."""
        mended = cls()
        parts: list[str] = []
        length = 0
        lines: list[Line] = []

        def take(text: str, index: int) -> None:
            nonlocal length
            if text:
                if mended._index[-1] + length - mended._at[-1] != index:
                    mended._at.append(length)
                    mended._index.append(index)
                parts.append(text)
                length += len(text)

        position = 0
        for number, line in enumerate(page.lines):
            between, index = _between(page, number, position, vocabulary)
            take(between, index)
            start = length
            body = page.text[line.start : line.end]
            take(body, line.start)
            lines.append(Line(start, length, line.size, line.joint))
            position = line.end
        mended.text = "".join(parts)
        mended.lines = tuple(lines)
        return mended


def _between(
    page: RawPage, number: int, position: int, vocabulary: frozenset[str]
) -> tuple[str, int]:
    """What stands before line `number` in the mended text, and where PDFium has it.

    Args:
        position: the end of the line before.
    """
    if number == 0:
        return "", 0
    before, line = page.lines[number - 1], page.lines[number]
    head, tail = page.text[before.start : before.end], page.text[line.start : line.end]
    hyphen = page.text.find(LINE_HYPHEN, position, line.start)
    if hyphen >= 0:
        return ("", line.start) if divides(head, tail, vocabulary) else ("-", hyphen)
    if line.joint == "flow" and head.endswith("-") and tail[0].isalnum():
        return "", line.start
    return (" " if line.joint == "flow" else "\n"), position


def vocabulary_of(pages: Iterable[RawPage]) -> frozenset[str]:
    """Words that stand whole in a document with divided words; empty when it has none."""
    texts = [page.text for page in pages]
    if not any(LINE_HYPHEN in text for text in texts):
        return frozenset()
    words: set[str] = set()
    for text in texts:
        for match in _WORD.finditer(text):
            touches = (text[match.start() - 1 : match.start()], text[match.end() :][:1])
            if LINE_HYPHEN not in touches:
                words.add(match.group().lower())
    return frozenset(words)


def raw_page(page: pdfium.PdfPage) -> RawPage:
    """The characters of a page with its lines."""
    textpage = page.get_textpage()
    try:
        count, handle = textpage.count_chars(), textpage.raw
        unicode_at = raw.FPDFText_GetUnicode
        codes = [unicode_at(handle, index) for index in range(count)]
        for index in [index for index, code in enumerate(codes) if code == _HYPHEN_CODE]:
            if raw.FPDFText_IsHyphen(handle, index) != 1:  # a font's own, unknown sign
                codes[index] = _UNKNOWN_CODE
        text = "".join(map(_character, codes))
        return RawPage(text, tuple(_lines(text, textpage)))
    finally:
        textpage.close()


def _character(code: int) -> str:
    mapped = _SPACES.get(code)
    if mapped is not None:
        return mapped
    if code < 32 or code == 127 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        return " "
    return chr(code)


def _lines(text: str, textpage: pdfium.PdfTextPage) -> list[Line]:
    spans: list[tuple[int, int]] = []
    placed: list[Placed] = []
    sizes: list[float] = []
    for match in _LINE.finditer(text):
        words = match.group()
        first = match.start() + len(words) - len(words.lstrip())
        last = match.start() + len(words.rstrip())
        if first >= last:
            continue
        spans.append((first, last))
        placed.append(_placed(textpage, len(placed), first, last - 1))
        sizes.append(round(float(raw.FPDFText_GetFontSize(textpage.raw, first)), 1))
    return [
        Line(start, end, size, joint)
        for (start, end), size, joint in zip(
            spans, sizes, _joints(text, spans, sizes, placed), strict=True
        )
    ]


def _joints(
    text: str, spans: Sequence[tuple[int, int]], sizes: list[float], placed: list[Placed]
) -> list[Joint]:
    """How each line joins the one before it, in the order in which PDFium gives them."""
    found: list[Joint] = []
    for column in _columns(placed):
        found += joints(column)
    airy = _airy(spans, placed)
    for number in range(1, len(found)):
        start, end = spans[number]
        gap = text[spans[number - 1][1] : start]
        if LINE_HYPHEN in gap:
            found[number] = "flow"
            continue
        if gap.count("\n") > 1:
            found[number] = "block"
        item = _ITEM.match(text, start, end) is not None
        if found[number] == "flow" and (item or airy[number] or airy[number - 1]):
            found[number] = "line"
        if found[number] != "block" and sizes[number] != sizes[number - 1]:
            found[number] = "block" if abs(sizes[number] - sizes[number - 1]) > 1 else "line"
    return found


def _airy(spans: Sequence[tuple[int, int]], placed: list[Placed]) -> list[bool]:
    """Lines much wider than their characters fill: rows of cells, not running text."""
    widths = [
        (line.x1 - line.x0) / (end - start) / max(1e-9, line.height)
        for (start, end), line in zip(spans, placed, strict=True)
    ]
    usual = statistics.median(widths) if widths else 0.0
    return [width > _AIRY * usual for width in widths]


def _columns(lines: Sequence[Placed]) -> list[list[Placed]]:
    """Runs of lines below each other: a line further up, or beside, begins a new one."""
    columns: list[list[Placed]] = []
    for line in lines:
        before = columns[-1][-1] if columns else None
        below = before is not None and line.middle > before.middle - 0.5 * before.height
        over = before is not None and line.x0 < before.x1 and line.x1 > before.x0
        if below and over:
            columns[-1].append(line)
        else:
            columns.append([line])
    return columns


def _placed(textpage: pdfium.PdfTextPage, number: int, first: int, last: int) -> Placed:
    """The line's place, y downwards; of no size where PDFium cannot say."""
    box = raw.FS_RECTF()
    edges: list[tuple[float, float, float, float]] = []
    for index in (first, last):
        if raw.FPDFText_GetLooseCharBox(textpage.raw, index, box):
            edges.append((box.left, -box.top, box.right, -box.bottom))
    if not edges:
        return Placed(number, 0.0, 0.0, 0.0, 0.0)
    return Placed(
        number,
        min(edge[0] for edge in edges),
        min(edge[1] for edge in edges),
        max(edge[2] for edge in edges),
        max(edge[3] for edge in edges),
    )
