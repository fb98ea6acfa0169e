"""Every stress folder ends indexed at least as far as the best plain library reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.documents.pool import ReaderPool
from tests.benchmarks.format_samples import SUFFIXES, write_samples
from tests.benchmarks.formats import (
    STRESS,
    Reading,
    expected,
    measure,
    reader,
    runs,
    stress_folders,
)

pytestmark = pytest.mark.timeout(300)

LEAST = {
    "eml/cpython": 0.95,
    "epub": 0.95,
    "html/readability": 0.95,
    "office/python-docx": 0.97,
    "office/python-pptx": 0.99,
    "pdf/pdfminer": 0.97,
    "pdf/pypdf-resources": 0.97,
    "pdf/pypdf-samples": 0.97,
    "text/blns": 0.99,
    "text/cjkencodings": 0.9,
}
"""Of the characters the plain reader gives, the part that must stand in our passages."""
LEAST_WRITTEN = 0.97


def recovered(readings: list[Reading]) -> float:
    """Part of the plain reader's characters in our passages."""
    wanted = sum(reading.wanted for reading in readings)
    return sum(reading.recovered for reading in readings) / max(1, wanted)


def missed(readings: list[Reading]) -> list[str]:
    """Files the plain reader gets text out of that did not end indexed, and why."""
    return [f"{r.path.name}: {r.reason}" for r in readings if r.wanted and not r.indexed]


def accounted(folder: Path, readings: list[Reading]) -> bool:
    """Whether each file either came to text or has a sentence that says why not."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [reading.path for reading in readings] == files and all(
        reading.ours.total() > 0 if reading.indexed else reading.reason.endswith(".")
        for reading in readings
    )


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    with reader() as one:
        yield one


@pytest.mark.parametrize("name", LEAST)
def test_a_stress_folder_is_read_as_far_as_can_be(
    name: str, corpora: Path, pool: ReaderPool
) -> None:
    folder = corpora / "stress" / name
    readings = measure(pool, folder)
    assert accounted(folder, readings)
    assert missed(readings) == []
    assert recovered(readings) >= LEAST[name]
    for reading in readings:
        if reading.path.name == "source.html":
            article = runs([expected(reading.path.with_name("expected.html"))])
            assert (article & reading.ours).total() >= 0.98 * article.total(), reading.path


def test_no_stress_folder_is_forgotten(corpora: Path) -> None:
    assert {str(folder.relative_to(STRESS)) for folder in stress_folders()} == set(LEAST)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of written files for each format."""
    return {folder.name: folder for folder in write_samples(tmp_path_factory.mktemp("formats"))}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_written_files_are_read_as_far_as_can_be(
    suffix: str, written: dict[str, Path], pool: ReaderPool
) -> None:
    readings = measure(pool, written[suffix])
    assert accounted(written[suffix], readings)
    assert missed(readings) == []
    assert recovered(readings) >= LEAST_WRITTEN
