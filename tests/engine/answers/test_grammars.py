"""Answers held to a grammar: with random models, whatever they would say, it is followed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.answers.contexts import Contexts
from engine.answers.generation import Generated, Part, Prompt, Task, Turn
from engine.answers.grammars import MAX_GRAMMAR_BYTES, Grammar
from engine.answers.runtime import Runtime
from engine.answers.states import PassageStates
from engine.answers.templates import ChatTemplate
from engine.answers.writing import write
from engine.errors import InvalidInput
from engine.work.jobs import NULL_JOB
from tests.models import CHATML, FIRST_BYTE, IM_END, IM_START, TOKENS

CHOICES = ["yes", "no", "perhaps", "ja 🙂"]
GRAMMAR = "root ::= " + " | ".join(f'"{choice}"' for choice in CHOICES)
STRING = 'root ::= "{\\"a\\": \\"" [^"\\\\<>|\\x00-\\x1F\\x7F]{3} "\\"}"'


def answer(
    runtime: Runtime, grammar: str, seed: int = 0, temperature: float = 0.0
) -> Generated:
    prompt = Prompt(
        turns=[Turn(role="user", content=[Part(text=f"what is {seed}")])],
        plain=[Part(text="what")],
    )
    task = Task(
        mode="none",
        prompts=[prompt],
        max_tokens=64,
        temperature=temperature,
        seed=seed,
        grammar=grammar,
    )
    contexts = Contexts(runtime, PassageStates(None, 0), "tiny")
    return write(runtime, contexts, ChatTemplate(CHATML), task, NULL_JOB)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), temperature=st.sampled_from([0.0, 0.7, 3.0]))
def test_whatever_a_model_would_say_it_says_what_the_grammar_allows(
    tiny_runtime: Runtime, seed: int, temperature: float
) -> None:
    made = answer(tiny_runtime, GRAMMAR, seed, temperature)
    assert made.text in CHOICES
    assert made.ending == "end"


def test_json_is_whole_and_parses(tiny_runtime: Runtime) -> None:
    for seed in range(5):
        made = answer(tiny_runtime, STRING, seed, temperature=1.0)
        # A random model writes halves of characters too: each is one, and shown as U+FFFD.
        assert 3 <= len(json.loads(made.text)["a"]) <= 12


def test_the_likeliest_allowed_token_is_chosen(tiny_runtime: Runtime) -> None:
    vocabulary = tiny_runtime.vocabulary
    scores = np.arange(vocabulary.size, dtype=np.float32)
    chance = np.random.default_rng(0)
    letters = [TOKENS.index(letter) for letter in "bd"]
    with Grammar(vocabulary, 'root ::= ("b" | "d") "x"') as grammar:
        bytes_too = [FIRST_BYTE + ord(letter) for letter in "bd"]
        assert grammar.choose(scores, 0.0, chance) == max(letters + bytes_too)
        # What it was is taken: now only an "x" may come.
        assert TOKENS[grammar.choose(scores, 0.0, chance)] in ("x", "<0x78>")
        assert grammar.choose(scores, 0.0, chance) in vocabulary.ending_ids


def test_the_name_of_a_control_token_is_no_text(tiny_runtime: Runtime) -> None:
    vocabulary = tiny_runtime.vocabulary
    scores = np.zeros(vocabulary.size, np.float32)
    scores[IM_START] = 9.0
    chance = np.random.default_rng(0)
    with Grammar(vocabulary, "root ::= [^x]{20}") as grammar:
        for temperature in (0.0, 1.0):
            assert grammar.choose(scores, temperature, chance) not in vocabulary.control_ids


def test_it_ends_where_the_grammar_does_though_the_model_would_go_on(
    chain_gguf: Path, tiny_runtime: Runtime
) -> None:
    made = answer(tiny_runtime, 'root ::= "ab"')
    assert (made.text, made.ending) == ("ab", "end")
    runtime = Runtime(chain_gguf, 256)
    try:
        assert answer(runtime, 'root ::= "é" "x"*').text.rstrip("x") == "é"
    finally:
        runtime.close()
    assert IM_END in tiny_runtime.vocabulary.ending_ids


@pytest.mark.parametrize(
    "text",
    ["", 'other ::= "a"', 'root ::= missing "a"', 'root ::= root "a"', "((", "\0"],
)
def test_what_is_no_grammar_is_said(tiny_runtime: Runtime, text: str) -> None:
    with pytest.raises(InvalidInput, match="grammar"):
        Grammar(tiny_runtime.vocabulary, text)


def test_a_grammar_is_not_endless(tiny_runtime: Runtime) -> None:
    with pytest.raises(InvalidInput, match="at most"):
        Grammar(tiny_runtime.vocabulary, f'root ::= "{"a" * MAX_GRAMMAR_BYTES}"')


def test_whole_answers_that_are_weighed_have_no_grammar(tiny_runtime: Runtime) -> None:
    prompt = Prompt(turns=[Turn(role="user", content=[Part(text="a")])], plain=[])
    task = Task(mode="sequence", prompts=[prompt], prior=[0.0], max_tokens=4, grammar=GRAMMAR)
    contexts = Contexts(tiny_runtime, PassageStates(None, 0), "tiny")
    with pytest.raises(InvalidInput, match="grammar"):
        write(tiny_runtime, contexts, ChatTemplate(CHATML), task, NULL_JOB)
