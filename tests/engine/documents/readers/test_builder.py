from __future__ import annotations

from itertools import pairwise

import pytest

from engine.documents.places import PlaceFinder
from engine.documents.readers import builder as module
from engine.documents.readers.builder import DocumentBuilder
from engine.documents.types import Document, Unit
from engine.errors import UnreadableDocument


def sheet(unit: Unit = "row") -> Document:
    builder = DocumentBuilder(unit)
    builder.page(1, "Budget", "A:B")
    builder.table([["a", "b"], ["1", "2"]], header=True, numbers=[1, 2])
    return builder.document("")


def places(document: Document, *words: str) -> list[str]:
    finder = PlaceFinder(document)
    starts = [document.text.index(word) for word in words]
    return [
        finder.place_of(start, start + len(word))
        for start, word in zip(starts, words, strict=True)
    ]


def test_an_included_document_keeps_its_places_under_the_new_name() -> None:
    builder = DocumentBuilder()
    builder.page(1, "Message")
    builder.add("paragraph", "See below.")
    builder.include(sheet(), "Attachment b.xlsx")
    builder.include(Document("", "plain words"), "Attachment c.txt")
    builder.page(9, "End")
    builder.add("paragraph", "last")
    document = builder.document("")
    assert places(document, "See", "1 | 2", "plain", "last") == [
        "Message", "Attachment b.xlsx, Sheet Budget, row 2", "Attachment c.txt", "End",
    ]  # fmt: skip
    assert [page.number for page in document.pages] == [1, 2, 3, 9]
    assert all(one.end == following.start for one, following in pairwise(document.pages))
    table = next(block for block in document.blocks if block.kind == "table")
    assert document.text[table.start : table.header_end] == "a | b"


def test_units_of_an_included_document_are_left_where_others_are_counted() -> None:
    builder = DocumentBuilder("line")
    builder.page(1, "Program")
    builder.anchor(7)
    builder.add("code", "first")
    builder.include(sheet(), "Attachment b.xlsx")
    document = builder.document("")
    assert document.unit == "line"
    assert places(document, "first", "1 | 2") == [
        "Program, line 7", "Attachment b.xlsx, Sheet Budget",
    ]  # fmt: skip


def test_a_heading_can_be_named_without_text() -> None:
    builder = DocumentBuilder()
    builder.name("class  Parser\n", 2)
    builder.add("code", "x = 1")
    builder.name("")
    block, _, end = builder.document("").blocks
    assert (block.kind, block.level, block.name, block.start, block.end) == (
        "heading", 2, "class Parser", 0, 0,
    )  # fmt: skip
    assert (end.name, end.level) == ("", 1)


def test_a_unit_of_number_nought_is_none() -> None:
    builder = DocumentBuilder("record")
    builder.add("paragraph", "before")
    for number, words in ((1, "one"), (0, "between"), (2, "two")):
        builder.anchor(number)
        builder.add("paragraph", words)
    document = builder.document("")
    assert places(document, "before", "one", "between", "two") == [
        "",
        "record 1",
        "",
        "record 2",
    ]
    assert PlaceFinder(document).place_of(0, len(document.text)) == "records 1–2"


def test_appended_text_stays_within_the_page() -> None:
    builder = DocumentBuilder("cell")
    builder.page(1, "Page")
    builder.anchor(3)
    builder.append(sheet())
    assert places(builder.document(""), "1 | 2") == ["Page, cell 3"]


def test_all_ways_to_grow_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHARACTERS", 50)
    long = Document("", "x" * 60)
    builder = DocumentBuilder()
    for grow in (
        lambda: builder.add("paragraph", long.text),
        lambda: builder.append(long),
        lambda: builder.include(long, "a"),
        lambda: builder.table([["y" * 30], ["z" * 30]]),
    ):
        with pytest.raises(UnreadableDocument, match="more text"):
            grow()
