"""A pack is the same numbers as each example alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F

from engine.tuning.bases import Base
from engine.tuning.training.packs import (
    Tokenized,
    make_pack,
    order_batches,
    shared_prefix,
    split_packs,
)
from engine.tuning.training.settings import Settings
from engine.tuning.training.tuned import Tuned


def alone(model: torch.nn.Module, example: Tokenized) -> torch.Tensor:
    ids = torch.tensor([example.ids])
    scores = model(ids).logits[0, example.answer - 1 : -1]
    return F.cross_entropy(scores, ids[0, example.answer :], reduction="sum")


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("shares", [True, False])
def test_loss_and_gradients_are_those_of_the_examples_alone(
    tiny_base: Base, tokenized: list[Tokenized], upper: int, shares: bool
) -> None:
    tuned = Tuned(tiny_base, Settings(rank=4, upper_layers=upper), {})
    with torch.no_grad():
        for parameter in tuned.parameters().values():
            parameter.normal_(std=0.1)
    rows = [0, 3, 4, 9]
    prefix = shared_prefix(tokenized) if shares else ()
    loss = tuned.loss(make_pack(tokenized, rows, prefix))
    loss.backward()
    packed = {n: p.grad.clone() for n, p in tuned.parameters().items() if p.grad is not None}
    for parameter in tuned.parameters().values():
        parameter.grad = None
    summed = torch.stack([alone(tuned.model, tokenized[row]) for row in rows]).sum()
    summed.backward()
    assert loss.item() == pytest.approx(summed.item(), rel=1e-4)
    for name, parameter in tuned.parameters().items():
        assert parameter.grad is not None
        scale = float(parameter.grad.abs().max()) + 1e-6
        assert float((packed[name] - parameter.grad).abs().max()) < 2e-3 * scale, name


def test_the_prefix_ends_before_any_answer_is_asked(tokenized: list[Tokenized]) -> None:
    prefix = shared_prefix(tokenized)
    assert len(prefix) > 10
    assert all(example.ids[: len(prefix)] == prefix for example in tokenized)
    same = [Tokenized(tuple(range(8)), 6), Tokenized((*range(6), 9), 6)]
    assert shared_prefix(same) == (0, 1, 2, 3, 4)
    assert shared_prefix([Tokenized((1, 2, 3), 2), Tokenized((1, 5, 3), 2)]) == ()


def test_a_window_hides_what_lies_too_far_back(tokenized: list[Tokenized]) -> None:
    pack = make_pack(tokenized, [0, 1], shared_prefix(tokenized))
    seen = pack.mask(torch.float32, window=3)[0, 0] == 0
    for row in range(pack.length):
        for column in range(pack.length):
            near = pack.positions[row] - pack.positions[column] < 3
            own = pack.segments[column] in (0, pack.segments[row])
            assert bool(seen[row, column]) == bool(near and own and column <= row)


def lengths(groups: Sequence[Sequence[int]], tokenized: list[Tokenized], shared: int) -> list:
    return [shared + sum(len(tokenized[r].ids) - shared for r in rows) for rows in groups]


def test_groups_hold_every_row_once_and_stay_small(tokenized: list[Tokenized]) -> None:
    shared = len(shared_prefix(tokenized))
    groups = split_packs(tokenized, range(60), shared, 200)
    assert sorted(row for rows in groups for row in rows) == list(range(60))
    assert max(lengths(groups, tokenized, shared)) <= 200
    assert [len(rows) for rows in split_packs(tokenized, range(5), shared, 16)] == [1] * 5


def test_batches_are_the_same_again_and_the_heaviest_leads(tokenized: list[Tokenized]) -> None:
    first = order_batches(tokenized, 8, 5, 0)
    assert first == order_batches(tokenized, 8, 5, 0)
    assert first != order_batches(tokenized, 8, 5, 1)
    assert sorted(row for batch in first for row in batch) == list(range(60))
    sizes = [sum(len(tokenized[row].ids) for row in batch) for batch in first]
    assert sizes[0] == max(sizes)
