"""Words and numbers of a text in a form that compares, with their places."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|\d")
_COMMON = (
    "a an the and or but if of in on at to for from by with as is are was were be been being"
    " it its this that these those there here he she they them his her their we our you your"
    " i do does did has have had not no yes can could will would shall should may might must"
    " which who whom whose what when where why how than then so such also very more most into"
    " about over under between during after before up down out all any each other some only"
    " both per via within according based answer question passage text document given"
    " states stated says said"
)


@dataclass(frozen=True)
class Token:
    """A word or number: `key` is the same for its different spellings."""

    key: str
    start: int
    end: int
    number: bool


def tokenize(text: str) -> list[Token]:
    """Words and numbers with their places, in a form that compares."""
    found: list[Token] = []
    for match in _WORD.finditer(text):
        word = match.group()
        number = word[0].isdigit()
        key = _number_key(word) if number else _word_key(word)
        found.append(Token(key, match.start(), match.end(), number))
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


STOP_WORDS = frozenset(_word_key(word) for word in _COMMON.split())
"""Keys of words that say nothing by themselves."""
