"""The faster number of threads is used, and the other looked at again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import torch

from engine.tuning.training.threads import TRY_EVERY, Threads


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def used(threads: Threads, groups: int, seconds: dict[int, float]) -> Counter[int]:
    found: Counter[int] = Counter()
    for _ in range(groups):
        chosen = threads.choose(4)
        assert torch.get_num_threads() == chosen
        threads.record(chosen, seconds[chosen])
        found[chosen] += 1
    return found


def test_the_faster_one_is_used_and_a_change_noticed() -> None:
    threads = Threads()
    assert used(threads, 4, {4: 1.0, 2: 3.0}) == {4: 2, 2: 2}
    quiet = used(threads, 4 * TRY_EVERY, {4: 1.0, 2: 3.0})
    assert quiet[2] == 4
    busy = used(threads, 4 * TRY_EVERY, {4: 9.0, 2: 3.0})
    assert busy[2] > busy[4]
    assert threads.best(4) == 2


def test_never_more_than_granted() -> None:
    threads = Threads()
    threads.record(4, 0.1)
    assert threads.best(1) == 1
    assert [threads.choose(1) for _ in range(50)] == [1] * 50
