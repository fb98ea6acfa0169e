"""The colours of an answer's words, and the dots under what no passage says.

They are painted under the text, from rectangles worked out once for a layout: formats in the
document would lay it out anew at every switch, and selections over it are cut out of the text
at every paint, which takes a third of a second where a paragraph has a hundred of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import cast

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTextBlock, QTextDocument, QTextLine

from desktop import theme
from desktop.origins import Origins, Piece
from desktop.widgets.placing import Places, Span

_STEPS = 4
"""Shades of a colour: neighbours of one shade are one range."""
_ROUND_PX = 3.0
_RING_PX = 1.4
_DOT_PX = 1.8


def dots() -> QPen:
    """The pen for the line under what no passage says."""
    pen = QPen(theme.colour("warning"), _DOT_PX)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setDashPattern([0.01, 2.2])
    return pen


class AnswerMarks:
    """Of one document at a time. Positions are the document's."""

    def __init__(self) -> None:
        self.origins = Origins()
        self._spans: list[tuple[int, int, Piece]] = []
        self._begins: list[int] = []
        self._sentences: list[list[Span]] = []
        self._tints: list[tuple[QRectF, int, float]] | None = None
        self._dots: list[QLineF] = []
        self.lit: list[Span] = []
        self._lit_hue = -1
        self._rings: list[QRectF] = []

    def place(self, document: QTextDocument, text: str, origins: Origins) -> None:
        """Find the words of `origins` in `document`, which shows `text`."""
        self.clear()
        self.origins = origins
        if origins.sentences:
            places = Places(document, text)
            self._sentences = [places.of(start, end) for start, end in origins.sentences]
            self._spans = [
                (begin, stop, piece)
                for piece in origins.pieces
                for begin, stop in places.of(piece.start, piece.end)
            ]
        self._begins = [begin for begin, _, _ in self._spans]

    def clear(self) -> None:
        """Forget where words stand: the document is about to change."""
        self._spans, self._begins, self._sentences = [], [], []
        self.light([], -1)
        self.forget_layout()

    def forget_layout(self) -> None:
        """The lines are broken elsewhere now."""
        self._tints = None

    def light(self, spans: list[Span], hue: int) -> None:
        """Ring these words in the colour of a source, from 0; no words for none."""
        self.lit, self._lit_hue = spans, hue
        self._rings = []

    # --- painting -------------------------------------------------------------------------

    def paint(self, painter: QPainter, document: QTextDocument, coloured: bool) -> None:
        """Paint what lies under the text."""
        if not self._spans:
            return
        if self._tints is None:
            self._lay_out(document)
        if self.lit and not self._rings:
            self._rings = [rect for span in self.lit for rect in _rects(document, span)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for rect, hue, weight in (self._tints or []) if coloured else []:
            painter.setBrush(theme.tint(hue, weight))
            painter.drawRoundedRect(rect, _ROUND_PX, _ROUND_PX)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.hue(self._lit_hue), _RING_PX))
        inside = _RING_PX / 2
        for rect in self._rings:
            ring = rect.adjusted(inside, inside, -inside, -inside)
            painter.drawRoundedRect(ring, _ROUND_PX, _ROUND_PX)
        painter.setPen(dots())
        painter.drawLines(self._dots)

    def _lay_out(self, document: QTextDocument) -> None:
        self._tints = [
            (rect, hue, weight)
            for span, hue, weight in self._ranges()
            for rect in _rects(document, span)
        ]
        dotted = (span for at in self.origins.unsupported for span in self._sentences[at])
        self._dots = [
            QLineF(rect.left(), rect.bottom() - 0.5, rect.right(), rect.bottom() - 0.5)
            for span in dotted
            for rect in _rects(document, span)
        ]
        self._rings = []

    def _ranges(self) -> list[tuple[Span, int, float]]:
        """What is to be coloured: neighbours of one shade as one, and no gap between others."""
        found: list[tuple[Span, int, float]] = []
        last: Piece | None = None
        for begin, stop, piece in self._spans:
            hue = self.origins.hue(piece.n)
            shade = round(piece.weight * _STEPS) / _STEPS
            touches = last is not None and _neighbours(last, piece)
            if hue >= 0 and touches and begin - found[-1][0][1] <= 1:
                (first, _), _, before = found[-1]
                same = before == shade
                found[-1] = ((first, stop if same else begin), hue, before)
                if not same:
                    found.append(((begin, stop), hue, shade))
            elif hue >= 0:
                found.append(((begin, stop), hue, shade))
            last = piece if hue >= 0 else None
        return found

    # --- pointing -------------------------------------------------------------------------

    def piece_at(self, position: int) -> Piece | None:
        """The word, or the sentence, at a position."""
        at = bisect_right(self._begins, position) - 1
        if at < 0:
            return None
        _, stop, piece = self._spans[at]
        if position < stop:
            return piece
        # The blank between two words of a sentence belongs to the first.
        after = self._spans[at + 1][2] if at + 1 < len(self._spans) else None
        near = after is not None and after.sentence == piece.sentence
        return piece if near and position <= stop else None

    def begin_of(self, sentence: int) -> int:
        """Where a sentence begins, -1 when it is not shown."""
        known = 0 <= sentence < len(self._sentences) and self._sentences[sentence]
        return self._sentences[sentence][0][0] if known else -1

    def around(self, piece: Piece) -> list[Span]:
        """The words of one sentence that came from the same source."""
        return _joined(s for s in self._spans if _neighbours(s[2], piece))

    def of_source(self, n: int) -> list[Span]:
        """All words that came from source `n`."""
        return _joined(s for s in self._spans if s[2].n == n)


def _neighbours(one: Piece, other: Piece) -> bool:
    return one.n == other.n and one.sentence == other.sentence


def _joined(spans: Iterable[tuple[int, int, Piece]]) -> list[Span]:
    found: list[Span] = []
    for begin, stop, _ in spans:
        if found and begin - found[-1][1] <= 1:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((begin, stop))
    return found


def _rects(document: QTextDocument, span: Span) -> Iterator[QRectF]:
    """What characters [begin, stop) of one block cover, a rectangle for each line."""
    block = document.findBlock(span[0])
    corner = document.documentLayout().blockBoundingRect(block).topLeft()
    for line, begin, stop in _lines(block, span):
        left, right = _x_of(line, begin), _x_of(line, stop)
        height = line.ascent() + line.descent()
        top = line.y() + line.height() - height
        rect = QRectF(min(left, right), top, abs(right - left), height)
        yield rect.translated(corner)


def _x_of(line: QTextLine, position: int) -> float:
    x, _ = cast("tuple[float, int]", line.cursorToX(position))
    return x


def _lines(block: QTextBlock, span: Span) -> Iterator[tuple[QTextLine, int, int]]:
    layout, start = block.layout(), block.position()
    begin, stop = span[0] - start, span[1] - start
    for at in range(layout.lineForTextPosition(begin).lineNumber(), layout.lineCount()):
        line = layout.lineAt(at)
        first, last = line.textStart(), line.textStart() + line.textLength()
        if first >= stop:
            return
        yield line, max(begin, first), min(stop, last)
