"""What OCR found on the pages of a file, and how it is kept: one JSON file a content.

A page is read once, whichever library, rebuild, moved file or duplicate asks for it, and the
viewer draws its highlights from here. Boxes are fractions of the page, origin top left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.documents.hyphens import mended
from engine.documents.layout import Joint
from engine.files import atomic_write

SCAN_FORMAT = 1
"""Bumped when pages are found or ordered in another way; older files are read again."""
MODEL = "PP-OCRv6-small"
_MAX_SCAN_BYTES = 200 << 20
_JOINTS: tuple[Joint, ...] = ("block", "line", "flow")

Rectangle = tuple[float, float, float, float]
"""x0, y0, x1, y1."""


@dataclass(frozen=True)
class ScanLine:
    """A line of clean text, how it joins the one before, and where it stands."""

    text: str
    box: Rectangle
    joint: Joint = "block"


@dataclass(frozen=True)
class ScanPage:
    """The lines of a page in reading order; `note` says why there are none or not all.

    `turns` counts the quarter turns counter-clockwise that make the page upright; boxes are
    those on the upright page.
    """

    lines: tuple[ScanLine, ...] = ()
    note: str = ""
    turns: int = 0


@dataclass(frozen=True)
class Scan:
    """The pages of a file that were read so far, by number (from 1)."""

    pages: Mapping[int, ScanPage] = field(default_factory=dict[int, ScanPage])


@dataclass(frozen=True)
class PageText:
    """A scanned page as text: its blocks, and where each line lies in it.

    `spans[i]` is the part of `text` that `lines[i]` of the page became.
    """

    text: str
    blocks: tuple[tuple[int, int], ...]
    spans: tuple[tuple[int, int], ...]


NOTHING_READ = Scan()


def load_scan(path: Path | None) -> Scan:
    """What is kept at `path`; nothing when there is none, it is older, or it is damaged."""
    if path is None:
        return NOTHING_READ
    try:
        if path.stat().st_size > _MAX_SCAN_BYTES:
            return NOTHING_READ
        data: Any = json.loads(path.read_bytes())
        if (data["format"], data["model"]) != (SCAN_FORMAT, MODEL):
            return NOTHING_READ
        return Scan({int(number): page_of(page) for number, page in data["pages"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return NOTHING_READ


def store_scan(path: Path, scan: Scan) -> None:
    """Keep `scan` at `path`, all of it or none.

    Raises:
        StorageFull, InvalidInput: it could not be written; what was there is kept.
    """
    data = {
        "format": SCAN_FORMAT,
        "model": MODEL,
        "pages": {str(number): page_data(page) for number, page in sorted(scan.pages.items())},
    }
    atomic_write(path, json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode())


def page_data(page: ScanPage) -> dict[str, Any]:
    """A page as JSON."""
    lines = [
        [line.text, *(round(edge, 5) for edge in line.box), _JOINTS.index(line.joint)]
        for line in page.lines
    ]
    return {"lines": lines, "note": page.note, "turns": page.turns}


def page_of(data: Any) -> ScanPage:
    """The page in JSON.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    lines: list[ScanLine] = []
    for text, x0, y0, x1, y1, joint in data["lines"]:
        box = (float(x0), float(y0), float(x1), float(y1))
        if not isinstance(text, str) or not all(0 <= edge <= 1 for edge in box):
            raise ValueError("not a line of a scan")
        lines.append(ScanLine(text, box, _JOINTS[int(joint)]))
    return ScanPage(tuple(lines), str(data["note"]), int(data["turns"]) % 4)


def page_text(page: ScanPage) -> PageText:
    """Lines joined to paragraphs; a word divided at a line's end is made whole."""
    parts: list[str] = []
    length = 0
    spans: list[tuple[int, int]] = []
    blocks: list[tuple[int, int]] = []
    for number, line in enumerate(page.lines):
        following = page.lines[number + 1] if number + 1 < len(page.lines) else None
        if line.joint == "block" or not blocks:
            blocks.append((length, length))
        text, between = line.text, ""
        if following is not None:
            if following.joint == "flow":
                text, between = mended(line.text, following.text)
            else:
                between = "\n" if following.joint == "line" else "\n\n"
        spans.append((length, length + len(text)))
        blocks[-1] = (blocks[-1][0], length + len(text))
        parts.append(text + between)
        length += len(text) + len(between)
    return PageText("".join(parts), tuple(blocks), tuple(spans))


def boxes(page: ScanPage, start: int, end: int) -> list[Rectangle]:
    """Rectangles around text[start:end] of the page's text, one a line.

    Within a line the place is taken from the share of its characters.
    """
    return list(_boxes(page, start, end))


def _boxes(page: ScanPage, start: int, end: int) -> Iterator[Rectangle]:
    for line, (first, last) in zip(page.lines, page_text(page).spans, strict=True):
        begin, stop = max(first, start), min(last, end)
        if begin >= stop:
            continue
        x0, y0, x1, y1 = line.box
        # A line that runs down the page (in a margin, say) is marked as a whole.
        if x1 - x0 < y1 - y0 and last - first > 2:
            yield line.box
            continue
        width = (x1 - x0) / (last - first)
        yield (x0 + width * (begin - first), y0, x0 + width * (stop - first), y1)
