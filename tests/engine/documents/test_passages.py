"""Splitting: nothing lost, nothing doubled, every span exact, whatever the text."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from engine.documents.passages import HEADING_SEPARATOR, MAX_TOKENS, OVERLAP_CHARACTERS, split
from engine.documents.readers.markdown import read_markdown
from engine.documents.readers.text import paragraphs
from engine.documents.reading import load_tokenizer
from engine.documents.types import Block, BlockKind, Document, PageSpan, Passage
from engine.paths import starter_dir


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(starter_dir() / "all-MiniLM-L6-v2" / "tokenizer.json")


WORDS = st.sampled_from(
    [
        "tide",
        "gauge",
        "Ångström",
        "水温",
        "ภาษาไทย",
        "a" * 700,
        "e\u0301",
        "x",
        "3.14",
        "|",
        "😀",
        "§4.2",
    ]
)
SEPARATORS = st.sampled_from([" ", " ", "\n", "\n\n", ". ", "\t", "\u00a0"])
TEXTS = st.lists(st.tuples(WORDS, SEPARATORS), max_size=400).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)
KINDS: st.SearchStrategy[BlockKind] = st.sampled_from(get_args(BlockKind))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any text cut into any blocks, with or without pages; no word is outside a block."""
    text = draw(TEXTS)
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=12))})
    blocks = [
        Block(draw(KINDS), start, end, draw(st.integers(1, 4))) for start, end in pairwise(cuts)
    ]
    breaks = sorted({0, *draw(st.lists(st.sampled_from(cuts), max_size=3)), len(text)})
    pages = [
        PageSpan(number, start, end) for number, (start, end) in enumerate(pairwise(breaks), 1)
    ]
    return Document("Title", text, blocks, pages if draw(st.booleans()) else [])


def check(document: Document, passages: list[Passage], tokenizer: Tokenizer) -> None:
    covered = 0
    seen = [False] * len(document.text)
    for ordinal, passage in enumerate(passages):
        assert passage.ordinal == ordinal
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text.strip()
        assert passage.start >= covered - OVERLAP_CHARACTERS
        covered = passage.end
        for position in range(passage.start, passage.end):
            assert not seen[position]
            seen[position] = True
        tokens = len(tokenizer.encode(passage.text, add_special_tokens=False).ids)
        # Cutting between two tokens may split one word into a few more pieces.
        assert tokens <= MAX_TOKENS + 8
    missed = {char for char, was in zip(document.text, seen, strict=True) if not was}
    assert not "".join(missed).strip()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents())
def test_nothing_is_lost_and_nothing_is_doubled(document: Document) -> None:
    tokenizer = load_tokenizer(starter_dir() / "all-MiniLM-L6-v2" / "tokenizer.json")
    passages = split(document, tokenizer)
    check(document, passages, tokenizer)
    for passage in passages:
        for page in document.pages:
            if page.start <= passage.start < page.end:
                assert passage.page == page.number


def test_a_passage_knows_its_headings_and_never_crosses_one(tokenizer: Tokenizer) -> None:
    source = (
        b"# Manual\n\nIntro.\n\n## Dosing\n\n### Renal\n\nHalve it.\n\n## Storage\n\nCold.\n"
    )
    document = read_markdown(source, "manual.md")
    passages = split(document, tokenizer)
    check(document, passages, tokenizer)
    headings = {passage.text.split("\n")[-1]: passage.heading for passage in passages}
    assert headings == {
        "Intro.": "Manual",
        "Halve it.": HEADING_SEPARATOR.join(["Manual", "Dosing", "Renal"]),
        "Cold.": HEADING_SEPARATOR.join(["Manual", "Storage"]),
    }


def test_long_text_is_cut_between_sentences(tokenizer: Tokenizer) -> None:
    text = " ".join(
        f"Sentence number {n} is about the weather at the pier." for n in range(200)
    )
    document = Document("", text, paragraphs(text))
    passages = split(document, tokenizer)
    check(document, passages, tokenizer)
    assert all(passage.text.endswith(".") for passage in passages)
    assert all(passage.text.startswith("Sentence") for passage in passages)
    sizes = [len(tokenizer.encode(p.text, add_special_tokens=False).ids) for p in passages]
    assert min(sizes[:-1]) > 100


def test_short_paragraphs_share_a_passage(tokenizer: Tokenizer) -> None:
    text = "\n\n".join(f"Point {n}." for n in range(20))
    assert len(split(Document("", text, paragraphs(text)), tokenizer)) == 1


def test_a_table_is_cut_between_rows(tokenizer: Tokenizer) -> None:
    text = "\n".join(f"row {n} | value {n * 7} | unit mg" for n in range(120))
    document = Document("", text, [Block("table", 0, len(text))])
    passages = split(document, tokenizer)
    check(document, passages, tokenizer)
    assert all(passage.text.startswith("row") for passage in passages)


def test_a_passage_never_crosses_a_page(tokenizer: Tokenizer) -> None:
    text = "First page.\n\nSecond page."
    pages = [PageSpan(1, 0, 13), PageSpan(2, 13, len(text))]
    passages = split(Document("", text, paragraphs(text), pages), tokenizer)
    assert [(passage.text, passage.page) for passage in passages] == [
        ("First page.", 1),
        ("Second page.", 2),
    ]


@pytest.mark.parametrize(
    "text",
    ["a" * 400_000, "x\n" * 100_000, "水" * 50_000, "Z" + "\u0301" * 100_000, "[" * 100_000],
)
def test_time_grows_with_length_only(text: str, tokenizer: Tokenizer) -> None:
    def seconds(part: str) -> float:
        start = time.process_time()
        split(Document("", part, paragraphs(part)), tokenizer)
        return time.process_time() - start

    quarter = max(0.01, min(seconds(text[: len(text) // 4]) for _ in range(2)))
    assert seconds(text) < quarter * 16  # linear is 4 times, quadratic 16 and more


def test_no_passage_is_too_long_to_show(tokenizer: Tokenizer) -> None:
    text = "a" * 50_000 + " " + "Z" + "\u0301" * 20_000
    for passage in split(Document("", text, paragraphs(text)), tokenizer):
        assert len(passage.text) <= 20 * MAX_TOKENS
