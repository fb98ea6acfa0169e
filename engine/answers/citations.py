"""Citations that are computed: for each sentence of an answer, the text that supports it.

Small models seldom write "[1]" and are often wrong when they do. So every sentence is
compared with the passages the model was shown: how much of what it says (words weighted by
how rare they are there, what the question already said counting less) stands close together
in one passage, and whether its numbers stand there. A mark the model wrote stays only where
its passage supports the sentence.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.answers.sentences import Span, sentence_spans
from engine.work.api import Citation, PassageHit, PassageWeight, Sentence

SUPPORT = 0.6
"""Share of a sentence's weighted content that must stand in the evidence."""
NEW_SUPPORT = 0.5
"""The same for what the question had not said already."""
_NUMBER_ABOUT = 0.33
"""Share of the question's words that must stand in the sentence a number is taken from."""
MAX_QUOTE = 300
MAX_MARKS = 2
_QUESTION_WEIGHT = 0.35
_WINDOW = 2

_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|\d")
_MARK = re.compile(r"\s*\[\s*(\d{1,3}(?:\s*,\s*\d{1,3})*)\s*\]")
_COMMON = (
    "a an the and or but if of in on at to for from by with as is are was were be been being"
    " it its this that these those there here he she they them his her their we our you your"
    " i do does did has have had not no yes can could will would shall should may might must"
    " which who whom whose what when where why how than then so such also very more most into"
    " about over under between during after before up down out all any each other some only"
    " both per via within according based answer question passage text document given"
)
_STOP_WORDS = frozenset(_COMMON.split())


@dataclass(frozen=True)
class _Token:
    key: str
    start: int
    end: int
    number: bool


@dataclass(frozen=True)
class _Evidence:
    """The best place of one passage for one sentence."""

    n: int
    score: float
    start: int
    end: int
    closeness: float


@dataclass(frozen=True)
class Cited:
    """An answer with its evidence."""

    text: str
    citations: list[Citation]
    sentences: list[Sentence]


def cite(answer: str, question: str, passages: Sequence[PassageHit]) -> Cited:
    """Put marks [n] behind the sentences that a passage supports.

    Args:
        answer: the model's text; marks it wrote are checked and dropped or kept.
        question: what was asked.
        passages: what the model was shown; `passages[n-1]` is number n. A passage cut for
            the prompt comes with the text that was shown.

    Returns:
        The answer with checked marks, a citation for each mark in order of appearance
        (`quote` is exactly the document's text from `start` to `end`), and the sentences.
    """
    finder = _Finder(question, passages)
    text, citations, sentences = "", list[Citation](), list[Sentence]()
    last = 0
    for span in sentence_spans(answer):
        raw = answer[span.start : span.end]
        plain = _without_marks(raw, len(passages))
        gap = answer[last : span.start]
        last = span.end
        if not plain.strip():
            continue  # a mark standing alone; what it claimed is computed anyway
        found = finder.find(plain, _marks(raw))
        for evidence in found[:MAX_MARKS]:
            _add(citations, evidence, passages[evidence.n - 1])
        numbers = sorted({evidence.n for evidence in found[:MAX_MARKS]})
        text += gap + plain + "".join(f" [{n}]" for n in numbers[:1])
        text += "".join(f"[{n}]" for n in numbers[1:])
        sentences.append(
            Sentence(
                text=plain,
                passages=[PassageWeight(n=e.n, weight=round(e.score, 4)) for e in found],
                supported=bool(found),
            )
        )
    return Cited(text.strip(), citations, sentences)


def _add(citations: list[Citation], evidence: _Evidence, hit: PassageHit) -> None:
    quote = hit.text[evidence.start : evidence.end]
    start = hit.start + evidence.start
    if any(c.n == evidence.n and c.start == start and c.quote == quote for c in citations):
        return
    citations.append(
        Citation(
            n=evidence.n,
            file_id=hit.file_id,
            path=hit.path,
            title=hit.title,
            heading=hit.heading,
            page=hit.page,
            quote=quote,
            start=start,
            end=start + len(quote),
            # The passage's text is the document's text[start:end]; a passage whose length
            # says otherwise cannot be pointed at.
            verified=bool(quote) and start + len(quote) <= hit.end,
        )
    )


def _marks(text: str) -> set[int]:
    return {int(n) for found in _MARK.finditer(text) for n in found.group(1).split(",")}


def _without_marks(text: str, count: int) -> str:
    """Without marks. "[2019]" and the like, no passage's number, is writing and stays."""

    def drop(found: re.Match[str]) -> str:
        numbers = [int(n) for n in found.group(1).split(",")]
        return "" if all(1 <= n <= max(count, 20) for n in numbers) else found.group()

    return _MARK.sub(drop, text)


