"""Exams are imported in every form, made of held-out rows, and come back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compare.exams import (
    example_of,
    find_exam,
    import_exam,
    item_of,
    list_exams,
    load_exam,
    make_exam,
    read_exam,
    remove_exam,
)
from engine.errors import InvalidInput, StorageDamaged
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.datasets.storing import save_dataset
from engine.tuning.datasets.types import TASK_KINDS, Example, Said, TaskKind
from engine.work.api import ImportExamSpec, MakeExamSpec
from engine.work.jobs import NULL_JOB


@pytest.fixture
def store(home: Home) -> Store:
    return Store(home)


def write(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def test_questions_are_imported_with_all_their_answers(
    home: Home, store: Store, tmp_path: Path
) -> None:
    records = [
        {
            "id": "a",
            "question": "Who?",
            "answers": ["Ada", "Ada L.", "Ada"],
            "answerable": True,
        },
        {"id": "a", "question": "Where?", "answers": [], "answerable": False},
        {"question": "When?", "answers": "1843", "history": [{"question": "x", "answer": "y"}]},
        {"question": "Why?", "answers": []},
        {"question": "How?", "answers": [], "answerable": True},
        {"question": " ", "answers": ["x"]},
        {"question": "Which?", "answers": ["x"], "history": "before"},
    ]
    path = write(tmp_path / "questions.jsonl", records)
    report = import_exam(home, store, ImportExamSpec(path=str(path)))
    assert (report.name, report.task, report.rows) == ("questions", "answers", 4)
    assert "3. The first one is in line 5: It has no answer." in report.warnings[0]
    exam = load_exam(home, store, "QUESTIONS")
    assert [item.id for item in exam.items] == ["a", "a-2", "3", "4"]
    assert exam.items[0].answers == ["Ada", "Ada L."]
    assert [item.answerable for item in exam.items] == [True, False, True, False]
    assert exam.items[2].history[0].answer == "y"
    # The same file can be taken without keeping it.
    assert load_exam(home, store, str(path)).items == exam.items
    assert len(list_exams(store)) == 1


def test_texts_with_labels_and_other_files_are_imported(
    home: Home, store: Store, tmp_path: Path
) -> None:
    labelled = write(
        tmp_path / "l.jsonl", [{"text": f"t {n}", "label": "ab"[n % 2]} for n in range(6)]
    )
    report = import_exam(home, store, ImportExamSpec(path=str(labelled), name="Labels"))
    assert (report.task, report.labels, report.rows) == ("classification", ["a", "b"], 6)
    assert load_exam(home, store, report.exam).items[1].label == "b"
    conll = tmp_path / "e.conll"
    conll.write_text("Ada\tB-per\nran\tO\n\nShe\tO\n")
    report = import_exam(home, store, ImportExamSpec(path=str(conll)))
    items = load_exam(home, store, report.exam).items
    assert (report.task, report.labels) == ("entities", ["per"])
    assert [item.output for item in items] == ['[{"text": "Ada", "label": "per"}]', "[]"]
    table = tmp_path / "t.csv"
    table.write_text("a,b\nfirst,second\nthird,fourth\n")
    spec = ImportExamSpec(
        path=str(table), task="instruction", columns={"input": "a", "output": "b"}
    )
    items = load_exam(home, store, import_exam(home, store, spec).exam).items
    assert [(item.question, item.answers) for item in items] == [
        ("first", ["second"]),
        ("third", ["fourth"]),
    ]


def test_an_exam_is_made_of_held_out_rows(home: Home, store: Store) -> None:
    examples = [
        Example(
            id=str(n), input=f"t {n}", output="ab"[n % 2], split="heldout" if n > 4 else "train"
        )
        for n in range(10)
    ]
    dataset = save_dataset(home, store, "Set", "classification", "a.csv", examples)
    report = make_exam(home, store, MakeExamSpec(dataset="Set"))
    assert (report.name, report.rows, report.labels) == ("Set held out", 5, ["a", "b"])
    assert find_exam(store, report.exam).dataset == dataset.id
    items = load_exam(home, store, report.exam).items
    assert (items[0].id, items[0].text, items[0].label) == ("5", "t 5", "b")
    few = make_exam(home, store, MakeExamSpec(dataset="Set", limit=2, seed=1))
    assert (few.name, few.rows) == ("Set held out 2", 2)
    assert few.warnings
    save_dataset(home, store, "None", "classification", "a.csv", examples[:3])
    with pytest.raises(InvalidInput, match="no held-out rows"):
        make_exam(home, store, MakeExamSpec(dataset="None"))
    assert remove_exam(home, store, few.exam).id == few.exam
    assert [path.stem for path in home.exams.iterdir()] == [report.exam]
    (home.exams / f"{report.exam}.jsonl").write_text("rubbish\n")
    with pytest.raises(StorageDamaged):
        load_exam(home, store, report.exam)


def test_all_right_answers_of_a_row_count() -> None:
    example = Example(id="1", input="q", output="a", source={"answers": ["a", "b"]})
    assert item_of("answers", example).answers == ["a", "b"]


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(task=st.sampled_from(TASK_KINDS), text=TEXT, output=TEXT, context=st.just("") | TEXT)
def test_an_example_comes_back_from_its_item(
    task: TaskKind, text: str, output: str, context: str
) -> None:
    example = Example(
        id="1",
        input=text,
        output=output,
        context=context,
        split="heldout",
        history=[Said(question="a", answer="b")],
    )
    assert example_of(item_of(task, example)) == example


KEYS = ("id", "question", "answers", "answerable", "history", "context", "text", "label")
RECORD = st.dictionaries(
    st.sampled_from(KEYS),
    st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT, max_size=2)
    | st.fixed_dictionaries({"text": st.lists(TEXT, max_size=2)}),
    min_size=1,
)  # fmt: skip


@given(records=st.lists(RECORD, min_size=1, max_size=6))
def test_no_file_makes_reading_fail(records: list[Any], tmp_path_factory: Any) -> None:
    path = write(tmp_path_factory.mktemp("exam") / "e.jsonl", records)
    try:
        _, _, items, _ = read_exam(path, None, {}, NULL_JOB)
    except InvalidInput:
        return
    assert len({item.id for item in items}) == len(items) > 0
    for item in items:
        assert example_of(item).input.strip()


def test_a_row_that_nothing_answers_is_asked_as_such() -> None:
    example = Example(
        id="1", input="Who?", output="It does not say.", source={"answerable": False}
    )
    item = item_of("answers", example)
    assert (item.question, item.answers, item.answerable) == ("Who?", [], False)
    assert example_of(item).output == ""
    assert item_of("answers", example.model_copy(update={"source": {}})).answerable
