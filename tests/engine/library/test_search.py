from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.library.choosing import Hit, choose
from engine.library.fusion import add_pairs, fuse
from engine.library.libraries import Libraries
from engine.library.pairs import PairCounter
from engine.library.rows import PassageRow
from engine.store.ledger import PASSAGES_PER_CONTENT, Content, LiveContent
from engine.work.api import IndexSpec, Ranks, SearchReport, SearchSpec
from tests.engine.library.conftest import prose, write_notes

LIVE = LiveContent(Content(1, "indexed", "", "T", "Text", 0, 9, 9), 1, b"/a", "/a")
scores = st.dictionaries(st.integers(0, 30), st.floats(0.01, 1), max_size=12).map(
    lambda found: sorted(found.items(), key=lambda item: -item[1])
)


def hit(ordinal: int, text: str, start: int, gap: str | None = None, content: int = 1) -> Hit:
    row = PassageRow(
        passage_id=content * PASSAGES_PER_CONTENT + ordinal,
        context="",
        text=text,
        heading="",
        start=start,
        end=start + len(text),
        page=None,
        gap=gap,
    )
    return Hit(row, LIVE, 1.0, Ranks(dense=ordinal + 1))


@given(scores, scores)
def test_fusion_keeps_every_passage_once_and_never_raises_the_lower_above(
    dense: list[tuple[int, float]], keyword: list[tuple[int, float]]
) -> None:
    fused = [(one.passage, one.score) for one in fuse(dense, keyword)]
    assert sorted(p for p, _ in fused) == sorted(
        {p for p, _ in dense} | {p for p, _ in keyword}
    )
    assert [s for _, s in fused] == sorted((s for _, s in fused), reverse=True)
    place = {passage: n for n, (passage, _) in enumerate(fused)}
    by_meaning, by_words = dict(dense), dict(keyword)
    for one in place:
        for two in place:
            if one in by_meaning and two in by_meaning and one in by_words and two in by_words:
                better = by_meaning[one] > by_meaning[two] and by_words[one] > by_words[two]
                assert not better or place[one] < place[two]


@given(scores, scores, st.dictionaries(st.integers(0, 30), st.floats(0, 1)))
def test_pairs_of_words_keep_the_scale_and_the_order_of_the_rest(
    dense: list[tuple[int, float]], keyword: list[tuple[int, float]], pairs: dict[int, float]
) -> None:
    fused = fuse(dense, keyword)
    paired = add_pairs(fused, pairs)
    assert sorted(one.passage for one in paired) == sorted(one.passage for one in fused)
    assert [one.score for one in paired] == sorted((o.score for o in paired), reverse=True)
    assert all(one.score == one.dense_share + one.keyword_share for one in paired)
    if dense and keyword:
        assert all(one.score <= 1 + 1e-9 for one in paired)
    rest = [one.passage for one in paired if one.passage not in pairs]
    before = [one.passage for one in fused if one.passage not in pairs]
    was = {one.passage: one.score for one in fused}
    assert [was[passage] for passage in rest] == pytest.approx([was[p] for p in before])


def test_shares_of_pairs_are_counted_over_stemmed_words_in_order() -> None:
    question = "What were the total operating revenues?"
    counter = PairCounter()
    texts = [
        "Total operating revenue rose.",  # both pairs, though stemmed
        "Operating\nrevenues in total",  # one of them
        "revenues operating total",  # the wrong way round
        "",
    ]
    assert counter.shares(question, texts) == [1.0, 0.5, 0.0, 0.0]
    assert counter.shares(question, texts) == [1.0, 0.5, 0.0, 0.0], "remembered words differ"
    assert counter.shares("revenues", texts) == [0.0] * 4
    assert counter.shares("very very", ["very very"]) == [0.0]
    assert counter.shares("total operating " * 40, texts) == [0.0] * 4


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=4))
def test_shares_of_pairs_are_shares_for_any_text(question: str, texts: list[str]) -> None:
    shares = PairCounter().shares(question, texts)
    assert len(shares) == len(texts)
    assert all(0 <= share <= 1 for share in shares)


def test_neighbours_are_joined_exactly_and_only_in_pairs() -> None:
    text = "One two three.\n\nFour five six. Seven eight nine."
    parts = [hit(0, text[:14], 0), hit(1, text[16:30], 16, "\n\n"), hit(2, text[31:], 31, " ")]
    [joined, alone] = choose([parts[1], parts[0], parts[2]], top=5).hits
    assert joined.row.text == text[:30]
    assert (joined.row.start, joined.row.end) == (0, 30)
    assert joined.row.passage_id == parts[1].row.passage_id
    assert joined.ranks.dense == 1
    assert alone.row.text == text[31:]
    [first, second] = choose([parts[0], parts[2]], top=5).hits
    assert (first.row.text, second.row.text) == (text[:14], text[31:])
    apart = hit(1, text[16:30], 16, None)
    assert len(choose([parts[0], apart], top=5).hits) == 2
    assert len(choose([parts[0], hit(1, text[16:30], 16, "\n\n", content=2)], top=5).hits) == 2


