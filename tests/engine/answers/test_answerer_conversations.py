"""Questions that go on from others: follow-ups, asking again, memory of scope and preset."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from engine.answers import budget
from engine.answers.answerer import Answerer
from engine.answers.generator import Generator
from engine.answers.refusals import NOTHING_IN_FILTER
from engine.errors import Cancelled, WorkerCrashed
from engine.models.registry import ModelRegistry
from engine.store import conversations
from engine.store.db import Store
from engine.store.ledger import Ledger
from engine.work.api import AnswerReport, AskSpec, Filter, Tokens
from tests.engine.answers.conftest import CHAIN_TEXT, Events, Shelf, hit

TEXT = "The hotel limit in Lisbon is 130 EUR. Meals are 20 EUR a day."


@pytest.fixture
def library(store: Store) -> str:
    return Ledger(store).create("Travel", "e", 1, 1).library_id


@pytest.fixture
def first(answerer: Answerer, shelf: Shelf, library: str) -> AnswerReport:
    """The first turn of a conversation, answered by the model that always says the same."""
    shelf.passages = [hit(TEXT)]
    return answerer.ask(
        AskSpec(question="What is the hotel limit in Lisbon?", library=library, model="chain")
    )


@pytest.fixture(scope="module")
def rambling(models: ModelRegistry, tiny_gguf: Path) -> str:
    """A model that writes nonsense until it is stopped."""
    return models.add(tiny_gguf).id


def go_on(first: AnswerReport, question: str, **more: object) -> AskSpec:
    spec = AskSpec(question=question, conversation=first.conversation, model="chain")
    return spec.model_copy(update=more)


def test_a_follow_up_is_searched_for_with_what_it_leans_on(
    answerer: Answerer, shelf: Shelf, events: Events, first: AnswerReport
) -> None:
    assert first.rewritten == ""
    made = answerer.ask(go_on(first, "And for meals?"), events.job)
    assert made.question == "And for meals?"
    assert made.rewritten == "And for meals? (hotel limit, Lisbon)"
    assert made.searched == f"And for meals? {made.rewritten}"
    assert [spec.query for spec in shelf.asked] == [first.question, made.searched]
    assert events.kinds[:2] == ["rewritten", "sources"]
    again = answerer.ask(go_on(first, "And for meals?", rewrite=False))
    assert again.rewritten == again.searched == ""
    assert shelf.asked[-1].query == "And for meals?"


def test_a_conversation_remembers_where_it_asked(
    answerer: Answerer, shelf: Shelf, store: Store, library: str, first: AnswerReport
) -> None:
    other = Ledger(store).create("Mail", "e", 1, 1).library_id
    chosen = Filter(types=["PDF"])
    asked = go_on(first, "Why?", library=library, libraries=[other], filter=chosen)
    made = answerer.ask(asked.model_copy(update={"preset": "Short and exact"}))
    assert (made.libraries, made.filter) == ([library, other], chosen)
    assert made.preset == "short-and-exact"
    following = answerer.ask(go_on(first, "Why not?"))
    spec = shelf.asked[-1]
    assert (spec.library, spec.libraries, spec.filter) == (library, [other], chosen)
    assert (following.libraries, following.preset) == ([library, other], "short-and-exact")
    shelf.passages = []
    assert answerer.ask(go_on(first, "Where?")).answer == NOTHING_IN_FILTER


def test_a_preset_stands_before_the_model(answerer: Answerer, first: AnswerReport) -> None:
    plain = answerer.ask(go_on(first, "Why?", conversation=""))
    long = answerer.ask(go_on(first, "Why?", conversation="", preset="contracts"))
    assert long.tokens.prompt > plain.tokens.prompt + 20
    assert (plain.preset, long.preset) == ("", "contracts")


def test_asking_again_takes_the_turns_place(
    answerer: Answerer, store: Store, first: AnswerReport
) -> None:
    second = answerer.ask(go_on(first, "And for meals?"))
    answerer.ask(go_on(first, "And for taxis?"))
    again = answerer.ask(go_on(first, "And for trains?", replaces=2))
    assert (first.turn, second.turn, again.turn, again.versions) == (1, 2, 2, 2)
    assert again.rewritten == "And for trains? (hotel limit, Lisbon)"
    shown = conversations.show(store, first.conversation)
    assert [turn.question for turn in shown.turns] == [first.question, "And for trains?"]
    kept = conversations.version(store, first.conversation, 2, 1)
    assert (kept.question, kept.answer) == ("And for meals?", CHAIN_TEXT)


def test_what_goes_wrong_leaves_the_old_answer(
    answerer: Answerer,
    rambling: str,
    events: Events,
    generator: Generator,
    store: Store,
    first: AnswerReport,
) -> None:
    before = conversations.show(store, first.conversation)
    events.job.cancel()
    with pytest.raises(Cancelled):
        answerer.ask(go_on(first, "Other?", replaces=1), events.job)
    assert conversations.show(store, first.conversation) == before
    dying = Events()

    def kill(text: str) -> None:
        assert generator.pid is not None
        os.kill(generator.pid, signal.SIGKILL)

    dying.on_token = kill
    with pytest.raises(WorkerCrashed):
        answerer.ask(go_on(first, "Other?", replaces=1, model=rambling), dying.job)
    assert conversations.show(store, first.conversation) == before
    assert answerer.ask(go_on(first, "Other?", replaces=1)).versions == 2


def test_a_seed_draws_other_words(
    answerer: Answerer, shelf: Shelf, rambling: str, library: str
) -> None:
    shelf.passages = [hit(TEXT)]

    def answer(seed: int | None) -> str:
        return answerer.ask(
            AskSpec(
                question="Who?",
                library=library,
                model=rambling,
                conversation="",
                seed=seed,
                max_tokens=24,
            )
        ).answer

    plain, one, other = answer(None), answer(1), answer(2)
    assert one != other
    assert plain not in (one, other)
    assert answer(1) == one
    assert answer(None) == plain


def test_half_a_character_is_no_obstacle(
    answerer: Answerer, store: Store, first: AnswerReport
) -> None:
    made = answerer.ask(go_on(first, "Was ist \udce4?"))
    assert made.question == "Was ist ??"
    assert conversations.show(store, first.conversation).turns[-1] == made


def test_a_follow_up_keeps_the_passages_in_their_place_and_computes_the_rest(
    answerer: Answerer, shelf: Shelf, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a model that reads earlier turns is asked; whether it is large makes no difference."""
    monkeypatch.setattr(budget, "HISTORY_PARAMETERS", 0)
    one, two, three = (hit(f"Room {n} costs {n}0 EUR a night.", n) for n in (1, 2, 3))
    shelf.passages = [one, two]
    spec = AskSpec(
        question="What do rooms cost?", library=library, model="chain", mode="joint", top=2
    )
    first = answerer.ask(spec)
    instructions = first.tokens.reused  # of earlier answers by this model, if there were any

    shelf.passages = [two, one, three]
    second = answerer.ask(go_on(first, "Which one is cheaper?", mode="joint", top=2))
    assert [hit.passage_id for hit in second.passages[:2]] == [1, 2]
    assert second.tokens.reused > instructions + len(one.text)
    assert second.tokens.reused < second.tokens.prompt
    assert Tokens.model_validate(second.model_dump()["tokens"]).reused == second.tokens.reused

    shelf.passages = [three, two]
    third = answerer.ask(go_on(first, "And the last one?", mode="joint", top=2))
    assert [hit.passage_id for hit in third.passages[:2]] == [2, 3]
    assert 0 < third.tokens.reused < second.tokens.reused
