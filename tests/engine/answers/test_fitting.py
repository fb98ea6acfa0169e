"""What the model reads: which passages, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.answers import budget
from engine.answers.fitting import Fitting, in_earlier_order, words_for
from engine.answers.generator import Generator
from engine.answers.prompts import Exchange, wording
from engine.work.api import ModelCard, PassageHit
from engine.work.jobs import NULL_JOB


def order(made: list[PassageHit]) -> list[int]:
    return [hit.passage_id for hit in made]


def test_passages_read_before_keep_their_place(make_hit: Callable[..., PassageHit]) -> None:
    found = [make_hit("text", n) for n in (5, 1, 4, 2, 9)]
    assert order(in_earlier_order(found, [1, 2, 3, 4, 5], 4)) == [1, 2, 4, 5, 9]
    assert order(in_earlier_order(found, [2, 7], 4)) == [2, 5, 1, 4, 9]
    # Which ones are read is the search's to say: 9 is not among the first four.
    assert order(in_earlier_order(found, [9], 4)) == [5, 1, 4, 2, 9]
    assert order(in_earlier_order(found, [], 4)) == [5, 1, 4, 2, 9]


def test_passages_and_earlier_turns_are_cut_to_the_context(
    generator: Generator,
    chain_gguf: Path,
    make_card: Callable[..., ModelCard],
    make_hit: Callable[..., PassageHit],
) -> None:
    card, limit = make_card(chain_gguf, 1024), 100
    passages = [make_hit(f"Room {n} is let. " * 40, n) for n in (1, 2)]
    history = [Exchange("Long ago? " * 30, "Yes. " * 30), Exchange("And now?", "No.")]
    words = words_for(card, "joint", "Be exact.")
    with generator.using(card) as model:
        fitting = Fitting(model, card, "joint", words, limit, NULL_JOB)
        context = fitting.fit("Why?", "Why?", passages, history)
        size = model.prompt_tokens(context.prompts[0])
    assert size + limit < card.context_used
    assert context.notice == "2 of 2 passages were shortened to fit."
    whole = "".join(part.text for turn in context.prompts[0].turns for part in turn.content)
    assert "Long ago" not in whole
    places = [whole.index(text) for text in ("Room 1", "Room 2", "And now?", "No.", "Why?")]
    assert places == sorted(places)


def test_how_a_model_is_asked_goes_by_its_size_and_its_tuning(
    make_card: Callable[..., ModelCard], chain_gguf: Path
) -> None:
    card = make_card(chain_gguf, 1024)
    small = card.model_copy(update={"parameters": budget.SMALLEST_PARAMETERS - 1})
    able = card.model_copy(update={"parameters": budget.SMALLEST_PARAMETERS})
    assert words_for(small, "token") == words_for(able, "joint", tuned=True)
    assert words_for(able, "joint") == wording("passages-exact")
    assert words_for(able, "joint") != words_for(small, "joint")
    assert words_for(able, "none") == wording("none")
    assert words_for(able, "none", "Be kind.").preset == "Be kind."
