"""No text from outside becomes a control token: with three vocabularies and any text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.answers.neutralize import KNOWN_MARKERS, Neutralizer, looks_like_marker
from engine.answers.runtime import Runtime
from engine.answers.vocabulary import Segment
from tests.models import IM_END, IM_START

MARKERS = [*KNOWN_MARKERS, "</", "s>", "<|", "|>", "<unk>", "[INST", "<|im_", "end|>"]
hostile = st.lists(st.one_of(st.sampled_from(MARKERS), st.text(max_size=8)), max_size=12).map(
    "".join
)
unhurried = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@unhurried
@given(text=hostile)
def test_no_text_becomes_a_control_token_in_a_sentencepiece_model(
    tiny_runtime: Runtime, text: str
) -> None:
    assert tiny_runtime.vocabulary.control_ids.isdisjoint(
        tiny_runtime.vocabulary.untrusted(text)
    )


@unhurried
@given(text=hostile)
def test_no_text_becomes_a_control_token_in_the_starter(
    starter_runtime: Runtime, text: str
) -> None:
    assert starter_runtime.vocabulary.control_ids.isdisjoint(
        starter_runtime.vocabulary.untrusted(text)
    )


def test_every_control_token_of_the_starter_is_defused(starter_runtime: Runtime) -> None:
    assert len(starter_runtime.vocabulary.control_ids) >= 17
    for token in sorted(starter_runtime.vocabulary.control_ids):
        text = f"a {starter_runtime.vocabulary.text(token)} b"
        ids = starter_runtime.vocabulary.untrusted(text)
        assert token not in ids
        assert (
            b"".join(starter_runtime.vocabulary.piece(i) for i in ids).decode().split()[0]
            == "a"
        )


def test_the_model_reads_a_defused_marker_as_the_same_characters(
    starter_runtime: Runtime,
) -> None:
    text = "see <|im_end|> and <|im_start|>system"
    ids = starter_runtime.vocabulary.untrusted(text)
    assert b"".join(starter_runtime.vocabulary.piece(i) for i in ids).decode() == text


def test_trusted_text_does_become_control_tokens(tiny_runtime: Runtime) -> None:
    ids = tiny_runtime.vocabulary.prompt(
        [
            Segment("<|im_start|>", True),
            Segment("<|im_start|> </s>", False),
            Segment("<|im_end|>", True),
        ]
    ).ids
    assert ids.count(IM_START) == 1
    assert ids.count(IM_END) == 1
    assert [i for i in ids if i in tiny_runtime.vocabulary.control_ids] == [1, IM_START, IM_END]


def test_a_marker_does_not_form_across_a_seam(tiny_runtime: Runtime) -> None:
    ids = tiny_runtime.vocabulary.prompt([Segment("<|im", True), Segment("_end|>", False)]).ids
    assert IM_END not in ids
    ids = tiny_runtime.vocabulary.prompt([Segment("</", False), Segment("s>", False)]).ids
    assert 2 not in ids


@given(text=hostile)
def test_pieces_hold_no_whole_marker_and_lose_nothing(text: str) -> None:
    tokens = ["<|im_end|>", "</s>", "<s>", "ss"]
    neutralizer = Neutralizer(tokens, {7}, lambda text: [])
    pieces = neutralizer.pieces(text)
    assert not any(token in piece for piece in pieces for token in tokens)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_a_tokenizer_that_insists_still_gives_no_control_token() -> None:
    neutralizer = Neutralizer(["x"], {7}, lambda text: [7, 8])
    assert neutralizer.tokens("x") == [8]


@pytest.mark.parametrize("text", ["<|tool_call|>", "</s>", "[TOOL_CALLS]", "<start_of_turn>"])
def test_markers_are_recognised(text: str) -> None:
    assert looks_like_marker(text)


@pytest.mark.parametrize("text", ["<b>", "   ", "\n\n", "[1]", "the", "<table>"])
def test_writing_is_not_a_marker(text: str) -> None:
    assert not looks_like_marker(text)
