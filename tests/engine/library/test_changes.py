from __future__ import annotations

import itertools

from engine.library.changes import FIRST_PAUSE_S, LONGEST_PAUSE_S, Changes


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_change_is_due_at_once_and_only_once() -> None:
    changes = Changes(Clock())
    changes.add([b"/a", b"/b"])
    changes.add([b"/a"])
    assert sorted(changes.take()) == [b"/a", b"/b"]
    assert changes.take() == []
    assert changes.none


def test_what_changes_all_the_time_waits_longer_and_longer() -> None:
    clock = Clock()
    changes = Changes(clock)
    taken: list[float] = []
    while clock.now < 1300.0:
        changes.add([b"/growing"])
        taken += [clock.now] * len(changes.take())
        clock.now += 0.25
    pauses = [later - sooner for sooner, later in itertools.pairwise(taken)]
    assert pauses[0] == FIRST_PAUSE_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    assert not changes.none  # the last change is not lost
    clock.now += LONGEST_PAUSE_S
    assert changes.take() == [b"/growing"]


def test_after_a_rest_it_is_due_at_once_again() -> None:
    clock = Clock()
    changes = Changes(clock)
    for _ in range(3):
        changes.add([b"/a"])
        assert changes.take() == [b"/a"]
        clock.now += 10


def test_a_look_at_everything_covers_all_paths() -> None:
    changes = Changes(Clock())
    changes.add([b"/a"])
    changes.add(None)
    assert not changes.none
    assert changes.everything
    assert changes.take_everything()
    assert changes.none
    assert not changes.take_everything()
