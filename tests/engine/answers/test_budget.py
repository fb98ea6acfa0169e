"""Fair shares of a small context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.answers.budget import (
    HISTORY_TURNS,
    MOST_PASSAGES,
    answer_tokens,
    fair_shares,
    history_turns,
    passages_for,
    repeated_characters,
    trim,
)
from engine.work.api import ModelCard


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


@given(st.lists(st.integers(0, 500), max_size=8), st.integers(-10, 2000))
def test_shares_are_fair(sizes: list[int], budget: int) -> None:
    shares = fair_shares(sizes, budget)
    assert sum(shares) <= max(budget, 0)
    assert all(share <= size for share, size in zip(shares, sizes, strict=True))
    if sum(sizes) <= budget:
        assert shares == sizes
    cut = [share for share, size in zip(shares, sizes, strict=True) if share < size]
    if cut:
        # whoever is cut gets as much as anybody, give or take the remainder of a division
        assert max(shares) - min(cut) <= len(sizes)


@given(
    st.lists(st.integers(1, 120).map(lambda n: "word goes on. " * n), min_size=1, max_size=5),
    st.integers(0, 900),
)
def test_trimmed_texts_are_beginnings_that_fit(texts: list[str], budget: int) -> None:
    cut = trim(texts, budget, words)
    assert all(text.startswith(part) for text, part in zip(texts, cut, strict=True))
    assert sum(words(cut)) <= budget
    if sum(words(texts)) + 12 * len(texts) <= budget:
        assert cut == texts


def test_small_models_get_few_passages(
    make_card: Callable[..., ModelCard], tiny_gguf: Path
) -> None:
    card = make_card(tiny_gguf)
    counts = [
        passages_for(card.model_copy(update={"parameters": size}), "joint")
        for size in (135_000_000, 500_000_000, 1_500_000_000, 7_000_000_000, 70_000_000_000)
    ]
    assert counts == sorted(counts)
    assert counts[0] < MOST_PASSAGES == counts[-1]
    assert passages_for(card, "token") == passages_for(card, "sequence") > counts[0]


def test_only_the_smallest_models_read_anything_twice(
    make_card: Callable[..., ModelCard], tiny_gguf: Path
) -> None:
    card = make_card(tiny_gguf)
    assert repeated_characters(card) > 0
    assert repeated_characters(card.model_copy(update={"parameters": 500_000_000})) == 0


def test_an_answer_leaves_room_for_the_question() -> None:
    assert answer_tokens(4096, 512) == 512
    assert answer_tokens(512, 512) == 256
    assert answer_tokens(4096, 100_000) == 2048
    assert answer_tokens(4096, 100_000, prompts=4) == 512


def test_the_smallest_models_read_earlier_turns_only_without_documents(
    make_card: Callable[..., ModelCard], tiny_gguf: Path
) -> None:
    small = make_card(tiny_gguf)
    large = small.model_copy(update={"parameters": 3_000_000_000})
    assert [history_turns(card, "joint") for card in (small, large)] == [0, HISTORY_TURNS]
    assert [history_turns(card, "none") for card in (small, large)] == [HISTORY_TURNS] * 2
    assert [history_turns(card, "token") for card in (small, large)] == [0, 0]
