"""Places in a document as a person writes them: "Slide 3", "Budget!A5:F9", "lines 120–150".

A place is made of a page's label and of the span of anchors that a passage covers. The same
strings come back from a library's tables, so that two neighbours can be joined to one place.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from engine.documents.types import Document, Unit

_PLAIN_SHEET = re.compile(r"[^\W\d]\w*")
# A sheet's name may hold a line end.
_CELLS = re.compile(
    r"(?P<head>.*!)(?P<from>[A-Z]+)(?P<first>\d+):(?P<to>[A-Z]+)(?P<last>\d+)", re.DOTALL
)
_UNITS = re.compile(
    r"(?P<head>(?:.*, )?)(?P<unit>row|line|cell|record)s? (?P<first>\d+)(?:–(?P<last>\d+))?",
    re.DOTALL,
)


def written(label: str, columns: str, unit: Unit, first: int | None, last: int | None) -> str:
    """The place of units `first` to `last` on a page; None where there are no anchors."""
    if columns:
        sheet = label if _PLAIN_SHEET.fullmatch(label) else _quoted(label)
        if first is None or last is None:
            return f"{sheet}!{columns}"
        left, _, right = columns.partition(":")
        return f"{sheet}!{left}{first}:{right or left}{last}"
    parts = [label] if label else []
    if unit and first is not None and last is not None:
        parts.append(_counted(unit, first, last))
    return ", ".join(parts)


def joined(one: str, two: str) -> str:
    """The place that covers both of two places on one page."""
    if one == two or not two:
        return one
    for form in (_CELLS, _UNITS):
        a, b = form.fullmatch(one), form.fullmatch(two)
        if a is None or b is None or a["head"] != b["head"]:
            continue
        first = min(int(a["first"]), int(b["first"]))
        last = max(int(m["last"] or m["first"]) for m in (a, b))
        if form is _CELLS:
            return f"{a['head']}{a['from']}{first}:{a['to']}{last}"
        return a["head"] + _counted(a["unit"], first, last)
    return one


def _quoted(sheet: str) -> str:
    """As spreadsheet programs write a name with spaces: 'Q3 plan'!A5:F9."""
    return "'" + sheet.replace("'", "''") + "'"


def _counted(unit: str, first: int, last: int) -> str:
    return f"{unit} {first}" if first == last else f"{unit}s {first}–{last}"


class PlaceFinder:
    """Pages and places of spans of a document."""

    def __init__(self, document: Document) -> None:
        self._pages = document.pages
        self._page_starts = [page.start for page in document.pages]
        self._anchors = document.anchors
        self._anchor_starts = [anchor.start for anchor in document.anchors]
        self._unit: Unit = document.unit

    def page_at(self, position: int) -> int:
        """Index of the page a position belongs to; text between two belongs to the first."""
        return max(0, bisect_right(self._page_starts, position) - 1)

    def number_of(self, start: int) -> int | None:
        """1-based number of the page at `start`, None for a document without pages."""
        return self._pages[self.page_at(start)].number if self._pages else None

    def place_of(self, start: int, end: int) -> str:
        """The place of text[start:end], which lies on one page."""
        page = self._pages[self.page_at(start)] if self._pages else None
        first, last = self._anchored(start, end, page.start if page else 0)
        label, columns = (page.label, page.columns) if page else ("", "")
        return written(label, columns, self._unit, first, last)

    def _anchored(self, start: int, end: int, floor: int) -> tuple[int | None, int | None]:
        """Numbers of the anchors that hold text[start:end]; those before `floor` do not."""
        first = max(
            bisect_right(self._anchor_starts, start) - 1,
            bisect_left(self._anchor_starts, floor),
        )
        stop = bisect_left(self._anchor_starts, end)
        while first < stop and not self._anchors[first].number:
            first += 1
        while first < stop and not self._anchors[stop - 1].number:
            stop -= 1
        if first >= stop:
            return None, None
        return self._anchors[first].number, self._anchors[stop - 1].number
