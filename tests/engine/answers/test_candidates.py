"""Token and sequence mode against a brute-force computation, one plain prompt at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.answers.attribution import Attribution
from engine.answers.contexts import Contexts
from engine.answers.generation import Generated, Mode, Part, Prompt, Task, Turn
from engine.answers.mixing import log_softmax, normalized, sequence_marginal
from engine.answers.runtime import Runtime
from engine.answers.states import PassageStates
from engine.answers.templates import ChatTemplate
from engine.answers.writing import prompt_segments, write
from engine.work.jobs import CallbackJob
from tests.models import CHATML, write_tiny_gguf

PRIOR = [-0.1, -0.9, -2.0]
PASSAGES = ["the hotel limit is 130", "a freezer stays cold", "ferries leave at noon"]


@pytest.fixture(scope="module", params=[0, 1, 2])
def runtime(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    """Random models; their answers are noise, which is all the arithmetic needs."""
    path = tmp_path_factory.mktemp("exact") / "tiny.gguf"
    one = Runtime(write_tiny_gguf(path, seed=request.param), 1024, exact=True)
    yield one
    one.close()


def prompts() -> list[Prompt]:
    return [
        Prompt(
            turns=[
                Turn(role="system", content=[Part(text="be brief")]),
                Turn(
                    role="user",
                    content=[Part(text=passage, kept=True), Part(text=" how long is it")],
                ),
            ],
            plain=[],
        )
        for passage in PASSAGES
    ]


def answer(
    runtime: Runtime, mode: Mode, events: list[dict[str, object]] | None = None
) -> Generated:
    def on_event(kind: str, data: object) -> None:
        assert kind == "token"
        assert isinstance(data, dict)
        if events is not None:
            events.append(data)

    task = Task(mode=mode, prompts=prompts(), prior=PRIOR, max_tokens=8)
    contexts = Contexts(runtime, PassageStates(None, 0), "m")
    return write(runtime, contexts, ChatTemplate(CHATML), task, CallbackJob(None, on_event))


def conditionals(runtime: Runtime, said: Sequence[int]) -> np.ndarray:
    """log p(· | passage, said) of every passage, each prompt computed by itself."""
    rows = []
    for prompt in prompts():
        ids = runtime.vocabulary.prompt(prompt_segments(prompt, ChatTemplate(CHATML))).ids
        runtime.forget()
        runtime.read_prompt([*ids, *said])
        rows.append(log_softmax(runtime.logits()).astype(np.float64))
    return np.stack(rows)


def test_token_mode_is_rag_token(runtime: Runtime) -> None:
    events: list[dict[str, object]] = []
    made = answer(runtime, "token", events)
    prior = normalized(np.asarray(PRIOR))
    said: list[int] = []
    for token in made.tokens:
        table = conditionals(runtime, said)
        mixed = np.log(np.exp(prior[:, None] + table).sum(axis=0))
        chosen = int(mixed.argmax())
        assert abs(token.own - mixed[chosen]) < 1e-4
        assert np.abs(np.asarray(token.under) - table[:, chosen]).max() < 1e-4
        said.append(chosen)
    assert len(said) == made.generated_tokens > 0
    assert np.allclose(np.exp(made.prior).sum(), 1.0)
    shares = [event["weights"] for event in events if "weights" in event]
    assert all(abs(sum(share) - 1.0) < 0.01 for share in shares)  # type: ignore[arg-type]


def greedy(runtime: Runtime, passage: int, limit: int) -> list[int]:
    said: list[int] = []
    while len(said) < limit:
        said.append(int(conditionals(runtime, said)[passage].argmax()))
        if said[-1] in runtime.vocabulary.ending_ids:
            break
    return said


def test_sequence_mode_is_rag_sequence(runtime: Runtime) -> None:
    made = answer(runtime, "sequence")
    prior = normalized(np.asarray(PRIOR))
    different = {tuple(greedy(runtime, passage, 8)) for passage in range(len(PASSAGES))}
    marginals: dict[tuple[int, ...], float] = {}
    for candidate in different:
        likelihoods = [
            conditionals(runtime, candidate[:at])[:, token]
            for at, token in enumerate(candidate)
        ]
        marginals[candidate] = sequence_marginal(prior, likelihoods)
    best = max(marginals, key=marginals.__getitem__)
    text = b"".join(map(runtime.vocabulary.piece, best)).decode("utf-8", "replace").strip()
    assert made.text.replace("▁", " ").strip() == text.replace("▁", " ").strip()
    found = [one.log_probability for one in made.alternatives]
    assert np.allclose(found, sorted(marginals.values(), reverse=True), atol=1e-4)
    # The tokens' own probabilities multiply to the whole answer's.
    if best[-1] not in runtime.vocabulary.ending_ids:
        assert abs(sum(token.own for token in made.tokens) - found[0]) < 1e-3


def test_marginals_over_all_short_answers_sum_to_one(runtime: Runtime) -> None:
    """Every answer of one token, and every one of two that begins with one of a few."""
    prior = normalized(np.asarray(PRIOR))
    first = conditionals(runtime, [])
    total = np.exp(prior[:, None] + first).sum()
    assert abs(total - 1.0) < 1e-4
    for begun in itertools.islice(np.argsort(-first[0]), 3):
        following = conditionals(runtime, [int(begun)])
        whole = np.exp(prior[:, None] + first[:, [begun]] + following).sum()
        assert abs(whole - np.exp(prior + first[:, begun]).sum()) < 1e-4


def test_one_passage_gives_the_same_answer_in_every_mode(runtime: Runtime) -> None:
    texts = set[str]()
    for mode in ("joint", "token", "sequence"):
        prior = [] if mode == "joint" else [0.0]
        task = Task(mode=mode, prompts=prompts()[:1], prior=prior, max_tokens=8)
        contexts = Contexts(runtime, PassageStates(None, 0), "m")
        made = write(runtime, contexts, ChatTemplate(CHATML), task, CallbackJob())
        texts.add(made.text)
    assert len(texts) == 1


def test_passages_that_make_no_difference_keep_their_prior(tmp_path: Path) -> None:
    """A model whose next token is decided by the last one alone cannot tell passages apart."""
    path = write_tiny_gguf(tmp_path / "blind.gguf", chain=[10, 11, 12, 13])
    runtime = Runtime(path, 1024)
    made = answer(runtime, "token")
    prior = normalized(np.asarray(PRIOR))
    runtime.close()
    assert made.tokens
    share = Attribution(made).share(0, made.tokens[-1].end)
    assert np.allclose(share, np.exp(prior), atol=1e-3)


def test_stopping_sequence_mode_keeps_what_was_written(runtime: Runtime) -> None:
    class Soon(CallbackJob):
        def progress(self, done: float, total: float, note: str = "") -> None:
            if note.startswith("writing an answer"):
                self.cancel()

    task = Task(mode="sequence", prompts=prompts(), prior=PRIOR, max_tokens=8)
    contexts = Contexts(runtime, PassageStates(None, 0), "m")
    made = write(runtime, contexts, ChatTemplate(CHATML), task, Soon())
    assert made.ending in ("stopped", "end")
    assert made.generated_tokens <= 2
