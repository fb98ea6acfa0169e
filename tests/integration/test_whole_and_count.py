"""Counting and whole-file questions over the sample folder, as a person asks them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.paths import sample_dir
from engine.work import api
from tests.integration.conftest import SampleLibrary


def ask(
    sample: SampleLibrary, question: str, wanted: api.Filter | None = None
) -> api.AnswerReport:
    spec = api.AskSpec(
        question=question,
        library="Sample",
        filter=wanted or api.Filter(),
        conversation="",
    )
    return sample.engine.ask(spec)


def test_a_count_over_the_sample(sample: SampleLibrary) -> None:
    report = ask(sample, 'Which files mention "work boat"?')
    total = sum(path.is_file() for path in sample_dir().rglob("*"))
    assert report.mode == "count"
    assert report.answer.startswith(f"3 of the {total} documents mention “work boat”")
    names = {Path(citation.path).name for citation in report.citations}
    assert names == {"boat-operations.docx", "pier-closed.eml", "station-handbook.pdf"}
    for citation in report.citations:
        assert "work boat" in citation.quote
        view = sample.engine.view(
            api.ViewSpec(
                library=citation.library,
                file_id=citation.file_id,
                start=citation.start,
                end=citation.end,
            )
        )
        assert view.path == citation.path


def test_kinds_and_filters_narrow_a_count(sample: SampleLibrary) -> None:
    pdfs = sum(path.suffix == ".pdf" for path in sample_dir().rglob("*"))
    assert ask(sample, "How many PDFs are there?").answer.startswith(f"There are {pdfs} ")
    texts = ask(sample, "How many documents mention puffins?", api.Filter(types=[".txt"]))
    assert "documents that pass the filter" in texts.answer
    assert {Path(citation.path).suffix for citation in texts.citations} == {".txt"}


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(sample_dir().rglob("*")) if path.is_file()],
    ids=lambda p: p.name,
)
def test_every_file_of_the_sample_can_be_summed_up(sample: SampleLibrary, path: Path) -> None:
    report = ask(sample, f"Summarise {path.name}")
    assert report.mode == "whole"
    assert {Path(citation.path).name for citation in report.citations} == {path.name}
    assert all(citation.verified for citation in report.citations)
    assert report.coverage.startswith("Read: ")
    assert "not read" not in report.coverage


def test_this_file_is_the_one_the_filter_leaves(sample: SampleLibrary) -> None:
    only = api.Filter(paths=["station-handbook.pdf"])
    report = ask(sample, "What is this document about?", only)
    assert report.coverage == "Read: pages 1–4 of 4."
