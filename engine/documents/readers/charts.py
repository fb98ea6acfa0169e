"""Charts and SmartArt of office documents: what they say in words and numbers.

A chart keeps the values it was drawn from (ECMA-376 DrawingML, part 1 section 21.2): they
become a table with a row a category and a column a series.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.numbers import CellFormat, format_of_code, shown
from engine.documents.readers.ooxml import local
from engine.documents.xml import Element, iterate

_MOST_POINTS = 20_000
"""More points than this are a measurement's raw data; the first ones are kept."""
_PLACES = {"c:tx": "name", "c:cat": "category", "c:xVal": "category"} | dict.fromkeys(
    ("c:val", "c:yVal", "c:bubbleSize"), "value"
)


@dataclass
class _Series:
    name: list[str] = field(default_factory=list[str])
    category: dict[int, str] = field(default_factory=dict[int, str])
    value: dict[int, str] = field(default_factory=dict[int, str])


def read_chart(data: bytes, builder: DocumentBuilder) -> None:
    """Add a chart's titles and its values.

    Raises:
        UnreadableDocument: the part is damaged.
    """
    chart = _Chart()
    for event, element in iterate(data):
        chart.follow(event, local(element), element)
    if chart.titles:
        builder.add("paragraph", "Chart: " + " · ".join(chart.titles))
    if chart.loose:
        builder.add("paragraph", "\n".join(chart.loose))
    rows = chart.rows()
    if len(rows) > 1:
        builder.table(rows, header=True)


class _Chart:
    def __init__(self) -> None:
        self.titles: list[str] = []
        self.loose: list[str] = []
        """Values of the newer chart kinds, which have no series of the old form."""
        self._series: list[_Series] = []
        self._place = ""
        self._point = 0
        self._format: CellFormat | None = None
        """How the numbers that follow are shown; None while words follow."""
        self._title: list[str] | None = None

    def follow(self, event: str, tag: str, element: Element) -> None:
        if event == "start":
            if tag == "c:ser":
                self._series.append(_Series())
            elif tag in _PLACES and self._series and self._title is None:
                self._place = _PLACES[tag]
            elif tag == "c:pt":
                index = str(element.get("idx") or "0")
                self._point = int(index) if index.isdigit() and len(index) < 9 else 0
            elif tag in ("c:numCache", "c:numLit"):
                self._format = CellFormat()
            elif tag in ("c:title", "cx:title"):
                self._title = []
            return
        if tag in ("a:t", "c:v", "cx:v", "cx:pt"):
            self._take(tag, element.text or "")
        elif tag in ("c:title", "cx:title"):
            text = " ".join("".join(self._title or []).split())
            if text:
                self.titles.append(text)
            self._title = None
        elif tag == "c:formatCode":
            self._format = format_of_code(-1, element.text or "")
        elif tag in ("c:numCache", "c:numLit"):
            self._format = None
        elif tag in _PLACES:
            self._place = ""
        elif tag == "c:ser":
            element.clear(keep_tail=True)
        elif tag == "a:p" and self._title is not None:
            self._title.append(" ")

    def _take(self, tag: str, text: str) -> None:
        if self._title is not None:
            self._title.append(text)
        elif self._series and self._place and tag == "c:v":
            series = self._series[-1]
            text = shown(text, self._format) if self._format else text
            if self._place == "name":
                series.name.append(text)
            elif self._place == "category" and len(series.category) < _MOST_POINTS:
                series.category[self._point] = text
            elif len(series.value) < _MOST_POINTS:
                series.value.setdefault(self._point, text)
        elif tag.startswith("cx:") and text.strip() and len(self.loose) < _MOST_POINTS:
            self.loose.append(text.strip())

    def rows(self) -> list[list[str]]:
        """Header row and a row a category."""
        points = sorted({n for s in self._series for n in (*s.category, *s.value)})
        names = [" ".join(" ".join(s.name).split()) for s in self._series]
        rows = [["", *names]]
        for n in points[:_MOST_POINTS]:
            category = next((s.category[n] for s in self._series if n in s.category), "")
            rows.append([category, *(s.value.get(n, "") for s in self._series)])
        return rows


def read_diagram(data: bytes, builder: DocumentBuilder) -> None:
    """Add the words of a SmartArt diagram, a line a node.

    Raises:
        UnreadableDocument: the part is damaged.
    """
    lines: list[str] = []
    words: list[str] = []
    for event, element in iterate(data):
        if event != "end":
            continue
        tag = local(element)
        if tag == "a:t":
            words.append(element.text or "")
        elif tag == "a:p":
            words.append(" ")
        elif tag == "dgm:pt":
            text = " ".join("".join(words).split())
            if text:
                lines.append(f"- {text}")
            words.clear()
            element.clear(keep_tail=True)
    builder.add("list", "\n".join(lines))
