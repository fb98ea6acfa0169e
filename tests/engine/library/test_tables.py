"""The tables by themselves: what is counted, read and kept in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.library.rows import PassageRow
from engine.library.tables import Tables

TEXTS = ("the puffin returns", "a puffin and a kittiwake", "snow on the pier", "Schnee am Pier")


def row(number: int, text: str) -> PassageRow:
    return PassageRow(number << 20, "", text, "", 0, len(text), None)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    """Four passages, found by words and by meaning."""
    made = Tables(tmp_path / "library", 4)
    made.add_passages([row(number, text) for number, text in enumerate(TEXTS, 1)])
    made.add_vectors([n << 20 for n in range(1, 5)], np.eye(4, dtype=np.float32))
    made.tend_passages(final=True)
    return made


def test_words_counted_together_count_as_each_alone(tables: Tables) -> None:
    words = ["puffin", "", "the", "pier", "puffin", "  ", "\ud800", "walrus", "kittiwake"]
    assert tables.count_matches(words) == [2, 0, 0, 2, 2, 0, 0, 0, 1]
    assert [tables.count_matches([word])[0] for word in words] == tables.count_matches(words)
    assert tables.count_matches([]) == []


def test_passages_that_hold_every_word_are_found_whatever_the_order(tables: Tables) -> None:
    found = tables.holding(["kittiwake puffin", "snow", "puffin walrus", " "])
    assert sorted(found.ids.tolist()) == [2 << 20, 3 << 20]
    assert tables.holding([""]).ids.tolist() == []


def test_what_another_writer_adds_is_read_at_once(tables: Tables, tmp_path: Path) -> None:
    assert tables.count_matches(["walrus"]) == [0]
    other = Tables(tmp_path / "library", 4)
    other.add_passages([row(9, "a walrus on the pier")])
    other.add_vectors([9 << 20], np.full((1, 4), 0.5, np.float32))
    assert tables.count_matches(["walrus", "pier"]) == [1, 3]
    assert [r.text for r in tables.fetch([9 << 20]).values()] == ["a walrus on the pier"]
    assert len(tables.passage_ids()) == len(tables.vector_ids()) == 5
    assert tables.dense(np.full(4, 0.5, np.float32), 1).ids.tolist() == [9 << 20]


def test_more_rows_than_lancedb_lists_by_itself_are_all_read(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "library", 4)
    tables.add_passages([row(number, f"note {number}") for number in range(1, 301)])
    tables.tend_passages(final=True)
    assert sorted(tables.passage_ids().tolist()) == [n << 20 for n in range(1, 301)]
    assert len(tables.fetch_range(0, 1 << 62)) == 300
    assert tables.count_matches(["note"]) == [300]
