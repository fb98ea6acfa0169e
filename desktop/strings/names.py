"""Untrusted text made fit to show: file names, titles, passages, messages.

Bidirectional overrides can make `exe.fdp` read as `pdf.exe`, control characters break a
line, and a line of a megabyte takes Qt a minute to lay out. Here they become visible
escapes, or are cut.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_HIDDEN_IN_TEXT = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200e\u200f\u202a-\u202e"
    "\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_MARKS_KEPT = 4
NAME_LIMIT = 400
LINE_LIMIT = 2_000


def one_line(text: str, limit: int = NAME_LIMIT) -> str:
    """A name for one line: hidden and direction-changing characters escaped, capped."""
    cut = text[: limit + 1]
    shown = _HIDDEN.sub(_escape, _tame_marks(cut))
    return shown if len(text) <= limit else shown[:limit] + "…"


def prose(text: str, limit: int = 20_000) -> str:
    """Text of several lines: direction overrides and controls gone, lines and total capped.

    Replaces each removed character by one of the same length, so offsets into `text` stay
    right up to the first line that had to be cut.
    """
    kept = _HIDDEN_IN_TEXT.sub("\u00b7", text[:limit].replace("\r", "\n"))
    lines = kept.split("\n")
    if any(len(line) > LINE_LIMIT for line in lines):
        kept = "\n".join(_break(line) for line in lines)
    return kept if len(text) <= limit else kept + "…"


def file_name(path: str) -> str:
    """The last part of a shown path, fit for one line."""
    return one_line(re.split(r"[\\/]", path.rstrip("/\\"))[-1] if "/" in path else path)


def folder_of(path: str) -> str:
    """The folder part of a shown path, fit for one line."""
    return one_line(path.rsplit("/", 1)[0] if "/" in path else "")


def search_key(text: str) -> str:
    """Text for matching names: compatibility form, case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def _tame_marks(text: str) -> str:
    """At most four combining marks on a letter, so no name paints over its neighbours."""
    if text.isascii():
        return text
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MARKS_KEPT:
            kept.append(character)
    return "".join(kept)


def _break(line: str) -> str:
    """A very long line as several: laying out one line takes time quadratic in its length."""
    if len(line) <= LINE_LIMIT:
        return line
    return "\n".join(line[i : i + LINE_LIMIT] for i in range(0, len(line), LINE_LIMIT))
