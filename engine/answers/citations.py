"""Citations that are computed: for each sentence of an answer, the text that supports it.

Small models seldom write "[1]" and are often wrong when they do. So every sentence is
compared with the passages the model was shown: how much of what it says (words weighted by
how rare they are there, what the question already said counting less) stands close together
in one passage, and whether its numbers stand there. A mark the model wrote stays only where
its passage supports the sentence.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.answers.attribution import Attribution, Word
from engine.answers.sentences import Span, sentence_spans
from engine.answers.words import STOP_WORDS, Token, tokenize
from engine.work.api import Citation, PassageHit, PassageWeight, Sentence, WordSource

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
_LEAST_SHARE = 0.01
_RIVAL_SHARE = 0.25
"""Share of the best passage's probability that a second one needs to be cited beside it."""

_MARK = re.compile(r"\s*\[\s*(\d{1,3}(?:\s*,\s*\d{1,3})*)\s*\]")


@dataclass(frozen=True)
class _Evidence:
    """The best place of one passage for one sentence."""

    n: int
    score: float
    start: int
    end: int
    closeness: float


@dataclass(frozen=True)
class _Claim:
    """What a sentence says, as keys of words and numbers."""

    content: set[str]
    numbers: set[str]
    """Numbers the question had named already."""
    fresh: set[str]
    """Numbers that are new."""
    units: set[str]
    """Words that follow the new numbers."""


@dataclass(frozen=True)
class Cited:
    """An answer with its evidence."""

    text: str
    citations: list[Citation]
    sentences: list[Sentence]
    words: list[WordSource]


def cite(
    answer: str,
    question: str,
    passages: Sequence[PassageHit],
    attribution: Attribution | None = None,
) -> Cited:
    """Put marks [n] behind the sentences that a passage supports.

    Args:
        answer: the model's text; marks it wrote are checked and dropped or kept.
        question: what was asked.
        passages: what the model was shown; `passages[n-1]` is number n. A passage cut for
            the prompt comes with the text that was shown. Words of a table's header row may
            support a sentence too; new numbers must stand in the text, which is quoted.
        attribution: where the answer came from, as far as that is known; of the passages
            that support a sentence, the one it came from is cited.

    Returns:
        The answer with checked marks, a citation for each mark in order of appearance
        (`quote` is exactly the document's text from `start` to `end`), and the sentences.
    """
    finder = _Finder(question, passages)
    text, citations, sentences = "", list[Citation](), list[Sentence]()
    words: list[WordSource] = []
    origins = list(attribution.words()) if attribution else []
    last = 0
    for span in sentence_spans(answer):
        raw = answer[span.start : span.end]
        plain = _without_marks(raw, len(passages))
        gap = answer[last : span.start]
        last = span.end
        if not plain.strip():
            continue  # a mark standing alone; what it claimed is computed anyway
        shares = attribution.share(span.start, span.end) if attribution else []
        found = finder.find(plain, _marks(raw), shares)
        for evidence in found[:MAX_MARKS]:
            _add(citations, evidence, passages[evidence.n - 1])
        numbers = sorted({evidence.n for evidence in found[:MAX_MARKS]})
        text = (text + gap).lstrip()
        if plain == raw:  # else the model wrote marks, and places no longer agree
            words += _moved(origins, span, len(text) - span.start)
        text += plain + "".join(f" [{n}]" for n in numbers[:1])
        text += "".join(f"[{n}]" for n in numbers[1:])
        weights = _ranked(shares) if shares else [(e.n, e.score) for e in found]
        sentences.append(
            Sentence(
                text=plain,
                passages=[PassageWeight(n=n, weight=round(w, 4)) for n, w in weights],
                supported=bool(found),
            )
        )
    return Cited(text.rstrip(), citations, sentences, words)


def _ranked(shares: Sequence[float]) -> list[tuple[int, float]]:
    """(passage number, its share) of those that matter, largest first."""
    numbered = [(n, share) for n, share in enumerate(shares, 1) if share >= _LEAST_SHARE]
    return sorted(numbered, key=lambda one: -one[1])


