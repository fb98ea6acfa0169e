"""Streaming text: whole characters, stop texts, loops."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.answers.decoding import TextStream, loop_period


def run(pieces: list[bytes], stops: tuple[str, ...] = ()) -> tuple[list[str], TextStream]:
    stream = TextStream(stops)
    out = [stream.push(piece) for piece in pieces]
    out.append(stream.finish())
    return [text for text in out if text], stream


@given(text=st.text(max_size=60), cuts=st.lists(st.integers(0, 240), max_size=12))
def test_pieces_cut_anywhere_give_whole_characters(text: str, cuts: list[int]) -> None:
    data = text.encode("utf-8", "replace")
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    out, stream = run(pieces)
    assert "".join(out) == stream.text == data.decode().lstrip()
    assert all("\ufffd" not in part for part in out if "\ufffd" not in text)


def test_half_a_character_at_the_end_becomes_a_replacement() -> None:
    out, _ = run([b"a", "é".encode()[:1]])
    assert "".join(out) == "a\ufffd"


def test_a_stop_text_ends_the_answer_and_never_shows() -> None:
    out, stream = run([b"Paris", b".<|im", b"_end|", b"> more", b" and more"], ("<|im_end|>",))
    assert "".join(out) == stream.text == "Paris."
    assert stream.stopped


def test_what_only_looks_like_a_stop_text_comes_out_in_full() -> None:
    out, stream = run([b"a <", b"|im", b"portant"], ("<|im_end|>",))
    assert "".join(out) == "a <|important"
    assert not stream.stopped


@given(
    text=st.text(alphabet="ab<|>", max_size=40),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=40),
)
def test_stop_texts_do_not_depend_on_how_the_text_is_cut(text: str, sizes: list[int]) -> None:
    stops = ("<|b|>", "ab<")
    pieces: list[bytes] = []
    at = 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at : at + size].encode())
        at += size
    out, stream = run(pieces, stops)
    first = min((text.find(stop) for stop in stops if stop in text), default=len(text))
    assert "".join(out) == stream.text == text[:first]


@pytest.mark.parametrize("period", [1, 2, 7, 30, 160])
def test_a_loop_is_noticed(period: int) -> None:
    block = list(range(100, 100 + period))
    times = max(3, -(-36 // period))
    assert loop_period([1, 2, 3, *block * times]) == period
    assert loop_period([1, 2, 3, *block * 2]) == 0


@given(st.lists(st.integers(0, 3), max_size=30))
def test_short_texts_never_count_as_loops(tokens: list[int]) -> None:
    assert loop_period(tokens) == 0


def test_a_table_that_repeats_words_is_no_loop() -> None:
    rows = [token for row in range(30) for token in (1, 2, 100 + row, 3)]
    assert loop_period(rows) == 0
