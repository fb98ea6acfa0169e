"""Saying honestly that the documents hold no answer, and noticing when the model says so."""

from __future__ import annotations

import re

from engine.answers.sentences import sentence_spans

NOTHING_FOUND = "Nothing in this library matches this question."
NOTHING_IN_FILTER = "Nothing in the files chosen matches this question."

_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|not able|not sure)|i (?:do not|don't|cannot|can't) "
    r"(?:know|have|find|answer|provide|determine|see)"
    r"|(?:not|never|n't|isn't|aren't) (?:\w+ ){0,3}(?:mentioned|specified|stated|provided|"
    r"given|included|contained|found|available|answered|discussed)\b"
    r"|(?:does not|doesn't|do not|don't) (?:\w+ ){0,2}(?:mention|specify|state|provide|contain|"
    r"include|say|give|discuss|answer)"
    r"|no (?:\w+ )?(?:information|mention|answer|data)\b"
    r"|cannot be (?:determined|answered|found)"
    r"|(?:insufficient|not enough) (?:information|context|data))",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"\b(?:text|passages?|documents?|context|articles?|information|sources?|paragraphs?|i)\b",
    re.IGNORECASE,
)


def says_nothing(answer: str) -> bool:
    """Whether the answer as a whole says that it cannot be answered.

    True when its first sentence speaks of the text (or the speaker) and denies, and not more
    than one sentence follows: "It does not contain sugar" is an answer.
    """
    spans = sentence_spans(answer)
    if not spans:
        return True
    first = answer[spans[0].start : spans[0].end]
    if len(spans) > 2:
        return False
    return _REFUSAL.search(first) is not None and _SOURCE.search(first) is not None
