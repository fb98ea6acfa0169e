"""The sample folder is read whole, and its questions find their answers where they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.paths import resources_dir, sample_dir
from engine.work import api
from tests.integration.conftest import SampleLibrary

pytestmark = pytest.mark.timeout(400)  # the first test waits for the folder to be indexed

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (resources_dir() / "sample-questions.jsonl").read_text("utf-8").splitlines()
]
ANSWERABLE = [row for row in QUESTIONS if row["answerable"]]


def find(sample: SampleLibrary, question: str, top: int) -> list[api.PassageHit]:
    spec = api.SearchSpec(query=question, library=sample.report.library_id, top=top)
    return sample.engine.search(spec).passages


def is_gold(hit: api.PassageHit, row: dict[str, Any]) -> bool:
    """The passage stands in a gold file, on its page, and holds an answer."""
    name = str(Path(hit.path).relative_to(sample_dir()))
    places = [(gold["file"], gold["page"]) for gold in row["gold"]]
    return (name, hit.page) in places and any(answer in hit.text for answer in row["answers"])


def test_every_file_is_indexed_and_none_is_skipped(sample: SampleLibrary) -> None:
    files = [path for path in sample_dir().rglob("*") if path.is_file()]
    assert sample.report.files.indexed == len(files)
    assert sample.report.files.skipped == []
    assert sample.report.files.duplicates == 0
    assert sample.report.passages >= len(files)


@pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
def test_the_answer_is_found_at_its_place(sample: SampleLibrary, row: dict[str, Any]) -> None:
    hits = find(sample, row["question"], top=5)
    assert any(is_gold(hit, row) for hit in hits), [(hit.path, hit.page) for hit in hits]


def test_most_answers_stand_in_the_first_passage(sample: SampleLibrary) -> None:
    first = [is_gold(find(sample, row["question"], top=1)[0], row) for row in ANSWERABLE]
    assert sum(first) >= 10, [
        row["id"] for row, hit in zip(ANSWERABLE, first, strict=True) if not hit
    ]


def test_the_old_encoding_is_read_as_written(sample: SampleLibrary) -> None:
    hits = find(sample, "lighthouse keeper Søren Ålesund diary", top=3)
    text = " ".join(hit.text for hit in hits)
    assert "Søren Ålesund" in text
    assert "“as long as the flour lasts”" in text


def test_a_found_place_can_be_shown(sample: SampleLibrary) -> None:
    hit = next(hit for hit in find(sample, QUESTIONS[0]["question"], top=3) if hit.page)
    spec = api.ViewSpec(
        library=sample.report.library_id, file_id=hit.file_id, start=hit.start, end=hit.end
    )
    shown = sample.engine.view(spec)
    assert (shown.kind, shown.changed) == ("page", False)
    assert shown.png_base64
    assert shown.boxes
    assert all(0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1 for box in shown.boxes)
