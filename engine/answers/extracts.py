"""The sentences that say most of what a text says, word for word.

Centroid-based summarization (Radev et al. 2004, "Centroid-based summarization of multiple
documents"): a sentence counts as central when its words, weighed by how often the text has
them and how few of its passages do, resemble those of the text as a whole. The text is cut
into stretches of equal length and each gives its most central sentence, so that no part goes
unheard; one that repeats another already chosen is passed over (maximal marginal relevance,
Carbonell and Goldstein 1998).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.answers.sentences import Span, sentence_spans
from engine.answers.words import STOP_WORDS, tokenize
from engine.work.api import PassageHit
from engine.work.jobs import NULL_JOB, Job

FEWEST, MOST = 5, 8
"""Sentences of an extract; a text with fewer gives all it has."""
_SENTENCES_EACH = 10
"""One sentence stands for about so many."""
_SHORTEST, _LONGEST = 30, 400
_FEWEST_WORDS = 5
_PLAIN_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")
_OPENING_BONUS = 1.15
"""The first sentence of running text tends to say what all of it is about."""
_REPEATS = 0.6
"""Share of its words that a sentence may have in common with one already chosen."""


@dataclass(frozen=True)
class Extract:
    """A sentence: the number of its passage, from 0, and its place in that."""

    passage: int
    place: Span


@dataclass(frozen=True)
class _Sentence:
    passage: int
    place: Span
    keys: Counter[str]
    plain: bool


def extract(
    passages: Sequence[PassageHit], most: int = MOST, job: Job = NULL_JOB
) -> list[Extract]:
    """The most central sentences of a text, in its own order.

    Args:
        passages: all of the text, in order.
        most: sentences at most.
        job: told how far it is; can cancel.

    Raises:
        Cancelled: `job` was cancelled.
    """
    sentences = _sentences(passages, job)
    usable = [one for one in sentences if one.plain] or sentences
    if not usable:
        return []
    count = min(len(usable), max(FEWEST, min(most, math.ceil(len(usable) / _SENTENCES_EACH))))
    scores = _scores(usable, len(passages))
    chosen: list[_Sentence] = []
    for n in range(count):
        stretch = range(n * len(usable) // count, (n + 1) * len(usable) // count)
        for at in sorted(stretch, key=lambda i: (-scores[i], i)):
            if not any(_alike(usable[at], other) for other in chosen):
                chosen.append(usable[at])
                break
    return [Extract(one.passage, one.place) for one in chosen]


def _sentences(passages: Sequence[PassageHit], job: Job) -> list[_Sentence]:
    found: list[_Sentence] = []
    for n, hit in enumerate(passages):
        job.checkpoint()
        job.progress(n, len(passages), "Reading the file")
        for span in sentence_spans(hit.text):
            text = hit.text[span.start : span.end]
            keys = Counter(t.key for t in tokenize(text) if t.key not in STOP_WORDS)
            if keys:
                place = _shortened(hit.text, span)
                found.append(_Sentence(n, place, keys, _is_plain(text, keys)))
    return found


def _is_plain(text: str, keys: Counter[str]) -> bool:
    """True for a sentence of running text, not a heading, a row or a line of contents."""
    letters = sum(char.isalpha() for char in text)
    return (
        _SHORTEST <= len(text) <= _LONGEST
        and len(keys) >= _FEWEST_WORDS
        and letters >= 0.6 * len(text)
        and text[0] not in "|#"
        and "…." not in text
        and "...." not in text
        and _PLAIN_END.search(text) is not None
    )


def _shortened(text: str, span: Span) -> Span:
    """A sentence without end, as in a table, is cut at a space."""
    if span.end - span.start <= _LONGEST:
        return span
    space = text.rfind(" ", span.start + 1, span.start + _LONGEST)
    return Span(span.start, space if space > span.start else span.start + _LONGEST)


def _scores(sentences: Sequence[_Sentence], passages: int) -> list[float]:
    """Cosine of each sentence's weighed words with those of all of them."""
    spread: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for sentence in sentences:
        whole.update(sentence.keys)
    for held in {(one.passage, key) for one in sentences for key in one.keys}:
        spread[held[1]] += 1
    rarity = {key: math.log(1 + passages / spread[key]) for key in spread}
    centroid = {key: count * rarity[key] for key, count in whole.items()}
    scores: list[float] = []
    for at, sentence in enumerate(sentences):
        own = {key: count * rarity[key] for key, count in sentence.keys.items()}
        length = math.sqrt(sum(weight * weight for weight in own.values())) or 1.0
        score = sum(weight * centroid[key] for key, weight in own.items()) / length
        scores.append(score * _OPENING_BONUS if at == 0 else score)
    return scores


def _alike(one: _Sentence, other: _Sentence) -> bool:
    shared = len(one.keys.keys() & other.keys.keys())
    return shared > _REPEATS * min(len(one.keys), len(other.keys))
