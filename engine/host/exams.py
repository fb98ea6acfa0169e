"""Exams as the host and the command line use them."""

from __future__ import annotations

from collections.abc import Callable

from engine.compare import exams
from engine.compare.comparing import forget_exam
from engine.paths import Home
from engine.store.db import Store
from engine.work import api
from engine.work.jobs import NULL_JOB, Job


class Exams:
    """All that can be done with exams.

    Args:
        home, store: where they are kept.
        on_changed: told when a list of exams is stale.
    """

    def __init__(
        self, home: Home, store: Store, on_changed: Callable[[list[str]], None]
    ) -> None:
        self._home, self._store = home, store
        self._on_changed = on_changed

    def list(self) -> api.ExamList:
        """All exams, the newest first."""
        return api.ExamList(exams=exams.list_exams(self._store))

    def show(self, ref: api.ExamRef) -> api.ExamView:
        """One exam with its first items."""
        row = exams.find_exam(self._store, ref.exam)
        return api.ExamView(exam=row, first=exams.first_items(self._home, self._store, row.id))

    def import_file(self, spec: api.ImportExamSpec, job: Job = NULL_JOB) -> api.ExamReport:
        """Keep the questions of a file; see `import_exam`."""
        report = exams.import_exam(self._home, self._store, spec, job)
        self._on_changed(["exams"])
        return report

    def make(self, spec: api.MakeExamSpec) -> api.ExamReport:
        """Make an exam of a dataset's held-out rows; see `make_exam`."""
        report = exams.make_exam(self._home, self._store, spec)
        self._on_changed(["exams"])
        return report

    def remove(self, ref: api.ExamRef) -> api.ExamRow:
        """Delete an exam. Gives what it was."""
        row = exams.remove_exam(self._home, self._store, ref.exam)
        forget_exam(self._home, row.id)
        self._on_changed(["exams"])
        return row
