"""Splitting: nothing lost, nothing doubled, every span exact, whatever the text."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from engine.documents.passages import (
    HEADING_SEPARATOR,
    MAX_HEADER_CHARACTERS,
    MAX_HEADER_TOKENS,
    MAX_TOKENS,
    OVERLAP_CHARACTERS,
    split,
)
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.readers.markdown import read_markdown
from engine.documents.readers.text import paragraphs
from engine.documents.reading import load_tokenizer
from engine.documents.types import (
    Anchor,
    Block,
    BlockKind,
    Document,
    PageSpan,
    Passage,
    Unit,
)
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
    """Any text cut into any blocks, with or without pages, labels, anchors and header rows.

    No word is outside a block; a page may begin anywhere, within a block too.
    """
    text = draw(TEXTS)
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=12))})
    blocks = [
        Block(
            kind := draw(KINDS),
            start,
            end,
            draw(st.integers(1, 4)),
            draw(st.integers(start, end)) if kind == "table" else 0,
        )
        for start, end in pairwise(cuts)
    ]
    somewhere = st.integers(0, len(text))
    breaks = sorted({0, *draw(st.lists(somewhere, max_size=4)), len(text)})
    label = st.sampled_from(["", "Slide", "Sheet x"])
    pages = [
        PageSpan(number, start, end, draw(label), draw(st.sampled_from(["", "A:F"])))
        for number, (start, end) in enumerate(pairwise(breaks), 1)
    ]
    anchors = [
        Anchor(start, number)
        for number, start in enumerate(sorted(draw(st.sets(somewhere, max_size=9))), 1)
    ]
    return Document(
        "Title",
        text,
        blocks,
        pages if draw(st.booleans()) else [],
        anchors,
        draw(st.sampled_from(get_args(Unit))),
    )


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
        if passage.header:
            assert len(passage.header) <= MAX_HEADER_CHARACTERS
            above = len(tokenizer.encode(passage.header, add_special_tokens=False).ids)
            assert above <= MAX_HEADER_TOKENS + 8
            tokens += above - 8
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
                assert passage.end <= page.end
                assert passage.place.strip("'").startswith(page.label.replace("'", "''"))


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


def table_of(rows: int) -> Document:
    """A sheet of 120 rows after its header, from row 3 on."""
    builder = DocumentBuilder("row")
    builder.page(1, "Budget 2024", "A:C")
    cells = [["Item", "Cost", "Note"]]
    cells += [[f"thing {n}", str(n * 7), "paid by the office"] for n in range(rows)]
    builder.table(cells, header=True, numbers=range(3, 3 + len(cells)))
    return builder.document("Budget")


def test_a_passage_within_a_table_carries_its_header(tokenizer: Tokenizer) -> None:
    document = table_of(120)
    passages = split(document, tokenizer)
    check(document, passages, tokenizer)
    assert len(passages) > 5
    assert passages[0].text.startswith("Item | Cost | Note\nthing 0")
    assert [passage.header for passage in passages] == [
        "",
        *["Item | Cost | Note"] * (len(passages) - 1),
    ]


def test_the_places_of_a_sheet_are_its_rows(tokenizer: Tokenizer) -> None:
    document = table_of(120)
    expected = 3
    for passage in split(document, tokenizer):
        rows = passage.text.count("\n") + 1
        assert passage.place == f"'Budget 2024'!A{expected}:C{expected + rows - 1}"
        assert passage.page == 1
        expected += rows
    assert expected == 3 + 121


def test_an_endless_header_row_leaves_room_for_the_rows(tokenizer: Tokenizer) -> None:
    builder = DocumentBuilder()
    builder.table([["heading"] * 3_000, *[["value", str(n)] for n in range(500)]], header=True)
    document = builder.document("wide")
    passages = split(document, tokenizer)
    check(document, passages, tokenizer)
    assert passages[-1].header.startswith("heading | heading")
    assert passages[-1].text.endswith("value | 499")


def test_headings_do_not_reach_into_the_next_labelled_page(tokenizer: Tokenizer) -> None:
    builder = DocumentBuilder()
    builder.page(1, "Slide 1")
    builder.add("heading", "Plans", 1)
    builder.add("paragraph", "Grow.")
    builder.page(2, "Slide 2")
    builder.add("paragraph", "A picture says more.")
    builder.page(3, "Slide 3")
    builder.page(4, "Slide 4")
    builder.add("heading", "Only a title", 1)
    passages = split(builder.document("Deck"), tokenizer)
    assert [(p.place, p.heading, p.text) for p in passages] == [
        ("Slide 1", "Plans", "Plans\n\nGrow."),
        ("Slide 2", "", "A picture says more."),
        ("Slide 4", "Only a title", "Only a title"),
    ]


def test_a_heading_stays_with_the_text_below_it(tokenizer: Tokenizer) -> None:
    body = " ".join(f"The gauge at pier {n} was read at noon." for n in range(300))
    builder = DocumentBuilder()
    builder.add("heading", "Harbour", 1)
    builder.add("heading", "Readings of the gauges", 2)
    builder.add("paragraph", body)
    document = builder.document("")
    passages = split(document, tokenizer)
    check(document, passages, tokenizer)
    assert passages[0].text.startswith(
        "Harbour\n\nReadings of the gauges\n\nThe gauge at pier 0"
    )
    assert all(passage.text.endswith(".") for passage in passages)
