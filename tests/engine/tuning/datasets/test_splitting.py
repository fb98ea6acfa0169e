"""The split keeps groups whole, counts and labels, and comes out the same each time."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Cancelled
from engine.tuning.datasets.similarity import clusters, near_pairs, plain
from engine.tuning.datasets.splitting import split, with_groups
from engine.tuning.datasets.types import Example
from engine.work.jobs import CallbackJob

ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "", "g", "h", "i"])), max_size=60
)


def made(rows: list[tuple[str, str]]) -> list[Example]:
    return [
        Example(id=str(n), input=f"text {n}", output=label, group=group)
        for n, (label, group) in enumerate(rows)
    ]


@given(rows=ROWS, share=st.floats(0, 1), seed=st.integers(0, 99), data=st.data())
def test_no_group_is_on_both_sides_and_nothing_is_lost(
    rows: list[tuple[str, str]], share: float, seed: int, data: Any
) -> None:
    examples = made(rows)
    done = split(examples, "classification", share, seed)
    assert [one.model_copy(update={"split": "train"}) for one in done] == examples
    sides: dict[str, set[str]] = defaultdict(set)
    for one in done:
        sides[one.group or one.id].add(one.split)
    assert all(len(side) == 1 for side in sides.values())
    if examples:
        assert any(one.split == "train" for one in done)
    if len(sides) > 1 and share > 0:
        assert any(one.split == "heldout" for one in done)
    shuffled = data.draw(st.permutations(examples))
    again = {one.id: one.split for one in split(shuffled, "classification", share, seed)}
    assert again == {one.id: one.split for one in done}


def test_every_label_is_held_out_in_its_share() -> None:
    examples = made([("abc"[n % 3], "") for n in range(300)] + [("d", "")] * 10)
    done = split(examples, "classification", 0.2, 7)
    heldout = Counter(one.output for one in done if one.split == "heldout")
    assert heldout == {"a": 20, "b": 20, "c": 20, "d": 2}
    other = split(examples, "classification", 0.2, 8)
    assert [one.split for one in other] != [one.split for one in done]


def test_groups_are_given_by_passages_and_by_texts_that_are_nearly_equal() -> None:
    texts = ["What is the capital of France, please?", "what is the capital of france please"]
    texts += ["What is the capital of France, pleased?", "Who wrote the Tale of Genji?"]
    examples = [Example(id=str(n), input=text, output="x") for n, text in enumerate(texts)]
    examples.append(Example(id="4", input=texts[3], output="x", group="mine"))
    examples += [
        Example(id=str(n), input=str(n), output="x", context=f"A passage{mark}")
        for n, mark in ((5, ""), (6, "."))
    ]
    groups = [one.group for one in with_groups(examples)]
    assert groups[:3] == ["like 0"] * 3
    assert groups[3:5] == ["", "mine"]
    assert groups[5] == groups[6] != ""
    assert with_groups(with_groups(examples)) == with_groups(examples)


@given(st.lists(st.text("abc .", max_size=12), max_size=12))
def test_equal_texts_are_always_found(texts: list[str]) -> None:
    pairs = near_pairs(texts)
    roots = clusters(len(texts), pairs)
    for i, one in enumerate(texts):
        for j in range(i):
            if (plain(one) or one) == (plain(texts[j]) or texts[j]):
                assert roots[i] == roots[j]
    assert all(i < j and 0.8 <= share <= 1 for i, j, share in pairs)


def test_nearly_equal_long_texts_are_found_among_others() -> None:
    words = [f"word{n * 7919 % 1000}" for n in range(400)]
    long = " ".join(words)
    others = [" ".join(f"x{n * k % 997}" for n in range(300)) for k in range(2, 40)]
    changed = " ".join([*words[:200], "other", *words[201:]])
    ((first, second, share),) = near_pairs([long, *others, changed])
    assert (first, second) == (0, 39)
    assert 0.9 < share < 1


def test_looking_for_equal_texts_can_be_stopped() -> None:
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        near_pairs(["a", "b"], job)
