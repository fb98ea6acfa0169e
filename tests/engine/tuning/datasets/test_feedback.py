"""Corrections and rejected answers become examples, once, and stay with their conversation."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.host.service import Engine
from engine.paths import Home
from engine.store import conversations
from engine.store.conversations import Rated
from engine.tuning.datasets.feedback import gather
from engine.tuning.datasets.storing import load_dataset
from engine.tuning.prompting import messages
from engine.work import api


def passage(n: int, text: str, header: str = "") -> api.PassageHit:
    return api.PassageHit(
        passage_id=n,
        file_id=1,
        path="/a.txt",
        title="",
        heading="",
        page=None,
        text=text,
        start=0,
        end=len(text),
        score=1.0,
        ranks=api.Ranks(),
        header=header,
    )


def report(question: str, answer: str, **more: object) -> api.AnswerReport:
    return api.AnswerReport.model_validate(
        {
            "question": question,
            "answer": answer,
            "refused": False,
            "citations": [],
            "sentences": [],
            "passages": [passage(1, "The limit is 130 EUR."), passage(2, "20", "Meals"),
                         passage(3, "Nobody read this.")],
            "read": 2,
            "mode": "joint",
            "model": "tiny",
            "timings": {"retrieve_ms": 1, "first_token_ms": 2, "total_ms": 3},
            "tokens": {"prompt": 4, "generated": 5},
        }
        | more
    )  # fmt: skip


def rated(conversation: str, turn: int, verdict: str, correction: str) -> Rated:
    return Rated(
        conversation=conversation,
        turn=turn,
        version=1,
        asked="q",
        question=f"q {turn}",
        answer="a",
        verdict=verdict,  # type: ignore[arg-type]
        correction=correction,
        passages=(),
        model="tiny",
        at="2026-01-01",
    )


def test_corrections_are_trained_on_and_rejected_answers_wait(home: Home) -> None:
    told: list[list[str]] = []
    with Engine(home, on_changed=told.append) as engine:
        with pytest.raises(InvalidInput, match="No answer was corrected"):
            engine.datasets.from_feedback(api.FromFeedbackSpec())
        one = conversations.append(engine.store, None, report("Hotel?", "150")).conversation
        conversations.append(engine.store, one, report("And meals?", "5", rewritten="Meals?"))
        conversations.append(engine.store, one, report("Fine?", "Yes"))
        conversations.give_feedback(engine.store, one, 1, "none", "130 EUR.")
        conversations.give_feedback(engine.store, one, 2, "down")
        conversations.give_feedback(engine.store, one, 3, "up")
        made = engine.datasets.from_feedback(api.FromFeedbackSpec())
        assert (made.name, made.rows, made.added) == ("Corrections", 2, 2)
        assert "Rejected answers without a right one: 1" in made.warnings[0]
        assert told == [["datasets"]]
        dataset = load_dataset(home, engine.store, made.dataset)
        (example,) = dataset.examples()  # the other one waits
        assert (example.input, example.output) == ("Hotel?", "130 EUR.")
        assert example.context == "The limit is 130 EUR.\n\nMeals\n20"
        assert "According to the text, Hotel?" in messages("answers", [], example)[0][1][1]
        # Asked again it adds nothing; a correction written later is taken over.
        assert engine.datasets.from_feedback(api.FromFeedbackSpec()).added == 0
        conversations.give_feedback(engine.store, one, 2, "down", "20 EUR.")
        again = engine.datasets.from_feedback(api.FromFeedbackSpec())
        assert (again.dataset, again.rows, again.added) == (made.dataset, 2, 0)
        assert [row.input for row in dataset.examples()] == ["Hotel?", "Meals?"]
        # What the user edited in the table is the user's.
        engine.datasets.edit_row(api.EditRowSpec(dataset=made.dataset, id="1", output="Mine."))
        conversations.give_feedback(engine.store, one, 1, "none", "Other.")
        engine.datasets.from_feedback(api.FromFeedbackSpec(dataset=made.dataset))
        assert dataset.examples()[0].output == "Mine."


RATED = st.lists(
    st.builds(
        rated,
        st.sampled_from("abcdefgh"),
        st.integers(1, 4),
        st.sampled_from(["up", "down", "none"]),
        st.sampled_from(["", "right", "better"]),
    ),
    max_size=40,
    unique_by=lambda one: (one.conversation, one.turn),
)


@given(first=RATED, later=RATED, share=st.floats(0, 0.9), seed=st.integers(0, 9))
def test_a_conversation_is_on_one_side_and_nothing_is_added_twice(
    first: list[Rated], later: list[Rated], share: float, seed: int
) -> None:
    before = gather(first, (), share, seed)
    after = gather([*first, *later], before.examples, share, seed)
    assert gather([*first, *later], after.examples, share, seed).added == 0
    keys = [(one.source["conversation"], one.source["turn"]) for one in after.examples]
    wanted = {
        (one.conversation, one.turn)
        for one in [*first, *later]
        if one.correction or one.verdict == "down"
    }
    assert sorted(keys) == sorted(wanted)
    sides: dict[str, set[str]] = defaultdict(set)
    for one in after.examples:
        sides[one.group].add(one.split)
    assert all(len(side) == 1 for side in sides.values())
    assert [one.split for one in after.examples[: len(before.examples)]] == [
        one.split for one in before.examples
    ]
    assert len({one.id for one in after.examples}) == len(after.examples)
