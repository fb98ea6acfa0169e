"""Prompts side by side: the same scores to the bit, whatever was kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.answers.contexts import Contexts
from engine.answers.runtime import SEQUENCES, Runtime
from engine.answers.states import PassageStates
from engine.answers.vocabulary import Segment, Tokens
from engine.errors import Cancelled, InvalidInput
from engine.work.jobs import CallbackJob

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
            Segment("\n\n", True),
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
