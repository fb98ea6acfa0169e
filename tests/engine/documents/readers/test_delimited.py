from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.places import PlaceFinder
from engine.documents.readers.delimited import read_delimited
from engine.documents.types import Document
from engine.errors import UnreadableDocument


def place_of(document: Document, words: str) -> str:
    start = document.text.index(words)
    return PlaceFinder(document).place_of(start, start + len(words))


def header(document: Document) -> str:
    block = document.blocks[-1]
    return document.text[block.start : block.header_end] if block.header_end else ""


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_the_header_and_the_rows_are_found(delimiter: str) -> None:
    rows = [["Boat", "Length", "Note"], ["Terna", "7,5", "red; fast"], ["Svala", "6,0", ""]]
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    document = read_delimited(stream.getvalue().encode(), "x.csv")
    assert document.text.strip() == (
        "Boat | Length | Note\nTerna | 7,5 | red; fast\nSvala | 6,0"
    )
    assert header(document) == "Boat | Length | Note"
    assert place_of(document, "Svala") == "row 3"
    assert place_of(document, "Terna | 7,5 | red; fast\nSvala") == "rows 2–3"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found(encoding: str) -> None:
    text = "Name;Straße\nJürgen Müller;Österreicher Straße 5\nFrançois;Rue Émile\n" * 5
    assert "Jürgen Müller | Österreicher Straße 5" in (
        read_delimited(text.encode(encoding), "x.csv").text
    )


def test_rows_count_as_in_a_spreadsheet_program() -> None:
    data = b'Report of May\n\nname,note\na,"two\nlines"\n\nb,x\n'
    document = read_delimited(data, "x.csv")
    assert place_of(document, "Report") == "row 1"
    assert place_of(document, "two lines") == "row 4"
    assert place_of(document, "b | x") == "row 6"
    assert header(document) == "name | note"


def test_the_line_that_names_the_separator_is_obeyed_and_counts() -> None:
    document = read_delimited(b"sep=|\na,b|c\n1,5|2\n", "x.csv")
    assert document.text.strip() == "a,b | c\n1,5 | 2"
    assert place_of(document, "1,5") == "row 3"


def test_ragged_rows_are_kept() -> None:
    document = read_delimited(b"a,b,c\n1\n1,2,3,4,5\n,,3\n", "x.csv")
    assert document.text.strip().split("\n") == [
        "a | b | c", "1", "1 | 2 | 3 | 4 | 5", "|  | 3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (b"Country,2019,2020\nNorway,5,6\n", True),
        (b"1,2,3\n4,5,6\n", False),
        (b"Oslo,5\nBergen,6\nOslo,7\n", False),
        (b"a,a\n1,2\n", False),
        (b"name,age\n", False),
    ],
)
def test_a_header_is_words_that_do_not_come_again(table: bytes, named: bool) -> None:
    assert bool(header(read_delimited(table, "x.csv"))) is named


def test_a_quotation_mark_nobody_closed_swallows_no_rows() -> None:
    rows = "\n".join(f"{number},line number {number}" for number in range(3000))
    document = read_delimited(b'id,text\n7,"open\n' + rows.encode(), "x.csv")
    assert place_of(document, "line number 2999") == "row 3002"


def test_prose_in_a_csv_stays_as_it_is() -> None:
    text = "Dear all\nplease bring flares, ropes and water\nto the pier\nat noon\n"
    assert read_delimited(text.encode(), "x.csv").text.strip() == text.strip()


def test_a_table_past_all_bounds_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="more text"):
        read_delimited(b"a,b\n" * 8_000_000, "x.csv")


@pytest.mark.parametrize("data", [b"\x00\x01\x02\x03\x04\x05" * 100, b""])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        read_delimited(data, "x.csv")


CELLS = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="\ufeff"), max_size=12
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=5), min_size=1, max_size=12))
def test_every_word_of_every_cell_is_kept(rows: list[list[str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    found = read_delimited(b"first,second\n" + stream.getvalue().encode(), "x.csv").text
    wanted = re.findall(r"\w+", " ".join(cell for row in rows for cell in row))
    assert re.findall(r"\w+", found)[2:] == wanted


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="a1,;|\t\"\n '=", min_size=1, max_size=200))
def test_any_soup_of_separators_is_read(soup: str) -> None:
    document = read_delimited(b"sep" + soup.encode(), "x.csv")
    numbers = [anchor.number for anchor in document.anchors]
    assert numbers == sorted(numbers)
