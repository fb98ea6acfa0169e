"""The folders the benchmarks make, and the library benchmarks run small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import change, first_search, size
from tests.benchmarks.folders import mixed, small_documents, write_small


@pytest.mark.usefixtures("corpora")
def test_small_documents_are_short_many_and_all_different() -> None:
    texts = [text for _, text in small_documents(3000)]
    bodies = {text.partition(". ")[2] for text in texts}
    assert len(set(texts)) == 3000
    assert len(bodies) > 2950
    assert all(20 < len(text) < 4000 for text in texts)
    assert texts[:100] == [text for _, text in small_documents(100)]


@pytest.mark.usefixtures("corpora")
def test_a_mixed_folder_has_every_kind(tmp_path: Path) -> None:
    mixed(tmp_path, 200)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 200
    assert {".pdf", ".docx", ".html", ".eml"} <= {path.suffix for path in files}


@pytest.mark.usefixtures("corpora")
def test_small_folders_hold_five_hundred_at_most(tmp_path: Path) -> None:
    write_small(tmp_path, 600)
    assert sorted(len(list(sub.iterdir())) for sub in tmp_path.iterdir()) == [100, 500]


@pytest.mark.bench
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("corpora", "starter")
def test_the_library_benchmarks_run_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_search, "FILES", 60)
    monkeypatch.setattr(change, "FILES", 30)
    monkeypatch.setattr(change, "ROUNDS", 1)
    monkeypatch.setattr(size, "FILES", 200)
    monkeypatch.setattr(size, "SEARCHES", 5)
    for benchmark in (first_search, change, size):
        rows = benchmark.main()
        assert len(rows) >= 3
        assert all({"name", "value", "unit"} <= set(row) for row in rows)
