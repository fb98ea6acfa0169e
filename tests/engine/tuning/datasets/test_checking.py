"""Every fault that spoils a tuning is found, named with its rows, and nothing else is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Cancelled, ModelUnavailable
from engine.tuning.datasets.checking import Means, check_dataset, estimate_tokens
from engine.tuning.datasets.importing import ImportPlan, read_examples
from engine.tuning.datasets.meaning import near_by_meaning
from engine.tuning.datasets.personal import find_personal
from engine.tuning.datasets.storing import to_lines
from engine.tuning.datasets.types import Dataset, Example, TaskKind
from engine.work.api import DatasetCheck, Finding
from engine.work.jobs import CallbackJob, Job

WORDS = [
    f"{a}{b}" for a in ("bar", "cor", "del", "fen", "gul", "hom") for b in ("ta", "mis", "ok")
]


def good(count: int = 60) -> list[Example]:
    """Rows nobody could object to."""
    draw = random.Random(1)
    return [
        Example(
            id=str(n),
            input=" ".join(draw.choices(WORDS, k=9)),
            output="ab"[n % 2],
            split="heldout" if n % 10 > 7 else "train",
        )
        for n in range(count)
    ]


def check(
    tmp_path: Path,
    examples: list[Example],
    task: TaskKind = "classification",
    means: Means | None = None,
) -> DatasetCheck:
    path = tmp_path / "x.jsonl"
    path.write_bytes(to_lines(examples))
    return check_dataset(Dataset("x", "x", task, ["a", "b"], path), means or Means())


def finding(report: DatasetCheck, kind: str) -> Finding:
    (one,) = [one for one in report.findings if one.kind == kind]
    assert one.sentence
    assert one.advice
    return one


def test_good_rows_are_found_good(tmp_path: Path) -> None:
    report = check(tmp_path, good())
    assert report.findings == []
    assert (report.rows, report.train, report.heldout) == (60, 48, 12)
    assert report.labels == {"a": 30, "b": 30}
    assert sum(one.rows for one in report.histogram) == 60
    assert (report.tokens_by, report.compared_by) == ("", ["words"])


def test_each_fault_is_found_with_its_rows(tmp_path: Path) -> None:
    rows = good()
    long = rows[0].model_copy(update={"id": "long", "input": " ".join(WORDS * 40)})
    empty = rows[0].model_copy(update={"id": "empty", "input": "something", "output": " "})
    twice = rows[1].model_copy(update={"id": "twice", "input": rows[1].input.upper() + "!"})
    near = rows[2].model_copy(update={"id": "near", "input": rows[2].input + " ta"})
    other = rows[3].model_copy(update={"id": "other", "output": "a"})
    leak = rows[4].model_copy(update={"id": "leak", "split": "heldout"})
    rare = rows[5].model_copy(update={"id": "rare", "output": "c", "input": "nothing like it"})
    never = rows[5].model_copy(
        update={"id": "never", "output": "d", "input": "quite alone here", "split": "heldout"}
    )
    mail = rows[0].model_copy(update={"id": "mail", "input": "write to ada@example.org please"})
    faults = [long, empty, twice, near, other, leak, rare, never, mail]
    report = check(tmp_path, rows + faults, means=Means(max_tokens=500))
    expected = {
        "overlong": ["long"],
        "empty": ["empty"],
        "duplicates": ["twice"],
        "near duplicates": ["near"],
        "conflicts": ["3", "other"],
        "leakage": ["leak"],
        "unknown labels": ["never"],
        "personal data": ["mail"],
    }
    for kind, ids in expected.items():
        one = finding(report, kind)
        assert (one.rows, one.count) == (ids, len(ids)), kind
    assert "rare" in finding(report, "balance").rows
    assert finding(report, "personal data").counts == {"e-mail address": 1}
    assert {one.kind for one in report.findings} == {*expected, "balance"}
    assert report.findings[0].severity == "error"


def test_one_group_on_both_sides_leaks(tmp_path: Path) -> None:
    rows = good()
    rows[7] = rows[7].model_copy(update={"group": "g"})
    rows[8] = rows[8].model_copy(update={"group": "g"})
    assert rows[7].split != rows[8].split
    assert finding(check(tmp_path, rows), "leakage").rows == ["8"]


def test_too_few_rows_and_none_held_out_are_said(tmp_path: Path) -> None:
    report = check(tmp_path, [one.model_copy(update={"split": "train"}) for one in good(6)])
    assert finding(report, "nothing held out").severity == "error"
    assert finding(report, "few rows").count == 6


def test_tokens_are_counted_by_the_model_that_is_given(tmp_path: Path) -> None:
    def count(texts: Sequence[str], job: Job) -> list[int]:
        return [len(text.split()) for text in texts]

    report = check(tmp_path, good(), means=Means(count=count, counted_by="tiny", max_tokens=30))
    assert report.tokens_by == "tiny"
    assert report.longest_tokens > 30
    assert "estimate" not in finding(report, "overlong").sentence
    assert report.histogram[-1].up_to == report.longest_tokens


def test_rows_are_compared_by_meaning_too(tmp_path: Path) -> None:
    rows = good()
    same = rows[0].model_copy(update={"id": "same", "input": "a totally different wording"})
    vectors = np.eye(61, dtype=np.float32)
    vectors[60] = vectors[0]

    def near(texts: Sequence[str], job: Job) -> list[tuple[int, int, float]]:
        return near_by_meaning(texts, lambda texts, job: vectors[: len(texts)], job)

    report = check(tmp_path, [*rows, same], means=Means(near_by_meaning=near))
    assert finding(report, "near duplicates").rows == ["same"]
    assert report.compared_by == ["words", "meaning"]

    def broken(texts: Sequence[str], job: Job) -> list[tuple[int, int, float]]:
        raise ModelUnavailable("The search model is missing.")

    report = check(tmp_path, [*rows, same], means=Means(near_by_meaning=broken))
    assert "missing" in finding(report, "not compared").sentence
    assert report.compared_by == ["words"]


def test_a_check_can_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(to_lines(good()))
    job = CallbackJob()
    job.cancel()
    with pytest.raises(Cancelled):
        check_dataset(Dataset("x", "x", "classification", [], path), Means(), job)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ada.l+x@mail.example.org.", {"e-mail address": 1}),
        ("call +49 30 1234567 or (030) 123-4567", {"phone number": 2}),
        ("call 555-123-4567 today", {"phone number": 1}),
        ("IBAN DE89 3704 0044 0532 0130 00, or DE89370400440532013000", {"IBAN": 2}),
        ("card 4111 1111 1111 1111", {"card number": 1}),
        ("card 5500-0055-5555-5559", {"card number": 1}),
        ("my ssn is 123-45-6789", {"social security number": 1}),
        ("from 192.168.178.20", {"IP address": 1}),
        ("IBAN DE89 3704 0044 0532 0130 01 and card 4111 1111 1111 1112", {}),
        ("It cost 1,234,567.89 in 2009-07-29, or 12 345 678 EUR.", {}),
        ("version 1.2.3.4567, @paulwalk, a@b, 000-12-3456", {}),
        ("order 1234567890123 of 10/10/2010 at 12:46:39", {}),
    ],
)
def test_personal_data_is_found_by_its_form(text: str, expected: dict[str, int]) -> None:
    assert find_personal(text) == expected


@given(st.text("0123456789 -+().@aZ", max_size=200))
def test_no_text_makes_the_search_fail(text: str) -> None:
    assert all(count > 0 for count in find_personal(text).values())
    assert 0 <= estimate_tokens(text) <= len(text) + 1


def test_a_known_corpus_has_the_faults_it_has(corpora: Path, tmp_path: Path) -> None:
    folder = corpora / "tuning" / "wnut17"
    made = read_examples(
        ImportPlan(folder / "wnut17train.conll", heldout=folder / "emerging.test.annotated")
    )
    report = check(tmp_path, made.examples, "entities")
    kinds = {one.kind for one in report.findings}
    assert "duplicates" in kinds
    assert "leakage" not in kinds  # its makers saw to that
    assert len(report.labels) == 6
