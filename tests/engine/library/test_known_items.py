from __future__ import annotations

from pathlib import Path

import pytest

from engine.library.known_items import KnownItem, make_known_items
from engine.library.libraries import Libraries
from engine.work.api import IndexSpec
from tests.engine.library.conftest import telling_prose

LINES = [
    "The generator hall keeps seventeen spare diesel filters behind the western staircase.",
    "Every second Thursday Ingrid measures salinity beside the jetty with brass gauges.",
    "Puffin burrows along the southern cliff were counted twice before the August storms.",
    "Visitors sign the yellow register, receive rubber boots and follow marked gravel paths.",
]


def items_of(libraries: Libraries, name: str, count: int, seed: int = 1) -> list[KnownItem]:
    record = libraries._records.record(name)
    tables = libraries._tables.get(record)
    return make_known_items(libraries.ledger, tables, record.library_id, count, seed)


@pytest.fixture
def station(libraries: Libraries, folder: Path) -> Libraries:
    for n, line in enumerate(LINES):
        (folder / f"{n}.md").write_text(f"# Chapter {n}\n\n## Duties of keepers\n\n{line}\n")
    (folder / "empty.md").write_text("# Nothing\n\nShort one.\n")
    libraries.index(IndexSpec(folder=str(folder), library="station"))
    return libraries


def test_questions_are_words_of_what_they_ask_for(station: Libraries) -> None:
    items = items_of(station, "station", 60)
    assert {item.sentence for item in items} == set(LINES)
    for number, item in enumerate(items):
        words = item.query.split()
        assert item.rank(["something else", f"before {item.sentence}\nafter"]) == 2
        assert item.rank(["something else"]) is None
        if number % 2:
            assert item.query.startswith("Duties of keepers ")
            words = words[3:]
        else:
            assert len(words) == 3
        assert all(word in item.sentence.lower() for word in words)


def test_they_are_the_same_every_time_and_others_with_another_seed(station: Libraries) -> None:
    assert items_of(station, "station", 60) == items_of(station, "station", 60)
    assert items_of(station, "station", 60) != items_of(station, "station", 60, seed=2)
    assert len(items_of(station, "station", 2)) == 2


def test_every_document_gives_one_before_any_gives_two(
    libraries: Libraries, folder: Path
) -> None:
    for n in range(12):
        lines = [telling_prose(f"{n} {line}") for line in range(40)]
        (folder / f"{n}.txt").write_text(" ".join(lines))
    libraries.index(IndexSpec(folder=str(folder), library="notes"))
    items = items_of(libraries, "notes", 12)
    assert len(items) == 12
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    from_files = [
        name for item in items for name, text in texts.items() if item.sentence in text
    ]
    assert len(set(from_files)) == 12


def test_a_sentence_without_an_end_is_cut(libraries: Libraries, folder: Path) -> None:
    (folder / "list.txt").write_text(telling_prose("long", 100).rstrip("."))
    libraries.index(IndexSpec(folder=str(folder), library="lists"))
    [item] = items_of(libraries, "lists", 1)
    assert 300 < len(item.sentence) <= 400
    assert item.rank([(folder / "list.txt").read_text()]) == 1


def test_text_without_spaces_gives_questions_too(libraries: Libraries, folder: Path) -> None:
    lines = [
        "北海道の研究所では毎年八月に海鳥の巣穴を数えて記録簿に残している",
        "発電機の点検は隔週の金曜日に行われ結果は管理人の机に置かれる決まりである",
        "訪問者は黄色い名簿に署名してから長靴を受け取り砂利道を歩くことになっている",
    ]
    for n, line in enumerate(lines):
        (folder / f"{n}.txt").write_text(f"{line}。", "utf-8")
    libraries.index(IndexSpec(folder=str(folder), library="japanese"))
    items = items_of(libraries, "japanese", 10)
    assert {item.sentence for item in items} == {f"{line}。" for line in lines}


def test_no_text_gives_no_questions(libraries: Libraries, folder: Path) -> None:
    (folder / "numbers.txt").write_text("1 2 3 4 5\n6 7 8 9 10\n")
    libraries.index(IndexSpec(folder=str(folder), library="numbers"))
    assert items_of(libraries, "numbers", 10) == []
