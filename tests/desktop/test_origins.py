from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.origins import origins_of, percent
from desktop.strings import english
from engine.work import api
from tests.desktop.scripted_answers import APART, shaped
from tests.desktop.scripted_host import HOSTILE, report


def apart() -> api.AnswerReport:
    """An answer of three sentences: from source 1, from source 2, from nowhere."""
    return shaped("apart", report("apart", APART, "c"))


def test_every_word_has_its_place_and_its_source() -> None:
    answer = apart()
    found = origins_of(answer)
    said = [(answer.answer[p.start : p.end], p.n, p.sentence) for p in found.pieces]
    assert said[:3] == [("For", 1, 0), ("an", 1, 0), ("eGFR", 1, 0)]
    assert ("**1,000", 1, 0) in said
    assert said[-1] == ("tea", 3, 2)
    assert found.sources == [1, 2, 3]
    assert [found.hue(n) for n in (1, 2, 3, 4)] == [0, 1, 2, -1]
    assert found.unsupported == [2]
    assert found.apart


def test_where_a_word_came_from_is_said_with_what_came_near() -> None:
    found = origins_of(apart())
    assert found.explain(found.pieces[0]) == [
        "from [1] Metformin-SOP-v7.pdf, page 12 · 93%",
        "else [2] Diabetes-guideline-2024.pdf, page 31 · 5%",
    ]
    assert found.explain(found.pieces[-1])[-1] == english.UNSUPPORTED_TIP
    assert found.tell(1) == (
        "Sentence 2: from [2] Diabetes-guideline-2024.pdf, page 31 · 88%; "
        "from [1] Metformin-SOP-v7.pdf, page 12 · 12%."
    )
    assert found.tell(2) == f"Sentence 3: {english.UNSUPPORTED_TIP}."


def test_passages_read_together_colour_whole_sentences() -> None:
    answer = shaped("together", report("together", "", "c"))
    found = origins_of(answer)
    assert [(p.n, p.weight, p.sentence) for p in found.pieces] == [(1, 0.7, 0), (0, 0.0, 1)]
    assert found.sources == [1]
    assert not found.apart
    assert found.explain(found.pieces[0])[0].startswith("found in [1] Metformin-SOP-v7.pdf")


@pytest.mark.parametrize("change", [{"refused": True}, {"mode": "none"}, {"passages": []}])
def test_refusals_and_answers_without_documents_have_no_origins(change: dict[str, Any]) -> None:
    found = origins_of(apart().model_copy(update=change))
    assert (found.pieces, found.sentences, found.unsupported) == ((), (), [])
    assert origins_of(None).sources == []


def test_a_hostile_file_name_is_made_fit_to_show() -> None:
    answer = apart()
    answer.passages[0].path = f"/x/{HOSTILE}"
    answer.passages[0].page, answer.passages[0].place = None, "lines\n1–\u202e2"
    found = origins_of(answer)
    line = found.explain(found.pieces[0])[0]
    assert not {"\n", "\u202e", "\x1b"} & set(line)


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.93, "93%"), (1.0, "100%"), (0.999, "99%"), (0.002, "<1%"), (0.0, "0%")],
)
def test_a_share_is_never_said_to_be_all_when_it_is_not(share: float, shown: str) -> None:
    assert percent(share) == shown


numbers = st.integers(-3, 90)
words = st.lists(
    st.builds(
        api.WordSource, start=numbers, end=numbers, n=st.integers(-1, 5), weight=st.floats(0, 1)
    ),
    max_size=12,
)
weights = st.lists(
    st.builds(api.PassageWeight, n=st.integers(-1, 5), weight=st.floats(0, 1)), max_size=3
)
sentences = st.lists(
    st.builds(
        api.Sentence,
        text=st.sampled_from(["For an eGFR", "Do not start", "not there", "", " "]),
        passages=weights,
        supported=st.booleans(),
    ),
    max_size=4,
)


@given(words, sentences)
def test_any_report_gives_pieces_in_order_that_do_not_overlap(
    words: list[api.WordSource], sentences: list[api.Sentence]
) -> None:
    answer = apart().model_copy(update={"words": words, "sentences": sentences})
    found = origins_of(answer)
    ends = [0]
    for piece in found.pieces:
        assert ends[-1] <= piece.start < piece.end <= len(answer.answer)
        ends.append(piece.end)
        found.explain(piece)
    for at in range(len(found.facts)):
        found.tell(at)
    assert all(1 <= n <= 3 for n in found.sources)
