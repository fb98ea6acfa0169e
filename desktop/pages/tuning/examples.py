"""The first step: which examples to learn from; import, look through, correct, add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QLineEdit, QStackedWidget, QWidget

from desktop.dialogs.confirm import confirm
from desktop.dialogs.example import ExampleDialog
from desktop.models.examples import ExamplesModel
from desktop.models.rows import Row, RowsModel
from desktop.pages.tuning.importing import ImportPanel
from desktop.pages.tuning.step import Draft, Step
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, ElidedLabel, button, column, icon_button, label, row
from desktop.widgets.drop_area import DropArea
from desktop.widgets.examples_table import ExamplesTable
from desktop.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.work.api import DatasetRow, ExampleRow, ImportReport

_TYPING_MS = 200
_MATCH_LIMIT = 200


class ExamplesStep(Step):
    """Shows one of three: what can be chosen, a file being imported, the chosen dataset."""

    mark = english.TUNE_STEP_EXAMPLES
    title = english.TUNE_EXAMPLES_TITLE
    text = english.TUNE_EXAMPLES_TEXT

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__(state, draft)
        self.importing = ImportPanel(state)
        self.model = ExamplesModel(state.client)
        self.model.setParent(self)
        self.table = ExamplesTable(self.model)
        self.datasets_model = RowsModel()
        self.datasets = RowList(self.datasets_model, english.DATASETS)
        self._ids: list[str] = []
        self._shown_at = ""
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._look)
        self._parts = QStackedWidget()
        for part in (self._build_choice(), self.importing, self._build_rows()):
            self._parts.addWidget(part)
        self.setLayout(column(self._parts))
        self._connect()
        self._show_datasets()

    # --- layout ---------------------------------------------------------------------------

    def _build_choice(self) -> QWidget:
        self.drop = DropArea()
        self.choose = button(english.EXAMPLES_CHOOSE, self.choose_file, "primary", "file-text")
        self.feedback = button(
            english.EXAMPLES_FEEDBACK, self.take_feedback, icon="message-square"
        )
        self.feedback.setToolTip(english.EXAMPLES_FEEDBACK_HINT)
        words = column(
            label(english.EXAMPLES_DROP, 1.12, BOLD, wrap=True),
            label(english.EXAMPLES_DROP_TEXT, 0.97, tone="muted", wrap=True),
            spacing=4,
        )
        inside = column(spacing=12, margins=(22, 18, 22, 18))
        inside.addLayout(words)
        inside.addLayout(row(self.choose, self.feedback, None))
        self.drop.setLayout(inside)
        self._have = label(english.DATASETS_CHOOSE, 1.0, BOLD)
        result = QWidget()
        layout = column(self.drop, spacing=12)
        layout.addSpacing(6)
        layout.addWidget(self._have)
        layout.addWidget(self.datasets, 1)
        result.setLayout(layout)
        return result

    def _build_rows(self) -> QWidget:
        self.name = ElidedLabel("", 1.08, BOLD)
        self.summary = label("", 0.97, tone="muted", wrap=True)
        self.others = button(english.EXAMPLES_OTHERS, self.choose_others, "link")
        self.search = QLineEdit()
        self.search.setPlaceholderText(english.EXAMPLES_SEARCH)
        self.search.setAccessibleName(english.EXAMPLES_SEARCH)
        self.search.setClearButtonEnabled(True)
        self.search.setMaxLength(_MATCH_LIMIT)
        self.search.setMinimumWidth(210)
        self.search.setMaximumWidth(300)
        self.add = icon_button("plus", english.EXAMPLE_ADD, self.add_example)
        self.edit = icon_button("pencil", english.EXAMPLE_EDIT, self.edit_chosen)
        self.remove = icon_button("trash-2", english.EXAMPLE_REMOVE, self.remove_chosen)
        self.only = button(english.EXAMPLES_SHOW_ALL, self.show_all, "chip", "x")
        self.only.hide()
        self._count = label("", 0.95, tone="muted")
        tools = row(self.search, self.only, self._count, None, spacing=8)
        for tool in (self.add, self.edit, self.remove):
            tools.addWidget(tool)
        head = row(spacing=12)
        head.addWidget(self.name, 1)
        head.addWidget(self.others, 0, Qt.AlignmentFlag.AlignRight)
        result = QWidget()
        layout = column(spacing=8)
        layout.addLayout(head)
        layout.addWidget(self.summary)
        layout.addLayout(tools)
        layout.addWidget(self.table, 1)
        result.setLayout(layout)
        return result

    def _connect(self) -> None:
        tunings = self.state.tunings
        tunings.datasets_changed.connect(self._show_datasets)
        self.drop.dropped.connect(lambda paths: self.import_file(paths[0]) if paths else None)
        self.datasets.opened.connect(self.use)
        self.importing.imported.connect(self.use)
        self.importing.given_up.connect(self.choose_others)
        self.table.opened.connect(self.edit_example)
        self.table.remove_wanted.connect(self.remove_chosen)
        self.table.chosen_changed.connect(self._allow)
        self.model.counted.connect(self._counted)
        self.model.failed.connect(self.state.notices.error)
        self.search.textChanged.connect(lambda text: self._typing.start())
        self._allow()

    # --- the step -------------------------------------------------------------------------

    def ready(self) -> bool:
        return self.state.tunings.dataset(self.draft.dataset) is not None and self.shows("rows")

    def shows(self, part: str) -> bool:
        """Whether it shows "choice", "import" or "rows" now."""
        return ("choice", "import", "rows")[self._parts.currentIndex()] == part

    def enter(self) -> None:
        if self.draft.dataset:
            self.use(self.draft.dataset)
        elif not self.shows("import"):
            self._turn("choice")

    def _turn(self, part: str) -> None:
        self._parts.setCurrentIndex(("choice", "import", "rows").index(part))
        self.changed.emit()

    # --- choosing -------------------------------------------------------------------------

    def _show_datasets(self) -> None:
        rows = []
        for one in self.state.tunings.datasets:
            icon = "triangle-alert" if one.problem else "database"
            figure = f"{english.TASKS[one.task]} · {one.rows:,}"
            rows.append(Row(one.id, one.name, icon, figure, one.problem))
        self.datasets_model.set_rows(rows)
        self._have.setVisible(bool(rows))
        self.datasets.setVisible(bool(rows))
        if self.draft.dataset:
            if self.state.tunings.dataset(self.draft.dataset) is None and rows:
                return  # just made; the list follows
            self._show_head()
            moment = next(
                (
                    d.updated_at
                    for d in self.state.tunings.datasets
                    if d.id == self.draft.dataset
                ),
                "",
            )
            if self.shows("rows") and moment != self._shown_at:
                self._shown_at = moment
                self._look()
        self.changed.emit()

    def use(self, dataset: str) -> None:
        """Tune with this dataset."""
        if dataset != self.draft.dataset:
            self._ids = []
            self.search.clear()
        self.draft.dataset = dataset
        self._show_head()
        self._look()
        self._turn("rows")

    def choose_others(self) -> None:
        """Show what else there is."""
        self.draft.dataset = ""
        self._turn("choice")
        self.choose.setFocus()

    def choose_file(self) -> None:
        """Let the user choose a file of examples."""
        dialog = QFileDialog(self.window(), english.EXAMPLES_DIALOG)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(english.EXAMPLES_FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.import_file)
        dialog.open()

    def import_file(self, path: str) -> None:
        """Show what an import would make of a file."""
        self.draft.dataset = ""
        self.importing.show_file(path)
        self._turn("import")

    def take_feedback(self) -> None:
        """Make examples of what was corrected and rejected in conversations."""
        self.feedback.setEnabled(False)
        call = self.state.tunings.ask("datasets.from_feedback", {})
        call.succeeded.connect(self._took_feedback)
        call.finished.connect(lambda: self.feedback.setEnabled(True))

    def _took_feedback(self, report: ImportReport) -> None:
        added = figures.count(report.added, *english.EXAMPLES)
        text = english.EXAMPLES_TOOK_FEEDBACK.format(rows=added)
        parts = [text if report.added else english.EXAMPLES_NOTHING_NEW, *report.warnings]
        self.state.notices.info(names.one_line(" ".join(parts)))
        self.use(report.dataset)

    # --- the rows -------------------------------------------------------------------------

    def _dataset(self) -> DatasetRow | None:
        return self.state.tunings.dataset(self.draft.dataset)

    def _show_head(self) -> None:
        one = self._dataset()
        if one is None:
            self.name.set_text("")
            self.summary.setText("")
            return
        self.name.set_text(one.name)
        parts = [
            english.TASKS[one.task],
            english.DATASET_TRAIN.format(rows=f"{one.train:,}"),
            english.DATASET_HELDOUT.format(rows=f"{one.heldout:,}"),
        ]
        if one.labels:
            parts.append(figures.count(len(one.labels), *english.LABELS))
        self.summary.setText(" · ".join(parts))
        self.summary.setToolTip(english.HELDOUT_HINT)

    def _look(self) -> None:
        one = self._dataset()
        task = one.task if one is not None else ""
        self._shown_at = one.updated_at if one is not None else ""
        search = self.search.text().strip()
        self.model.show_dataset(self.draft.dataset, task, search, self._ids)

    def show_only(self, ids: list[str], sentence: str) -> None:
        """Show nothing but the rows of a finding."""
        self.search.clear()
        self._typing.stop()
        self._ids = ids
        self.only.setText(f" {names.one_line(sentence, 40)}")
        self.only.setAccessibleName(english.EXAMPLES_SHOW_ALL)
        self.only.setToolTip(english.EXAMPLES_SHOW_ALL)
        self.only.setVisible(bool(ids))
        self._look()

    def show_all(self) -> None:
        """Show all rows again."""
        self.only.hide()
        self._ids = []
        self._look()

    def _counted(self, total: int) -> None:
        self._count.setText(figures.count(total, *english.EXAMPLE_ROWS))
        self._allow()

    def _allow(self) -> None:
        chosen = len(self.table.chosen())
        self.edit.setEnabled(chosen == 1)
        self.remove.setEnabled(chosen > 0)

    # --- changing rows --------------------------------------------------------------------

    def add_example(self) -> None:
        """Write a new example."""
        self.edit_example(None)

    def edit_chosen(self) -> None:
        """Change the chosen example."""
        chosen = self.table.chosen()
        if len(chosen) == 1:
            self.edit_example(chosen[0])

    def edit_example(self, example: ExampleRow | None) -> None:
        """Change an example, or write a new one."""
        one = self._dataset()
        if one is not None:
            ExampleDialog(self.window(), one, example, self._change).open()

    def remove_chosen(self) -> None:
        """Ask, then delete the chosen examples."""
        chosen, one = self.table.chosen(), self._dataset()
        if not chosen or one is None:
            return
        count = figures.count(len(chosen), *english.EXAMPLES)
        confirm(
            self.window(),
            english.EXAMPLE_REMOVE_TITLE.format(count=count),
            english.EXAMPLE_REMOVE_TEXT,
            english.DELETE,
            lambda: self._change({"dataset": one.id, "remove": [each.id for each in chosen]}),
        )

    def _change(self, fields: dict[str, Any]) -> None:
        call = self.state.tunings.ask("datasets.edit_row", fields)
        call.succeeded.connect(lambda report: self.model.look_again())
