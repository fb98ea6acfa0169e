"""Files of examples to a dataset: read, understood, cut to size, split."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.errors import InvalidInput
from engine.files import show_path
from engine.tuning.datasets import names
from engine.tuning.datasets.columns import Meaning, recognise
from engine.tuning.datasets.rows import BrokenRow, RawRow, Rows, read_rows
from engine.tuning.datasets.shaping import NoExample, labels_of, shape
from engine.tuning.datasets.splitting import HELDOUT_SHARE, split, with_groups
from engine.tuning.datasets.types import Example, TaskKind
from engine.work.jobs import NULL_JOB, Job

Side = Literal["train", "heldout", "leave"]
_STEP = 1_000


@dataclass(frozen=True)
class ImportPlan:
    """What to import, and how.

    `parts` says where the parts of a file go ("val" → "leave"), over what their names say.
    `labels` keeps so many labels, drawn by `seed` from those with enough rows; `per_label` so
    many examples of each to train on. All held-out rows of the labels kept stay.
    """

    path: Path
    task: TaskKind | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    heldout: Path | None = None
    parts: Mapping[str, Side] = field(default_factory=dict[str, Side])
    labels: int | None = None
    per_label: int | None = None
    share: float = HELDOUT_SHARE
    seed: int = 0


@dataclass
class Imported:
    """What came of it: the examples with ids, groups and sides, and what is worth saying."""

    meaning: Meaning
    format: str
    available: list[str]
    """The columns of the file."""
    examples: list[Example]
    labels: list[str]
    parts: dict[str, int] = field(default_factory=dict[str, int])
    """Rows of each part of the file."""
    broken: list[BrokenRow] = field(default_factory=list[BrokenRow])
    broken_total: int = 0
    warnings: list[str] = field(default_factory=list[str])


def read_examples(plan: ImportPlan, job: Job = NULL_JOB) -> Imported:
    """Read what `plan` names.

    Raises:
        InvalidInput: a file cannot be read or understood, or nothing would be left of it.
        Cancelled: `job` was cancelled.
    """
    rows = read_rows(plan.path)
    meaning = recognise(rows.rows, plan.task, plan.columns)
    made = Imported(meaning, rows.format, rows.columns(), [], [])
    drafts = _shape_all(rows, meaning, plan.path.name, made, job)
    sided = _sides(drafts, meaning, plan.parts, made)
    if plan.heldout is not None:
        sided = _with_heldout_file(sided, plan.heldout, made, job)
    numbered = [one.model_copy(update={"id": str(n)}) for n, one in enumerate(sided, 1)]
    if not numbered:
        told = f" Line {made.broken[0].line}: {made.broken[0].reason}" if made.broken else ""
        raise InvalidInput(
            f"{show_path(plan.path.name)} gives no examples.{told}",
            hint="Look at it with `whetstone datasets preview` and name the columns.",
        )
    if not any(one.split == "heldout" for one in numbered):
        # Only what will be kept is compared and split.
        numbered = _keep_labels(numbered, meaning.task, plan)
        numbered = split(with_groups(numbered, job), meaning.task, plan.share, plan.seed)
        if (
            len(numbered) > 1
            and plan.share > 0
            and all(one.split == "train" for one in numbered)
        ):
            made.warnings.append(
                "All rows belong to one group, so none could be held out to judge by."
            )
        numbered = _keep_rows(numbered, plan)
    else:
        numbered = _keep_rows(_keep_labels(numbered, meaning.task, plan), plan)
    made.examples = numbered
    made.labels = sorted(
        {label for one in numbered for label in labels_of(meaning.task, one.output)}
    )
    _say(made)
    return made


def _shape_all(
    rows: Rows, meaning: Meaning, file: str, made: Imported, job: Job
) -> list[tuple[str, Example]]:
    """(part, example) of every row that gives one; the others are noted as broken."""
    split_column = meaning.columns.get("split", "")
    drafts: list[tuple[str, Example]] = []
    shown = show_path(file)
    for number, row in enumerate(rows.rows):
        if number % _STEP == 0:
            job.checkpoint()
            job.progress(number, len(rows.rows), "Reading rows")
        part = row.part or _cell(row, split_column)
        try:
            drafts += [(part, one) for one in shape(row, meaning.task, meaning.columns, shown)]
        except NoExample as error:
            rows.add_broken(row.line, str(error))
    made.broken += rows.broken
    made.broken_total += rows.broken_total
    return drafts


def _cell(row: RawRow, column: str) -> str:
    value = row.fields.get(column, "") if column else ""
    return value.strip() if isinstance(value, str) else ""


def _sides(
    drafts: list[tuple[str, Example]],
    meaning: Meaning,
    chosen: Mapping[str, Side],
    made: Imported,
) -> list[Example]:
    """Every example on its side, as the parts of the file say; the rest is left out.

    With a test part, a validation part is left out: it is neither trained on nor judged by.
    """
    made.parts = {part: count for part, count in Counter(p for p, _ in drafts).items() if part}
    unknown = sorted(set(chosen) - set(made.parts))
    if unknown:
        raise InvalidInput(
            f"The file has no part {unknown[0]!r}.",
            hint="Its parts are: " + (", ".join(made.parts) or "none") + ".",
        )
    kinds = {part: names.side(part) for part in made.parts}
    if "train" not in kinds.values() and not chosen:
        return [one for _, one in drafts]
    tested = "test" in kinds.values()
    sides: dict[str, Side] = {}
    for part, kind in kinds.items():
        usual: dict[str, Side] = {
            "train": "train",
            "test": "heldout",
            "validation": "leave" if tested else "heldout",
            "": "leave",
        }
        sides[part] = chosen.get(part, usual[kind])
    left = [f"{part} ({made.parts[part]})" for part, side in sides.items() if side == "leave"]
    if left:
        made.warnings.append(
            f"Left out: {', '.join(left)}. `--part NAME=train` or `--part NAME=heldout` takes "
            "such a part in."
        )
    kept: list[Example] = []
    for part, one in drafts:
        side = sides.get(part, "train")
        if side != "leave":
            kept.append(one.model_copy(update={"split": side}))
    return kept


def _with_heldout_file(
    train: list[Example], path: Path, made: Imported, job: Job
) -> list[Example]:
    """What is trained on from the first file, what is held out from the second one."""
    rows = read_rows(path)
    meaning = made.meaning
    have = set(rows.columns())
    columns = {role: name for role, name in meaning.columns.items() if name in have}
    named = {"input", "output", "messages"} & set(meaning.columns)
    if not named <= set(columns) and "," not in meaning.columns.get("output", ""):
        meaning = recognise(rows.rows, meaning.task)
    drafts = _shape_all(rows, meaning, path.name, made, job)
    dropped = sum(one.split == "heldout" for one in train)
    if dropped:
        made.warnings.append(
            f"{dropped} held-out rows of the first file were left out, as a file of its own "
            "was given for them."
        )
    if not drafts:
        raise InvalidInput(f"{show_path(path.name)} gives no examples.")
    heldout = [one.model_copy(update={"split": "heldout"}) for _, one in drafts]
    return [one for one in train if one.split == "train"] + heldout


def _keep_labels(examples: list[Example], task: TaskKind, plan: ImportPlan) -> list[Example]:
    """The rows of as many labels as wanted, drawn from those with enough rows."""
    if plan.labels is None and plan.per_label is None:
        return examples
    if task != "classification":
        raise InvalidInput(
            "Only rows with one label each can be cut by labels.",
            hint="Leave --labels and --per-label away.",
        )
    if plan.labels is None:
        return examples
    rows = Counter(one.output for one in examples if one.split == "train")
    labels = sorted(label for label in rows if rows[label] >= (plan.per_label or 1))
    if len(labels) < plan.labels:
        raise InvalidInput(
            f"The file has {len(labels)} labels with enough rows to train on; {plan.labels} "
            "were asked for.",
            hint="Ask for fewer labels or fewer rows of each.",
        )
    kept = set(random.Random(plan.seed).sample(labels, plan.labels))
    return [one for one in examples if one.output in kept]


def _keep_rows(examples: list[Example], plan: ImportPlan) -> list[Example]:
    """At most `per_label` rows of each label to train on; what is held out stays."""
    if plan.per_label is None:
        return examples
    by_label: dict[str, list[str]] = defaultdict(list)
    for one in examples:
        if one.split == "train":
            by_label[one.output].append(one.id)
    draw = random.Random(plan.seed)
    kept: set[str] = set()
    for label in sorted(by_label):
        kept.update(draw.sample(by_label[label], min(plan.per_label, len(by_label[label]))))
    return [one for one in examples if one.split == "heldout" or one.id in kept]


def _say(made: Imported) -> None:
    """What the user should know before training on it."""
    if made.broken_total:
        one = made.broken_total == 1
        made.warnings.insert(
            0,
            f"{made.broken_total:,} row{'' if one else 's'} could not be used, the first one "
            f"in line {made.broken[0].line}: {made.broken[0].reason}",
        )
    if made.meaning.confidence < 0.5:
        made.warnings.append("What the columns mean was guessed: look at the first rows.")
    never = _never_trained(made.examples) if made.meaning.task == "classification" else []
    if never:
        made.warnings.append(
            "Held out but never trained on: "
            + ", ".join(never[:5])
            + (" and others." if len(never) > 5 else ".")
        )


def _never_trained(examples: Sequence[Example]) -> list[str]:
    trained = {one.output for one in examples if one.split == "train"}
    return sorted({one.output for one in examples if one.split == "heldout"} - trained)
