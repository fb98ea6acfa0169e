"""Prompts side by side: the same scores to the bit, whatever was kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.answers.contexts import CONVERSATIONS, WORTH_TOKENS, Contexts
from engine.answers.generation import Generated, Prompt, Task
from engine.answers.prompts import Exchange, build_prompt, wording
from engine.answers.runtime import SEQUENCES, Runtime
from engine.answers.states import PassageStates
from engine.answers.templates import FAMILIES, ChatTemplate
from engine.answers.vocabulary import Segment, Tokens
from engine.answers.writing import prompt_segments, write
from engine.errors import Cancelled, InvalidInput
from engine.work.jobs import NULL_JOB, CallbackJob
from tests.models import CHATML

PASSAGES = [
    "The hotel limit in Lisbon is 130 EUR a night. " * 4,
    "A freezer stays cold for nine hours when its door is shut. " * 3,
    "The ferry leaves at noon. ",
]


def prompt(runtime: Runtime, passage: str, question: str = "how long does it stay?") -> Tokens:
    return runtime.vocabulary.prompt(
        [
            Segment("be brief. ", True),
            Segment(passage, False, kept=True),
            Segment("\n\n", True, bound=True),
            Segment(question, False),
        ]
    )


@pytest.fixture(params=["llama", "starter"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """A tiny random model and the starter: one computes in float32, one is quantized."""
    name = {"llama": "tiny_runtime", "starter": "starter_runtime"}[request.param]
    return request.getfixturevalue(name)


def test_where_a_prompt_is_cut(tiny_runtime: Runtime) -> None:
    tokens = prompt(tiny_runtime, PASSAGES[2])
    assert len(tokens.cuts) == 2
    words = [b"".join(map(tiny_runtime.vocabulary.piece, part)) for part in (
        tokens.ids[1 : tokens.cuts[0]],
        tokens.ids[tokens.cuts[0] : tokens.cuts[1]],
    )]  # fmt: skip
    assert [word.decode().strip() for word in words] == ["be brief.", PASSAGES[2].strip()]
    assert tiny_runtime.vocabulary.prompt([Segment("no passage", False)]).cuts == []


def test_what_is_bound_to_a_passage_is_kept_with_it(tiny_runtime: Runtime) -> None:
    kept = Segment("a passage", False, kept=True)
    lead, question = Segment(" asks ", True), Segment("what?", False)
    apart = tiny_runtime.vocabulary.prompt([kept, lead, question])
    bound = tiny_runtime.vocabulary.prompt([kept, lead._replace(bound=True), question])
    assert bound.ids == apart.ids
    assert len(bound.cuts) == len(apart.cuts)
    assert bound.cuts[-1] > apart.cuts[-1]
    after = b"".join(map(tiny_runtime.vocabulary.piece, bound.ids[bound.cuts[-1] :]))
    assert after.decode() == "what?"
    alone = tiny_runtime.vocabulary.prompt([lead._replace(bound=True), question])
    assert alone.cuts == []


def test_kept_states_change_no_bit(runtime: Runtime, tmp_path: Path) -> None:
    prompts = [prompt(runtime, passage) for passage in PASSAGES]
    runtime.forget()
    cold_states = PassageStates(tmp_path, 64 << 20)
    cold = Contexts(runtime, cold_states, "m").read(prompts)
    assert cold.reused == 2 * prompts[0].cuts[0]  # the instructions of the second and third
    warm = Contexts(runtime, cold_states, "m").read(prompts)
    assert warm.reused == sum(one.cuts[-1] for one in prompts)
    cold_states.flush()
    from_disk = Contexts(runtime, PassageStates(tmp_path, 64 << 20), "m").read(prompts)
    assert from_disk.reused == warm.reused
    assert np.array_equal(cold.scores, warm.scores)
    assert np.array_equal(cold.scores, from_disk.scores)
    assert cold.tokens == warm.tokens == sum(len(one.ids) for one in prompts)
    # One state there, the others not; another question; other sequences before.
    runtime.read_prompt(prompts[0].ids)
    mixed_states = PassageStates(None, 0)
    contexts = Contexts(runtime, mixed_states, "m")
    assert contexts.prepare(prompts[1])
    assert not contexts.prepare(prompts[1])
    mixed = contexts.read(prompts)
    assert np.array_equal(cold.scores, mixed.scores)


def test_side_by_side_is_as_alone(runtime: Runtime) -> None:
    prompts = [prompt(runtime, passage) for passage in PASSAGES]
    together = Contexts(runtime, PassageStates(None, 0), "m").read(prompts).scores
    for one, scores in zip(prompts, together, strict=True):
        runtime.forget()
        runtime.read_prompt(one.ids)
        alone = runtime.logits()
        # Other batches round differently; the meaning is the same.
        assert np.abs(alone - scores).max() < 0.2 * np.abs(alone).max()
        assert alone.argmax() == scores.argmax()


def test_another_model_or_adapter_has_its_own_states(tiny_runtime: Runtime) -> None:
    states = PassageStates(None, 0)
    one = [prompt(tiny_runtime, PASSAGES[0])]
    Contexts(tiny_runtime, states, "m").read(one)
    assert Contexts(tiny_runtime, states, "m adapter").read(one).reused == 0


def test_a_state_of_another_model_is_refused_and_made_anew(
    tiny_runtime: Runtime, starter_runtime: Runtime
) -> None:
    """A key can never lead to a wrong state; were it to, llama.cpp says no and all goes on."""
    tokens = prompt(tiny_runtime, PASSAGES[2])
    right = Contexts(tiny_runtime, PassageStates(None, 0), "m").read([tokens]).scores
    starter_runtime.forget()
    starter_runtime.read_prompt(prompt(starter_runtime, PASSAGES[0]).ids)
    foreign = starter_runtime.state(0)

    class Wrong(PassageStates):
        def get(self, key: str) -> bytes | None:
            return foreign

    found = Contexts(tiny_runtime, Wrong(None, 0), "m").read([tokens])
    assert found.scores.argmax() == right.argmax()


def test_too_much_for_the_context_is_refused(tiny_runtime: Runtime) -> None:
    contexts = Contexts(tiny_runtime, PassageStates(None, 0), "m")
    long = prompt(tiny_runtime, "word " * 100)
    with pytest.raises(InvalidInput, match="tokens"):
        contexts.read([long] * 6)
    short = prompt(tiny_runtime, "a")
    with pytest.raises(InvalidInput):
        contexts.read([short] * (SEQUENCES + 1))
    assert contexts.read([short] * SEQUENCES).scores.shape[0] == SEQUENCES


def test_a_stop_keeps_what_was_finished(
    tmp_path_factory: pytest.TempPathFactory, starter_runtime: Runtime
) -> None:
    prompts = [prompt(starter_runtime, passage) for passage in PASSAGES]
    states = PassageStates(None, 0)
    contexts = Contexts(starter_runtime, states, "m")
    contexts.prepare(prompts[0])
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        contexts.read(prompts, job)
    read = contexts.read(prompts)
    assert read.reused >= prompts[0].cuts[-1]
    fresh = Contexts(starter_runtime, PassageStates(None, 0), "m").read(prompts)
    assert np.array_equal(read.scores, fresh.scores)


# --- follow-ups ---------------------------------------------------------------------------

TURNS = [
    Exchange("What is the limit?", "It is 130 EUR."),
    Exchange("And for meals?", "The text does not say."),
    Exchange("When does it leave?", "At noon."),
]


def asked(passages: Sequence[str], turns: Sequence[Exchange], question: str) -> Prompt:
    return build_prompt(wording("passages"), question, passages, turns)


def tokens_of(runtime: Runtime, prompt: Prompt, template: str = CHATML) -> Tokens:
    return runtime.vocabulary.prompt(prompt_segments(prompt, ChatTemplate(template)))


TEMPLATES = ["", CHATML, FAMILIES["gemma"], FAMILIES["llama2"]]


@pytest.mark.parametrize("template", TEMPLATES, ids=["plain", "chatml", "gemma", "llama2"])
def test_a_follow_up_is_computed_from_the_last_turn_on(
    tiny_runtime: Runtime, template: str
) -> None:
    """Whatever the template: none at all, or one without a system role."""
    contexts = Contexts(tiny_runtime, PassageStates(None, 0), "m")
    passages = [text[:60] for text in PASSAGES]
    asks = [
        tokens_of(tiny_runtime, asked(passages, TURNS[:n], "why?"), template) for n in range(3)
    ]
    assert [len(one.cuts) for one in asks] == [4, 5, 6]
    reused = [contexts.read([one]).reused for one in asks]
    # Up to the last passage, then up to the end of the turn before the last.
    assert reused == [0, asks[0].cuts[-1], asks[1].cuts[-1]]
    assert contexts.read([asks[2]]).reused == asks[2].cuts[-1]
    assert asks[2].ids[: asks[1].cuts[-1]] == asks[1].ids[: asks[1].cuts[-1]]


def test_a_new_passage_leaves_those_before_it_alone(tiny_runtime: Runtime) -> None:
    contexts = Contexts(tiny_runtime, PassageStates(None, 0), "m")
    first = tokens_of(tiny_runtime, asked(PASSAGES, (), "why?"))
    contexts.read([first])
    other = tokens_of(tiny_runtime, asked([*PASSAGES[:2], "Tea at five."], TURNS[:1], "why?"))
    assert contexts.read([other]).reused == first.cuts[2]  # after the second passage
    fresh = Contexts(tiny_runtime, PassageStates(None, 0), "m").read([other])
    assert np.array_equal(contexts.read([other]).scores, fresh.scores)


def test_history_that_was_trimmed_leaves_the_passages_alone(tiny_runtime: Runtime) -> None:
    contexts = Contexts(tiny_runtime, PassageStates(None, 0), "m")
    full = tokens_of(tiny_runtime, asked(PASSAGES[1:], TURNS[:2], "why?"))
    contexts.read([full])
    trimmed = tokens_of(tiny_runtime, asked(PASSAGES[1:], TURNS[1:2], "why?"))
    assert contexts.read([trimmed]).reused == full.cuts[2]


def test_only_a_conversation_comes_back_to_the_passages_between(
    tiny_runtime: Runtime, tmp_path: Path
) -> None:
    one = tokens_of(tiny_runtime, asked(PASSAGES, TURNS[:1], "why?"))
    assert one.brief == {one.cuts[2]}
    states = PassageStates(tmp_path, 64 << 20)
    Contexts(tiny_runtime, states, "m").read([one])
    states.flush()
    assert len(list(tmp_path.iterdir())) == len(one.cuts) - 1


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([text[:50] for text in PASSAGES]), unique=True),
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        min_size=2,
        max_size=4,
    )
)
def test_pieces_together_are_the_whole_prompt(
    tiny_runtime: Runtime, asks: list[tuple[list[str], int, int]]
) -> None:
    """Whatever was asked before: the same tokens are read, and the scores agree to the bit."""
    contexts = Contexts(tiny_runtime, PassageStates(None, 0), "m")
    for passages, first, last in asks:
        prompt = tokens_of(tiny_runtime, asked(passages, TURNS[first:last], "why?"))
        pieces = [0, *prompt.cuts, len(prompt.ids)]
        assert pieces == sorted(set(pieces))
        assert prompt.brief <= set(prompt.cuts)
        read = contexts.read([prompt])
        assert tiny_runtime.held(0) == prompt.ids
        fresh = Contexts(tiny_runtime, PassageStates(None, 0), "m").read([prompt])
        assert np.array_equal(read.scores, fresh.scores)
        assert read.reused in (0, *prompt.cuts)


def answer(
    runtime: Runtime, contexts: Contexts, prompt: Prompt, mode: str = "joint"
) -> Generated:
    task = Task.model_validate({"mode": mode, "prompts": [prompt], "max_tokens": 16})
    return write(runtime, contexts, ChatTemplate(CHATML), task, NULL_JOB)


def test_answers_are_the_same_with_and_without_kept_states(runtime: Runtime) -> None:
    kept = Contexts(runtime, PassageStates(None, 0), "m")
    for n in range(3):
        prompt = asked(PASSAGES[1:], TURNS[:n], "How long does a freezer stay cold?")
        without = answer(runtime, Contexts(runtime, PassageStates(None, 0), "m"), prompt)
        answer(runtime, kept, prompt)
        again = answer(runtime, kept, prompt)
        assert without.reused_tokens == 0
        assert again.reused_tokens > 0
        assert again.text == without.text
        assert again.tokens == without.tokens


# --- conversations without passages -------------------------------------------------------


def chat(runtime: Runtime, subject: str, turns: int) -> Tokens:
    """A conversation that goes on; `subject` stands at its beginning."""
    history = [Exchange(f"{subject} {'z' * 80}?", "yes."), Exchange("and why?", "so.")]
    return tokens_of(runtime, build_prompt(wording("none"), "and now?", (), history[:turns]))


def test_other_modes_between_leave_a_conversation_alone(runtime: Runtime) -> None:
    contexts = Contexts(runtime, PassageStates(None, 0), "m")
    runtime.forget()
    contexts.converse(chat(runtime, "birds", 1))
    begun = runtime.held(0)
    assert len(begun) > WORTH_TOKENS
    contexts.read([prompt(runtime, passage) for passage in PASSAGES])
    contexts.prepare(prompt(runtime, "tea at five"))
    following = chat(runtime, "birds", 2)
    common = shared(begun, following.ids)
    assert contexts.converse(following) == common > WORTH_TOKENS
    assert runtime.held(0) == following.ids
    scores = runtime.logits()
    runtime.forget()
    runtime.read_prompt(following.ids)
    # Other batches round differently; the meaning is the same.
    assert np.abs(scores - runtime.logits()).max() < 0.2 * np.abs(scores).max()
    assert scores.argmax() == runtime.logits().argmax()


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    return at


def test_conversations_take_turns_and_the_oldest_is_given_up(tiny_runtime: Runtime) -> None:
    states = PassageStates(None, 0)
    contexts = Contexts(tiny_runtime, states, "m")
    tiny_runtime.forget()
    subjects = [f"{letter}{letter}" for letter in "abcdefg"][: CONVERSATIONS + 2]
    for subject in subjects:
        contexts.converse(chat(tiny_runtime, subject, 1))
    common = shared(*(chat(tiny_runtime, one, 1).ids for one in subjects[:2]))
    assert contexts.converse(chat(tiny_runtime, subjects[1], 2)) > common + WORTH_TOKENS
    assert contexts.converse(chat(tiny_runtime, subjects[0], 2)) == common
    assert len(states.in_memory()) <= CONVERSATIONS


def test_pieces_of_a_file_push_no_conversation_out(tiny_runtime: Runtime) -> None:
    contexts = Contexts(tiny_runtime, PassageStates(None, 0), "m")
    tiny_runtime.forget()
    contexts.converse(chat(tiny_runtime, "birds", 1))
    for n in range(2 * CONVERSATIONS):
        contexts.converse(tokens_of(tiny_runtime, asked([f"{n} " * 50], (), "why?")))
    assert contexts.converse(chat(tiny_runtime, "birds", 2)) > WORTH_TOKENS
