"""A file of examples before it is imported: what was recognised, and how to correct it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.client import Call
from desktop.models.examples import ExamplesModel
from desktop.pages.tuning.step import Remark, Remarks
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, ElidedLabel, button, column, label, row
from desktop.widgets.chooser import Chooser
from desktop.widgets.examples_table import ExamplesTable
from desktop.widgets.problem_box import ProblemBox
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import ImportPreview, ImportReport

ROLES = ("input", "output", "context", "system", "messages", "group", "split")
_USUAL = ("input", "output")
_WITH_CONTEXT = ("answers", "instruction")
_MOST_COLUMNS = 60
_BROKEN_SHOWN = 3


class ImportPanel(QWidget):
    """Previews one file; `imported` gives the id of the dataset that was made."""

    imported = Signal(str)
    given_up = Signal()

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self._state = state
        self.path = ""
        self.preview: ImportPreview | None = None
        self._task = ""
        self._columns: dict[str, str] = {}
        self._call: Call | None = None
        self.model = ExamplesModel(state.client)
        self.model.setParent(self)
        self.table = ExamplesTable(self.model, english.IMPORT_TABLE)
        self.choosers: dict[str, Chooser] = {}
        self._rows: dict[str, list[QWidget]] = {}
        self._build()

    def _build(self) -> None:
        self._name = ElidedLabel("", 1.12, BOLD)
        self.recognised = label("", tone="muted", wrap=True)
        self.task = Chooser(english.TASK)
        self.task.chosen.connect(self._choose_task)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(2, 1)
        self.task_hint = label("", 0.95, tone="muted")
        self.no_columns = Remark(english.IMPORT_NO_COLUMNS)
        self._grid.addWidget(label(english.TASK, tone="muted"), 0, 0)
        self._grid.addWidget(self.task, 0, 1)
        self._grid.addWidget(self.task_hint, 0, 2)
        self._grid.addWidget(self.no_columns, 1, 1, 1, 2)
        self._remarks = Remarks()
        self._pulse = Pulse()
        self.problem = ProblemBox()
        self.take = button(english.IMPORT_TAKE, self.take_in, "primary", "check")
        self.cancel = button(english.CANCEL, self.give_up)
        layout = column(self._name, self.recognised, spacing=10)
        layout.addLayout(self._grid)
        layout.addWidget(self._remarks)
        layout.addWidget(self.problem)
        layout.addWidget(self._pulse)
        layout.addWidget(self.table, 1)
        layout.addLayout(row(None, self.cancel, self.take))
        self.setLayout(layout)

    def show_file(self, path: str) -> None:
        """Look at a file anew."""
        self.path, self._task, self._columns = path, "", {}
        self.preview = None
        self._name.set_text(names.file_name(path))
        self._look()

    # --- looking --------------------------------------------------------------------------

    def _spec(self) -> dict[str, Any]:
        result: dict[str, Any] = {"path": self.path, "columns": self._columns}
        if self._task:
            result["task"] = self._task
        return result

    def _look(self) -> None:
        self._drop_call()
        self.problem.show_error(None)
        self._pulse.say(english.IMPORT_LOOKING)
        call = self._call = self._state.client.request("datasets.preview", self._spec())
        self._show()
        call.succeeded.connect(lambda made: self._looked(call, made))
        call.failed.connect(lambda error: self._failed(call, error))

    def _looked(self, call: Call, made: ImportPreview) -> None:
        if call is self._call:
            self._call, self.preview = None, made
            self._task = made.task
            self._show()

    def _failed(self, call: Call, error: EngineError) -> None:
        if call is self._call:
            self._call = None
            self.preview = None
            if not isinstance(error, Cancelled):
                self.problem.show_error(error)
            self._show()

    def _drop_call(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call.cancel()

    def _show(self) -> None:
        made = self.preview
        self._pulse.setVisible(self._call is not None)
        found = made is not None and made.rows > 0
        self.take.setEnabled(found and self._call is None)
        tasks = list(english.TASKS.items())
        self.task.set_choices(tasks, self._task)
        if not self._task:
            self.task.set_shown(english.TASK)
        self.recognised.setVisible(made is not None)
        self.table.setVisible(found)
        if made is None:
            return
        rows = figures.count(made.rows, *english.EXAMPLES)
        self.recognised.setText(
            english.IMPORT_RECOGNISED.format(
                rows=rows, heldout=f"{made.heldout:,}", format=names.one_line(made.format, 40)
            )
        )
        self._show_columns(made)
        self.model.show_rows(made.first, made.task)
        remarks = [(names.one_line(text, 300), "warning") for text in made.warnings[:4]]
        if made.broken_total:
            left = figures.count(made.broken_total, *english.EXAMPLE_ROWS)
            why = "; ".join(
                english.IMPORT_BROKEN_ROW.format(line=one.line, why=one.reason)
                for one in made.broken[:_BROKEN_SHOWN]
            )
            text = english.IMPORT_BROKEN.format(rows=left, why=names.one_line(why, 300))
            remarks.append((text, "warning"))
        self._remarks.say(remarks)

    def _show_columns(self, made: ImportPreview) -> None:
        """One line a role: those that are used, and those that could be."""
        self.task_hint.setText(english.TASK_HINTS[made.task])
        self.no_columns.setVisible(not made.available)
        offered = (*_USUAL, "context") if made.task in _WITH_CONTEXT else _USUAL
        if made.columns.get("messages"):
            offered = ()
        choices = [("", english.IMPORT_NO_COLUMN)]
        choices += [(name, name) for name in made.available[:_MOST_COLUMNS]]
        for role in ROLES:
            chosen = made.columns.get(role, "")
            used = bool(made.available) and (role in offered or bool(chosen))
            if used and role not in self.choosers:
                self._add_role(role)
            for part in self._rows.get(role, []):
                part.setVisible(used)
            if used:
                chooser = self.choosers[role]
                chooser.set_choices(choices, chosen)
                if chosen and chosen not in made.available:
                    chooser.set_shown(chosen)  # several columns, parted by commas

    def _add_role(self, role: str) -> None:
        """Made when first needed, and kept: who chooses keeps the focus."""
        at = 2 + ROLES.index(role)
        chooser = self.choosers[role] = Chooser(english.ROLES[role])
        chooser.chosen.connect(lambda name: self.choose_column(role, name))
        name = label(english.ROLES[role], tone="muted")
        hint = label(english.ROLE_HINTS[role], 0.95, tone="muted")
        self._rows[role] = [name, chooser, hint]
        for place, part in enumerate(self._rows[role]):
            self._grid.addWidget(part, at, place)

    # --- correcting and taking in ---------------------------------------------------------

    def _choose_task(self, task: str) -> None:
        self._task = task
        self._look()

    def choose_column(self, role: str, name: str) -> None:
        """Take another column for a role, or none."""
        self._columns = {**self._columns, role: name}
        self._look()

    def take_in(self) -> None:
        """Make a dataset of the file as it is understood now."""
        self.take.setEnabled(False)
        self._pulse.say(english.IMPORT_TAKING)
        call = self._call = self._state.client.request("datasets.import", self._spec())
        self._pulse.show()
        call.succeeded.connect(lambda report: self._taken(call, report))
        call.failed.connect(lambda error: self._failed(call, error))

    def _taken(self, call: Call, report: ImportReport) -> None:
        if call is self._call:
            self._call = None
            self._pulse.hide()
            self._state.tunings.refresh("datasets")
            rows = figures.count(report.rows, *english.EXAMPLES)
            name = names.one_line(report.name, 80)
            self._state.notices.info(english.IMPORTED.format(name=name, rows=rows))
            self.imported.emit(report.dataset)

    def give_up(self) -> None:
        """Look at this file no longer."""
        self._drop_call()
        self.given_up.emit()
