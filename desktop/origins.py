"""Where the words of an answer came from: the report's figures by place in the answer."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from desktop.strings import english, names, places

if TYPE_CHECKING:
    from engine.work.api import AnswerReport, PassageHit, Sentence

RUNNERS_UP = 2
LEAST_SHOWN = 0.01


@dataclass(frozen=True)
class Piece:
    """Characters [start, end) of the answer as written, and where they came from.

    A word or a whole sentence; `n` 0 is from nowhere. `sentence` counts from 0.
    """

    start: int
    end: int
    n: int
    weight: float
    sentence: int


@dataclass(frozen=True)
class Origins:
    """Of one answer. `sentences` lie in order, one for each of `facts`; so do `pieces`.

    `apart` says that passages were read apart: a weight is then the probability that a word
    came from its passage; else how much of the sentence stands in it.
    """

    pieces: tuple[Piece, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    facts: tuple[Sentence, ...] = ()
    passages: tuple[PassageHit, ...] = ()
    apart: bool = False
    judged: bool = False
    """Sentences without support are to be marked."""

    @cached_property
    def sources(self) -> list[int]:
        """Numbers of the passages that words came from."""
        return sorted({piece.n for piece in self.pieces if piece.n})

    def hue(self, n: int) -> int:
        """Which colour source `n` wears, from 0; -1 for none."""
        used = self.sources
        return used.index(n) if n in used else -1

    @cached_property
    def unsupported(self) -> list[int]:
        """The sentences that were not found in the passages, by number from 0."""
        if not self.judged:
            return []
        return [at for at, fact in enumerate(self.facts) if not fact.supported]

    # --- in words -------------------------------------------------------------------------

    def say(self, n: int, weight: float) -> str:
        """ "from [2] offer.pdf, page 3 · 93%"."""
        form = english.ORIGIN_FROM if self.apart else english.ORIGIN_LIKE
        return form.format(source=self.source(n), share=percent(weight))

    def source(self, n: int) -> str:
        """ "[2] offer.pdf, page 3"."""
        if not 1 <= n <= len(self.passages):
            return f"[{n}]"
        hit = self.passages[n - 1]
        where = names.one_line(places.place_in_sentence(hit.page, hit.place), 80)
        return ", ".join(part for part in (f"[{n}] {names.file_name(hit.path)}", where) if part)

    def explain(self, piece: Piece) -> list[str]:
        """Lines about a word or a sentence: where it came from, and what else came near."""
        fact = self.facts[piece.sentence] if piece.sentence < len(self.facts) else None
        lines = [self.say(piece.n, piece.weight)] if piece.n else []
        ranked = fact.passages if fact is not None else []
        others = [found for found in ranked if found.n != piece.n][:RUNNERS_UP]
        shares = "; ".join(
            f"{self.source(found.n)} · {percent(found.weight)}"
            for found in others
            if found.weight >= LEAST_SHOWN
        )
        if shares:
            lines.append(english.ORIGIN_OTHERS.format(sources=shares))
        if piece.sentence in self.unsupported:
            lines.append(english.UNSUPPORTED_TIP)
        return lines

    def tell(self, sentence: int) -> str:
        """A sentence about a sentence, for who cannot see the colours."""
        fact = self.facts[sentence]
        near = [found for found in fact.passages if found.weight >= LEAST_SHOWN]
        parts = [self.say(found.n, found.weight) for found in near[: RUNNERS_UP + 1]]
        if sentence in self.unsupported:
            parts.append(english.UNSUPPORTED_TIP)
        said = "; ".join(parts) or english.ORIGIN_UNKNOWN
        return english.ORIGIN_SENTENCE.format(n=sentence + 1, origin=said)


def origins_of(report: AnswerReport | None) -> Origins:
    """What a report says of its words; nothing for a refusal or an answer without documents."""
    if report is None or report.refused or report.mode == "none" or not report.passages:
        return Origins()
    sentences: list[tuple[int, int]] = []
    facts: list[Sentence] = []
    after = 0
    for fact in report.sentences:
        text = fact.text.strip()
        start = report.answer.find(text, after) if text else -1
        if start >= 0:
            after = start + len(text)
            sentences.append((start, after))
            facts.append(fact)
    return Origins(
        tuple(_pieces(report, sentences, facts)),
        tuple(sentences),
        tuple(facts),
        tuple(report.passages),
        bool(report.words) or report.mode in ("token", "sequence"),
        True,
    )


def _pieces(
    report: AnswerReport, sentences: list[tuple[int, int]], facts: list[Sentence]
) -> list[Piece]:
    """Words where they are known, else the sentence as one; in order, none over another."""
    starts = [start for start, _ in sentences]
    pieces: list[Piece] = []
    known: set[int] = set()
    for word in sorted(report.words, key=lambda word: word.start):
        at = bisect_right(starts, word.start) - 1
        inside = at >= 0 and word.end <= sentences[at][1]
        after = not pieces or word.start >= pieces[-1].end
        if inside and after and word.end > word.start and 1 <= word.n <= len(report.passages):
            known.add(at)
            pieces.append(Piece(word.start, word.end, word.n, word.weight, at))
    for at, ((start, end), fact) in enumerate(zip(sentences, facts, strict=True)):
        if at in known:
            continue
        best = fact.passages[0] if fact.passages else None
        n = best.n if best is not None and 1 <= best.n <= len(report.passages) else 0
        pieces.append(Piece(start, end, n, best.weight if best is not None and n else 0.0, at))
    return sorted(pieces, key=lambda piece: piece.start)


def percent(share: float) -> str:
    """ "93%"; never 100 or 0 for what is not quite."""
    whole = round(100 * share)
    if whole >= 100 and share < 1:
        whole = 99
    return f"{whole}%" if whole or share <= 0 else "<1%"
