"""Counts agree with a brute-force count over every stored passage."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.documents.pool import ReaderPool
from engine.errors import Cancelled, InvalidInput
from engine.library.analysis import Word, analyse
from engine.library.embedding import Embedder
from engine.library.libraries import Libraries
from engine.paths import Home
from engine.store.db import Store
from engine.work.api import FilesSpec as LibraryFilesSpec
from engine.work.api import Filter, IndexSpec
from engine.work.api.reading import CountReport, CountSpec, FilesSpec, Wanted
from engine.work.jobs import CallbackJob
from engine.work.lease import CoreLease

TERMS = ["rent", "rents", "index", "indexation", "review", "Müller", "lease", "of", "the"]
FILL = ["amber", "basin", "cedar", "delta", "ember", "fjord", "garnet", "harbor", "e-mail", "7"]


def write_texts(folder: Path, count: int, seed: str) -> None:
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        paragraphs = []
        for _ in range(chance.randint(1, 4)):
            words = [
                chance.choice(TERMS if chance.random() < 0.06 else FILL) for _ in range(60)
            ]
            paragraphs.append(" ".join(words) + ".")
        name = chance.choice(["note", "lease", "rent-review"])
        suffix = chance.choice([".txt", ".md"])
        (folder / f"{name}-{seed}{n:02d}{suffix}").write_text("\n\n".join(paragraphs))


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, readers: ReaderPool
) -> Iterator[Libraries]:
    """Libraries with equal files within and across them; one has the folders of the others."""
    root = tmp_path_factory.mktemp("two")
    home = Home(root / "home").create()
    one, other = root / "one", root / "other"
    write_texts(one, 8, "a")
    write_texts(other, 5, "b")
    copied = sorted(one.iterdir())
    (one / "copy-of-first.txt").write_bytes(copied[0].read_bytes())
    (other / copied[1].name).write_bytes(copied[1].read_bytes())
    (one / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    store = Store(home)
    libraries = Libraries(home, store, readers, embedder, CoreLease(home))
    libraries.index(IndexSpec(folder=str(one), library="one"))
    libraries.index(IndexSpec(folder=str(other), library="other"))
    libraries.index(IndexSpec(folder=str(one), library="both"))
    libraries.index(IndexSpec(folder=str(other), library="both"))
    yield libraries
    libraries.close()
    store.close()


@functools.cache
def apart(text: str) -> tuple[Word, ...]:
    return tuple(analyse([text])[0])


def holds(wanted: Sequence[Wanted], units: Sequence[Sequence[Word]]) -> bool:
    """As a person would do it: look at every word, and at every place a phrase may begin."""
    for one in wanted:
        words, *phrases = [apart(text) for text in (one.words, *one.phrases)]
        there = {word.key for unit in units for word in unit}
        if not words and not any(phrases):
            continue
        if all(word.key in there for word in words) and all(
            any(stands(phrase, unit) for unit in units) for phrase in phrases
        ):
            return True
    return False


def stands(phrase: Sequence[Word], unit: Sequence[Word]) -> bool:
    asked = [(word.key, word.position - phrase[0].position) for word in phrase]
    for first in unit:
        here = {(word.key, word.position - first.position) for word in unit}
        if set(asked) <= here:
            return True
    return not phrase


def brute_force(
    libraries: Libraries, names: Sequence[str], wanted: Sequence[Wanted], keep: str = ""
) -> tuple[set[str], int]:
    """Paths of the files that hold it, and how many different passages do."""
    holdings = libraries.holdings
    files: set[str] = set()
    passages: set[tuple[str, int]] = set()
    for file in holdings.files(FilesSpec(libraries=list(names))):
        if keep not in file.path:
            continue
        same = Path(file.path).read_text()
        for n, hit in enumerate(holdings.read(file.library, file.file_id, 10_000).passages):
            own = [apart(text) for text in (hit.text, hit.header, hit.heading)]
            if holds(wanted, own):
                passages.add((same, n))
            if holds(wanted, [*own, apart(hit.title)]):
                files.add(file.path)
    return files, len(passages)


@pytest.mark.parametrize(
    "wanted",
    [
        [Wanted(words="indexation")],
        [Wanted(words="RENTS")],
        [Wanted(words="rent review")],
        [Wanted(words="the lease")],
        [Wanted(words="muller")],
        [Wanted(words="zebra")],
        [Wanted(phrases=["lease amber"])],
        [Wanted(phrases=["rent of amber"])],
        [Wanted(words="Müller", phrases=["basin cedar"])],
        [Wanted(words="indexation"), Wanted(words="Müller lease")],
        [Wanted(words="zebra"), Wanted(phrases=["cedar e-mail"])],
    ],
    ids=str,
)
def test_counts_agree_with_brute_force(two: Libraries, wanted: list[Wanted]) -> None:
    for names in (["one"], ["one", "other"], ["both", "one"]):
        report = two.holdings.count(CountSpec(libraries=names, any_of=wanted, most=500))
        files, passages = brute_force(two, names, wanted)
        assert {one.file.path for one in report.counts} == files
        assert (report.files, report.passages) == (len(files), passages)
        assert len(report.counts) == report.files
        for one in report.counts:
            best = one.best
            own = [apart(text) for text in (best.text, best.header, best.heading)]
            assert holds(wanted, own) == (one.passages > 0)


def test_only_files_that_pass_the_filter_count(two: Libraries) -> None:
    wanted = [Wanted(words="amber rent")]
    for keep, only in ((".md", Filter(types=[".md"])), ("lease-", Filter(paths=["lease-*"]))):
        spec = CountSpec(libraries=["one", "other"], filter=only, any_of=wanted, most=500)
        report = two.holdings.count(spec)
        files, passages = brute_force(two, ["one", "other"], wanted, keep)
        assert {one.file.path for one in report.counts} == files
        assert report.passages == passages
        assert 0 < report.files_all < 15
    with pytest.raises(InvalidInput):
        two.holdings.count(CountSpec(libraries=["one"], filter=Filter(since="soon")))


def count_all(libraries: Libraries, *names: str) -> CountReport:
    return libraries.holdings.count(CountSpec(libraries=list(names)))


def test_files_count_as_a_person_sees_them(two: Libraries) -> None:
    one, other, both = (count_all(two, name) for name in ("one", "other", "both"))
    together = count_all(two, "one", "other")
    assert (one.files, one.refused, one.waiting) == (9, 1, 0)
    assert (other.files, other.refused) == (6, 0)
    # The same file in two libraries is one file; its passages count once.
    assert count_all(two, "both", "one", "other").files == both.files == 15
    assert together.files == 15
    assert together.passages == both.passages == count_all(two, "one", "both").passages


def test_copies_and_the_best_files_are_told(two: Libraries) -> None:
    spec = CountSpec(libraries=["one"], any_of=[Wanted(words="amber")], most=3)
    report = two.holdings.count(spec)
    assert report.files == 9
    assert report.copies == 1
    assert len(report.counts) == 3
    numbers = [one.passages for one in report.counts]
    assert numbers == sorted(numbers, reverse=True)


def test_words_in_a_title_alone_count_for_the_file(libraries: Libraries, folder: Path) -> None:
    (folder / "frost.txt").write_text("Amber basin cedar.")
    (folder / "other.txt").write_text("A night of frost.")
    libraries.index(IndexSpec(folder=str(folder), library="a"))
    spec = CountSpec(libraries=["a"], any_of=[Wanted(words="frost")])
    report = libraries.holdings.count(spec)
    assert (report.files, report.passages) == (2, 1)
    by_name = {Path(one.file.path).name: one.passages for one in report.counts}
    assert by_name == {"frost.txt": 0, "other.txt": 1}


def test_words_the_index_leaves_out_are_said_to_be(libraries: Libraries, folder: Path) -> None:
    (folder / "a.txt").write_text("To be or not to be.")
    libraries.index(IndexSpec(folder=str(folder), library="a"))
    spec = CountSpec(libraries=["a"], any_of=[Wanted(words="to be")])
    report = libraries.holdings.count(spec)
    assert (report.too_common, report.files) == (True, 0)


def test_deleted_files_no_longer_count(libraries: Libraries, folder: Path) -> None:
    for n in range(3):
        (folder / f"{n}.txt").write_text(f"Frost number {n}.")
    libraries.index(IndexSpec(folder=str(folder), library="a"))
    held = libraries.holdings.files(FilesSpec(libraries=["a"]))
    (folder / "1.txt").unlink()
    libraries.index(IndexSpec(folder=str(folder), library="a"))
    spec = CountSpec(libraries=["a"], any_of=[Wanted(words="frost")])
    assert libraries.holdings.count(spec).files == 2
    gone = next(one for one in held if one.path.endswith("1.txt"))
    with pytest.raises(InvalidInput, match="no longer"):
        libraries.holdings.read("a", gone.file_id, 10)
    assert libraries.files(LibraryFilesSpec(library="a")).total == 2


def test_a_file_is_read_in_order_as_far_as_asked(libraries: Libraries, folder: Path) -> None:
    text = "\n\n".join(f"Part {n}. " + "amber basin cedar " * 60 for n in range(30))
    (folder / "long.txt").write_text(text)
    libraries.index(IndexSpec(folder=str(folder), library="a"))
    [file] = libraries.holdings.files(FilesSpec(libraries=["a"]))
    whole = libraries.holdings.read("a", file.file_id, 10_000)
    assert len(whole.passages) == file.passages > 20
    assert whole.missing == 0
    assert [hit.start for hit in whole.passages] == sorted(h.start for h in whole.passages)
    assert all(text[hit.start : hit.end] == hit.text for hit in whole.passages)
    assert libraries.holdings.read("a", file.file_id, 7).passages == whole.passages[:7]


def test_counting_stops_when_cancelled(two: Libraries) -> None:
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        two.holdings.count(CountSpec(libraries=["one"], any_of=[Wanted(words="rent")]), job)


def test_texts_taken_apart_together_come_out_as_each_alone() -> None:
    texts = ["Rents of Zürich", "", "zqseamqz inside", "東京タワー e-mail", "the of"]
    assert [[word.key for word in one] for one in analyse(texts)] == [
        [word.key for word in analyse([text])[0]] for text in texts
    ]
    plain = [text for text in texts if "seam" not in text]
    assert [[word.key for word in one] for one in analyse(plain)] == [
        ["rent", "zurich"],
        [],
        ["東京", "タワー", "mail"],
        [],
    ]