def test_joined_neighbours_cover_both_places() -> None:
    rows = ["Item | Cost\nDesk | 250", "Lamp | 40", "Rope | 7 and some words more"]
    first, second, third = (
        replace(one, row=replace(one.row, place=place, header=header))
        for one, place, header in (
            (hit(0, rows[0], 0), "Budget!A1:B2", ""),
            (hit(1, rows[1], 23, "\n"), "Budget!A3:B3", "Item | Cost"),
            (hit(2, rows[2], 33, "\n"), "Budget!A4:B4", "Item | Cost"),
        )
    )
    [joined] = choose([second, first], top=5).hits
    assert (joined.row.place, joined.row.header) == ("Budget!A1:B3", "")
    [joined] = choose([second, third], top=5).hits
    assert (joined.row.place, joined.row.header) == ("Budget!A3:B4", "Item | Cost")


def test_joining_makes_room_for_another() -> None:
    found = [hit(0, "aa bb cc dd", 0), hit(1, "ee ff gg", 12, " "), hit(7, "hh ii jj", 90)]
    assert [h.row.ordinal for h in choose(found, top=2).hits] == [0, 7]


def test_near_duplicates_are_dropped() -> None:
    text = prose("a", 100)
    found = [hit(0, text, 0), hit(0, text + " more", 0, content=2), hit(1, prose("b", 100), 9)]
    assert [h.row.content_id for h in choose(found, top=5).hits] == [1, 1]
    assert len(choose([hit(0, "", 0), hit(0, "", 0, content=2)], top=5).hits) == 1


@pytest.fixture(scope="module")
def search(
    starter: Path, tmp_path_factory: pytest.TempPathFactory, embedder, readers
) -> Callable[..., SearchReport]:
    from engine.paths import Home
    from engine.store.db import Store
    from engine.work.lease import CoreLease

    home = Home(tmp_path_factory.mktemp("search"))
    folder = home.root.parent / "searched"
    folder.mkdir(exist_ok=True)
    write_notes(folder, 8)
    rows = [["Vessel", "Draught"], *[[f"barge {n}", f"{n} fathoms"] for n in range(200)]]
    (folder / "fleet.csv").write_text("\n".join(",".join(row) for row in rows))
    (folder / "multi.txt").write_text("日本語の文書を検索する。 Zażółć gęślą jaźń. naïve café")
    libraries = Libraries(home, Store(home), readers, embedder, CoreLease(home))
    libraries.index(IndexSpec(folder=str(folder), library="notes"))

    def search(query: str, **kinds: object) -> SearchReport:
        return libraries.search(
            SearchSpec.model_validate({"query": query, "library": "notes", **kinds})
        )

    return search


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=st.text(max_size=60))
def test_no_text_is_an_error(search: Callable[..., SearchReport], query: str) -> None:
    found = search(query, method="keyword")
    assert found.milliseconds >= 0
    assert len({hit.passage_id for hit in found.passages}) == len(found.passages)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        '"',
        "a AND (b OR",
        "title:x*~2^9",
        "'; DROP TABLE files; --",
        "\x00\ud800",
        "the of and",
        "x" * 100_000,
        "word " * 20_000,
        "🦓" * 50,
    ],
)
def test_naughty_questions_are_only_questions(
    search: Callable[..., SearchReport], query: str
) -> None:
    for method in ("hybrid", "dense", "keyword"):
        assert search(query, method=method).notice == ""


def test_other_scripts_and_accents_are_found_by_words(
    search: Callable[..., SearchReport],
) -> None:
    for query in ("検索", "文書", "ZAŻÓŁĆ", "cafe", "naive"):
        [hit] = search(query, method="keyword").passages
        assert Path(hit.path).name == "multi.txt"


def test_top_is_kept(search: Callable[..., SearchReport]) -> None:
    assert len(search("amber basin", top=3).passages) == 3
    assert search("amber", top=0).passages == []
    assert len({hit.path for hit in search("amber", top=10**6).passages}) == 10


def test_corpus_of_naughty_strings(search: Callable[..., SearchReport], corpora: Path) -> None:
    text = (corpora / "stress" / "text" / "blns" / "blns.txt").read_text("utf-8", "replace")
    for line in [line for line in text.splitlines() if line][::12]:
        search(line, method="keyword")


def test_a_row_is_found_with_its_header_and_its_place(
    search: Callable[..., SearchReport],
) -> None:
    [found] = search("barge 187 fathoms", method="keyword", top=1).passages
    assert "barge 187" in found.text
    assert re.fullmatch(r"Vessel\W+Draught", found.header)
    assert found.header not in found.text
    first, last = map(int, re.findall(r"\d+", found.place))
    assert first < last
    assert found.text.count("barge") == last - first + 1
