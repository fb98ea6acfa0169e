"""Numbers of a spreadsheet as its cells show them (ECMA-376 part 1, section 18.8.30).

Kept of a format are its decimals, a percent sign, a currency and that it is a date; thousands
are not parted, since how differs by country, and dates are written 2024-03-05.
"""

from __future__ import annotations

import datetime
import functools
import re
from dataclasses import dataclass
from typing import Literal

_BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    **dict.fromkeys((37, 38), "#,##0"),
    **dict.fromkeys((39, 40), "#,##0.00"),
    **dict.fromkeys((14, 15, 16, 17, *range(27, 37), *range(50, 59)), "d.m.y"),
    **dict.fromkeys((18, 19, 20, 21, 45, 47), "h:mm:ss"),
    22: "d.m.y h:mm",
    46: "[h]:mm:ss",
}
"""Formats that a file names by number alone."""
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|[_*].')
_BRACKETS = re.compile(r"\[(?:\$([^\]-]*)[^\]]*|[^\]]*)\]")
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_DECIMALS = re.compile(r"[0#?]\.([0#?]+)")
_CURRENCY = re.compile(r"[$€£¥₹₽₩]|\b(?:EUR|USD|GBP|CHF|kr)\b")
_MOST_DAYS = 2_958_466
"""31 December 9999."""

Kind = Literal["general", "number", "date", "time", "moment", "span"]


@dataclass(frozen=True)
class CellFormat:
    """What is kept of a number format; `decimals` counts for numbers."""

    kind: Kind = "general"
    decimals: int = 0
    percent: bool = False
    before: str = ""
    after: str = ""


@functools.lru_cache(maxsize=4096)
def format_of_code(number: int, code: str | None) -> CellFormat:
    """The format with this number (a built-in one) or this code."""
    code = (code if code is not None else _BUILT_IN.get(number, ""))[:255]
    if not code or code.lower() in ("general", "@", "standard"):
        return CellFormat()
    section = code.split(";")[0]
    if _ELAPSED.search(section):
        return CellFormat("span")
    bare = _BRACKETS.sub("", _QUOTED.sub("", section)).lower().replace("general", "")
    if not any(char in bare for char in "0#?"):
        day = any(char in bare for char in "yd") or ("m" in bare and not _clock(bare))
        if day or _clock(bare):
            return CellFormat("moment" if day and _clock(bare) else "date" if day else "time")
        return CellFormat()
    if _clock(bare) and ("m" in bare or "s" in bare):  # mm:ss.0
        return CellFormat("time")
    if "e+" in bare or "e-" in bare or "/" in bare:
        return CellFormat()
    found = _DECIMALS.search(bare)
    before, after = _currency(section)
    decimals = len(found.group(1)) if found else 0
    return CellFormat("number", decimals, "%" in bare, before, after)


def _clock(bare: str) -> bool:
    return "h" in bare or "s" in bare


def _currency(section: str) -> tuple[str, str]:
    """A currency before or after the digits."""
    plain = _BRACKETS.sub(lambda found: found.group(1) or "", section)
    plain = _QUOTED.sub(lambda found: found.group(1) or found.group(2) or "", plain)
    sign = _CURRENCY.search(plain)
    digit = re.search(r"[0#?]", plain)
    if sign is None or digit is None:
        return "", ""
    if sign.start() < digit.start():
        return sign.group() + (" " if sign.group().isalpha() else ""), ""
    return "", f" {sign.group()}"


def shown(value: str, form: CellFormat, from_1904: bool = False) -> str:
    """A stored number in its format; anything else comes back as it is."""
    try:
        number = float(value)
    except ValueError:
        return value
    if number != number or abs(number) == float("inf"):
        return value
    if form.kind == "general":
        return plain(number)
    if form.kind == "number":
        digits = f"{number * 100 if form.percent else number:.{min(form.decimals, 15)}f}"
        return f"{form.before}{digits}{'%' if form.percent else ''}{form.after}"
    return _when(number, form.kind, from_1904)


def plain(number: float) -> str:
    """As a cell without a format shows a number: no trailing zeros, no binary noise."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.10g}"


def _when(days: float, kind: Kind, from_1904: bool) -> str:
    """Days since the end of 1899 as a date, a time of day, both, or a span of hours."""
    if not 0 <= days < _MOST_DAYS:
        return plain(days)
    seconds = round(days * 86_400)
    hours, rest = divmod(seconds, 3600)
    clock = f":{rest // 60:02d}" + (f":{rest % 60:02d}" if rest % 60 else "")
    if kind == "span":
        return f"{hours}{clock}"
    if kind == "time":
        return f"{hours % 24:02d}{clock}"
    # Excel counts a 29 February 1900 that never was.
    start = datetime.date(1904, 1, 1) if from_1904 else datetime.date(1899, 12, 30)
    day, in_day = divmod(seconds, 86_400)
    if not from_1904 and day < 60:
        day += 1
    try:
        date = (start + datetime.timedelta(days=day)).isoformat()
    except OverflowError:
        return plain(days)
    if kind == "date" or not in_day:
        return date
    return f"{date} {hours % 24:02d}{clock}"
