"""Which column is what: recognised by its name and by what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from engine.errors import InvalidInput
from engine.tuning.datasets import names
from engine.tuning.datasets.rows import RawRow
from engine.tuning.datasets.types import TaskKind

_LOOKED_AT_ROWS = 2_000
_LABEL_AT_MOST_CHARACTERS = 60
_LABELS_AT_MOST = 400


@dataclass(frozen=True)
class Meaning:
    """What a file's rows are taken for.

    `columns` says for each role which column has it; `fields` as output may be several, parted
    by commas. `confidence` goes from 0 (guessed) to 1 (named as such files are).
    """

    task: TaskKind
    columns: dict[str, str]
    confidence: float


@dataclass
class _Column:
    """What one column holds, over the rows looked at."""

    name: str
    filled: int = 0
    characters: int = 0
    longest: int = 0
    texts: int = 0
    lists: int = 0
    words: int = 0
    """Lists of plain values."""
    objects: int = 0
    values: set[str] = field(default_factory=set[str])
    first: Any = None

    def see(self, value: Any) -> None:
        if value is None or value == "":
            return
        if self.first is None:
            self.first = value
        self.filled += 1
        if isinstance(value, list):
            self.lists += 1
            self.words += isinstance(next(iter(cast("list[Any]", value)), None), str | int)
        self.objects += isinstance(value, dict)
        if isinstance(value, str | int | float):
            text = str(value)
            self.texts += 1
            self.characters += len(text)
            self.longest = max(self.longest, len(text))
            if len(self.values) <= _LABELS_AT_MOST:
                self.values.add(text[:200])

    @property
    def mean(self) -> float:
        return self.characters / self.texts if self.texts else 0.0

    def is_text(self) -> bool:
        return self.texts > 0 and self.texts * 2 >= self.filled

    def repeats(self) -> bool:
        """Whether few short values come again and again, as labels do."""
        return (
            self.is_text()
            and self.longest <= _LABEL_AT_MOST_CHARACTERS
            and len(self.values) < self.filled
            and len(self.values) <= min(_LABELS_AT_MOST, max(2, self.filled // 3))
        )


_Found = dict[str, _Column]
_Guess = Callable[[_Found], "Meaning | None"]


def recognise(
    rows: Sequence[RawRow],
    task: TaskKind | None = None,
    chosen: Mapping[str, str] | None = None,
) -> Meaning:
    """The likeliest meaning of the columns.

    Args:
        rows: what was read; at most two thousand of them are looked at, from all over.
        task: what the user says it is; None: find out.
        chosen: columns the user chose, by role; "" takes a role away.

    Raises:
        InvalidInput: a chosen column or role does not exist, or nothing fits.
    """
    found = _look(rows)
    mine = dict(chosen or {})
    _check(mine, found, task)
    if mine.get("input") and mine.get("output"):
        chosen_task = task or _task_of(found[mine["input"]], found.get(mine["output"]))
        rest = _usual(found, frozenset(mine.values()))
        return Meaning(chosen_task, _without_empty(rest | mine), 1.0)
    guesses = [made for guess in _GUESSES if (made := guess(found)) is not None]
    fitting = [_as_task(made, task) for made in guesses if task in (None, made.task)]
    if not fitting and task is not None:
        fitting = [_as_task(made, task) for made in guesses]
    if not fitting:
        raise InvalidInput(
            "It is not clear which column is the input and which the output.",
            hint="Name them with --column input=NAME --column output=NAME. The columns are: "
            + ", ".join(list(found)[:20]),
        )
    best = max(fitting, key=lambda made: made.confidence)
    columns = _usual(found, frozenset(best.columns.values())) | best.columns | mine
    return Meaning(best.task, _without_empty(columns), best.confidence)


def _look(rows: Sequence[RawRow]) -> _Found:
    step = max(1, len(rows) // _LOOKED_AT_ROWS)
    found: _Found = {}
    for row in rows[::step]:
        for name, value in row.fields.items():
            if name not in found:
                found[name] = _Column(name)
            found[name].see(value)
    return found


def _check(chosen: Mapping[str, str], found: _Found, task: TaskKind | None) -> None:
    for role, name in chosen.items():
        if role not in names.ROLES:
            raise InvalidInput(
                f"{role!r} is nothing a column can be.", hint="Use " + ", ".join(names.ROLES)
            )
        several = role == "output" and task == "fields"
        for one in [part.strip() for part in name.split(",")] if several else [name]:
            if one and one not in found:
                raise InvalidInput(
                    f"There is no column {one!r}.",
                    hint="The columns are: " + ", ".join(list(found)[:20]),
                )


def _task_of(source: _Column, target: _Column | None) -> TaskKind:
    if target is None or target.objects:
        return "fields"
    if target.lists:
        return "entities"
    if target.repeats():
        return "classification"
    return "answers" if names.plain(source.name) in names.QUESTION[:2] else "instruction"


def _as_task(made: Meaning, task: TaskKind | None) -> Meaning:
    if task is None or task == made.task:
        return made
    return Meaning(task, made.columns, made.confidence / 2)


def _without_empty(columns: Mapping[str, str]) -> dict[str, str]:
    return {role: name for role, name in columns.items() if name}


def _usual(found: _Found, taken: frozenset[str]) -> dict[str, str]:
    """Columns that mean the same with every task."""
    free = [name for name in found if name not in taken]
    parts = names.pick(free, names.SPLIT)
    sides = parts and all(names.side(value) for value in found[parts].values)
    return {
        "system": names.pick(free, names.SYSTEM),
        "history": next(
            (name for name in free if names.plain(name) == "history" and found[name].lists), ""
        ),
        "group": names.pick(free, names.GROUP),
        "split": parts if sides else "",
        "id": names.pick(free, names.IDENTIFIER),
    }


def _messages(found: _Found) -> Meaning | None:
    for name in _called(found, names.MESSAGES):
        first = found[name].first
        turns = cast("list[Any]", first) if isinstance(first, list) else []
        turn = turns[0] if turns else None
        if isinstance(turn, dict) and {"role", "from"} & set(cast("dict[str, Any]", turn)):
            answer = names.pick(list(found), ("completion", "chosen"), frozenset((name,)))
            columns = {"messages": name}
            if answer and found[answer].lists:
                columns["output"] = answer
            return Meaning("instruction", columns, 1.0)
    return None


def _tagged(found: _Found) -> Meaning | None:
    lists = [name for name, column in found.items() if column.lists]
    tokens, tags = names.pick(lists, names.TOKENS), names.pick(lists, names.TAGS)
    if tokens and tags:
        return Meaning("entities", {"input": tokens, "output": tags}, 1.0)
    return None


def _entities(found: _Found) -> Meaning | None:
    text = names.pick([name for name in found if found[name].is_text()], names.TEXT)
    for name in _called(found, names.ENTITIES):
        if text and name != text and found[name].lists > found[name].words:
            return Meaning("entities", {"input": text, "output": name}, 0.95)
    return None


def _objects(found: _Found) -> Meaning | None:
    text = names.pick([name for name in found if found[name].is_text()], names.TEXT)
    for name in [*_called(found, names.FIELDS), *found]:
        column = found[name]
        if text and column.objects * 2 > column.filled and not _holds_answers(column):
            return Meaning("fields", {"input": text, "output": name}, 0.8)
    return None


def _holds_answers(column: _Column) -> bool:
    return names.plain(column.name) in ("answers", "answer")


def _questions(found: _Found) -> Meaning | None:
    listed = list(found)
    question = names.pick(listed, names.QUESTION[:4])
    answer = names.pick(listed, names.ANSWER, frozenset((question,)))
    if not question or not answer:
        return None
    context = names.pick(listed, names.CONTEXT, frozenset((question, answer)))
    return Meaning("answers", {"input": question, "output": answer, "context": context}, 0.95)


def _instructions(found: _Found) -> Meaning | None:
    listed = list(found)
    asked = names.pick(listed, names.INSTRUCTION)
    answer = names.pick(listed, names.OUTPUT, frozenset((asked,)))
    if not asked or not answer:
        return None
    text = names.pick(listed, ("input", *names.CONTEXT), frozenset((asked, answer)))
    columns = {"input": asked, "output": answer, "context": text}
    return Meaning("instruction", columns, 0.98)


def _completions(found: _Found) -> Meaning | None:
    listed = [name for name in found if found[name].is_text()]
    prompt = names.pick(listed, names.PROMPT)
    answer = names.pick(listed, names.OUTPUT, frozenset((prompt,)))
    if not prompt or not answer or found[answer].repeats():
        return None
    context = names.pick(listed, names.CONTEXT, frozenset((prompt, answer)))
    columns = {"input": prompt, "output": answer, "context": context}
    return Meaning("instruction", columns, 0.9)


def _labels(found: _Found) -> Meaning | None:
    texts = [name for name in found if found[name].is_text()]
    labels = [name for name in texts if found[name].repeats()]
    labels += [name for name, column in found.items() if _called_label(column)]
    label = names.pick(labels, names.LABEL) or next(
        (name for name in labels if names.plain(name) not in _NO_LABELS), ""
    )
    if not label:
        return None
    others = [name for name in texts if name != label and names.plain(name) not in _NO_LABELS]
    text = names.pick(others, names.TEXT)
    sure = bool(text) + (names.plain(label) in names.LABEL)
    if not text:
        free = [name for name in others if not found[name].repeats()]
        text = max(free, key=lambda name: found[name].mean, default="")
    if not text or found[text].mean < 2:
        return None
    return Meaning("classification", {"input": text, "output": label}, (0.55, 0.75, 0.96)[sure])


_NO_LABELS = frozenset((*names.IDENTIFIER, *names.SPLIT, *names.GROUP, *names.SYSTEM))


def _called_label(column: _Column) -> bool:
    """A file of few rows repeats no label, and some have it in a list; the name tells."""
    short = column.longest <= _LABEL_AT_MOST_CHARACTERS
    values = column.is_text() or column.words > 0
    return short and values and names.plain(column.name) in names.LABEL[:5]


def _longest(found: _Found) -> Meaning | None:
    """Without a name to go by: the two columns with the most text, in their order."""
    texts = [name for name in found if found[name].is_text() and not found[name].repeats()]
    texts = [name for name in texts if names.plain(name) not in _NO_LABELS]
    most = sorted(texts, key=lambda name: -found[name].mean)[:2]
    if len(most) < 2:
        return None
    first, second = (name for name in found if name in most)
    return Meaning("instruction", {"input": first, "output": second}, 0.3)


def _called(found: _Found, wanted: Sequence[str]) -> Iterator[str]:
    """The columns with one of the wanted names, the likeliest name first."""
    for one in wanted:
        for name in found:
            if names.plain(name) == one:
                yield name


_GUESSES: tuple[_Guess, ...] = (
    _messages,
    _tagged,
    _entities,
    _objects,
    _questions,
    _instructions,
    _completions,
    _labels,
    _longest,
)
