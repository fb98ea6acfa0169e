"""How many threads are fastest now, found out while training.

All cores are fastest on a machine with nothing else to do. Where another program computes
too, threads wait for each other at every layer, and half as many can be several times faster.
Which it is changes while a training runs, so both are tried now and then.
"""

from __future__ import annotations

import torch

TRY_EVERY = 32
"""Groups of examples between two looks at the slower choice."""
_FIRST_TRIES = 2
_FRESH = 0.5
"""Weight of the newest measurement."""


class Threads:
    """Chooses between the cores that are granted and half of them."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._tries: dict[int, int] = {}
        self._groups = 0

    def choose(self, granted: int) -> int:
        """Threads for the next group of examples; torch is told."""
        choices = sorted({granted, max(1, granted // 2)}, reverse=True)
        self._groups += 1
        untried = [one for one in choices if self._tries.get(one, 0) < _FIRST_TRIES]
        chosen = untried[0] if untried else self.best(granted)
        if not untried and self._groups % TRY_EVERY == 0:
            chosen = next((one for one in choices if one != chosen), chosen)
        return use(chosen)

    def record(self, threads: int, seconds: float) -> None:
        """Take what a group took, in seconds a token; a count's first group sets things up."""
        tries = self._tries[threads] = self._tries.get(threads, 0) + 1
        before = self._seconds.get(threads)
        if before is None or tries == _FIRST_TRIES:
            self._seconds[threads] = seconds
        else:
            self._seconds[threads] = (1 - _FRESH) * before + _FRESH * seconds

    def best(self, granted: int) -> int:
        """The fastest count so far, of those within what is granted."""
        known = {n: s for n, s in self._seconds.items() if n <= granted}
        return min(known, key=lambda n: known[n]) if known else granted


def use(threads: int) -> int:
    """Let torch compute with `threads` threads."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    return threads
