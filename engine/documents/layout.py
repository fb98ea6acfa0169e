"""The order in which a person reads the lines of a page, from their places alone.

Bands of white that run across the page part it into groups; a white valley from the top of a
group to its bottom makes columns of it, which are read one after the other, each looked at in
the same way (a recursive XY cut, Nagy and Seth 1984). Rows of a table or a receipt, whose
cells are ragged, are read across instead.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

_VALLEY_HEIGHTS = 0.5
"""A valley between columns is at least this wide, in line heights."""
_MARGIN_HEIGHTS = 0.3
"""Detectors draw their boxes this much wider than the letters, at either end."""
_FULL_HEIGHTS = 2.5
"""A line that ends this near its column's edge fills it, as running text does."""
_COLUMN_HEIGHTS = 12.0
"""A column of running text is at least this wide."""
_SHORT_HEIGHTS = 6.0
"""A line that ends this far before its column's edge was the last of a paragraph."""
_BLOCK_PITCH = 1.45
_BLOCK_SIZE = 1.6
_INDENT_HEIGHTS = 0.8
_DEPTH = 40


@dataclass(frozen=True)
class Placed:
    """A line's number and its rectangle, in any unit, y downwards."""

    index: int
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


Joint = Literal["block", "line", "flow"]
"""How a line goes on from the one before: a new block of text, a new line within it (a list,
a row, the first line after a short one), or the same sentence flowing on."""


@dataclass(frozen=True)
class Ordered:
    """A line's number and how it joins the one before in reading order."""

    index: int
    joint: Joint


def reading_order(rectangles: Sequence[tuple[float, float, float, float]]) -> list[Ordered]:
    """All lines in the order they are read.

    Args:
        rectangles: (x0, y0, x1, y1) of each line, y downwards.
    """
    lines = [Placed(i, *rectangle) for i, rectangle in enumerate(rectangles)]
    if not lines:
        return []
    unit = statistics.median(max(line.height, 1e-9) for line in lines)
    return [
        Ordered(line.index, joint)
        for column in _columns(lines, unit, _DEPTH)
        for line, joint in zip(column, joints(column), strict=True)
    ]


def _columns(lines: list[Placed], unit: float, depth: int) -> list[list[Placed]]:
    """Runs of lines that are read downwards, in reading order."""
    if len(lines) < 2 or depth == 0:
        return [_rows(lines, unit)]
    found: list[list[Placed]] = []
    for group in _groups(lines, unit):
        cut = _valley(group, unit)
        if cut is None or _tabular(group, cut, unit):
            found.append(_rows(group, unit))
            continue
        left = [line for line in group if _middle(line) <= cut]
        right = [line for line in group if _middle(line) > cut]
        found += _columns(left, unit, depth - 1) + _columns(right, unit, depth - 1)
    return found


def _groups(lines: list[Placed], unit: float) -> list[list[Placed]]:
    """Consecutive bands that share a valley, and the bands between them.

    A band that shows a valley by itself begins a group. Bands above and below that keep to
    one side of it belong to it: a column's lines need not stand abreast of the other's.
    """
    bands = _bands(lines)
    split = [
        _valley(band, unit) is not None or _staggered(band, after, unit)
        for band, after in zip(bands, [*bands[1:], []], strict=True)
    ]
    groups: list[list[Placed]] = []
    plain: list[list[Placed]] = []
    at = 0
    while at < len(bands):
        if not split[at]:
            plain.append(bands[at])
            at += 1
            continue
        group = list(bands[at])
        at += 1
        while at < len(bands) and _valley(group + bands[at], unit) is not None:
            group += bands[at]
            at += 1
        while plain and _valley(group + plain[-1], unit) is not None:
            group += plain.pop()
        if plain:
            groups.append([line for band in plain for line in band])
            plain = []
        groups.append(group)
    if plain:
        groups.append([line for band in plain for line in band])
    return groups


def _staggered(band: list[Placed], after: list[Placed], unit: float) -> bool:
    """True when the next band stands beside this one rather than below."""
    if not after:
        return False
    overlap = max(line.y1 for line in band) + 0.1 * unit - min(line.y0 for line in after)
    return overlap > 0 and _valley(band + after, unit) is not None


