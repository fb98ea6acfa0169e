"""Which examples are trained on and which are held out to judge by.

Whole groups go to one side: a document, a conversation, a passage, or texts that are nearly
equal. Otherwise the held-out side would ask what was learnt by heart.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from engine.tuning.datasets.shaping import labels_of
from engine.tuning.datasets.similarity import clusters, near_pairs, plain
from engine.tuning.datasets.types import Example, TaskKind
from engine.work.jobs import NULL_JOB, Job

HELDOUT_SHARE = 0.1


def with_groups(examples: Sequence[Example], job: Job = NULL_JOB) -> list[Example]:
    """The examples, each that belongs with others under a group.

    A group that is given stays. Without one, examples about the same passage are a group, and
    else those whose inputs are nearly equal.

    Raises:
        Cancelled: `job` was cancelled.
    """
    grouped = list(examples)
    alone: list[int] = []
    for index, example in enumerate(examples):
        if example.group:
            continue
        if example.context:
            digest = hashlib.sha256(plain(example.context).encode()).hexdigest()
            grouped[index] = example.model_copy(update={"group": f"passage {digest[:12]}"})
        else:
            alone.append(index)
    roots = clusters(len(alone), near_pairs([examples[at].input for at in alone], job))
    sizes = Counter(roots)
    for place, index in enumerate(alone):
        if sizes[roots[place]] > 1:
            first = examples[alone[roots[place]]].id
            grouped[index] = examples[index].model_copy(update={"group": f"like {first}"})
    return grouped


def split(
    examples: Sequence[Example],
    task: TaskKind,
    share: float = HELDOUT_SHARE,
    seed: int = 0,
) -> list[Example]:
    """The examples in their order, about `share` of them held out.

    Every label is held out in about its share as far as whole groups allow. Of two groups or
    more at least one is on each side. The same seed gives the same split, in whatever order
    the examples come, as long as their ids stay.

    Args:
        examples: with unique ids and groups (see `with_groups`); one without is its own.
        task: says what the labels are.
        share: 0 to 1.
        seed: of the draw.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda one: one.id):
        groups[_key(example)].append(example)
    strata: dict[str, list[str]] = defaultdict(list)
    rows = Counter(label for one in examples for label in _strata(one, task))
    for key in sorted(groups):
        labels = {label for one in groups[key] for label in _strata(one, task)}
        strata[min(labels, key=lambda label: (rows[label], label))].append(key)
    draw = random.Random(seed)
    heldout: set[str] = set()
    for label in sorted(strata, key=lambda label: (rows[label], label)):
        heldout |= _draw(strata[label], groups, share, draw)
    if not heldout and len(groups) > 1 and share > 0:
        smallest = min(map(len, groups.values()))
        heldout = {draw.choice([key for key in sorted(groups) if len(groups[key]) == smallest])}
    return [
        one.model_copy(update={"split": "heldout" if _key(one) in heldout else "train"})
        for one in examples
    ]


def _key(example: Example) -> str:
    return f"group {example.group}" if example.group else f"row {example.id}"


def _strata(example: Example, task: TaskKind) -> list[str]:
    if task == "classification":
        return [example.output]
    if task == "entities":
        return labels_of(task, example.output) or [""]
    return [""]


def _draw(
    keys: list[str], groups: dict[str, list[Example]], share: float, draw: random.Random
) -> set[str]:
    """Groups of one stratum to hold out: about their share of rows, never all of them."""
    keys = list(keys)
    draw.shuffle(keys)
    wanted = share * sum(len(groups[key]) for key in keys)
    chosen: set[str] = set()
    taken = 0
    for key in keys[:-1]:
        size = len(groups[key])
        # A group is taken when that comes nearer to the share than leaving it.
        if taken + size / 2 <= wanted:
            chosen.add(key)
            taken += size
    return chosen
