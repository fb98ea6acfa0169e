"""Passages by lot: every document first once, the same again, whatever comes or goes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.library.drawing import draw
from engine.store.ledger import PASSAGES_PER_CONTENT

CONTENTS = st.dictionaries(st.integers(1, 500), st.integers(0, 30), max_size=20)


@given(contents=CONTENTS, most=st.integers(0, 200), seed=st.integers(0, 3))
def test_each_passage_once_and_each_document_in_turn(
    contents: dict[int, int], most: int, seed: int
) -> None:
    drawn = draw(contents.items(), most, seed)
    assert len(drawn) == len(set(drawn)) == min(most, sum(contents.values()))
    there = [(one // PASSAGES_PER_CONTENT, one % PASSAGES_PER_CONTENT) for one in drawn]
    assert all(ordinal < contents[content] for content, ordinal in there)
    documents = sum(1 for passages in contents.values() if passages)
    first = [content for content, _ in there[:documents]]
    assert len(first) == len(set(first))
    assert drawn == draw(reversed(list(contents.items())), most, seed)


@given(contents=CONTENTS, gone=st.integers(1, 500))
def test_a_document_that_goes_does_not_mix_the_others_up(
    contents: dict[int, int], gone: int
) -> None:
    def of_others(drawn: list[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for one in drawn:
            found.setdefault(one // PASSAGES_PER_CONTENT, []).append(one)
        return {content: ids for content, ids in found.items() if content != gone}

    rest = {content: count for content, count in contents.items() if content != gone}
    most = sum(contents.values())
    assert of_others(draw(contents.items(), most, 0)) == of_others(draw(rest.items(), most, 0))


def test_another_seed_draws_others() -> None:
    contents = [(n, 9) for n in range(1, 9)]
    assert draw(contents, 8, 0) != draw(contents, 8, 1)
