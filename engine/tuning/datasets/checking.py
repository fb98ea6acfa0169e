"""What would spoil a tuning, looked for before it begins."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import Cancelled, EngineError
from engine.tuning.datasets.editing import count_labels
from engine.tuning.datasets.personal import find_personal
from engine.tuning.datasets.shaping import NoExample, check_output, labels_of
from engine.tuning.datasets.similarity import near_pairs, plain
from engine.tuning.datasets.types import Dataset, Example
from engine.tuning.prompting import messages
from engine.work.api.datasets import DatasetCheck, Finding, TokenBin
from engine.work.jobs import NULL_JOB, Job

ROWS_NAMED = 100
FEW_ROWS = 20
FEW_OF_A_LABEL = 5
UNEVEN = 20
"""A label with so many times the rows of another is found uneven."""
USUAL_MAX_TOKENS = 1_024
_CHARACTERS_A_TOKEN = 3.5
"""Of English prose 4 and more, of code, names and other languages fewer."""
_TURN_TOKENS = 8
"""About what a chat template puts around a turn."""
_BINS = (32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192)
_STEP = 200

Count = Callable[[Sequence[str], Job], list[int]]
"""Tokens of each text."""
Pairs = list[tuple[int, int, float]]
"""(earlier, later, similarity)."""
_Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Means:
    """With what a dataset is looked at.

    `count` counts tokens as the model `counted_by` does; None estimates. `near_by_meaning`
    finds inputs that mean nearly the same; None compares words alone.
    """

    count: Count | None = None
    counted_by: str = ""
    near_by_meaning: Callable[[Sequence[str], Job], Pairs] | None = None
    max_tokens: int = USUAL_MAX_TOKENS


@dataclass
class _Found:
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(
        self,
        kind: str,
        severity: _Severity,
        rows: Iterable[Example],
        sentence: str,
        advice: str,
        counts: dict[str, int] | None = None,
    ) -> None:
        ids = [one.id for one in rows]
        self.findings.append(
            Finding.model_validate(
                {
                    "kind": kind,
                    "severity": severity,
                    "sentence": sentence,
                    "advice": advice,
                    "count": len(ids),
                    "rows": ids[:ROWS_NAMED],
                    "counts": counts or {},
                }
            )
        )


def check_dataset(dataset: Dataset, means: Means, job: Job = NULL_JOB) -> DatasetCheck:
    """Look at all examples.

    Raises:
        StorageDamaged: they cannot be read.
        Cancelled: `job` was cancelled.
    """
    examples = list(dataset.read())
    found = _Found()
    sizes = _count_tokens(dataset, examples, means, job)
    _check_empty(dataset, examples, found)
    _check_overlong(examples, sizes, means, found)
    pairs, compared = _compare(examples, means, found, job)
    _check_same(examples, pairs, "meaning" not in compared, found)
    _check_conflicts(dataset, examples, found)
    _check_labels(dataset, examples, found)
    _check_sides(examples, found)
    _check_personal(examples, found, job)
    order = {"error": 0, "warning": 1, "note": 2}
    return DatasetCheck(
        dataset=dataset.id,
        rows=len(examples),
        train=sum(one.split == "train" for one in examples),
        heldout=sum(one.split == "heldout" for one in examples),
        findings=sorted(found.findings, key=lambda one: order[one.severity]),
        histogram=_histogram(sizes),
        tokens=sum(sizes),
        longest_tokens=max(sizes, default=0),
        tokens_by=means.counted_by if means.count is not None else "",
        labels=count_labels(dataset.task, examples),
        compared_by=compared,
    )


def estimate_tokens(text: str) -> int:
    """Tokens of a text, without a model: by its characters."""
    wide = sum(char > "\u2e7f" for char in text)  # Chinese and the like: about one each
    return round((len(text) - wide) / _CHARACTERS_A_TOKEN) + wide


def _key_text(example: Example) -> str:
    """What makes two rows the same question."""
    said = [turn.question for turn in example.history]
    return "\n".join([*said, example.context, example.input]).strip()


def _count_tokens(
    dataset: Dataset, examples: Sequence[Example], means: Means, job: Job
) -> list[int]:
    """Tokens of each row: the prompt with its turns, and the answer."""
    sizes: list[int] = []
    for start in range(0, len(examples), _STEP):
        job.checkpoint()
        job.progress(start, len(examples), "Counting tokens")
        texts: list[str] = []
        extra: list[int] = []
        for one in examples[start : start + _STEP]:
            turns, answer = messages(dataset.task, dataset.labels, one)
            texts.append("\n".join([*(text for _, text in turns), answer]))
            extra.append(_TURN_TOKENS * (len(turns) + 1))
        counts = means.count(texts, job) if means.count else list(map(estimate_tokens, texts))
        sizes += [count + more for count, more in zip(counts, extra, strict=True)]
    return sizes


def _histogram(sizes: Sequence[int]) -> list[TokenBin]:
    if not sizes:
        return []
    ends = [*(end for end in _BINS if end < max(sizes)), max(*sizes, 1)]
    bins = Counter(next(end for end in ends if size <= end) for size in sizes)
    return [TokenBin(up_to=end, rows=bins[end]) for end in ends]


def _check_empty(dataset: Dataset, examples: Sequence[Example], found: _Found) -> None:
    empty: list[Example] = []
    for one in examples:
        try:
            check_output(dataset.task, one.output)
            if not plain(one.input) and not one.input.strip():
                empty.append(one)
        except NoExample:
            empty.append(one)
    if empty:
        found.add(
            "empty",
            "error",
            empty,
            f"{_rows(empty)} no input, or no output that fits the task.",
            "Fill them in or delete them.",
        )


def _check_overlong(
    examples: Sequence[Example], sizes: Sequence[int], means: Means, found: _Found
) -> None:
    limit = means.max_tokens
    long = [one for one, size in zip(examples, sizes, strict=True) if size > limit]
    if long:
        told = "" if means.count else " by an estimate"
        found.add(
            "overlong",
            "warning",
            long,
            f"{_rows(long)} more than {limit:,} tokens{told}: not all of it can be learnt.",
            "Shorten them, or leave them out.",
        )


def _compare(
    examples: Sequence[Example], means: Means, found: _Found, job: Job
) -> tuple[Pairs, list[Literal["words", "meaning"]]]:
    """Pairs of equal and nearly equal rows, and by what they were compared."""
    texts = [_key_text(one) for one in examples]
    pairs = near_pairs(texts, job)
    if means.near_by_meaning is None:
        return pairs, ["words"]
    try:
        pairs += means.near_by_meaning(texts, job)
    except Cancelled:
        raise
    except EngineError as error:
        found.add(
            "not compared",
            "note",
            [],
            f"Rows were compared by their words, not by their meaning: {error.message}",
            error.hint or "Nothing has to be done.",
        )
        return pairs, ["words"]
    return _best(pairs), ["words", "meaning"]


def _best(pairs: Pairs) -> Pairs:
    """Each pair once, with its highest similarity."""
    best: dict[tuple[int, int], float] = {}
    for one, other, share in pairs:
        best[one, other] = max(share, best.get((one, other), 0.0))
    return [(one, other, share) for (one, other), share in sorted(best.items())]


def _check_same(
    examples: Sequence[Example], pairs: Pairs, by_words: bool, found: _Found
) -> None:
    """Equal and nearly equal rows, and those among them that stand on both sides."""
    exact: dict[int, Example] = {}
    near: dict[int, Example] = {}
    leaked: dict[int, Example] = {}
    for one, other, share in pairs:
        first, second = examples[one], examples[other]
        if first.split != second.split:
            at, leak = (one, first) if first.split == "heldout" else (other, second)
            leaked[at] = leak
        elif share == 1.0 and first.output == second.output:
            exact[other] = second
        elif share < 1.0:
            near[other] = second
    _check_leaked_groups(examples, leaked)
    if leaked:
        held = sum(one.split == "heldout" for one in examples)
        found.add(
            "leakage",
            "error" if len(leaked) * 10 > held else "warning",
            leaked.values(),
            f"{len(leaked):,} of {held:,} held-out rows are equal or nearly equal to rows that "
            "are trained on: the score would be too good.",
            "Delete them here or there, or give both the same group.",
        )
    if exact:
        found.add(
            "duplicates",
            "warning",
            exact.values(),
            f"{_rows(list(exact.values()))} the same input and output as an earlier one.",
            "Delete them: they only weigh more and take longer.",
        )
    if near:
        told = "their words" if by_words else "their words or their meaning"
        found.add(
            "near duplicates",
            "note",
            near.values(),
            f"{len(near):,} row{_s(near)} nearly repeat an earlier one, by {told}.",
            "Look at some of them; delete what teaches nothing new.",
        )


def _check_leaked_groups(examples: Sequence[Example], leaked: dict[int, Example]) -> None:
    sides: dict[str, set[str]] = defaultdict(set)
    for one in examples:
        sides[one.group].add(one.split)
    for at, one in enumerate(examples):
        if one.group and one.split == "heldout" and len(sides[one.group]) > 1:
            leaked[at] = one


def _check_conflicts(dataset: Dataset, examples: Sequence[Example], found: _Found) -> None:
    """The same input with different outputs: of free text that may be meant, of labels not."""
    by_input: dict[str, list[Example]] = defaultdict(list)
    for one in examples:
        by_input[plain(_key_text(one)) or one.input].append(one)
    rows = [
        one
        for group in by_input.values()
        if len({one.output for one in group}) > 1
        for one in group
    ]
    if rows:
        free = dataset.task in ("answers", "instruction")
        found.add(
            "conflicts",
            "note" if free else "warning",
            rows,
            f"{_rows(rows)} the same input as another one, but another output.",
            "Decide which one is right." if not free else "See whether both are meant.",
        )


def _check_labels(dataset: Dataset, examples: Sequence[Example], found: _Found) -> None:
    if dataset.task not in ("classification", "entities"):
        return
    train = [one for one in examples if one.split == "train"]
    counts = count_labels(dataset.task, train)
    heldout = {
        label
        for one in examples
        if one.split == "heldout"
        for label in labels_of(dataset.task, one.output)
    }
    unknown = sorted(heldout - set(counts))
    if unknown:
        rows = [
            one
            for one in examples
            if one.split == "heldout"
            and set(labels_of(dataset.task, one.output)) & set(unknown)
        ]
        found.add(
            "unknown labels",
            "warning",
            rows,
            f"{len(unknown)} label{_s(unknown)} are only held out, never trained on: "
            f"{_listed(unknown)}.",
            "Add rows with them to train on, or delete these.",
            dict.fromkeys(unknown[:ROWS_NAMED], 0),
        )
    few = {label: count for label, count in counts.items() if count < FEW_OF_A_LABEL}
    uneven = counts and max(counts.values()) > UNEVEN * min(counts.values())
    if few or uneven:
        told = [f"{label} ({count})" for label, count in (few or counts).items()][::-1]
        rare = few or {
            label: n for label, n in counts.items() if n * UNEVEN < max(counts.values())
        }
        rows = [one for one in train if set(labels_of(dataset.task, one.output)) & set(rare)]
        found.add(
            "balance",
            "warning",
            rows,
            f"The labels are uneven: the most frequent has {max(counts.values()):,} rows, "
            f"the rarest {min(counts.values())}. Rare: {_listed(told)}.",
            f"Add rows until each label has {FEW_OF_A_LABEL} or more, or join rare ones.",
            counts,
        )


def _check_sides(examples: Sequence[Example], found: _Found) -> None:
    train = [one for one in examples if one.split == "train"]
    if len(train) < FEW_ROWS:
        found.add(
            "few rows",
            "warning" if train else "error",
            train,
            f"There {'is' if len(train) == 1 else 'are'} {len(train)} row{_s(train)} to train "
            "on: a model learns hardly anything from so few.",
            f"Add examples; {FEW_ROWS} are a beginning, some hundreds are good.",
        )
    if len(train) == len(examples):
        found.add(
            "nothing held out",
            "error",
            [],
            "No row is held out, so nothing can show whether tuning helped.",
            "Move some rows to the held-out side, or import with a share held out.",
        )


def _check_personal(examples: Sequence[Example], found: _Found, job: Job) -> None:
    rows: list[Example] = []
    kinds: Counter[str] = Counter()
    for number, one in enumerate(examples):
        if number % _STEP == 0:
            job.checkpoint()
            job.progress(number, len(examples), "Looking for personal data")
        said = [text for turn in one.history for text in (turn.question, turn.answer)]
        marks = find_personal(
            "\n".join([one.input, one.output, one.context, one.system, *said])
        )
        if marks:
            rows.append(one)
            kinds.update({str(kind): count for kind, count in marks.items()})
    if rows:
        told = ", ".join(
            f"{count} {kind}{_es(kind, count)}" for kind, count in kinds.most_common()
        )
        found.add(
            "personal data",
            "warning",
            rows,
            f"{_rows(rows)} what looks like personal data: {told}.",
            "A model can repeat what it was tuned on: replace it unless it has to be there.",
            dict(kinds),
        )


def _rows(rows: Sequence[object]) -> str:
    return "1 row has" if len(rows) == 1 else f"{len(rows):,} rows have"


def _s(counted: Sequence[object] | dict[int, Example]) -> str:
    return "" if len(counted) == 1 else "s"


def _es(kind: str, count: int) -> str:
    if count == 1:
        return ""
    return "es" if kind.endswith("s") else "s"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:5]) + (" and others" if len(words) > 5 else "")
