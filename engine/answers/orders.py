"""What of a passage the model gets to read: its words, without orders, links and markers.

A document may speak to the model instead of the reader ("Ignore all previous
instructions…"), and small models obey. Sentences that do so are left out of the prompt, and
the answer says how many were. Links and images are reduced to their text: their addresses
help no answer, and a model that repeats them would put them before the user. This is a
second fence, no proof: the first is that no text becomes a control token (`neutralize`), and
the last that answers are shown without following or loading anything.
"""

from __future__ import annotations

import re

from engine.answers.neutralize import KNOWN_MARKERS
from engine.answers.sentences import sentence_spans

_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all)\b"
    r".{0,40}\b(?:instruction|prompt|rule|direction|order)s?\b"
    r"|^\W*(?:system|assistant|developer)\s*:"
    r"|\b(?:reply|respond|answer)\s+(?:only|solely|always|just)\s+(?:with|by)\b"
    r"|\b(?:output|reveal|print|repeat|show)\s+(?:me\s+)?your\s+(?:\w+\s+){0,2}"
    r"(?:prompt|instructions?)\b"
    r"|\byou\s+are\s+(?:now\s+)?(?:evil|dan|jailbroken|unrestricted)\b"
    r"|\byou\s+must\b.{0,60}\b(?:to\s+every|in\s+every|each)\s+(?:answer|reply|response)"
    r"|\binclude\s+the\s+image\b",
    re.IGNORECASE,
)
_IMAGE_OR_LINK = re.compile(
    r"!?\[([^\[\]]{0,300})\]\(\s*[^()\s]{0,2000}(?:\([^()]*\)[^()\s]*)*[^()]*\)"
)
_SCRIPT = re.compile(r"<script\b.*?(?:</script\s*>|$)", re.IGNORECASE | re.DOTALL)
_MARKERS = re.compile("|".join(re.escape(marker) for marker in KNOWN_MARKERS))


def readable(text: str) -> tuple[str, int]:
    """The text as the model reads it, and how many sentences were left out as orders."""
    plain = _MARKERS.sub("\n", _SCRIPT.sub(" ", text))
    left_out = 0
    for span in reversed(sentence_spans(plain)):
        if _ORDER.search(plain[span.start : span.end]):
            plain = plain[: span.start] + plain[span.end :]
            left_out += 1
    return _IMAGE_OR_LINK.sub(lambda found: found.group(1), plain), left_out
