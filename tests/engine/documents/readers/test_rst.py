from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.readers.rst import read_rst
from engine.errors import UnreadableDocument

SOURCE = """
Boats
=====

:Author: Ada
:Version: |release|

.. |release| replace:: 7.5

Sails are *white* or ``red``, see :ref:`the list <list>` and :py:func:`~sea.boat.sail`.

.. a remark nobody sees

Kinds
-----

- one
- two, with a
  second line

  1. inner

Term
    What it means.

.. note:: Mind the gap.

.. function:: sail(wind, *, fast=False)
   :module: sea

   Goes :emphasis:`out`.

.. code-block:: python
   :linenos:
   :caption: x

   print("out")

.. toctree::
   :maxdepth: 2

   never/shown

=====  ======
Boat   Length
=====  ======
Terna  7.5
=====  ======

A block::

    literal text

| first
| second

Some *unclosed words and a |missing| one.
"""


def test_the_structure_becomes_blocks() -> None:
    document = read_rst(SOURCE.encode(), "x.rst")
    assert document.title == "Boats"
    found = [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]
    assert found == [
        ("heading", 1, "Boats"),
        ("list", 0, "Author: Ada\nVersion: 7.5"),
        ("paragraph", 0, "Sails are white or red, see the list and sail."),
        ("heading", 2, "Kinds"),
        ("list", 0, "- one\n- two, with a second line\n  1. inner"),
        ("paragraph", 0, "Term\nWhat it means."),
        ("paragraph", 0, "Mind the gap."),
        ("paragraph", 0, "sail(wind, *, fast=False)"),
        ("paragraph", 0, "Goes out."),
        ("code", 0, 'print("out")'),
        ("table", 0, "Boat | Length\nTerna | 7.5"),
        ("paragraph", 0, "A block:"),
        ("code", 0, "literal text"),
        ("paragraph", 0, "first\nsecond"),
        ("paragraph", 0, "Some *unclosed words and a missing one."),
    ]
    table = next(block for block in document.blocks if block.kind == "table")
    assert document.text[table.start : table.header_end] == "Boat | Length"


def test_no_file_is_opened_and_nothing_is_run(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("ZEBRA")
    (tmp_path / "docutils.conf").write_text("[general]\nraw_enabled: yes\n")
    source = f"""Words.

.. include:: {secret}

.. raw:: html
   :file: {secret}

.. raw:: html

   <script>run()</script>

.. csv-table:: t
   :file: {secret}

.. literalinclude:: {secret}

.. role:: raw-html(raw)
   :format: html

:raw-html:`<b>x</b>` end.
"""
    text = read_rst(source.encode(), "x.rst").text
    assert "ZEBRA" not in text
    assert "script" not in text
    assert "Words." in text
    assert "end." in text


@pytest.mark.parametrize(
    "source",
    [
        "Title\n===\n\n.. unknown-thing:: argument\n\n   content words",
        ":nobody-knows:`role words` content",
        ".. image:: x.png\n   :no-such-option: 3\n\ncontent",
        "Title\n==\n\nA\n--\n\nB\n~~\n\nC\n==\n\nD\n~~\n\ncontent",
        "====\n\ncontent",
    ],
)
def test_no_complaint_of_the_parser_becomes_text(source: str) -> None:
    text = read_rst(source.encode(), "x.rst").text
    assert "content" in text
    assert not re.search(r"(?i)unknown (directive|interpreted)|severe|warning|system", text)


@pytest.mark.parametrize(
    "source",
    [
        "- " * 2000 + "ZEBRA",
        "\n".join(" " * i + "- a" for i in range(600)) + "\n\nZEBRA",
        "*a " * 200_000 + "ZEBRA",
        "".join(f"\n\n{'*b ' * 3000}" for _ in range(20)) + "ZEBRA",
        "x" * 20_000 + " ZEBRA",
        "ZEBRA\n" + "+---" * 500 + "+\n" + "|\n" * 2000,
        ".. a::\n\n" + "".join("   " * i + ".. b::\n\n" for i in range(1, 200)) + "ZEBRA",
    ],
    ids=["marks", "nested", "inline", "paragraphs", "line", "grid", "directives"],
)
def test_what_leads_the_parser_astray_is_read_all_the_same(source: str) -> None:
    assert "ZEBRA" in read_rst(source.encode(), "x.rst").text


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableDocument):
        read_rst(b"\x00\x01\x02\x03\x04" * 100, "x.rst")


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_torn_sources_keep_their_words(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SOURCE)))
    tail = data.draw(st.text(alphabet='*`|:._= \n-"~x', max_size=30))
    text = read_rst((SOURCE[:start] + tail + "\n\nlast words here").encode(), "x.rst").text
    if "replace" not in text and "toctree" not in SOURCE[start - 80 : start]:
        assert "words" in text


def test_the_same_source_gives_the_same_text_again() -> None:
    assert read_rst(SOURCE.encode(), "x.rst") == read_rst(SOURCE.encode(), "x.rst")
