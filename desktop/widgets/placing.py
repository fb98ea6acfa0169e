"""Where the characters of an answer stand once its Markdown has become a document.

The document lacks the signs of the Markdown and has bullets and cells of its own, so the two
are laid side by side: runs of letters and digits are found again in their order, each no
further on than it can be, because Markdown only ever takes characters away.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from PySide6.QtGui import QTextDocument

_RUN = re.compile(r"\w+")
_TARGET = re.compile(r"\]\([^\s()]*\)")
"""Where a link leads: written, not shown."""
_BREAKS = re.compile("[\u2029\ufdd0\ufdd1]")
"""Between blocks and cells."""
_SLACK = 3
"""What a list or a table adds between two words."""

Span = tuple[int, int]


class Places:
    """Finds characters of `text` in `document`, which shows it.

    Args:
        document: filled by `safe_text.show_markdown`.
        text: the same Markdown.
    """

    def __init__(self, document: QTextDocument, text: str) -> None:
        self._text = text
        shown = document.toRawText()
        self._shown = shown
        self._units = None if _plain(shown) else _unit_table(shown)
        self._runs: list[tuple[int, int, int]] = []
        """(start, end) of a run in the text, and where it begins in the document."""
        self._align()
        self._starts = [run[0] for run in self._runs]
        self._found = [run[2] for run in self._runs]

    def _align(self) -> None:
        there, last = 0, 0
        written = _TARGET.sub(lambda found: " " * len(found.group()), self._text)
        for found in _RUN.finditer(written):
            run = found.group()
            end = there + (found.start() - last) + len(run) + _SLACK
            at = self._whole(run, there, end)
            if at >= 0:
                self._runs.append((found.start(), found.end(), at))
                there, last = at + len(run), found.end()

    def _whole(self, run: str, start: int, end: int) -> int:
        """Where `run` stands as a whole word, at `start` or after; -1 for nowhere."""
        at = self._shown.find(run, start, end)
        while at >= 0:
            after = self._shown[at + len(run) : at + len(run) + 1]
            before = self._shown[at - 1 : at] if at else ""
            if not (_is_word(before) or _is_word(after)):
                return at
            at = self._shown.find(run, at + 1, end)
        return -1

    def of(self, start: int, end: int) -> list[Span]:
        """Positions in the document of characters [start, end), a span for each block.

        Signs around the first and last word that is shown go with them: "(see", "mg,".
        """
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end) - 1
        if first > last:
            return []
        begin = self._back(self._found[first], self._text[start : self._runs[first][0]])
        stop = self._found[last] + self._runs[last][1] - self._runs[last][0]
        stop = self._on(stop, self._text[self._runs[last][1] : end])
        return [self._unit_span(span) for span in self._split(begin, stop)]

    def _split(self, begin: int, stop: int) -> list[Span]:
        spans: list[Span] = []
        for found in _BREAKS.finditer(self._shown, begin, stop):
            spans.append((begin, found.start()))
            begin = found.end()
        return [(first, last) for first, last in (*spans, (begin, stop)) if first < last]

    def _back(self, begin: int, signs: str) -> int:
        """Take along the signs before a word, as far as they are shown."""
        for sign in reversed(signs):
            if begin > 0 and self._shown[begin - 1] == sign and not sign.isspace():
                begin -= 1
        return begin

    def _on(self, stop: int, signs: str) -> int:
        for sign in signs:
            if self._shown[stop : stop + 1] == sign and not sign.isspace():
                stop += 1
        return stop

    def _unit_span(self, span: Span) -> Span:
        """Qt counts UTF-16 units, Python code points."""
        return span if self._units is None else (self._units[span[0]], self._units[span[1]])


def _is_word(character: str) -> bool:
    return bool(character) and (character.isalnum() or character == "_")


def _plain(text: str) -> bool:
    return text.isascii() or max(text) < "\U00010000"


def _unit_table(text: str) -> list[int]:
    table, units = [], 0
    for character in text:
        table.append(units)
        units += 2 if character >= "\U00010000" else 1
    return [*table, units]
