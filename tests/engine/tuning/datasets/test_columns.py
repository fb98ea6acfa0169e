"""What columns mean, by their names and by what they hold; and the examples they give."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.tuning.datasets.columns import recognise
from engine.tuning.datasets.rows import RawRow
from engine.tuning.datasets.shaping import NoExample, check_output, labels_of, shape
from engine.tuning.datasets.types import TASK_KINDS, Example

LONG = "They asked for the third time how the meeting of the board went, number "


def rows(*records: dict[str, Any]) -> list[RawRow]:
    return [RawRow(n, record) for n, record in enumerate(records, 1)]


def examples(*records: dict[str, Any]) -> list[Example]:
    found = rows(*records)
    meaning = recognise(found)
    return [one for row in found for one in shape(row, meaning.task, meaning.columns, "f")]


@pytest.mark.parametrize(
    ("record", "task", "columns"),
    [
        (
            {"instruction": "Do", "input": "x", "output": "y"},
            "instruction",
            {"input": "instruction", "context": "input", "output": "output"},
        ),
        ({"prompt": "a b c", "completion": LONG}, "instruction", {"input": "prompt"}),
        ({"Question": "a?", "Answer": "b"}, "answers", {"input": "Question"}),
        (
            {"id": "7", "question": "a?", "context": "c", "answers": {"text": ["b"]}},
            "answers",
            {"input": "question", "output": "answers", "context": "context", "id": "id"},
        ),
        ({"text": "so good", "label": "good"}, "classification", {"output": "label"}),
        ({"tokens": ["a"], "ner_tags": ["O"]}, "entities", {"input": "tokens"}),
        ({"text": "Ada", "entities": [[0, 3, "per"]]}, "entities", {"output": "entities"}),
        ({"text": "Ada", "fields": {"name": "Ada"}}, "fields", {"output": "fields"}),
        (
            {"messages": [{"role": "user", "content": "x"}]},
            "instruction",
            {"messages": "messages"},
        ),
        (
            {"conversations": [{"from": "human", "value": "x"}]},
            "instruction",
            {"messages": "conversations"},
        ),
        (
            {"doc_id": "1", "split": "test", "sentence": "so good", "label": "good"},
            "classification",
            {"group": "doc_id", "split": "split", "input": "sentence"},
        ),
    ],
)
def test_the_usual_names_are_recognised(
    record: dict[str, Any], task: str, columns: dict[str, str]
) -> None:
    meaning = recognise(rows(record))
    assert meaning.task == task
    assert columns.items() <= meaning.columns.items()
    assert meaning.confidence >= 0.8


def test_without_names_the_content_tells() -> None:
    records = [
        {"column 1": str(n), "column 2": f"{LONG}{n}", "column 3": ("yes", "no")[n % 2]}
        for n in range(30)
    ]
    meaning = recognise(rows(*records))
    assert meaning.task == "classification"
    assert (meaning.columns["input"], meaning.columns["output"]) == ("column 2", "column 3")
    free = [{"a": f"{LONG}{n}", "b": f"{n} {LONG} and so on"} for n in range(30)]
    assert recognise(rows(*free)).confidence < 0.5


def test_the_user_has_the_last_word() -> None:
    records = [{"text": f"{LONG}{n}", "label": "a", "better": f"b{n}"} for n in range(9)]
    assert recognise(rows(*records)).task == "classification"
    meaning = recognise(rows(*records), "instruction", {"input": "text", "output": "better"})
    assert (meaning.task, meaning.columns["output"]) == ("instruction", "better")
    chosen = recognise(rows(*records), None, {"output": "better"})
    assert chosen.columns["output"] == "better"
    fields = recognise(rows(*records), "fields", {"input": "text", "output": "label, better"})
    (example,) = shape(rows(*records)[0], fields.task, fields.columns, "f")
    assert json.loads(example.output) == {"label": "a", "better": "b0"}
    with pytest.raises(InvalidInput, match="no column 'gone'"):
        recognise(rows(*records), None, {"output": "gone"})
    with pytest.raises(InvalidInput, match="nothing a column can be"):
        recognise(rows(*records), None, {"colour": "text"})
    with pytest.raises(InvalidInput, match="not clear"):
        recognise(rows({"n": 1}))


def test_a_conversation_gives_an_example_for_each_answer() -> None:
    turns = [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "Hi"},
        {"from": "human", "value": "there"},
        {"from": "gpt", "value": "Hello."},
        {"from": "human", "value": "Bye"},
        {"from": "gpt", "value": "Farewell."},
    ]
    first, second = examples({"conversations": turns})
    assert (first.input, first.output, first.system) == ("Hi\n\nthere", "Hello.", "Be brief.")
    assert [said.answer for said in second.history] == ["Hello."]
    assert first.group == second.group != ""
    parts = [{"type": "text", "text": "Hi"}, {"type": "image"}]
    (one,) = examples(
        {"prompt": [{"role": "user", "content": parts}], "chosen": [turn("assistant", "Yes")]}
    )
    assert (one.input, one.output, one.group) == ("Hi", "Yes", "")
    with pytest.raises(NoExample, match="'tool'"):
        examples({"messages": [turn("user", "a"), turn("tool", "b"), turn("assistant", "c")]})
    with pytest.raises(NoExample, match="Nobody answers"):
        examples({"messages": [turn("user", "a")]})


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_all_right_answers_are_kept() -> None:
    (one,) = examples({"question": "Who?", "answers": {"text": ["Ada", "Ada L.", "Ada"]}})
    assert (one.output, one.source["answers"]) == ("Ada", ["Ada", "Ada L."])
    (two,) = examples({"question": "Who?", "answers": ["Ada"]})
    assert (two.output, "answers" in two.source) == ("Ada", False)


@pytest.mark.parametrize(
    "entities",
    [
        [{"text": "Ada", "label": "per"}],
        [{"start": 0, "end": 3, "type": "per"}],
        [[0, 3, "per"]],
        [["Ada", "per"]],
        {"per": ["Ada"]},
        '[{"word": "Ada", "entity_group": "per"}]',
    ],
)
def test_entities_in_any_form_become_one(entities: Any) -> None:
    row = RawRow(1, {"text": "Ada ran", "entities": entities})
    (example,) = shape(row, "entities", {"input": "text", "output": "entities"}, "f")
    assert example.output == '[{"text": "Ada", "label": "per"}]'
    assert labels_of("entities", example.output) == ["per"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"question": " ", "answer": "a"}, "input is empty"),
        ({"question": "a", "answer": ""}, "output is empty"),
        ({"tokens": ["a"], "ner_tags": [1]}, "numbers"),
        ({"tokens": ["a"], "ner_tags": ["O", "O"]}, "as many tags"),
        ({"text": "a", "entities": [[5, 9, "x"]]}, "no text or no label"),
        ({"question": "a", "answer": "b", "history": ["c"]}, "earlier turn"),
        ({"text": "so good", "label": ["b", "c"]}, "several labels"),
    ],
)
def test_a_row_without_an_example_says_why(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoExample, match=reason):
        examples(record)


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "label", "role", "from", "value", "content", "start"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(task=st.sampled_from(TASK_KINDS), one=VALUE, other=VALUE, messages=VALUE)
def test_no_row_makes_shaping_fail(task: Any, one: Any, other: Any, messages: Any) -> None:
    row = RawRow(3, {"a": one, "b": other, "c": messages})
    roles = {"input": "a", "output": "b", "context": "c", "history": "c", "group": "b"}
    for columns in (roles, {"messages": "c"}):
        try:
            made = shape(row, task, columns, "f")
        except NoExample:
            continue
        for example in made:
            assert example.input.strip()
            assert check_output(task, example.output) == example.output
            example.model_dump_json()
