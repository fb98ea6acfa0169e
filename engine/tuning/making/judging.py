"""Whether an example that a model made may be learnt from.

Each check is for something small models do: quote what is not there, ask about "the text",
answer with the question's own words, answer what the passage does not say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

from engine.answers.citations import cite
from engine.answers.words import STOP_WORDS, tokenize
from engine.tuning.datasets.similarity import near_pairs, plain
from engine.tuning.making.asking import Written
from engine.work.api import PassageHit

Flaw = Literal["form", "quote", "question", "answer", "duplicate", "not found", "too long"]
FLAWS: tuple[Flaw, ...] = get_args(Flaw)
SENTENCES: dict[Flaw, str] = {
    "form": "came to no end",
    "quote": "quoted what does not stand in the passage",
    "question": "asked nothing that can be asked without the passage",
    "answer": "gave an answer that the sentence quoted does not support",
    "duplicate": "asked what was asked before",
    "not found": "asked what the search does not find the passage for",
    "too long": "were longer than the model reads",
}
"""What those examples did that were left out."""

_SHORTEST_QUESTION, _LONGEST_QUESTION, _LONGEST_ANSWER = 8, 300, 400
_FEWEST_SHARED, _SHARED = 2, 0.5
_OF_THE_TEXT = re.compile(
    r"\b(?:this|the|given) (?:text|passage|paragraph|excerpt|sentence|quote|snippet)s?\b"
    r"|\b(?:above|following) (?:text|passage|paragraph|document|article|sentence)\b"
    r"|\bthis (?:document|article|section|page|author|file)\b|\bthe author\b",
    re.IGNORECASE,
)
_WIDE_RUN = re.compile(r"[⺀-鿿가-힯぀-ヿ豈-﫿]+")


def flaw_of(written: Written, passage: PassageHit) -> Flaw | None:
    """What is wrong with an example by itself; None when nothing is."""
    if not written.quote or _line(written.quote) not in _line(passage.text):
        return "quote"
    if not _is_question(written, passage.text):
        return "question"
    return None if _is_answer(written, passage) else "answer"


def _is_question(written: Written, text: str) -> bool:
    question = written.question
    return (
        _SHORTEST_QUESTION <= len(question) <= _LONGEST_QUESTION
        and question[-1] in "?？"
        and _OF_THE_TEXT.search(question) is None
        and (_shares(question, text) or _wide(question, text))
    )


def _is_answer(written: Written, passage: PassageHit) -> bool:
    answer, question = written.answer, written.question
    if not plain(answer) or len(answer) > _LONGEST_ANSWER:
        return False
    if plain(answer) == plain(question):
        return False
    keys = _keys(answer)
    if keys and keys <= _keys(question):
        return False  # it says what the question said
    if not keys and not any(char.isdigit() for char in answer):
        return False
    evidence = passage.model_copy(update={"text": written.quote})
    return stands_in(answer, written.quote) or _supported(answer, question, evidence)


def stands_in(answer: str, text: str) -> bool:
    """Whether an answer's words stand in a text one after the other."""
    words, within = plain(answer), plain(text)
    if _WIDE_RUN.search(words):
        return words.replace(" ", "") in within.replace(" ", "")
    return bool(words) and f" {words} " in f" {within} "


def _supported(answer: str, question: str, evidence: PassageHit) -> bool:
    sentences = cite(answer, question, [evidence]).sentences
    return bool(sentences) and all(one.supported for one in sentences)


def repeats(question: str, before: Sequence[str]) -> bool:
    """Whether a question is equal or nearly equal to one of those before.

    One that asks the same of another number is another one.
    """
    last = len(before)
    return any(
        later == last and _numbers(before[earlier]) == _numbers(question)
        for earlier, later, _ in near_pairs([*before, question])
    )


def finds(hits: Sequence[PassageHit], passage_id: int, text: str) -> bool:
    """Whether a search gave a passage, or one with the very same text."""
    return any(hit.passage_id == passage_id or hit.text == text for hit in hits)


def answers(hit: PassageHit, written: Written) -> bool:
    """Whether another passage holds the evidence or the answer of an example too."""
    return _line(written.quote) in _line(hit.text) or stands_in(written.answer, hit.text)


def _numbers(text: str) -> set[str]:
    return {token.key for token in tokenize(text) if token.number}


def _keys(text: str) -> set[str]:
    return {token.key for token in tokenize(text)} - STOP_WORDS


def _shares(question: str, text: str) -> bool:
    """Whether a question speaks of what the text does: most of what it says stands there."""
    asked = _keys(question)
    shared = asked & _keys(text)
    return len(shared) >= max(_FEWEST_SHARED, _SHARED * len(asked))


def _wide(question: str, text: str) -> bool:
    """The same for writing without spaces: pairs of letters in common."""
    return len(_pairs(question) & _pairs(text)) > _FEWEST_SHARED


def _pairs(text: str) -> set[str]:
    runs = _WIDE_RUN.findall(text)
    return {run[at : at + 2] for run in runs for at in range(len(run) - 1)}


def _line(text: str) -> str:
    return " ".join(text.split())
