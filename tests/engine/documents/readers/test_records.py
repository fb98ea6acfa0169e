from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.places import PlaceFinder
from engine.documents.readers.records import read_json, read_json_lines
from engine.documents.readers.text import clean
from engine.documents.types import Document
from engine.errors import UnreadableDocument


def read(value: object) -> Document:
    return read_json(json.dumps(value).encode(), "x.json")


def place_of(document: Document, words: str) -> str:
    start = document.text.index(words)
    return PlaceFinder(document).place_of(start, start + len(words))


def lines(document: Document) -> list[str]:
    return [line for line in document.text.split("\n") if line]


def test_each_line_says_where_its_value_stands() -> None:
    document = read(
        {"title": "Harbour", "boats": {"red": {"length": 7.50}}, "tags": ["a", "b"], "on": None}
    )
    assert document.title == "Harbour"
    assert lines(document) == [
        "title: Harbour", "boats.red.length: 7.5", "tags: a, b", "on: null",
    ]  # fmt: skip


def test_elements_of_the_outermost_array_are_records() -> None:
    boats = [{"name": "Terna", "crew": [{"n": "Ann"}]}, {"name": "Svala"}]
    document = read({"v": 1, "boats": boats, "end": "x"})
    assert lines(document) == [
        "v: 1", "name: Terna", "crew[0].n: Ann", "name: Svala", "end: x",
    ]  # fmt: skip
    assert place_of(document, "crew[0].n: Ann") == "record 1"
    assert place_of(document, "name: Svala") == "record 2"
    assert place_of(document, "v: 1") == place_of(document, "end: x") == ""
    assert [b.name for b in document.blocks if b.kind == "heading"] == ["boats", ""]


def test_json_lines_are_records_and_broken_ones_stay_text() -> None:
    data = b'{"a": 1}\n\n{"a": torn\n[2, "two"]\nplain words\n"last"\n'
    document = read_json_lines(data, "x.jsonl")
    assert lines(document) == ["a: 1", '{"a": torn', "2, two", "plain words", "last"]
    assert place_of(document, '{"a": torn') == "record 3"
    assert place_of(document, "last") == "record 6"


def test_several_values_in_a_json_file_are_records() -> None:
    document = read_json(b'{"a": 1}\n{"a": 2} [3]', "x.json")
    assert lines(document) == ["a: 1", "a: 2", "3"]
    assert place_of(document, "a: 2") == "record 2"


def test_what_people_write_into_json_is_read() -> None:
    data = b"""// settings
    {"a": NaN, /* twice */ "a": -Infinity, "big": 12345678901234567890.10,
     "list": ["x", "y",],}"""
    assert lines(read_json(data, "x.json")) == [
        "a: NaN", "a: -Infinity", "big: 12345678901234567890.10", "list: x, y",
    ]  # fmt: skip


def test_what_is_no_json_is_read_as_text() -> None:
    assert read_json(b"{not json at all", "x.json").text == "{not json at all"
    with pytest.raises(UnreadableDocument):
        read_json(b"\x00\x01\x02\x03\x04" * 100, "x.json")


def test_masses_of_numbers_are_counted_not_copied() -> None:
    feature = {
        "name": "Coast",
        "geometry": {"coordinates": [[[i, i / 2] for i in range(9000)]]},
    }
    document = read({"features": [feature, feature], "rows": [[i, i] for i in range(500)]})
    assert document.text.count("name: Coast") == 2
    assert "(17984 more numbers)" in document.text
    assert "rows: 0, 0, 1, 1" in document.text
    assert len(document.text) < 1500
    assert place_of(document, "name: Coast") == "record 1"
    short = read({"rows": [[i, i] for i in range(50)]})
    assert lines(short)[19:] == ["19, 19", "… (30 more rows of numbers)"]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000 + b'"ZEBRA"' + b"]" * 200_000,
        b'{"a":' * 100_000 + b'"ZEBRA"' + b"}" * 100_000,
        b'{"v":1,"a":' * 50_000 + b'"ZEBRA"' + b"}" * 50_000,
        b"[1," * 100_000 + b'{"ZEBRA":1}' + b"]" * 100_000,
    ],
    ids=["arrays", "objects", "values", "numbers"],
)
def test_bottomless_values_are_read(data: bytes) -> None:
    assert "ZEBRA" in read_json(data, "x.json").text


def test_bottomless_values_without_an_end_are_text() -> None:
    assert read_json(b"[" * 100_000, "x.json").text == "[" * 100_000


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_every_word_of_any_value_is_kept(value: object) -> None:
    found = read(value).text
    kept = set(re.findall(r"\w+", found))
    assert {word for text in texts(value) for word in re.findall(r"\w+", text)} <= kept


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [clean(value)]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='{}[]",:\\/*1a \n-.', min_size=1, max_size=60))
def test_any_soup_of_brackets_is_read(soup: str) -> None:
    for reader in (read_json, read_json_lines):
        document = reader(b"x" + soup.encode(), "x.json")
        starts = [anchor.start for anchor in document.anchors]
        assert starts == sorted(set(starts))


def test_the_naughty_strings_are_all_there(corpora: Path) -> None:
    path = corpora / "stress/text/blns/blns.json"
    document = read_json(path.read_bytes(), path.name)
    strings = [s for s in json.loads(path.read_bytes()) if isinstance(s, str) and s.isascii()]
    assert len(strings) > 300
    assert [s for s in map(clean, strings) if s.strip() not in document.text] == []
