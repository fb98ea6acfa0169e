"""Filtered search against the plain thing: rank everything, then look who passes."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.library.candidates import Found, Scope, Source
from engine.library.filtering import condition
from engine.library.rows import PassageRow, Ranking
from engine.library.tables import ANN_FROM_ROWS, Tables
from engine.library.weighing import Weighing
from engine.paths import Home
from engine.store.db import Store
from engine.store.ledger import PASSAGES_PER_CONTENT, Ledger, ReadContent, SeenFile
from engine.work.api import Filter
from tests.engine.library.conftest import WORDS

CONTENTS = 4000
EACH = 3
WANTED = 40
DIMENSIONS = 16
KINDS = {".txt": "Text", ".pdf": "PDF", ".md": "Markdown"}
FIRST_DAY = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class File:
    path: str
    day: int


@dataclass(frozen=True)
class Corpus:
    """A library of known files: `files[content_id]` are those that hold the content."""

    ledger: Ledger
    source: Source
    files: dict[int, list[File]]
    kinds: dict[int, str]


def write(ledger: Ledger, folder: Path, name: str, texts: list[str], seed: int) -> Corpus:
    """A library of `texts`, EACH passages a document, as indexing would leave it."""
    chance, numbers = random.Random(seed), np.random.default_rng(seed)
    record = ledger.create(name, "none", 1, 1)
    tables = Tables(folder / name, DIMENSIONS)
    count = len(texts) // EACH
    ids = ledger.open_contents(record.library_id, [f"{name}{n}" for n in range(count)])
    files: dict[int, list[File]] = {}
    kinds: dict[int, str] = {}
    read: list[ReadContent] = []
    for n, content in enumerate(ids):
        suffix = chance.choice(list(KINDS))
        kinds[content] = KINDS[suffix]
        files[content] = [
            File(f"/{name}/{chance.choice('abcd')}/{copy}/{n}{suffix}", chance.randrange(300))
            for copy in range(1 + (n % 7 == 0))
        ]
        seen = tuple(
            SeenFile(
                file.path.encode(),
                1,
                int((FIRST_DAY + datetime.timedelta(days=file.day)).timestamp()) * 10**9,
            )
            for file in files[content]
        )
        read.append(ReadContent(content, seen, kind=kinds[content], passages=EACH))
    rows = [
        PassageRow(
            ids[n // EACH] * PASSAGES_PER_CONTENT + n % EACH, "", text, "", 0, len(text), None
        )
        for n, text in enumerate(texts)
    ]
    vectors = numbers.normal(size=(len(rows), DIMENSIONS)).astype(np.float32)
    tables.add_passages(rows)
    tables.add_vectors([row.passage_id for row in rows], vectors)
    ledger.commit_read(record.library_id, read)
    ledger.commit_embedded([(content, EACH) for content in ids])
    tables.tend_passages(final=True)
    tables.tend_vectors(final=True)
    return Corpus(ledger, Source(record.library_id, name, tables), files, kinds)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    store = Store(Home(tmp_path_factory.mktemp("candidates")))
    yield Ledger(store)
    store.close()


@pytest.fixture(scope="module")
def corpus(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    chance = random.Random(5)
    texts = [
        " ".join(chance.choices(WORDS, k=chance.randrange(5, 30)))
        for _ in range(CONTENTS * EACH)
    ]
    corpus = write(ledger, tmp_path_factory.mktemp("tables"), "all", texts, 1)
    # Contents the ledger does not vouch for must not be found, filter or not.
    corpus.source.tables.add_passages(
        [PassageRow(99_999 * PASSAGES_PER_CONTENT, "", "amber basin", "", 0, 11, None)]
    )
    assert len(texts) >= ANN_FROM_ROWS
    assert corpus.source.tables.has_ann()
    yield corpus
    corpus.source.tables.close()


def day(number: int) -> str:
    return (FIRST_DAY + datetime.timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


filters = st.builds(
    Filter,
    paths=st.lists(
        st.sampled_from(["/all/a", "/all/b/0", "/all/c/1", "1*.txt", "all/*/0/39??.md", "2"]),
        max_size=2,
    ),
    types=st.lists(st.sampled_from(["pdf", ".MD", "Text", "word"]), max_size=2),
    since=st.one_of(st.just(""), st.integers(0, 299).map(day)),
    until=st.just(""),
)


def passes(wanted: Filter, file: File, kind: str) -> bool:
    """The filter's meaning, spelled out for the corpus above."""
    pure = PurePosixPath(file.path)
    suffix, stem = pure.suffix, pure.stem
    tests: dict[str, bool] = {
        "/all/a": file.path.startswith("/all/a/"),
        "/all/b/0": file.path.startswith("/all/b/0/"),
        "/all/c/1": file.path.startswith("/all/c/1/"),
        "1*.txt": stem.startswith("1") and suffix == ".txt",
        "all/*/0/39??.md": "/0/39" in file.path and len(stem) == 4 and suffix == ".md",
        "2": False,
    }
    types = {
        "pdf": kind == "PDF" or suffix == ".pdf",
        ".MD": suffix == ".md",
        "Text": kind == "Text",
        "word": False,
    }
    return (
        (not wanted.paths or any(tests[pattern] for pattern in wanted.paths))
        and (not wanted.types or any(types[name] for name in wanted.types))
        and (not wanted.since or day(file.day) >= wanted.since)
    )


