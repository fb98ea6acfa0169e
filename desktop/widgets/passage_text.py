"""A few lines of a passage with the evidence marked, cut where the room ends."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop import theme
from desktop.strings import names

_ROOM = 900


class PassageText(QWidget):
    """Plain text of at most `lines` lines with marked spans, starting near the first mark."""

    def __init__(self, lines: int = 5, scale: float = 0.96) -> None:
        super().__init__()
        self._lines = lines
        self._text = ""
        self._marks: list[tuple[int, int]] = []
        self.setFont(theme.font(scale))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.follow(self, self.update)

    def set_passage(self, text: str, marks: list[tuple[int, int]]) -> None:
        """Show `text` with the spans (start, end) in it marked. Offsets in code points."""
        first = min((start for start, _ in marks), default=0)
        begin = _begin_near(text, first)
        shown, at = _close_gaps(names.prose(text[begin : begin + _ROOM], _ROOM))
        lead = "… " if begin else ""
        self._text = lead + shown
        self._marks = [
            (len(lead) + at(start - begin), len(lead) + at(end - begin))
            for start, end in marks
            if start >= begin
        ]
        self.setAccessibleName(self._text)
        self._fit()
        self.update()

    def shown(self) -> str:
        """The text, before it is cut to the room."""
        return self._text

    def marked(self) -> list[str]:
        """The marked pieces."""
        return [self._text[start:end] for start, end in self._marks]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fit()

    def sizeHint(self) -> QSize:
        return QSize(240, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self._line_height())

    def _fit(self) -> None:
        _, used = self._layout(self.width())
        self.setFixedHeight(max(1, used) * self._line_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        layout, _ = self._layout(self.width())
        painter = QPainter(self)
        painter.setPen(theme.colour("text"))
        layout.draw(painter, QPointF(0, 0), self._formats())
        painter.end()

    def _line_height(self) -> int:
        return round(QFontMetricsF(self.font()).height() * 1.12)

    def _formats(self) -> list[QTextLayout.FormatRange]:
        result = []
        for start, end in self._marks:
            piece = QTextLayout.FormatRange()
            # Qt counts UTF-16 units.
            piece.start = _units(self._text[:start])
            piece.length = _units(self._text[start:end])
            look = QTextCharFormat()
            look.setBackground(theme.colour("mark"))
            look.setForeground(theme.colour("text"))
            piece.format = look
            result.append(piece)
        return result

    def _layout(self, width: int) -> tuple[QTextLayout, int]:
        """Lay out, and lay out again shorter when the text does not fit."""
        text = self._text
        layout, count, end = self._try(text, width)
        if count > self._lines:
            cut = end
            while cut > 0:
                raw = text.encode("utf-16-le")[: 2 * cut].decode("utf-16-le", "ignore")
                layout, count, _ = self._try(raw.rstrip() + "…", width)
                if count <= self._lines:
                    break
                cut -= 4
        return layout, min(count, self._lines)

    def _try(self, text: str, width: int) -> tuple[QTextLayout, int, int]:
        layout = QTextLayout(text, self.font())
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setAlignment(Qt.AlignmentFlag.AlignLeft)
        layout.setTextOption(option)
        layout.beginLayout()
        count, end = 0, 0
        while count <= self._lines:
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(max(40, width))
            line.setPosition(QPointF(0, count * self._line_height()))
            count += 1
            if count <= self._lines:
                end = line.textStart() + line.textLength()
        layout.endLayout()
        return layout, count, end


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _close_gaps(text: str) -> tuple[str, Callable[[int], int]]:
    """Every run of blanks and line ends as one blank; and where an old offset is now."""
    kept: list[str] = []
    places: list[int] = []
    for character in text:
        places.append(len(kept))
        blank = character.isspace()
        if not blank:
            kept.append(character)
        elif kept and kept[-1] != " ":
            kept.append(" ")
    return "".join(kept), lambda old: places[old] if 0 <= old < len(places) else len(kept)


def _begin_near(text: str, mark: int) -> int:
    """Where to start so that `mark` is in view: the start, or a word a line ahead of it."""
    if mark < 140:
        return 0
    space = text.find(" ", mark - 70, mark)
    return space + 1 if space >= 0 else mark