def _bands(lines: list[Placed]) -> list[list[Placed]]:
    """Lines parted wherever a horizontal line meets none of them."""
    bands: list[list[Placed]] = []
    bottom = float("-inf")
    for line in sorted(lines, key=lambda line: line.middle):
        # A little overlap is the detector's margin around letters, not the same row.
        top = line.y0 + 0.25 * line.height
        if top >= bottom or not bands:
            bands.append([])
        bands[-1].append(line)
        bottom = max(bottom, line.y1 - 0.25 * line.height)
    return bands


def _valley(lines: list[Placed], unit: float) -> float | None:
    """The middle of the widest strip from top to bottom that meets no line."""
    widest, at, right = _VALLEY_HEIGHTS * unit, None, None
    for line in sorted(lines, key=lambda line: line.x0):
        margin = min(_MARGIN_HEIGHTS * line.height, (line.x1 - line.x0) / 4)
        left = line.x0 + margin
        if right is not None and left - right > widest:
            widest, at = left - right, (left + right) / 2
        right = line.x1 - margin if right is None else max(right, line.x1 - margin)
    return at


def _middle(line: Placed) -> float:
    return (line.x0 + line.x1) / 2


def _tabular(lines: list[Placed], cut: float, unit: float) -> bool:
    """True when rows across the valley belong together: ragged cells that stand abreast."""
    left = [line for line in lines if _middle(line) <= cut]
    right = [line for line in lines if _middle(line) > cut]
    fewer, more = sorted((left, right), key=len)
    abreast = sum(
        any(abs(line.middle - other.middle) < 0.5 * unit for other in more) for line in fewer
    )
    if abreast < 0.7 * len(fewer):
        return False
    edge = max(line.x1 for line in left)
    full = sum(line.x1 > edge - _FULL_HEIGHTS * unit for line in left)
    wide = edge - min(line.x0 for line in left) > _COLUMN_HEIGHTS * unit
    usual = statistics.median(line.x1 - line.x0 for line in right)
    running = full > 0.6 * len(left) and wide and usual > _COLUMN_HEIGHTS / 2 * unit
    return not (running and len(fewer) > 2)


def _rows(lines: list[Placed], unit: float) -> list[Placed]:
    """Top to bottom, and left to right within a row."""
    rows: list[list[Placed]] = []
    for line in sorted(lines, key=lambda line: line.middle):
        if rows and abs(line.middle - rows[-1][0].middle) < 0.5 * min(
            line.height, rows[-1][0].height
        ):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.x0)]


def joints(column: Sequence[Placed]) -> list[Joint]:
    """How each line of a column, from top to bottom, joins the one before."""
    if not column:
        return []
    unit = statistics.median(max(line.height, 1e-9) for line in column)
    steps = [later.middle - earlier.middle for earlier, later in pairwise(column)]
    pitches = [step for step in steps if step > 0.5 * unit]
    pitch = statistics.median_low(pitches) if pitches else unit
    found: list[Joint] = []
    chunk: list[Placed] = [column[0]]
    for (before, line), step in zip(pairwise(column), steps, strict=True):
        small, large = sorted((max(line.height, 1e-9), max(before.height, 1e-9)))
        apart = step > _BLOCK_PITCH * pitch or step < -0.5 * unit
        if apart or large > _BLOCK_SIZE * small:
            found += _joints_within(chunk, unit)
            chunk = []
        chunk.append(line)
    return found + _joints_within(chunk, unit)


def _joints_within(chunk: Sequence[Placed], unit: float) -> list[Joint]:
    """The joints of lines that stand closely below each other."""
    far = max(line.x1 for line in chunk)
    inner = min(line.x0 for line in chunk) + _INDENT_HEIGHTS * unit
    found: list[Joint] = ["block"]
    for number in range(1, len(chunk)):
        before, line = chunk[number - 1], chunk[number]
        after = chunk[number + 1] if number + 1 < len(chunk) else None
        # Where the line after stays indented too, this hangs below the first of an item.
        first_line = before.x0 <= inner < line.x0 and (after is None or after.x0 <= inner)
        if abs(line.middle - before.middle) < 0.5 * unit:
            found.append("flow")
        elif first_line:
            found.append("block")
        elif before.x1 < far - _SHORT_HEIGHTS * unit:
            found.append("line")
        else:
            found.append("flow")
    return found
