from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents.readers.markdown import heading_text, read_markdown
from engine.errors import UnreadableDocument

SOURCE = """---
title: "Cold storage"
---
# Alarms

Call *Maria*.

```sh
# not a heading
```

- one
- two

| a | b |
|---|---|
| 1 | 2 |

Rota
----

[ref]: http://example.invalid
"""


def test_structure_is_found_and_text_is_the_source() -> None:
    document = read_markdown(SOURCE.encode(), "x.md")
    assert document.text == SOURCE
    assert document.title == "Cold storage"
    found = [(b.kind, b.level, SOURCE[b.start : b.end].split("\n")[0]) for b in document.blocks]
    assert found == [
        ("paragraph", 0, "---"),
        ("heading", 1, "# Alarms"),
        ("paragraph", 0, "Call *Maria*."),
        ("code", 0, "```sh"),
        ("list", 0, "- one"),
        ("table", 0, "| a | b |"),
        ("heading", 2, "Rota"),
        ("paragraph", 0, "[ref]: http://example.invalid"),
    ]


def test_the_first_heading_is_the_title_where_none_is_given() -> None:
    assert read_markdown(b"Words.\n\n## The *real* one ##\n", "x.md").title == "The *real* one"


@pytest.mark.parametrize(
    ("source", "words"), [("## Dose ##", "Dose"), ("Dose\n====", "Dose"), ("# C# ", "C#")]
)
def test_heading_marks_are_no_words(source: str, words: str) -> None:
    assert heading_text(source) == words


PIECES = st.sampled_from(
    [
        "# h\n",
        "text ",
        "\n\n",
        "- a\n",
        "> q\n",
        "```\n",
        "| a | b |\n|-|-|\n",
        "    code\n",
        "<b>",
        "[x]: y\n",
        "***\n",
        "`",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_blocks_are_in_order_and_cover_every_word(source: str) -> None:
    try:
        document = read_markdown(source.encode(), "x.md")
    except UnreadableDocument:
        assert not source
        return
    left, end = list(document.text), 0
    for block in document.blocks:
        assert block.start >= end
        end = block.end
        left[block.start : block.end] = " " * (block.end - block.start)
    assert not "".join(left).strip()


def test_a_tables_header_row_is_known() -> None:
    document = read_markdown(b"Text\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "x.md")
    table = next(block for block in document.blocks if block.kind == "table")
    assert document.text[table.start : table.header_end] == "| a | b |"
