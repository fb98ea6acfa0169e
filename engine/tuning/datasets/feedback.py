"""What the user corrected in conversations, as examples."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from engine.answers.fitting import passage_text
from engine.store.conversations import Rated
from engine.tuning.datasets.rows import tidy
from engine.tuning.datasets.types import Example

_BETWEEN = "\n\n"
"""As the prompt with passages puts them one after the other."""


@dataclass(frozen=True)
class Gathered:
    """All rows after gathering, and how many were new, changed, and wait for an answer."""

    examples: list[Example]
    added: int
    changed: int
    waiting: int


def gather(
    rated: Sequence[Rated], before: Sequence[Example] = (), share: float = 0.1, seed: int = 0
) -> Gathered:
    """Rows for all corrected and rejected answers, after those that are there already.

    A correction is the answer to its question, over the passages that were read. An answer
    that was rejected without one becomes a row whose output waits to be written. A row that
    is there follows a later correction, unless the user has edited it. A conversation is a
    group and stays on its side; of new ones about `share` of all rows is held out.
    """
    rows = list(before)
    place = {key: at for at, one in enumerate(rows) if (key := _key(one)) is not None}
    number = max((int(one.id) for one in rows if one.id.isdecimal()), default=0)
    added: list[Example] = []
    changed = 0
    for one in rated:
        if not one.correction and one.verdict != "down":
            continue
        correction = tidy(one.correction).strip()
        at = place.get((one.conversation, one.turn, one.version))
        if at is None:
            number += 1
            added.append(_example(one, str(number)))
        elif rows[at].output == rows[at].source.get("correction", "") != correction:
            source = rows[at].source | {"correction": correction}
            update = {"output": correction, "source": source}
            rows[at] = rows[at].model_copy(update=update)
            changed += 1
    rows += _sided(rows, added, share, seed)
    waiting = sum(not one.output.strip() for one in rows)
    return Gathered(rows, len(added), changed, waiting)


def _key(example: Example) -> tuple[str, int, int] | None:
    source = example.source
    if "conversation" not in source:
        return None
    return (str(source["conversation"]), int(source["turn"]), int(source["version"]))


def _example(one: Rated, number: str) -> Example:
    correction = tidy(one.correction).strip()
    return Example(
        id=number,
        input=tidy(one.question).strip(),
        output=correction,
        context=tidy(_BETWEEN.join(passage_text(hit).strip() for hit in one.passages)),
        group=f"conversation {one.conversation}",
        source={
            "conversation": one.conversation,
            "turn": one.turn,
            "version": one.version,
            "correction": correction,
            "answer": tidy(one.answer),
            "verdict": one.verdict,
            "model": one.model,
            "at": one.at,
        },
    )


def _sided(
    before: Sequence[Example], added: Sequence[Example], share: float, seed: int
) -> list[Example]:
    """New rows on their sides: a conversation that is there goes where it was."""
    sides = {one.group: one.split for one in before}
    sizes = Counter(one.group for one in added)
    fresh = sorted(set(sizes) - set(sides))
    random.Random(seed).shuffle(fresh)
    heldout = Counter(one.split for one in before)["heldout"]
    wanted = share * (len(before) + len(added))
    chosen: dict[str, str] = defaultdict(lambda: "train", sides)
    for group in fresh:
        if heldout + sizes[group] / 2 <= wanted:
            chosen[group] = "heldout"
            heldout += sizes[group]
    return [one.model_copy(update={"split": chosen[one.group]}) for one in added]