class _Finder:
    """Finds evidence in a fixed set of passages."""

    def __init__(self, question: str, passages: Sequence[PassageHit]) -> None:
        self._asked = {token.key for token in _tokens(question)}
        self._passages = [_tokens(hit.text) for hit in passages]
        self._spans = [sentence_spans(hit.text) for hit in passages]
        self._texts = [hit.text for hit in passages]
        self._counts: Counter[str] = Counter()
        self._total = 1
        for tokens, spans in zip(self._passages, self._spans, strict=True):
            self._total += len(spans)
            for span in spans:
                self._counts.update({t.key for t in _within(tokens, span.start, span.end)})

    def _weight(self, key: str) -> float:
        """Inverse sentence frequency among the passages shown."""
        return math.log(1 + self._total / (0.5 + self._counts[key]))

    def find(self, sentence: str, claimed: set[int]) -> list[_Evidence]:
        """Passages that support the sentence, best first; one place each."""
        tokens = _tokens(sentence)
        content = {t.key for t in tokens if t.key not in _STOP_WORDS or t.number}
        if not content:
            return []
        numbers = {t.key for t in tokens if t.number}
        found = [
            evidence
            for n in range(1, len(self._passages) + 1)
            if (evidence := self._best(n, content, numbers)) is not None
        ]
        # Between equals, the one the model itself named, then the better-ranked passage.
        found.sort(key=lambda e: (-round(e.score, 2), -e.closeness, e.n not in claimed, e.n))
        return found

    def _best(self, n: int, content: set[str], numbers: set[str]) -> _Evidence | None:
        tokens, spans = self._passages[n - 1], self._spans[n - 1]
        best: tuple[float, float, int] | None = None
        chosen: tuple[Span, list[_Token]] | None = None
        for first in range(len(spans)):
            for size in range(1, _WINDOW + 1):
                if first + size > len(spans):
                    break
                window = Span(spans[first].start, spans[first + size - 1].end)
                inside = _within(tokens, window.start, window.end)
                keys = {token.key for token in inside}
                score = self._score(content, numbers, keys)
                if score is None or not self._numbers_belong(n, numbers, tokens, window):
                    continue
                # The question's words decide between places that say the same.
                close = sum(self._weight(k) for k in self._asked & keys - _STOP_WORDS)
                rank = (round(score, 3), round(close, 3), -size)
                if best is None or rank > best:
                    best, chosen = rank, (window, inside)
        if best is None or chosen is None:
            return None
        window, inside = chosen
        used = [t for t in inside if t.key in content]
        place = _shorten(self._texts[n - 1], window, used)
        return _Evidence(n, best[0], place.start, place.end, best[1])

    def _numbers_belong(
        self, n: int, numbers: set[str], tokens: list[_Token], window: Span
    ) -> bool:
        """Whether the numbers stand in one sentence that speaks of what was asked.

        A number from the neighbouring sentence would "support" almost anything.
        """
        fresh = numbers - self._asked
        if not fresh:
            return True
        about = (self._asked - _STOP_WORDS) & {token.key for token in tokens}
        wanted = _NUMBER_ABOUT * sum(self._weight(key) for key in about)
        for span in self._spans[n - 1]:
            if span.start < window.start or span.end > window.end:
                continue
            keys = {token.key for token in _within(tokens, span.start, span.end)}
            if fresh <= keys and sum(self._weight(key) for key in about & keys) >= wanted:
                return True
        return False

    def _score(self, content: set[str], numbers: set[str], keys: set[str]) -> float | None:
        """Weighted share of `content` among `keys`; None when that is no support."""
        if not numbers <= keys:
            return None
        new = content - self._asked
        new_total = sum(self._weight(key) for key in new)
        new_found = sum(self._weight(key) for key in new & keys)
        if new and new_found < NEW_SUPPORT * new_total:
            return None
        old = content & self._asked
        total = new_total + _QUESTION_WEIGHT * sum(self._weight(key) for key in old)
        share = (
            new_found + _QUESTION_WEIGHT * sum(self._weight(key) for key in old & keys)
        ) / total
        return share if share >= SUPPORT else None


def _within(tokens: list[_Token], start: int, end: int) -> list[_Token]:
    return [token for token in tokens if token.start >= start and token.end <= end]


def _shorten(text: str, window: Span, used: list[_Token]) -> Span:
    """The window itself, or when it is too long the part around the words used."""
    if window.end - window.start <= MAX_QUOTE:
        return window
    # The stretch of the allowed length that holds most of the words used.
    best_start, most = window.start, -1
    for token in used:
        inside = sum(
            1 for t in used if token.start <= t.start and t.end <= token.start + MAX_QUOTE
        )
        if inside > most:
            best_start, most = token.start, inside
    last = max(
        (t.end for t in used if t.start >= best_start and t.end <= best_start + MAX_QUOTE),
        default=best_start,
    )
    slack = max(0, MAX_QUOTE - (last - best_start))
    start = max(window.start, best_start - slack // 2)
    end = min(window.end, start + MAX_QUOTE)
    # Whole words, unless there is but one endless word.
    if start > window.start:
        space = text.find(" ", start, best_start + 1)
        start = space + 1 if space >= 0 else best_start
    if end < window.end:
        space = text.rfind(" ", last, end)
        end = space if space >= 0 else max(last, min(end, start + MAX_QUOTE))
    end = min(end, start + MAX_QUOTE)
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def _tokens(text: str) -> list[_Token]:
    """Words and numbers with their places, in a form that compares."""
    found: list[_Token] = []
    for match in _WORD.finditer(text):
        word = match.group()
        number = word[0].isdigit()
        key = _number_key(word) if number else _word_key(word)
        found.append(_Token(key, match.start(), match.end(), number))
    return found


def _number_key(word: str) -> str:
    """1,496.50 and 1496.5 are one number; dates and ratios stay as written."""
    if ":" in word or "/" in word or word.count(".") > 1:
        return word
    plain = word.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", word) else word
    plain = plain.replace(",", ".")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0"


def _word_key(word: str) -> str:
    """Case, accents and the commonest endings put aside."""
    flat = unicodedata.normalize("NFKD", word.casefold())
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    flat = flat.split("'")[0].split("’")[0] if len(flat) > 3 else flat
    for ending in ("ing", "ies", "es", "ed", "s", "e"):
        if flat.endswith(ending) and len(flat) - len(ending) >= 3:
            return flat[: -len(ending)]
    return flat
