"""Looking through a dataset and changing it row by row."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidInput
from engine.paths import Home
from engine.store.db import Store
from engine.tuning.datasets.rows import MAX_FIELD_CHARACTERS, tidy
from engine.tuning.datasets.shaping import NoExample, check_output, labels_of
from engine.tuning.datasets.similarity import plain
from engine.tuning.datasets.storing import (
    find_dataset,
    load_dataset,
    replace_examples,
    writing,
)
from engine.tuning.datasets.types import Dataset, Example, TaskKind
from engine.work.api.datasets import (
    DatasetView,
    EditReport,
    EditRowSpec,
    ExampleRow,
    RowsPage,
    RowsSpec,
)

_FIRST = 5


def show_dataset(home: Home, store: Store, ref: str) -> DatasetView:
    """A dataset with its labels counted and its first examples.

    Raises:
        InvalidInput: there is none.
        StorageDamaged: its examples cannot be read.
    """
    dataset = load_dataset(home, store, ref)
    examples = list(dataset.read())
    return DatasetView(
        dataset=find_dataset(home, store, dataset.id),
        label_rows=count_labels(dataset.task, examples),
        first=[as_row(one) for one in examples[:_FIRST]],
    )


def count_labels(task: TaskKind, examples: Sequence[Example]) -> dict[str, int]:
    """How many rows have each label, the most frequent first."""
    counts: dict[str, int] = {}
    for one in examples:
        for label in set(labels_of(task, one.output)):
            counts[label] = counts.get(label, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def page(home: Home, store: Store, spec: RowsSpec) -> RowsPage:
    """The rows that fit, a page of them; all words of `search` must stand in a row.

    Raises:
        InvalidInput: there is no such dataset.
        StorageDamaged: its examples cannot be read.
    """
    dataset = load_dataset(home, store, spec.dataset)
    words = spec.search.casefold().split()
    wanted = set(spec.ids)
    total = 0
    rows: list[ExampleRow] = []
    for one in dataset.read():
        if not _fits(dataset, one, spec, words, wanted):
            continue
        if spec.offset <= total < spec.offset + spec.limit:
            rows.append(as_row(one))
        total += 1
    return RowsPage(total=total, rows=rows)


def _fits(
    dataset: Dataset, one: Example, spec: RowsSpec, words: Sequence[str], wanted: set[str]
) -> bool:
    if wanted and one.id not in wanted:
        return False
    if spec.split is not None and one.split != spec.split:
        return False
    if spec.label and spec.label not in labels_of(dataset.task, one.output):
        return False
    if not words:
        return True
    text = "\n".join((one.input, one.output, one.context, one.system, one.group)).casefold()
    return all(word in text for word in words)


def edit(home: Home, store: Store, spec: EditRowSpec) -> EditReport:
    """Change, add or remove rows; all of it is kept or none.

    Raises:
        InvalidInput: there is no such dataset or row, or the row would be no example.
        StorageDamaged: its examples cannot be read.
        StorageFull: no room; the examples before are kept.
    """
    with writing(home):
        dataset = load_dataset(home, store, spec.dataset)
        examples = list(dataset.read())
        known = {one.id for one in examples}
        for one in [*spec.remove, *([spec.id] if spec.id else [])]:
            if one not in known:
                raise InvalidInput(f"The dataset has no row {one!r}.")
        gone = set(spec.remove)
        changed: Example | None = None
        if not gone:
            examples, changed = _changed(dataset, examples, spec)
        kept = [one for one in examples if one.id not in gone]
        if not kept:
            raise InvalidInput(
                "This would leave the dataset without a row.", hint="Remove the dataset."
            )
        row = replace_examples(home, store, find_dataset(home, store, dataset.id), kept)
    return EditReport(dataset=row, row=None if changed is None else as_row(changed))


def as_row(example: Example) -> ExampleRow:
    """An example as the window and the command line see it."""
    return ExampleRow.model_validate(example.model_dump())


def _changed(
    dataset: Dataset, examples: list[Example], spec: EditRowSpec
) -> tuple[list[Example], Example]:
    old = next((one for one in examples if one.id == spec.id), None)
    number = max((int(one.id) for one in examples if one.id.isdecimal()), default=0) + 1
    before = old or Example(
        id=str(number), input="", output="", source={"added": True}, group=""
    )
    update: dict[str, object] = {
        name: tidy(value).strip()
        for name in ("input", "output", "context", "system", "group")
        if (value := getattr(spec, name)) is not None
    }
    new = before.model_copy(update=update)
    try:
        if not new.input:
            raise NoExample("The input is empty.")
        if max(map(len, (new.input, new.output, new.context))) >= MAX_FIELD_CHARACTERS:
            raise NoExample(f"It has more than {MAX_FIELD_CHARACTERS:,} characters.")
        new = new.model_copy(update={"output": check_output(dataset.task, new.output)})
    except NoExample as error:
        raise InvalidInput(f"This is no example. {error}") from error
    if new.output != before.output and "answers" in new.source:
        kept = {key: value for key, value in new.source.items() if key != "answers"}
        new = new.model_copy(update={"source": kept})
    others = [one for one in examples if one.id != new.id]
    if old is None and spec.group is None:
        new = new.model_copy(update={"group": _group_of(new, others)})
    new = new.model_copy(update={"split": spec.split or _side_of(new, others)})
    moved = [
        one.model_copy(update={"split": new.split})
        if new.group and one.group == new.group
        else one
        for one in examples
    ]
    rows = [new if one.id == new.id else one for one in moved]
    return (rows if old is not None else [*rows, new]), new


def _group_of(new: Example, others: Sequence[Example]) -> str:
    """A row that is added belongs with those that ask the same or read the same."""
    key = plain(new.context or new.input)
    same = (one for one in others if plain(one.context or one.input) == key)
    return next((one.group for one in same), "")


def _side_of(new: Example, others: Sequence[Example]) -> str:
    """The side of its group; without one that of a row that asks the same, or its own."""
    if new.group:
        return next((one.split for one in others if one.group == new.group), new.split)
    key = plain(new.input)
    return next((one.split for one in others if plain(one.input) == key), new.split)
