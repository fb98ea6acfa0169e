"""Texts as they are compared: answers by words, labels by letters, JSON by value."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from engine.answers.refusals import says_nothing

_ARTICLES = frozenset(("a", "an", "the"))
_WORD = re.compile(r"[^\W_]+")
_WIDE = re.compile(r"[⺀-鿿가-힯぀-ヿ豈-﫿]")
"""Letters of writing without spaces; each counts as a word."""
_JSON = re.compile(r"\[.*\]|\{.*\}", re.DOTALL)
_MAX_JSON = 100_000


def words(text: str) -> list[str]:
    """Words in small letters without articles and punctuation (as SQuAD has it)."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    spaced = _WIDE.sub(lambda found: f" {found.group()} ", plain)
    return [word for word in _WORD.findall(spaced) if word not in _ARTICLES]


def exact_match(answer: str, expected: Sequence[str]) -> float:
    """1 where an answer has the words of a right one in their order (Rajpurkar et al. 2016)."""
    said = words(answer)
    return float(any(said == words(right) for right in expected))


def token_f1(answer: str, expected: Sequence[str]) -> float:
    """The best F1 of the words of an answer and of a right one (Rajpurkar et al. 2016)."""
    said = Counter(words(answer))
    return max((_overlap(said, Counter(words(right))) for right in expected), default=0.0)


def _overlap(said: Counter[str], right: Counter[str]) -> float:
    if not said or not right:
        return float(said == right)
    common = (said & right).total()
    return 2 * common / (said.total() + right.total())


def refuses(answer: str) -> bool:
    """Whether an answer says that there is none."""
    return says_nothing(answer)


def label_in(answer: str, labels: Sequence[str]) -> str:
    """The label an answer means; "" when it means none or several.

    By turns: the whole answer, its first line, the only label named in it. A label within a
    longer one that is named does not count.
    """
    names = {_letters(label): label for label in reversed(labels)}
    first = next((line for line in answer.splitlines() if line.strip()), "")
    for said in (answer, first):
        if _letters(said) in names:
            return names[_letters(said)]
    rest = f" {_letters(answer)} "
    named: list[str] = []
    for name in sorted(names, key=len, reverse=True):
        if name and f" {name} " in rest:
            named.append(names[name])
            rest = rest.replace(f" {name} ", "  ")
    return named[0] if len(named) == 1 else ""


def _letters(text: str) -> str:
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def entities_in(text: str) -> Counter[tuple[str, str]]:
    """(text, label) of the entities of a JSON list; none where it is no such list."""
    value = _parsed(text)
    found: Counter[tuple[str, str]] = Counter()
    for one in cast("list[Any]", value) if isinstance(value, list) else ():
        if isinstance(one, dict):
            entity = cast("dict[str, Any]", one)
            said, label = entity.get("text"), entity.get("label")
            if isinstance(said, str) and isinstance(label, str):
                found[" ".join(said.split()), _letters(label)] += 1
    return found


def fields_in(text: str) -> dict[str, str]:
    """Fields of a JSON object and their values as they are compared; nested ones by path."""
    value = _parsed(text)
    found: dict[str, str] = {}
    if isinstance(value, dict):
        _flatten(cast("dict[str, Any]", value), "", found)
    return found


def _flatten(value: Any, path: str, found: dict[str, str]) -> None:
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            _flatten(inner, f"{path}/{key}", found)
    elif isinstance(value, list):
        for number, inner in enumerate(cast("list[Any]", value)):
            _flatten(inner, f"{path}/{number}", found)
    elif isinstance(value, bool) or value is None:
        found[path] = json.dumps(value)
    elif isinstance(value, int | float):
        found[path] = f"{value:.12g}"
    else:
        text = " ".join(unicodedata.normalize("NFKC", str(value)).casefold().split())
        found[path] = text


def _parsed(text: str) -> Any:
    """The JSON an answer is, or has in it; None where it has none."""
    for part in (text, *(found.group() for found in _JSON.finditer(text[:_MAX_JSON]))):
        try:
            return json.loads(part)
        except (ValueError, RecursionError):
            continue
    return None
