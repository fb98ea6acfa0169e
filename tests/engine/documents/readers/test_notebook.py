from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.places import PlaceFinder
from engine.documents.readers.notebook import read_notebook
from engine.documents.types import Document
from engine.errors import UnreadableDocument


def read(notebook: Any) -> Document:
    return read_notebook(json.dumps(notebook).encode(), "x.ipynb")


def place_of(document: Document, words: str) -> str:
    start = document.text.index(words)
    return PlaceFinder(document).place_of(start, start + len(words))


CELLS = [
    {"cell_type": "markdown", "source": ["# Boats\n", "\n", "A *list*:\n", "\n", "- red\n"]},
    {
        "cell_type": "code",
        "source": "draw(x)",
        "outputs": [
            {"output_type": "stream", "text": ["1%\r50%\r100%\n", "\x1b[31mdone\x1b[0m\n"]},
            {
                "output_type": "display_data",
                "data": {"image/png": "iVBOR", "text/plain": ["<Figure>"]},
            },
            {"output_type": "error", "traceback": ["Traceback", "ValueError: no wind"]},
        ],
    },
    {"cell_type": "raw", "source": "as it is"},
]


def test_cells_are_units_with_their_outputs() -> None:
    document = read({"nbformat": 4, "metadata": {}, "cells": CELLS})
    assert document.title == "Boats"
    found = [(b.kind, document.text[b.start : b.end].strip()) for b in document.blocks]
    assert found == [
        ("heading", "# Boats"),
        ("paragraph", "A *list*:"),
        ("list", "- red"),
        ("code", "draw(x)"),
        ("code", "100%\ndone"),
        ("code", "<Figure>"),
        ("code", "Traceback\nValueError: no wind"),
        ("paragraph", "as it is"),
    ]
    assert place_of(document, "A *list*") == "cell 1"
    assert place_of(document, "no wind") == "cell 2"
    assert place_of(document, "as it is") == "cell 3"
    assert "iVBOR" not in document.text


def test_version_3_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old boats"},
        {
            "cell_type": "code",
            "input": ["x = 1\n", "x"],
            "outputs": [{"output_type": "pyout", "text": ["1"], "png": "iVBOR"}],
        },
    ]
    document = read({"nbformat": 3, "worksheets": [{"cells": cells}], "metadata": {}})
    assert [(b.kind, b.level) for b in document.blocks] == [
        ("heading", 2), ("code", 0), ("code", 0),
    ]  # fmt: skip
    assert document.text.split() == ["Old", "boats", "x", "=", "1", "x", "1"]
    assert document.title == "Old boats"


def test_long_outputs_are_shortened_and_many_are_left() -> None:
    outputs = [{"text": f"epoch {n}\n" + "loss " * 5000} for n in range(50)]
    document = read({"cells": [{"cell_type": "code", "source": "fit()", "outputs": outputs}]})
    assert len(document.text) < 25_000
    assert "epoch 9" in document.text
    assert "more characters)" in document.text
    assert "epoch 10" not in document.text


@pytest.mark.parametrize("data", [b"{not json", b'{"a": 1}', b"[" * 100_000, b"[1, 2]"])
def test_what_is_no_notebook_is_text(data: bytes) -> None:
    assert read_notebook(data, "x.ipynb").text == data.decode()


def test_an_empty_notebook_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="no cells"):
        read({"nbformat": 4, "cells": []})


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "source",
                    "input",
                    "outputs",
                    "data",
                    "text",
                    "level",
                    "traceback",
                    "text/plain",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(JSON, max_size=4), st.sampled_from(["code", "markdown", "heading", "x"]))
def test_cells_of_any_shape_are_read(cells: list[Any], kind: str) -> None:
    for cell in cells:
        if isinstance(cell, dict):
            cell["cell_type"] = kind
    with contextlib.suppress(UnreadableDocument):
        read({"nbformat": 4, "cells": cells, "metadata": cells, "worksheets": cells})
