"""The sentences that matter are kept, exactly and in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.answers.focus import focus
from engine.answers.sentences import sentence_spans

FILLER = "The wind came from the north that day and nobody went out in the small boat. "
TRAVEL = "Hotel limit for city Quux is 130 EUR per night.\n\nMeals are 20 EUR. " + FILLER * 6


def test_the_sentence_that_speaks_of_the_question_stays() -> None:
    (text,) = focus([TRAVEL], "What is the hotel limit per night for city Quux?", 60)
    assert text == "Hotel limit for city Quux is 130 EUR per night."


def test_a_later_passage_may_hold_it() -> None:
    texts = focus([FILLER * 8, TRAVEL], "What is the hotel limit in Quux?", 60)
    assert texts[0] == ""
    assert "130 EUR" in texts[1]


def test_short_passages_stay_whole() -> None:
    assert focus(["One. Two.", "Three."], "Four?", 100) == ["One. Two.", "Three."]


def test_something_stays_even_when_nothing_matches() -> None:
    assert any(focus([FILLER * 9], "Zebra?", 10))


_TEXTS = st.lists(
    st.lists(
        st.sampled_from(["Cats sleep. ", "Dogs bark at 5.\n", "Rain fell | x. "]), max_size=9
    ).map("".join),
    max_size=4,
)


@given(_TEXTS, st.text(alphabet="catsdog rin5?", max_size=20), st.integers(1, 120))
def test_only_whole_sentences_of_the_text_in_order(
    texts: list[str], question: str, characters: int
) -> None:
    chosen = focus(texts, question, characters)
    assert len(chosen) == len(texts)
    for text, part in zip(texts, chosen, strict=True):
        at = 0
        for piece in part.split(" … "):
            found = text.find(piece, at)
            assert found >= 0
            at = found + len(piece)
    longest = max((s.end - s.start for t in texts for s in sentence_spans(t)), default=0)
    if sum(map(len, texts)) > characters:
        assert sum(len("".join(part.split())) for part in chosen) <= max(characters, longest)