def expected(corpus: Corpus, wanted: Filter, everything: Ranking) -> Ranking:
    allowed = {
        content
        for content, files in corpus.files.items()
        if any(passes(wanted, file, corpus.kinds[content]) for file in files)
    }
    kept = [
        n
        for n, passage in enumerate(everything.ids.tolist())
        if passage // PASSAGES_PER_CONTENT in allowed
    ][:WANTED]
    return Ranking(everything.ids[kept], everything.scores[kept])


def listed(search: Callable[[Any, int, Executor], Found], what: Any) -> Ranking:
    with ThreadPoolExecutor(1) as pool:
        return search(what, WANTED, pool)()


def assert_same(found: Ranking, right: Ranking) -> None:
    """Equal, except which of those that tie for the last places are in."""
    np.testing.assert_allclose(found.scores, right.scores, rtol=1e-5, atol=1e-6)
    if len(right.ids):
        above = right.scores > right.scores[-1] + 1e-5
        assert set(found.ids[above].tolist()) == set(right.ids[above].tolist())


@settings(max_examples=25, deadline=None)
@given(wanted=filters, words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
def test_a_filtered_list_is_the_full_list_filtered(
    corpus: Corpus, wanted: Filter, words: list[str]
) -> None:
    scope = Scope(corpus.source, corpus.ledger, condition(wanted))
    every = CONTENTS * EACH + 10
    parts = [(" ".join(words), 1.0)]
    tables = corpus.source.tables
    vector = np.random.default_rng(len(words)).normal(size=DIMENSIONS).astype(np.float32)
    assert_same(
        listed(scope.keyword, parts), expected(corpus, wanted, tables.keyword(parts, every))
    )
    if wanted.empty():
        return  # without a filter the nearest are approximate above ANN_FROM_ROWS
    assert_same(
        listed(scope.dense, vector),
        expected(corpus, wanted, tables.dense_exactly(vector, every)),
    )


@pytest.mark.parametrize("share", [0.0005, 0.002, 0.02, 0.5, 1.0])
def test_few_and_many_allowed_give_the_same_list(corpus: Corpus, share: float) -> None:
    """Both ways are taken: the allowed ids named to LanceDB, and ranking first."""
    some = random.Random(3).sample(sorted(corpus.files), max(1, int(CONTENTS * share)))
    library = corpus.source.library_id
    live = corpus.ledger.live_contents(library, some)
    scope = Scope(
        corpus.source,
        corpus.ledger,
        condition(Filter(file_ids=[one.file_id for one in live.values()])),
    )
    assert scope.allowed is not None
    assert (scope.allowed.contents, scope.allowed.passages) == (len(some), len(some) * EACH)
    tables = corpus.source.tables
    right = tables.keyword([("amber", 1.0)], CONTENTS * EACH + 10)
    kept = [n for n, p in enumerate(right.ids.tolist()) if p // PASSAGES_PER_CONTENT in some]
    assert_same(
        listed(scope.keyword, [("amber", 1.0)]),
        Ranking(right.ids[kept[:WANTED]], right.scores[kept[:WANTED]]),
    )


def test_passages_not_in_the_index_yet_score_as_they_will(tmp_path: Path) -> None:
    """While indexing goes on, a filter and weighed words must not change any score."""

    def rows(first: int, words: str, count: int) -> list[PassageRow]:
        return [
            PassageRow(n, "", f"{words} number{n} of some", "", 0, 5, None)
            for n in range(first, first + count)
        ]

    tables = Tables(tmp_path, DIMENSIONS)
    tables.add_passages(rows(0, "amber", 300))
    tables.tend_passages(final=False)
    tables.add_passages(rows(1000, "amber basin", 10))
    some = np.array([3, 5, 1003, 1007])
    found: list[list[float]] = []
    for _ in range(2):
        plain = [("amber basin", 1.0)]
        weighed = [("amber", 1.0), ("basin", 1.0)]
        found += [tables.keyword(parts, 4, some).scores.tolist() for parts in (plain, weighed)]
        everything = tables.keyword(plain, 400)
        found.append(everything.scores[np.isin(everything.ids, some)].tolist())
        assert tables.count_matches(["amber", "basin", "zephyr", "?"]) == [310, 10, 0, 0]
        tables.tend_passages(final=True)
    for scores in found[1:]:
        assert scores == pytest.approx(found[0], rel=0.05)
    tables.close()


def test_the_file_shown_is_one_that_passes(corpus: Corpus) -> None:
    both = [
        content
        for content, files in corpus.files.items()
        if len(files) == 2 and "/a/" not in files[0].path and "/a/" in files[1].path
    ]
    assert both
    scope = Scope(corpus.source, corpus.ledger, condition(Filter(paths=["/all/a"])))
    live = scope.live(both)
    assert [live[content].shown for content in both] == [corpus.files[c][1].path for c in both]
    unfiltered = Scope(corpus.source, corpus.ledger, None).live(both)
    assert [unfiltered[c].shown for c in both] == [corpus.files[c][0].path for c in both]


def test_nothing_that_passes_is_nothing_found(corpus: Corpus) -> None:
    scope = Scope(corpus.source, corpus.ledger, condition(Filter(paths=["/elsewhere"])))
    assert scope.empty
    assert len(listed(scope.keyword, [("amber", 1.0)]).ids) == 0


def test_several_libraries_weigh_words_as_one_would(ledger: Ledger, tmp_path: Path) -> None:
    """Three libraries that differ in size and words, and one that holds all they hold.

    All passages have as many words, so that nothing but the rarity of words differs.
    """
    chance = random.Random(9)
    groups = [(30, WORDS[:15]), (90, WORDS[5:]), (600, WORDS)]
    texts = [[" ".join(chance.choices(words, k=12)) for _ in range(n)] for n, words in groups]
    everything = [text for part in texts for text in part]
    whole = write(ledger, tmp_path, "whole", everything, 2)
    parts = [write(ledger, tmp_path, f"part{n}", part, 3) for n, part in enumerate(texts)]
    every = len(everything)
    weighing = Weighing()
    sizes = [(c.source.tables, len(c.files) * EACH) for c in parts]
    for query in ("amber", "amber basin zephyr", "Quartz, umber? yarrow the of", "kelp kelp"):
        right = whole.source.tables.keyword([(query, 1.0)], every)
        weighed = [
            corpus.source.tables.keyword(words, every)
            for corpus, words in zip(parts, weighing.weigh(query, sizes), strict=True)
        ]
        scores = np.sort(np.concatenate([found.scores for found in weighed]))[::-1]
        np.testing.assert_allclose(scores, right.scores, rtol=1e-4)
        plain = [c.source.tables.keyword([(query, 1.0)], every).scores for c in parts]
        unweighed = np.sort(np.concatenate(plain))[::-1]
        assert not np.allclose(unweighed, right.scores, rtol=1e-2)
    for corpus in (whole, *parts):
        corpus.source.tables.close()
