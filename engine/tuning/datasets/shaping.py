"""Rows to examples, once it is known what the columns mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from engine.documents.readers.text import clean
from engine.tuning.datasets.chats import NotAConversation, answers_of
from engine.tuning.datasets.conll import entities_of
from engine.tuning.datasets.json_values import parse_value
from engine.tuning.datasets.rows import MAX_FIELD_CHARACTERS, RawRow
from engine.tuning.datasets.types import Example, Said, TaskKind

_ANSWERS_AT_MOST = 20
_ENTITY_TEXTS = ("text", "word", "value", "mention", "entity", "span", "name")
_ENTITY_LABELS = ("label", "type", "entity_type", "entity_group", "tag", "class", "category")


class NoExample(ValueError):
    """A row that gives no example; says why."""


def shape(row: RawRow, task: TaskKind, columns: Mapping[str, str], file: str) -> list[Example]:
    """The examples of a row: one, or one for each answer of a conversation. Ids are empty.

    Raises:
        NoExample: something is missing or cannot be understood.
    """
    if columns.get("messages"):
        return _chat(row, task, columns, file)
    output = _output(row, task, columns)
    text = _joined(row.fields.get(columns.get("input", "")))
    example = _example(row, columns, file, text, output)
    if task == "answers":
        answers = _texts(row.fields.get(columns.get("output", "")))
        if len(answers) > 1:
            example.source["answers"] = answers
    context, history = _text(row, columns, "context"), _history(row, columns)
    return [example.model_copy(update={"context": context.strip(), "history": history})]


def labels_of(task: TaskKind, output: str) -> list[str]:
    """The labels an output names: itself, those of its entities, or the keys of its fields."""
    if task == "classification":
        return [output]
    if task not in ("entities", "fields"):
        return []
    try:
        value = parse_value(output)
    except ValueError:
        return []
    if task == "fields":
        return list(cast("dict[str, Any]", value)) if isinstance(value, dict) else []
    entities = cast("list[Any]", value) if isinstance(value, list) else []
    labelled = [cast("dict[str, Any]", one) for one in entities if isinstance(one, dict)]
    return [str(one["label"]) for one in labelled if "label" in one]


def check_output(task: TaskKind, text: str) -> str:
    """An output as it is stored: JSON in one form, everything else without outer blanks.

    Raises:
        NoExample: it is empty, or not what the task wants.
    """
    if task == "entities":
        return _dump(_entities(_parsed(text), None))
    if task == "fields":
        return _dump(_object(_parsed(text)))
    if not text.strip():
        raise NoExample("The output is empty.")
    return text.strip()


def _chat(row: RawRow, task: TaskKind, columns: Mapping[str, str], file: str) -> list[Example]:
    messages = row.fields.get(columns["messages"])
    if isinstance(messages, str):
        messages = _parsed(messages)
    if not isinstance(messages, list):
        raise NoExample("There is no conversation in it.")
    turns = cast("list[Any]", messages)
    last = row.fields.get(columns.get("output", ""))
    if isinstance(last, list):  # a prompt and its completion, both as messages
        turns = [*turns, *cast("list[Any]", last)]
    try:
        answers = answers_of(turns)
    except NotAConversation as error:
        raise NoExample(str(error)) from error
    if not answers:
        raise NoExample("Nobody answers in it.")
    found: list[Example] = []
    for one in answers:
        example = _example(row, columns, file, one.question, check_output(task, one.answer))
        group = example.group or (f"{file} line {row.line}" if len(answers) > 1 else "")
        found.append(
            example.model_copy(
                update={
                    "system": clean(one.system) or example.system,
                    "history": list(one.history),
                    "group": group,
                }
            )
        )
    return found


def _example(
    row: RawRow, columns: Mapping[str, str], file: str, text: str, output: str
) -> Example:
    if not text.strip():
        raise NoExample("The input is empty.")
    if max(len(text), len(output)) > MAX_FIELD_CHARACTERS:
        raise NoExample(f"It has more than {MAX_FIELD_CHARACTERS:,} characters.")
    source: dict[str, Any] = {"file": file, "line": row.line}
    known = _text(row, columns, "id")
    if known:
        source["id"] = known[:200]
    if row.part:
        source["part"] = row.part
    return Example(
        id="",
        input=clean(text).strip(),
        output=clean(output),
        system=_text(row, columns, "system").strip(),
        group=" ".join(_text(row, columns, "group").split())[:200],
        source=source,
    )


def _text(row: RawRow, columns: Mapping[str, str], role: str) -> str:
    return clean(_joined(row.fields.get(columns.get(role, ""))))


def _joined(value: Any) -> str:
    """A value as text: tokens joined by spaces, "true" and "false" as JSON has them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return " ".join(str(part) for part in parts if isinstance(part, str | int | float))
    return ""