def _moved(origins: Sequence[Word], span: Span, by: int) -> list[WordSource]:
    """The words of a sentence, at their places in the text with marks."""
    return [
        WordSource(start=word.start + by, end=word.end + by, n=word.n, weight=word.weight)
        for word in origins
        if word.start >= span.start and word.end <= span.end
    ]


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
            library=hit.library,
            place=hit.place,
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
        self._asked = {token.key for token in tokenize(question)}
        self._passages = [tokenize(hit.text) for hit in passages]
        self._spans = [sentence_spans(hit.text) for hit in passages]
        self._texts = [hit.text for hit in passages]
        self._headers = [{token.key for token in tokenize(hit.header)} for hit in passages]
        self._counts: Counter[str] = Counter()
        self._total = 1
        for tokens, spans in zip(self._passages, self._spans, strict=True):
            self._total += len(spans)
            for span in spans:
                self._counts.update({t.key for t in _within(tokens, span.start, span.end)})

    def _weight(self, key: str) -> float:
        """Inverse sentence frequency among the passages shown."""
        return math.log(1 + self._total / (0.5 + self._counts[key]))

    def find(
        self, sentence: str, claimed: set[int], shares: Sequence[float] = ()
    ) -> list[_Evidence]:
        """Passages that support the sentence, best first; one place each.

        Args:
            sentence: as it is shown.
            claimed: numbers the model wrote behind it.
            shares: probability that it came from each passage; improbable ones are no
                evidence beside a probable one.
        """
        claim = self._claim(tokenize(sentence))
        if not claim.content:
            return []
        found = [
            evidence
            for n in range(1, len(self._passages) + 1)
            if (evidence := self._best(n, claim)) is not None
        ]
        # Between equals, the one the model itself named, then the better-ranked passage.
        found.sort(key=lambda e: (-round(e.score, 2), -e.closeness, e.n not in claimed, e.n))
        if not shares or not found:
            return found
        found.sort(key=lambda e: -round(shares[e.n - 1], 1))
        most = shares[found[0].n - 1]
        return [e for e in found if shares[e.n - 1] >= _RIVAL_SHARE * most]

    def _claim(self, tokens: list[Token]) -> _Claim:
        content = {t.key for t in tokens if t.key not in STOP_WORDS or t.number}
        numbers = {t.key for t in tokens if t.number}
        fresh = numbers - self._asked
        units = {
            after.key
            for token, after in itertools.pairwise(tokens)
            if token.key in fresh and token.number and not after.number
        }
        return _Claim(content, numbers - fresh, fresh, units - STOP_WORDS)

    def _best(self, n: int, claim: _Claim) -> _Evidence | None:
        tokens, spans = self._passages[n - 1], self._spans[n - 1]
        header = self._headers[n - 1]
        everything = {token.key for token in tokens}
        if not (claim.fresh <= everything and claim.numbers <= everything | header):
            return None
        best: tuple[float, float, int] | None = None
        chosen: tuple[Span, list[Token]] | None = None
        for first in range(len(spans)):
            for size in range(1, _WINDOW + 1):
                if first + size > len(spans):
                    break
                window = Span(spans[first].start, spans[first + size - 1].end)
                inside = _within(tokens, window.start, window.end)
                keys = {token.key for token in inside}
                score = self._score(claim, keys, header)
                if score is None or not self._numbers_belong(n, claim, window):
                    continue
                # The question's words decide between places that say the same.
                close = sum(self._weight(k) for k in self._asked & keys - STOP_WORDS)
                rank = (round(score, 3), round(close, 3), -size)
                if best is None or rank > best:
                    best, chosen = rank, (window, inside)
        if best is None or chosen is None:
            return None
        window, inside = chosen
        used = [t for t in inside if t.key in claim.content]
        place = _shorten(self._texts[n - 1], window, used)
        return _Evidence(n, best[0], place.start, place.end, best[1])

    def _numbers_belong(self, n: int, claim: _Claim, window: Span) -> bool:
        """Whether the new numbers stand together in one sentence that is about the question.

        A number from the neighbouring sentence would "support" almost anything: that
        sentence must speak of what was asked, or at least no other sentence of the passage
        may do so and give another number of the same thing ("130 EUR" against "20 EUR").
        """
        if not claim.fresh:
            return True
        tokens = self._passages[n - 1]
        about = (self._asked - STOP_WORDS) & {token.key for token in tokens}
        wanted = _NUMBER_ABOUT * sum(self._weight(key) for key in about)
        belongs = rivalled = False
        for span in self._spans[n - 1]:
            inside = _within(tokens, span.start, span.end)
            keys = {token.key for token in inside}
            on_topic = sum(self._weight(key) for key in about & keys) >= wanted
            if window.start <= span.start and span.end <= window.end and claim.fresh <= keys:
                if on_topic:
                    return True
                belongs = True
            rivalled = rivalled or (on_topic and _rivals(inside, claim))
        return belongs and not rivalled

    def _score(self, claim: _Claim, keys: set[str], header: set[str]) -> float | None:
        """Weighted share of the claim's content among `keys` and the header row's words.

        None when it is no support.
        """
        if not claim.fresh <= keys:
            return None
        keys = keys | header
        # Numbers the question named (a year, say) may stand elsewhere, as in a table's head.
        content = claim.content - claim.numbers
        new = content - self._asked
        new_total = sum(self._weight(key) for key in new)
        new_found = sum(self._weight(key) for key in new & keys)
        if new and new_found < NEW_SUPPORT * new_total:
            return None
        old = content & self._asked
        total = new_total + _QUESTION_WEIGHT * sum(self._weight(key) for key in old)
        old_found = _QUESTION_WEIGHT * sum(self._weight(key) for key in old & keys)
        share = (new_found + old_found) / total if total else 0.0
        return share if share >= SUPPORT else None


def _rivals(tokens: list[Token], claim: _Claim) -> bool:
    """Whether another number of the same unit stands among `tokens`."""
    return any(
        token.number and token.key not in claim.fresh and after.key in claim.units
        for token, after in itertools.pairwise(tokens)
    )


def _within(tokens: list[Token], start: int, end: int) -> list[Token]:
    return [token for token in tokens if token.start >= start and token.end <= end]


def _shorten(text: str, window: Span, used: list[Token]) -> Span:
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
