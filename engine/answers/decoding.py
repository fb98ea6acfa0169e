"""From token bytes to text for the screen: whole characters, stop texts, runaway loops."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

MAX_PERIOD = 160
MIN_LOOP_TOKENS = 36


class TextStream:
    """Turns the bytes of successive tokens into text that never has to be taken back.

    An unfinished character is held until its bytes are complete, and a tail that could be
    the beginning of a stop text is held until that is decided. Leading white space, which
    most tokenizers put before the first word, is dropped.

    Args:
        stops: texts that end the answer; they are not part of it.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.text = ""
        self.stopped = False

    def push(self, piece: bytes) -> str:
        """Take a token's bytes; give the text that is now certain (may be empty)."""
        return self._take(self._decoder.decode(piece), final=False)

    def finish(self) -> str:
        """The rest that was held back; half a character becomes U+FFFD."""
        return self._take(self._decoder.decode(b"", final=True), final=True)

    def _take(self, text: str, final: bool) -> str:
        if self.stopped:
            return ""
        self._held += text
        if not self.text:
            self._held = self._held.lstrip()
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self._held, self.stopped, final = self._held[: min(found)], True, True
        keep = 0 if final else self._undecided()
        ready = self._held[: len(self._held) - keep]
        self._held = self._held[len(ready) :]
        self.text += ready
        return ready

    def _undecided(self) -> int:
        """Length of the longest tail that a stop text could begin with."""
        longest = 0
        for stop in self._stops:
            for length in range(min(len(stop) - 1, len(self._held)), longest, -1):
                if self._held.endswith(stop[:length]):
                    longest = length
                    break
        return longest


def loop_period(tokens: Sequence[int]) -> int:
    """Length of the block that the end of `tokens` repeats without end; 0 when there is none.

    A block counts when it fills at least 36 tokens and stands at least three times in a row
    (a table row or a refrain may well come twice).
    """
    size = len(tokens)
    for period in range(1, MAX_PERIOD + 1):
        span = max(3 * period, MIN_LOOP_TOKENS)
        if span > size:
            if 3 * period > size:
                return 0
            continue
        if tokens[-1] != tokens[-1 - period]:
            continue
        tail = tokens[size - span :]
        if all(tail[at] == tail[at + period] for at in range(span - period)):
            return period
    return 0