def _output(row: RawRow, task: TaskKind, columns: Mapping[str, str]) -> str:
    name = columns.get("output", "")
    value = row.fields.get(name)
    if task == "entities":
        return _entities_output(row, columns, value)
    if task == "fields":
        if name not in row.fields:
            wanted = [part.strip() for part in name.split(",")]
            value = {one: row.fields[one] for one in wanted if row.fields.get(one)}
        return _dump(_object(value))
    texts = _texts(value)
    if not texts:
        raise NoExample("The output is empty.")
    if task == "classification" and len(texts) > 1:
        raise NoExample("It has several labels; a row can have one.")
    return texts[0]


def _texts(value: Any) -> list[str]:
    """The distinct answers a value holds; SQuAD has them as {"text": […]}."""
    if isinstance(value, dict):
        return _texts(cast("dict[str, Any]", value).get("text"))
    if isinstance(value, list):
        nested = [
            text for one in cast("list[Any]", value)[:_ANSWERS_AT_MOST] for text in _texts(one)
        ]
        return list(dict.fromkeys(nested))[:_ANSWERS_AT_MOST]
    text = clean(_joined(value)).strip()
    return [text] if text else []


def _entities_output(row: RawRow, columns: Mapping[str, str], value: Any) -> str:
    text = row.fields.get(columns.get("input", ""))
    if isinstance(text, list):
        tokens, tags = cast("list[Any]", text), cast("list[Any]", value)
        if not isinstance(value, list) or len(tags) != len(tokens):
            raise NoExample("It has not as many tags as tokens.")
        if not all(isinstance(tag, str) for tag in tags):
            raise NoExample("Its tags are numbers, and nothing says what they mean.")
        found = entities_of([str(token) for token in tokens], [str(tag) for tag in tags])
        return _dump(found)
    if isinstance(value, str):
        value = _parsed(value)
    return _dump(_entities(value, text if isinstance(text, str) else None))


def _entities(value: Any, text: str | None) -> list[dict[str, str]]:
    """Entities in any of the usual forms as {"text", "label"}."""
    if isinstance(value, dict):  # label → its texts
        pairs = cast("dict[str, Any]", value)
        found = [
            {"text": one, "label": label}
            for label, ones in pairs.items()
            for one in (cast("list[Any]", ones) if isinstance(ones, list) else [ones])
            if isinstance(one, str)
        ]
        if not found and pairs:
            raise NoExample("Its entities cannot be understood.")
        return found
    if not isinstance(value, list):
        raise NoExample("It has no list of entities.")
    return [_entity(one, text) for one in cast("list[Any]", value)]


def _entity(one: Any, text: str | None) -> dict[str, str]:
    if isinstance(one, list):  # [start, end, label] or [text, label]
        cells = cast("list[Any]", one)
        if len(cells) == 3:
            one = {"start": cells[0], "end": cells[1], "label": cells[2]}
        elif len(cells) == 2:
            one = {"text": cells[0], "label": cells[1]}
    if not isinstance(one, dict):
        raise NoExample("An entity is no object with a text and a label.")
    entity = cast("dict[str, Any]", one)
    label = next((entity[key] for key in _ENTITY_LABELS if entity.get(key)), None)
    said = next(
        (entity[key] for key in _ENTITY_TEXTS if isinstance(entity.get(key), str)), None
    )
    if said is None and text is not None:
        said = _cut(text, entity.get("start"), entity.get("end"))
    if not isinstance(label, str) or not isinstance(said, str) or not said.strip():
        raise NoExample("An entity has no text or no label.")
    return {"text": clean(said).strip(), "label": clean(label).strip()}


def _cut(text: str, start: Any, end: Any) -> str | None:
    if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text):
        return text[start:end]
    return None


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, dict) or not value:
        raise NoExample("Its output is no JSON object with fields.")
    return cast("dict[str, Any]", value)


def _parsed(text: str) -> Any:
    try:
        return parse_value(text)
    except ValueError as error:
        raise NoExample("Its output is no JSON.") from error


def _dump(value: Any) -> str:
    try:
        return clean(json.dumps(value, ensure_ascii=False))
    except (RecursionError, ValueError) as error:
        raise NoExample("Its output nests too deep.") from error


def _history(row: RawRow, columns: Mapping[str, str]) -> list[Said]:
    value = row.fields.get(columns.get("history", ""))
    found: list[Said] = []
    for turn in cast("Sequence[Any]", value) if isinstance(value, list) else ():
        if isinstance(turn, list) and len(cast("list[Any]", turn)) == 2:
            question, answer = (_joined(cell) for cell in cast("list[Any]", turn))
        elif isinstance(turn, dict):
            said = cast("dict[str, Any]", turn)
            question, answer = _joined(said.get("question")), _joined(said.get("answer"))
        else:
            raise NoExample("An earlier turn is no question with its answer.")
        found.append(Said(question=clean(question), answer=clean(answer)))
    return found
