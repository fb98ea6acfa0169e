"""Files of every format as rows; what is broken is said with its line, whatever it is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.tuning.datasets import conll, delimited, json_lines, json_values, rows
from engine.tuning.datasets.rows import read_rows

CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
WORD = st.text(st.characters(codec="ascii", categories=("Ll",)), min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | CELL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3),
    max_leaves=12,
)
ANYTHING = st.text(max_size=300) | st.text('{}[]",:\n\t-OBI \x00\ud800', max_size=120)
PARSERS = [delimited.parse, json_lines.parse, json_values.parse, conll.parse]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def fields(path: Path) -> list[dict[str, Any]]:
    return [row.fields for row in read_rows(path).rows]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__module__.split(".")[-1])
@given(text=ANYTHING)
def test_no_text_makes_a_parser_fail(parse: rows.Parser, text: str) -> None:
    found = parse(text, "x")
    assert found.broken_total >= len(found.broken)
    lines = text.count("\n") + 2
    for one in [*found.rows, *found.broken]:
        assert 1 <= one.line <= lines


@given(data=st.binary(max_size=400))
def test_no_bytes_make_a_file_fail_but_by_name(data: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "any.bin"
    path.write_bytes(data)
    try:
        found = read_rows(path).rows
    except InvalidInput:
        return
    assert found


@given(st.lists(st.tuples(CELL, WORD), min_size=1, max_size=8))
def test_a_table_comes_back_as_it_was_written(table: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(("text", "label"))
    writer.writerows(table)
    found = delimited.parse(text.getvalue().replace("\r\n", "\n"), "x.csv")
    assert [(row.fields["text"], row.fields["label"]) for row in found.rows] == [
        (cell.replace("\ufeff", ""), word) for cell, word in table
    ]
    assert found.broken_total == 0


@given(st.lists(st.dictionaries(WORD, JSON, min_size=1, max_size=4), min_size=1, max_size=6))
def test_json_comes_back_as_it_was_written(records: list[dict[str, Any]]) -> None:
    listed = json_values.parse(json.dumps(records, indent=1), "x.json")
    lines = json_lines.parse("\n".join(json.dumps(one) for one in records), "x.jsonl")
    assert [set(row.fields) for row in listed.rows] == [set(one) for one in records]
    assert [row.fields for row in lines.rows] == [row.fields for row in listed.rows]
    assert [row.line for row in lines.rows] == list(range(1, len(records) + 1))


@given(
    st.lists(
        st.lists(
            st.tuples(WORD, st.sampled_from(["", "person", "place"])), min_size=1, max_size=6
        ),
        min_size=1,
        max_size=5,
    )
)
def test_sentences_come_back_as_they_were_tagged(
    sentences: list[list[tuple[str, str]]],
) -> None:
    text = "\n\n".join(
        "\n".join(f"{word}\t{'B-' + label if label else 'O'}" for word, label in sentence)
        for sentence in sentences
    )
    found = conll.parse(text, "x.conll")
    assert found.broken_total == 0
    for row, sentence in zip(found.rows, sentences, strict=True):
        assert row.fields["text"] == " ".join(word for word, _ in sentence)
        assert row.fields["entities"] == [
            {"text": word, "label": label} for word, label in sentence if label
        ]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-a I-a O B-a", ["x0 x1", "x3"]),
        ("I-a I-a I-b O", ["x0 x1", "x2"]),  # IOB: a begins with I
        ("B-a B-a I-a O", ["x0", "x1 x2"]),
        ("B-a E-a S-a O", ["x0 x1", "x2"]),  # BIOES
        ("U-a B-a L-a L-a", ["x0", "x1 x2", "x3"]),  # BILOU
    ],
)
def test_every_way_of_tagging_is_read(tags: str, expected: list[str]) -> None:
    found = conll.entities_of([f"x{n}" for n in range(4)], tags.split())
    assert [one["text"] for one in found] == expected


def test_conll_documents_comments_and_counted_tokens(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O\n\n# id = 1\n1\tAda\tNNP\tB-per\n2\tran\tVBD\tO\n\n"
    text += "-DOCSTART- -X- O\n\n1\t#hi\tX\tO\nnothing\n2\tBo\tX\tB-per\n3\t.\tX\tO\n"
    found = read_rows(write(tmp_path / "a.txt", text))
    assert found.format == "conll"
    assert [row.fields["text"] for row in found.rows] == ["Ada ran", "#hi Bo ."]
    assert [row.fields["document"] for row in found.rows] == ["1", "2"]
    assert [(one.line, one.reason) for one in found.broken] == [
        (10, "This line is no token with a tag.")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Frage;Antwort\nWie heißt sie?;Zoë Müller wohnt in Köln\n" * 1
    path = write(tmp_path / "a.csv", text, encoding)
    assert fields(path) == [{"Frage": "Wie heißt sie?", "Antwort": "Zoë Müller wohnt in Köln"}]


def test_broken_rows_are_told_by_their_lines(tmp_path: Path) -> None:
    table = 'text,label\n"two\nlines",a\nfine,b\nalone\nx,y,z,far\n'
    found = read_rows(write(tmp_path / "a.csv", table))
    assert [row.line for row in found.rows] == [2, 4]
    assert [one.line for one in found.broken] == [5, 6]
    lines = '{"text": "a", "label": "b"}\n\n{"text": \n[1, 2]\n7\n'
    found = read_rows(write(tmp_path / "a.jsonl", lines))
    assert [row.line for row in found.rows] == [1, 4]
    assert [one.line for one in found.broken] == [3, 5]
    cut = '[\n {"text": "a"},\n {"text": "b"},\n {"text": "c\n'
    found = read_rows(write(tmp_path / "a.json", cut))
    assert [row.line for row in found.rows] == [2, 3]
    assert found.broken[0].line == 4


def test_the_shapes_json_comes_in(tmp_path: Path) -> None:
    def rows_of(value: Any) -> list[tuple[str, dict[str, Any]]]:
        path = write(tmp_path / "a.json", json.dumps(value, indent=1))
        return [(row.part, row.fields) for row in read_rows(path).rows]

    pair = {"text": "x", "label": "y"}
    assert rows_of([pair]) == [("", pair)]
    assert rows_of({"data": [pair]}) == [("", pair)]
    one_line = write(tmp_path / "one.json", json.dumps({"data": [pair]}))
    assert fields(one_line) == [pair]
    assert fields(write(tmp_path / "b.jsonl", json.dumps([pair], indent=1))) == [pair]
    assert fields(write(tmp_path / "b.json", f"{json.dumps(pair)}\n" * 2)) == [pair, pair]
    assert rows_of({"version": 2, "data": [pair]}) == [("", pair)]
    assert rows_of({"train": [pair], "test": [["x", "y"]]}) == [
        ("train", pair),
        ("test", {"column 1": "x", "column 2": "y"}),
    ]
    assert rows_of({"text": ["x", "z"], "label": ["y", "y"]})[1] == (
        "",
        {"text": "z", "label": "y"},
    )
    assert rows_of({"hello": ["hi", "hey"], "bye": ["so long"]})[2] == (
        "",
        {"text": "so long", "label": "bye"},
    )
    squad = {"title": "T", "paragraphs": [{"context": "c", "qas": [{"question": "q"}]}]}
    assert rows_of({"version": "1", "data": [squad]})[0][1]["context"] == "c"


def test_deep_and_huge_values_are_broken_rows_not_failures(tmp_path: Path) -> None:
    deep = "[" * 200_000 + "]" * 200_000
    with pytest.raises(InvalidInput, match="no rows"):
        read_rows(write(tmp_path / "a.json", deep))
    text = f'{{"text": "a"}}\n{{"n": {"9" * 5000}}}\n{deep}\n'
    found = read_rows(write(tmp_path / "a.jsonl", text))
    assert (len(found.rows), found.broken_total) == (1, 2)


def test_what_cannot_be_imported_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match="cannot be opened"):
        read_rows(tmp_path / "gone.csv")
    with pytest.raises(InvalidInput, match="cannot be opened"):
        read_rows(tmp_path)
    with pytest.raises(InvalidInput, match="empty"):
        read_rows(write(tmp_path / "empty.csv", ""))
    binary = tmp_path / "b.csv"
    binary.write_bytes(bytes(range(32)) * 50)
    with pytest.raises(InvalidInput, match="binary"):
        read_rows(binary)
    table = write(tmp_path / "t.csv", "text,label\n" + "a,b\n" * 20)
    monkeypatch.setattr(rows, "MAX_ROWS", 10)
    with pytest.raises(InvalidInput, match="more than 10 rows"):
        read_rows(table)
    monkeypatch.setattr(rows, "MAX_FILE_BYTES", 10)
    with pytest.raises(InvalidInput, match="larger than"):
        read_rows(table)
    link = tmp_path / "link.jsonl"
    link.symlink_to(write(tmp_path / "real.jsonl", '{"a": 1}'))
    monkeypatch.undo()
    assert fields(link) == [{"a": 1}]
