"""Datasets as the host and the command line use them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InvalidInput
from engine.store import conversations
from engine.tuning.datasets import editing, storing
from engine.tuning.datasets.checking import (
    USUAL_MAX_TOKENS,
    Means,
    Pairs,
    check_dataset,
)
from engine.tuning.datasets.feedback import gather
from engine.tuning.datasets.importing import Imported, ImportPlan, read_examples
from engine.work import api
from engine.work.jobs import NULL_JOB, Job

if TYPE_CHECKING:
    from engine.host.parts import Parts

_FIRST = 10
_CONVERSATIONS = "conversations"


class Datasets:
    """All that can be done with datasets.

    Args:
        parts: the engine's parts; models are started only when something needs them.
        on_changed: told when a list of datasets is stale.
    """

    def __init__(self, parts: Parts, on_changed: Callable[[list[str]], None]) -> None:
        self._parts = parts
        self._home, self._store = parts.home, parts.store
        self._on_changed = on_changed

    def list(self) -> api.DatasetList:
        """All datasets, the newest first."""
        return api.DatasetList(datasets=storing.list_datasets(self._home, self._store))

    def find(self, ref: str) -> api.DatasetRow:
        """One dataset; see `find_dataset`."""
        return storing.find_dataset(self._home, self._store, ref)

    def show(self, ref: api.DatasetRef) -> api.DatasetView:
        """One dataset with its first examples; see `show_dataset`."""
        return editing.show_dataset(self._home, self._store, ref.dataset)

    def preview(self, spec: api.ImportSpec, job: Job = NULL_JOB) -> api.ImportPreview:
        """What an import would make of a file; errors as in `import_file`."""
        made = read_examples(_plan(spec), job)
        sides = [one.split for one in made.examples]
        return api.ImportPreview(
            path=spec.path,
            format=made.format,
            task=made.meaning.task,
            confidence=made.meaning.confidence,
            columns=made.meaning.columns,
            available=made.available,
            rows=len(sides),
            train=sides.count("train"),
            heldout=sides.count("heldout"),
            labels=made.labels,
            parts=made.parts,
            first=[editing.as_row(one) for one in made.examples[:_FIRST]],
            broken=_broken(made),
            broken_total=made.broken_total,
            warnings=made.warnings,
        )

    def import_file(self, spec: api.ImportSpec, job: Job = NULL_JOB) -> api.ImportReport:
        """Make a dataset of a file.

        Raises:
            InvalidInput: it cannot be read or understood, or gives no examples.
            StorageFull: no room; nothing was kept.
            Cancelled: `job` was cancelled; nothing was kept.
        """
        path = Path(spec.path).expanduser()
        made = read_examples(_plan(spec), job)
        job.checkpoint()
        row = storing.save_dataset(
            self._home,
            self._store,
            spec.name or path.stem,
            made.meaning.task,
            path.name,
            made.examples,
            spec.seed,
        )
        self._on_changed(["datasets"])
        return _report(row, made.warnings, _broken(made), made.broken_total)

    def check(self, spec: api.CheckSpec, job: Job = NULL_JOB) -> api.DatasetCheck:
        """Look for what would spoil a tuning; see `check_dataset`.

        Raises:
            InvalidInput: there is no such dataset or model.
            ModelUnavailable, NotEnoughMemory, WorkerCrashed: the model cannot be used.
            Cancelled: `job` was cancelled.
        """
        dataset = storing.load_dataset(self._home, self._store, spec.dataset)
        near = self._near_by_meaning if spec.by_meaning else None
        if spec.model is None:
            limit = spec.max_tokens or USUAL_MAX_TOKENS
            return check_dataset(dataset, Means(near_by_meaning=near, max_tokens=limit), job)
        card = self._parts.models.find(spec.model)
        limit = spec.max_tokens or card.context_used // 2

        def count(texts: Sequence[str], job: Job) -> list[int]:
            # A step at a time: between two of them a question can have the model.
            with self._parts.generator.using(card, job) as model:
                return model.count_tokens(texts, job)

        return check_dataset(dataset, Means(count, card.name, near, limit), job)

    def make(self, spec: api.MakeExamplesSpec, job: Job = NULL_JOB) -> api.MakeExamplesReport:
        """Make questions and answers from a library; see `make_examples` for the errors."""
        from engine.tuning.datasets.splitting import split
        from engine.tuning.making.making import Made, Means, flaw_sentences, make_examples

        parts = self._parts
        view, card = parts.libraries.find(spec.library), parts.models.find(spec.model)
        holdings = parts.libraries.holdings
        means = Means(
            self._home,
            parts.generator,
            parts.libraries.search,
            holdings.draw,
            holdings.drawn,
            parts.lease,
            parts.idle,
        )
        rows: list[api.DatasetRow] = []

        def keep(made: Made) -> None:
            name = spec.name or f"Questions from {view.name}"
            examples = split(made.examples, "answers", spec.share, spec.seed)
            rows.append(
                storing.save_dataset(
                    self._home, self._store, name, "answers", view.name, examples, spec.seed
                )
            )

        job.progress(0, 0, f"Loading {card.name}")
        parts.generator.load(card, job)
        made = make_examples(means, view, card, spec, job, keep)
        self._on_changed(["datasets"])
        row, sample = rows[0], made.sample
        assert sample is not None
        answerable = row.rows - made.unanswerable
        warnings = [sample.sentence]
        if answerable < spec.count:
            warnings.append(
                f"{answerable} of the {spec.count} questions wanted could be made: this "
                "library has no more passages for it."
            )
        if not row.heldout:
            warnings.append("Nothing is held out: all rows come from one document.")
        return api.MakeExamplesReport(
            dataset=row.id,
            name=row.name,
            task=row.task,
            rows=row.rows,
            train=row.train,
            heldout=row.heldout,
            answerable=answerable,
            unanswerable=made.unanswerable,
            model=card.id,
            tried=made.tried,
            usable=made.usable,
            flaws={str(flaw): count for flaw, count in made.flaws.most_common()},
            sample=sample,
            warnings=[*warnings, *flaw_sentences(made.flaws)],
        )

    def _near_by_meaning(self, texts: Sequence[str], job: Job) -> Pairs:
        from engine.tuning.datasets.meaning import near_by_meaning

        return near_by_meaning(texts, self._parts.embedder.embed_passages, job)

    def rows(self, spec: api.RowsSpec) -> api.RowsPage:
        """A page of examples; see `page`."""
        return editing.page(self._home, self._store, spec)

    def edit_row(self, spec: api.EditRowSpec) -> api.EditReport:
        """Change, add or remove rows; see `edit`."""
        report = editing.edit(self._home, self._store, spec)
        self._on_changed(["datasets"])
        return report

    def rename(self, spec: api.RenameDatasetSpec) -> api.DatasetRow:
        """Give a dataset another name."""
        row = storing.rename_dataset(self._home, self._store, spec.dataset, spec.name)
        self._on_changed(["datasets"])
        return row

    def remove(self, ref: api.DatasetRef) -> api.DatasetRow:
        """Delete a dataset; what was tuned with it stays. Gives what it was."""
        row = storing.remove_dataset(self._home, self._store, ref.dataset)
        self._on_changed(["datasets"])
        return row

    def from_feedback(self, spec: api.FromFeedbackSpec) -> api.ImportReport:
        """Make examples of what the user corrected or rejected in conversations.

        Without a dataset named they go to the one that was made so before.

        Raises:
            InvalidInput: nothing was corrected or rejected, or the dataset is for another task.
        """
        rated = conversations.rated(self._store)
        row = self._feedback_dataset(spec)
        if row is None:
            made = gather(rated, (), spec.share, spec.seed)
            if not made.examples:
                raise InvalidInput(
                    "No answer was corrected or rejected yet.",
                    hint="Correct answers in your conversations first.",
                )
            row = storing.save_dataset(
                self._home,
                self._store,
                spec.name or "Corrections",
                "answers",
                _CONVERSATIONS,
                made.examples,
                spec.seed,
            )
        else:
            with storing.writing(self._home):
                dataset = storing.load_dataset(self._home, self._store, row.id)
                made = gather(rated, [*dataset.read()], spec.share, spec.seed)
                if made.added or made.changed:
                    row = storing.replace_examples(self._home, self._store, row, made.examples)
        self._on_changed(["datasets"])
        warnings: list[str] = []
        if made.waiting:
            warnings.append(
                f"Rejected answers without a right one: {made.waiting}. They are not trained "
                "on until you write it in the table."
            )
        return _report(row, warnings, [], 0, made.added)

    def _feedback_dataset(self, spec: api.FromFeedbackSpec) -> api.DatasetRow | None:
        if spec.dataset:
            row = self.find(spec.dataset)
            if row.task != "answers":
                raise InvalidInput(f"{row.name!r} is no dataset of questions and answers.")
            return row
        if spec.name:
            return None
        known = storing.list_datasets(self._home, self._store)
        return next((row for row in known if row.source == _CONVERSATIONS), None)


def _plan(spec: api.ImportSpec) -> ImportPlan:
    return ImportPlan(
        path=Path(spec.path).expanduser(),
        task=spec.task,
        columns=spec.columns,
        heldout=Path(spec.heldout).expanduser() if spec.heldout else None,
        parts=spec.parts,
        labels=spec.labels,
        per_label=spec.per_label,
        share=spec.share,
        seed=spec.seed,
    )


def _broken(made: Imported) -> list[api.BrokenRow]:
    return [api.BrokenRow(line=one.line, reason=one.reason) for one in made.broken]


def _report(
    row: api.DatasetRow,
    warnings: list[str],
    broken: list[api.BrokenRow],
    broken_total: int,
    added: int | None = None,
) -> api.ImportReport:
    return api.ImportReport(
        dataset=row.id,
        name=row.name,
        task=row.task,
        rows=row.rows,
        train=row.train,
        heldout=row.heldout,
        labels=row.labels,
        added=row.rows if added is None else added,
        broken=broken,
        broken_total=broken_total,
        warnings=warnings,
    )
