"""Sentences of an answer or a passage, with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BREAK = re.compile(
    r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9À-ÖØ-Þ*_#-])"
    r"|(?<=[。！？])"
    r"|\s*\n\s*"
)
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|al|etc|figs?|eq|vol|pp|sec|dr|mrs?|ms|prof|inc|ltd|co|corp|approx"
    r"|u\.s|u\.k|z\.b|d\.h|bzw)\.$",
    re.IGNORECASE,
)
_WRAPPED_LINE = 45
"""Characters from which on a line without a full stop counts as wrapped."""
_LIST_NUMBER = re.compile(r"\s*[*_#-]*\s*(?:\d{1,3}|[A-Za-z])[.)]\s*")
_SINGLE_LETTER = re.compile(r"\b[A-Z]\.$")


@dataclass(frozen=True)
class Span:
    """text[start:end] of something longer."""

    start: int
    end: int


def sentence_spans(text: str) -> list[Span]:
    """The sentences of `text` in order, without the white space between them.

    Lines end a sentence too (headings, list items, table rows), but not where a long line
    of running text was only wrapped, as in text from a PDF. Abbreviations such as "e.g." and
    initials do not end one.
    """
    spans: list[Span] = []
    start = 0
    for found in _BREAK.finditer(text):
        end = found.start()
        # Closing quotes and brackets matched before the space belong to the sentence.
        while end < found.end() and not text[end].isspace():
            end += 1
        line_break = "\n" in found.group()
        if line_break and _wrapped(text, start, found):
            continue
        if not line_break and _abbreviated(text[start:end]):
            continue
        if not line_break and _LIST_NUMBER.fullmatch(text[start:end]):
            continue  # "1." belongs to what it numbers
        _append(spans, text, start, end)
        start = found.end()
    _append(spans, text, start, len(text))
    return spans


def _wrapped(text: str, start: int, found: re.Match[str]) -> bool:
    """Whether the line break `found` stands in the middle of running text."""
    if found.group().count("\n") != 1:
        return False
    line = text[max(start, text.rfind("\n", 0, found.start()) + 1) : found.start()]
    following = text[found.end() : found.end() + 1]
    if len(line) < _WRAPPED_LINE or line[-1] in ".!?:;|" or "|" in line:
        return False
    return following.isalnum() or following in "("


def _abbreviated(before: str) -> bool:
    tail = before[-12:]
    return bool(_SINGLE_LETTER.search(tail) or _ABBREVIATION.search(tail))


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        spans.append(Span(start, end))


def cut_to(text: str, length: int) -> str:
    """The beginning of `text`, at most `length` characters, ending with a sentence.

    When not even half of that is whole sentences, it ends with a word.
    """
    if length >= len(text):
        return text
    if length <= 0:
        return ""
    ends = [span.end for span in sentence_spans(text) if span.end <= length]
    if ends and ends[-1] >= length // 2:
        return text[: ends[-1]]
    space = text.rfind(" ", 0, length + 1)
    return text[: space if space > 0 else length]
