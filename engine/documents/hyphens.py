"""Words divided at the end of a line: made whole, or kept with their own hyphen.

A hyphen at a line's end says one of two things: the typesetter divided a word
("dan-" "gerous"), or the word has a hyphen of its own that happened to fall there ("well-"
"known"). The text around decides where it can; else the form of the two parts does.
"""

from __future__ import annotations

import re
from collections.abc import Set

_FIRST = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?$")
_SECOND = re.compile(r"[^\W\d_]+")
_HYPHENS = "-\u2010\u00ad"
_FREE_STANDING = frozenset(
    [
        "cross",
        "half",
        "quasi",
        "self",
        "single",
        "third",
        "two",
        "user",
        "vice",
        "well",
        "world",
        "year",
    ]
)
"""First parts that commonly stand before a hyphen and seldom begin a longer word."""


def divides(first: str, second: str, vocabulary: Set[str] = frozenset()) -> bool:
    """True when the hyphen between the two is only there because the line ended.

    Args:
        first: what stands before the hyphen on its line.
        second: the beginning of the next line.
        vocabulary: words of the same document in lower case, hyphenated ones included.
    """
    before, after = _FIRST.search(first), _SECOND.match(second)
    if before is None or after is None:
        return False
    head, tail = before.group().lower(), after.group()
    whole, hyphened = (head + tail).lower(), f"{head}-{tail}".lower()
    if (whole in vocabulary) != (hyphened in vocabulary):
        return whole in vocabulary
    earlier = first[: before.start()]
    if earlier.endswith(tuple(_HYPHENS)):
        return False  # "state-of-" "the-art"
    if second[after.end() : after.end() + 1] == "-" and head in _FREE_STANDING:
        return False
    return tail[0].islower() and len(head) > 1 and head not in _FREE_STANDING


def mended(line: str, following: str, vocabulary: Set[str] = frozenset()) -> tuple[str, str]:
    """The line as it goes into a paragraph, and what joins it to the `following` one."""
    bare = line.rstrip()
    if bare[-1:] and bare[-1] in _HYPHENS and following[:1].isalnum():
        if divides(bare[:-1], following, vocabulary):
            return bare[:-1], ""
        if len(bare) > 1 and not bare[-2].isspace():
            return (bare[:-1] + "-", "")
    return bare, " "
