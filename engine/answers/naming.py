"""Which file a question names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePath

from engine.answers.words import STOP_WORDS, tokenize
from engine.work.api.reading import HeldDocument

_FILE_WORDS = "file files document documents paper pdf called named entitled titled"
_LEAST_KEYS = 2
"""So many words of its name point to a file that is not named in full."""


def find_named(named: str, files: Sequence[HeldDocument], loosely: bool) -> list[HeldDocument]:
    """The files that `named` can mean; several when they share the name.

    Args:
        named: as a question has it: "the file report.pdf", "the station handbook".
        files: those there are.
        loosely: some words of a name are enough if they fit one file alone.
    """
    by_name = _by_name(named, files)
    if by_name:
        return by_name
    asked = _keys(named)
    if not asked:
        return []
    names = [_keys(PurePath(file.path).stem) for file in files]
    titles = [_keys(file.title) for file in files]
    exact = [
        f for f, name, title in zip(files, names, titles, strict=True) if asked in (name, title)
    ]
    if exact or not loosely or len(asked) < _LEAST_KEYS:
        return exact
    some = [
        f for f, name, title in zip(files, names, titles, strict=True) if asked <= name | title
    ]
    return some if len(some) == 1 else []


def _by_name(named: str, files: Sequence[HeldDocument]) -> list[HeldDocument]:
    """Files whose whole name with its suffix stands in `named`; the longest names win."""
    text = _even(named)
    found: list[tuple[int, HeldDocument]] = []
    for file in files:
        name = _even(PurePath(file.path).name)
        if "." in name[1:] and name in text:
            bounded = rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)"
            if re.search(bounded, text):
                found.append((len(name), file))
    longest = max((length for length, _ in found), default=0)
    return [file for length, file in found if length == longest]


def _even(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _keys(text: str) -> frozenset[str]:
    spaced = re.sub(r"[_\W]+", " ", text)
    return frozenset(token.key for token in tokenize(spaced)) - _SAYS_NOTHING


_SAYS_NOTHING = STOP_WORDS | {token.key for token in tokenize(_FILE_WORDS)}
