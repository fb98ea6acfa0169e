"""Examples as tokens, and several of them as one pack without any padding.

All examples of a task begin with the same tokens: chat markers, the system message. A pack
holds that beginning once, and after it each example's own tokens, which see the beginning
and themselves but not each other. The numbers are the same as for each example alone; for
short examples most of the work is saved.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.answers.tokenizing import Tokenizer
from engine.tuning.datasets.types import Example, TaskKind
from engine.tuning.prompting import prompt_of

SHORTEST_SHARED = 4
"""A shorter common beginning is not worth the mask."""


@dataclass(frozen=True)
class Tokenized:
    """An example as the model reads it: prompt and answer; `answer` is where that begins."""

    ids: tuple[int, ...]
    answer: int

    @property
    def answer_tokens(self) -> int:
        """How many tokens are learnt from."""
        return len(self.ids) - self.answer


def tokenize(
    tokenizer: Tokenizer,
    task: TaskKind,
    labels: Sequence[str],
    examples: Iterable[Example],
) -> list[Tokenized]:
    """Each example's tokens, in order."""
    found: list[Tokenized] = []
    for example in examples:
        prompt = tokenizer.prompt(prompt_of(task, labels, example))
        found.append(
            Tokenized((*prompt, *tokenizer.answer(example.output)), max(1, len(prompt)))
        )
    return found


def shared_prefix(examples: Iterable[Tokenized]) -> tuple[int, ...]:
    """The tokens all begin with, at most up to the last but one before an answer."""
    common: tuple[int, ...] | None = None
    for example in examples:
        prompt = example.ids[: example.answer - 1]
        if common is None:
            common = prompt
            continue
        same = 0
        for a, b in zip(common, prompt, strict=False):
            if a != b:
                break
            same += 1
        common = common[:same]
    return common if common and len(common) >= SHORTEST_SHARED else ()


@dataclass(frozen=True)
class Pack:
    """Tokens computed at once, in float terms one row.

    `ids` (length,): the shared beginning, then each example's own tokens; `positions`
    (length,) and `segments` (length,): 0 for the beginning, 1, 2, … for the examples.
    `asked` (answers,): places whose output foretells an answer's token; `targets` (answers,):
    those tokens; `owners` (answers,): which example of `rows` each belongs to. `spans`: where
    each example's own tokens lie. Before all of it may stand `virtual` soft tokens, counted in
    positions, segments, asked and spans, but not in `ids`.
    """

    rows: tuple[int, ...]
    ids: Tensor
    positions: Tensor
    segments: Tensor
    asked: Tensor
    targets: Tensor
    owners: Tensor
    spans: tuple[tuple[int, int], ...]
    shared: int
    virtual: int = 0

    @property
    def length(self) -> int:
        """Tokens computed, soft ones included."""
        return len(self.positions)

    def mask(self, dtype: torch.dtype, window: int | None = None) -> Tensor:
        """What each token sees, (1, 1, length, length): 0 where it does, else very small.

        Args:
            dtype: of the result.
            window: how far back it sees, in positions; None for all.
        """
        order = torch.arange(self.length)
        seen = (self.segments[None, :] == 0) | (self.segments[:, None] == self.segments)
        seen &= order[None, :] <= order[:, None]
        if window is not None:
            seen &= self.positions[:, None] - self.positions[None, :] < window
        mask = torch.zeros(self.length, self.length, dtype=dtype)
        return mask.masked_fill_(~seen, torch.finfo(dtype).min)[None, None]


def make_pack(
    examples: Sequence[Tokenized], rows: Sequence[int], prefix: Sequence[int], virtual: int = 0
) -> Pack:
    """The examples `rows` of `examples` as one pack; all begin with `prefix`."""
    shared, start = len(prefix), virtual + len(prefix)
    ids = list(prefix)
    positions, segments = list(range(start)), [0] * start
    asked: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    spans: list[tuple[int, int]] = []
    for at, row in enumerate(rows):
        example = examples[row]
        begin = len(positions)
        own = len(example.ids) - shared
        ids.extend(example.ids[shared:])
        positions.extend(range(start, start + own))
        segments.extend([at + 1] * own)
        spans.append((begin, begin + own))
        for token in range(example.answer, len(example.ids)):
            asked.append(begin + token - 1 - shared)
            targets.append(example.ids[token])
            owners.append(at)
    return Pack(
        tuple(rows),
        torch.tensor(ids, dtype=torch.long),
        torch.tensor(positions, dtype=torch.long),
        torch.tensor(segments, dtype=torch.long),
        torch.tensor(asked, dtype=torch.long),
        torch.tensor(targets, dtype=torch.long),
        torch.tensor(owners, dtype=torch.long),
        tuple(spans),
        shared,
        virtual,
    )


def split_packs(
    examples: Sequence[Tokenized], rows: Sequence[int], shared: int, pack_tokens: int
) -> list[list[int]]:
    """Rows grouped so that a pack stays under `pack_tokens`; the longest are placed first."""
    groups: list[list[int]] = []
    room: list[int] = []
    for row in sorted(rows, key=lambda row: (-len(examples[row].ids), row)):
        own = len(examples[row].ids) - shared
        place = next((at for at, left in enumerate(room) if left >= own), None)
        if place is None:
            groups.append([row])
            room.append(pack_tokens - shared - own)
        else:
            groups[place].append(row)
            room[place] -= own
    return groups


def order_batches(
    examples: Sequence[Tokenized], batch_examples: int, seed: int, epoch: int
) -> list[list[int]]:
    """The batches of an epoch, shuffled; in the first the one with most tokens leads.

    So memory runs out in the first step or never. The same seed and epoch always give the
    same order, which is what a resumed run relies on.
    """
    rows = list(range(len(examples)))
    random.Random(f"{seed} {epoch}").shuffle(rows)
    batches = [rows[at : at + batch_examples] for at in range(0, len(rows), batch_examples)]
    if epoch == 0 and batches:
        sizes = [sum(len(examples[row].ids) for row in batch) for batch in batches]
        largest = sizes.index(max(sizes))
        batches[0], batches[largest] = batches[largest], batches[0]
    return batches
