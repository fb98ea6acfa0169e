"""Untrusted text can never steer the model through its control tokens.

A document, a file name or a question may contain `<|im_end|>`, `</s>` or `[INST]`. Where a
model has such a marker as one control token, the text is cut inside the marker and the parts
are tokenized apart, so the model reads the same characters as plain text. Where a template
uses a marker that is plain text for the model, a space is put into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

KNOWN_MARKERS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<bos>",
    "<eos>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CALLS]",
    "[AVAILABLE_TOOLS]",
    "<think>",
    "</think>",
)
"""Turn markers of the template families in use; broken even where they are plain text."""

_MARKER_LIKE = re.compile(
    r"<\|[^|<>]{1,60}\|>|<｜[^<>]{1,60}｜>|\[/?[A-Z_]{2,40}\]|</?s>|<(?:start|end)_of_\w+>"
)
_MIN_MARKER = 2


def looks_like_marker(text: str) -> bool:
    """True for a token's text that reads as a turn marker rather than as writing."""
    return text in KNOWN_MARKERS or _MARKER_LIKE.fullmatch(text) is not None


class Neutralizer:
    """Tokenizes untrusted text so that no control token comes out.

    Args:
        control_texts: the text of each control token of the model.
        control_ids: ids that must never come from untrusted text.
        tokenize: text → ids without parsing control tokens.
    """

    def __init__(
        self,
        control_texts: Iterable[str],
        control_ids: Collection[int],
        tokenize: Callable[[str], list[int]],
    ) -> None:
        # A marker of one character cannot be cut; `tokens` drops what it would become.
        tokens = {text for text in control_texts if len(text) >= _MIN_MARKER}
        self._control_ids = frozenset(control_ids)
        self._tokenize = tokenize
        self._cut = _any_of(tokens)
        self._spaced = _any_of(set(KNOWN_MARKERS) - tokens)

    def pieces(self, text: str) -> list[str]:
        """`text` cut so that no piece holds a whole control marker."""
        if self._spaced is not None:
            text = self._spaced.sub(lambda found: _spaced(found.group()), text)
        if self._cut is None:
            return [text] if text else []
        pieces: list[str] = []
        start = 0
        while found := self._cut.search(text, start):
            cut = found.start() + 1
            pieces.append(text[start:cut])
            start = cut
        return [*pieces, text[start:]] if start < len(text) else pieces

    def tokens(self, text: str) -> list[int]:
        """Token ids of `text`; never a control token, whatever the text."""
        ids: list[int] = []
        for piece in self.pieces(text):
            found = self._tokenize(piece)
            if not self._control_ids.isdisjoint(found):
                # Some tokenizers can still merge a marker together from its letters.
                found = [one for letter in piece for one in self._tokenize(letter)]
            ids.extend(one for one in found if one not in self._control_ids)
        return ids


def _spaced(marker: str) -> str:
    return f"{marker[0]} {marker[1:]}"


def _any_of(texts: Collection[str]) -> re.Pattern[str] | None:
    if not texts:
        return None
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile("|".join(re.escape(text) for text in longest_first))
