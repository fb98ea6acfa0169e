"""How much of each format is read, against the best plain library for that format.

Two figures a format: of the files that the plain reader gets any text out of, how many end
indexed; and of the characters it gets, how many stand in our passages. Characters are
letters and digits, compared in runs of four within a word and with their number (a
multiset), so that the order of cells does not count and a mended hyphen hardly does, while a
lost word does. Scanned pages do not count: no plain reader gets text out of them.

The files are the stress corpora; formats that have none there are written by the benchmark.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.documents.formats import classify, suffix_of
from engine.documents.pool import ReaderPool
from engine.errors import UnreadableDocument
from engine.paths import starter_dir
from tests.benchmarks.corpus import ROOT
from tests.benchmarks.format_samples import write_samples
from tests.benchmarks.plain_readers import READERS, TEXT, PlainReader

STRESS = ROOT.parent / "shared" / "corpora" / "stress"
RUN = 4
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Reading:
    """One file: what was expected of it, what the library gave, what stands in passages."""

    path: Path
    plain: Counter[str]
    ours: Counter[str]
    reason: str
    """Why ours has no text; "" when the file was indexed."""

    @property
    def indexed(self) -> bool:
        return not self.reason

    @property
    def wanted(self) -> int:
        """Characters that the plain reader gives."""
        return self.plain.total()

    @property
    def recovered(self) -> int:
        """Those of them that stand in our passages."""
        return (self.plain & self.ours).total()


def main() -> list[dict[str, Any]]:
    """Rows for every format, stress corpora first, then the files written here."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary, reader() as pool:
        named = {str(folder.relative_to(STRESS)): folder for folder in stress_folders()}
        written = {f"{f.name}, written here": f for f in write_samples(Path(temporary))}
        for name, folder in (named | written).items():
            found = figures(name, measure(pool, folder))
            rows += found
            for row in found:
                print(f"{row['name']:44} {row['value']:<7} {row['unit']:7} {row['note']}")
    return rows


def stress_folders() -> list[Path]:
    """The folders of the stress corpora, each of one kind of file."""
    kinds = sorted(folder for folder in STRESS.glob("*") if folder.is_dir())
    found: list[Path] = []
    for kind in kinds:
        inner = sorted(folder for folder in kind.iterdir() if folder.is_dir())
        found += inner or [kind]
    return found


def figures(name: str, readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """The two rows of a folder, and a third where the expected text lies beside the files."""
    readable = [reading for reading in readings if reading.wanted]
    indexed = sum(reading.indexed for reading in readable)
    libraries = ", ".join(sorted({against(reading.path) for reading in readings}))
    rows = [
        {
            "name": f"{name}: files indexed",
            "value": indexed,
            "unit": f"of {len(readable)}",
            "note": f"that {libraries} reads; of all {len(readings)} files "
            f"{sum(reading.indexed for reading in readings)} indexed",
        }
    ]
    wanted = sum(reading.wanted for reading in readable)
    recovered = sum(reading.recovered for reading in readable)
    rows.append(
        {
            "name": f"{name}: characters recovered",
            "value": round(recovered / max(1, wanted), 4),
            "unit": "ratio",
            "note": f"of {wanted:,} that {libraries} gives",
        }
    )
    articles = [reading for reading in readings if reading.path.name == "source.html"]
    if articles:
        right = [(r, runs([expected(r.path.with_name("expected.html"))])) for r in articles]
        total = sum(article.total() for _, article in right)
        got = sum((article & reading.ours).total() for reading, article in right)
        rows.append(
            {
                "name": f"{name}: the article's characters",
                "value": round(got / max(1, total), 4),
                "unit": "ratio",
                "note": f"of {total:,} in the articles readability expects",
            }
        )
    return rows


@contextmanager
def reader() -> Generator[ReaderPool]:
    """The product's own confined reader."""
    pool = ReaderPool(starter_dir() / "all-MiniLM-L6-v2" / "tokenizer.json", size=1)
    try:
        yield pool
    finally:
        pool.close()


def measure(pool: ReaderPool, folder: Path) -> list[Reading]:
    """Every file below `folder`, read by both."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [_read(pool, path) for path in paths]


def _read(pool: ReaderPool, path: Path) -> Reading:
    plain = runs([expected(path)])
    name = os.fsencode(path)
    try:
        classify(name, path.lstat())
        document = pool.read(name)
    except UnreadableDocument as error:
        return Reading(path, plain, Counter(), error.message)
    if not document.passages:
        return Reading(path, plain, Counter(), "No passage came of it.")
    headers = {passage.header for passage in document.passages}
    texts = [passage.text for passage in document.passages]
    return Reading(path, plain, runs([*texts, *headers]), "")


def expected(path: Path) -> str:
    """What the plain reader gives; a file beside it that says what is right counts more."""
    twin = _twin(path)
    if twin is not None:
        return twin.read_text("utf-8")
    try:
        return plain_reader(path).read(path.read_bytes())
    except Exception:  # whatever it raises, it did not read the file
        return ""


def _twin(path: Path) -> Path | None:
    """The same text in UTF-8, where a corpus has it."""
    beside = path.with_name(f"{path.stem}-utf8{path.suffix}")
    return beside if beside.exists() else None


def against(path: Path) -> str:
    """What the file is measured against, for the report."""
    return "the same text in UTF-8" if _twin(path) else plain_reader(path).name


def plain_reader(path: Path) -> PlainReader:
    """Who the file is measured against."""
    return READERS.get(suffix_of(path.name), TEXT)


def runs(texts: Iterable[str]) -> Counter[str]:
    """Runs of four letters or digits in words, and shorter words, with how often they occur."""
    found: Counter[str] = Counter()
    for text in texts:
        for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
            last = max(1, len(word) - RUN + 1)
            found.update(word[at : at + RUN] for at in range(last))
    return found
