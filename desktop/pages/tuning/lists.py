"""The trainings and the datasets there are, a card each; cards change in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QProgressBar, QVBoxLayout, QWidget

from desktop import theme
from desktop.dialogs.confirm import confirm
from desktop.dialogs.naming import NamingDialog
from desktop.pages.tuning.train import left_words, run_words
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.tunings import ACTIVE, WAITING
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    clear_layout,
    column,
    icon_button,
    label,
    row,
    set_tone,
)

if TYPE_CHECKING:
    from engine.work.api import DatasetRow, RunView

_ICONS = {
    "done": ("circle-check", "good"),
    "stopped": ("circle-check", "good"),
    "failed": ("circle-alert", "danger"),
    "paused": ("circle-pause", "warning"),
    "interrupted": ("circle-pause", "warning"),
}


class Card(QFrame):
    """A line with an icon, a name with a sentence under it, and room for buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._picture = QLabel()
        self._picture.setFixedSize(22, 22)
        self._icon = ("circle", "muted")
        self.name = ElidedLabel("", 1.05, BOLD)
        self.facts = ElidedLabel("", 0.97, role="muted")
        self.tools = row(spacing=6)
        head = row(self._picture, spacing=12)
        head.addLayout(column(self.name, self.facts, spacing=2), 1)
        head.addLayout(self.tools)
        self.body = column(spacing=8, margins=(16, 12, 14, 12))
        self.body.addLayout(head)
        self.setLayout(self.body)
        theme.follow(self, self._paint)

    def show_icon(self, name: str, role: str) -> None:
        """Change the picture."""
        self._icon = name, role
        self._paint()

    def _paint(self) -> None:
        scale = max(2.0, self.devicePixelRatioF())
        self._picture.setPixmap(theme.pixmap(*self._icon, 20, scale))


class RunCard(Card):
    """One training: how far it is, and what can be done with it."""

    open_wanted = Signal(object)
    ask_wanted = Signal(str, object)
    """ "pause", "resume" or "remove", and the run."""

    def __init__(self) -> None:
        super().__init__()
        self.run: RunView | None = None
        self.state = label("", 0.97)
        self.left = label("", 0.97, tone="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.body.addWidget(self.bar)
        self.body.addLayout(row(self.state, None, self.left))
        self.open = button(english.RUN_OPEN, lambda: self.open_wanted.emit(self.run))
        self.pause = icon_button("pause", english.RUN_PAUSE, lambda: self._ask("pause"))
        self.resume = icon_button("play", english.RUN_RESUME, lambda: self._ask("resume"))
        self.remove = icon_button("trash-2", english.RUN_REMOVE, lambda: self._ask("remove"))
        for tool in (self.pause, self.resume, self.remove, self.open):
            tool.hide()
            self.tools.addWidget(tool)

    def _ask(self, what: str) -> None:
        self.ask_wanted.emit(what, self.run)

    def show_row(self, run: RunView) -> None:
        """Show it as it stands."""
        self.run = run
        self.name.set_text(run.name)
        method = english.METHODS[run.method][0]
        parts = [run.dataset_name, run.model_name, method, figures.when(run.created)]
        self.facts.set_text(" · ".join(part for part in parts if part))
        active, waiting = run.state in ACTIVE, run.state in WAITING
        self.show_icon(*_ICONS.get(run.state, ("loader-circle", "accent")))
        self.state.setText(state_words(run))
        set_tone(self.state, {"failed": "danger", "paused": "warning"}.get(run.state, "muted"))
        self.left.setText(left_words(run))
        self.bar.setVisible((active or waiting) and run.steps > 0)
        self.bar.setRange(0, max(1, run.steps))
        self.bar.setValue(run.step)
        self.bar.setAccessibleName(self.state.text())
        self.open.show()
        self.pause.setVisible(run.state == "running")
        self.resume.setVisible(waiting)
        self.remove.setVisible(not active)
        self.setAccessibleName(f"{self.name.text()}: {self.state.text()}")


class DatasetCard(Card):
    """One dataset."""

    use_wanted = Signal(str)
    ask_wanted = Signal(str, object)
    """ "rename" or "remove", and the dataset."""

    def __init__(self) -> None:
        super().__init__()
        self.dataset: DatasetRow | None = None
        self.problem = label("", 0.97, tone="warning", wrap=True)
        self.problem.hide()
        self.body.addWidget(self.problem)
        self.use = button(english.DATASET_USE, self._use)
        self.rename = icon_button("pencil", english.DATASET_RENAME, lambda: self._ask("rename"))
        self.remove = icon_button(
            "trash-2", english.DATASET_REMOVE, lambda: self._ask("remove")
        )
        for tool in (self.rename, self.remove, self.use):
            self.tools.addWidget(tool)
        self.show_icon("database", "muted")

    def _use(self) -> None:
        if self.dataset is not None:
            self.use_wanted.emit(self.dataset.id)

    def _ask(self, what: str) -> None:
        self.ask_wanted.emit(what, self.dataset)

    def show_row(self, dataset: DatasetRow) -> None:
        """Show it as it is."""
        self.dataset = dataset
        self.name.set_text(dataset.name)
        parts = [
            english.TASKS[dataset.task],
            english.DATASET_TRAIN.format(rows=f"{dataset.train:,}"),
            english.DATASET_HELDOUT.format(rows=f"{dataset.heldout:,}"),
            figures.when(dataset.updated_at),
        ]
        self.facts.set_text(" · ".join(parts))
        self.use.setEnabled(not dataset.problem)
        self.problem.setText(names.one_line(dataset.problem, 300))
        self.problem.setVisible(bool(dataset.problem))
        self.setAccessibleName(f"{self.name.text()}: {self.facts.text()}")


class Cards(QWidget):
    """Cards of one kind, in the order of the rows; the same ids are updated in place."""

    def __init__(self, make, empty: QWidget) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self._make = make
        self._ids: list[str] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        self.empty = empty
        layout = column(self.empty, spacing=0)
        layout.addLayout(self._list)
        layout.addStretch(1)
        self.setLayout(layout)

    def cards(self) -> list[Any]:
        """The cards on the page."""
        return [self._list.itemAt(i).widget() for i in range(self._list.count())]

    def set_rows(self, rows: list[Any]) -> None:
        """Show these rows."""
        ids = [one.id for one in rows]
        if ids != self._ids:
            self._ids = ids
            clear_layout(self._list)
            for _ in rows:
                self._list.addWidget(self._make())
        for card, one in zip(self.cards(), rows, strict=True):
            card.show_row(one)
        self.empty.setVisible(not rows)


class RunList(Cards):
    """The trainings, the newest first."""

    open_wanted = Signal(object)

    def __init__(self, state: AppState, empty: QWidget) -> None:
        super().__init__(self._card, empty)
        self._state = state
        state.tunings.runs_changed.connect(self._show)
        self._show()

    def _card(self) -> RunCard:
        card = RunCard()
        card.open_wanted.connect(self.open_wanted)
        card.ask_wanted.connect(self._ask)
        return card

    def _show(self) -> None:
        self.set_rows(self._state.tunings.runs)

    def _ask(self, what: str, run: RunView) -> None:
        def act() -> None:
            self._state.tunings.ask(f"runs.{what}", {"run": run.id})

        if what != "remove":
            act()
            return
        title = english.RUN_REMOVE_TITLE.format(name=names.one_line(run.name, 80))
        text = english.RUN_REMOVE_TEXT if run.report is not None else english.RUN_CANCEL_TEXT
        confirm(self.window(), title, text, english.REMOVE, act)


class DatasetList(Cards):
    """The datasets, the newest first."""

    use_wanted = Signal(str)

    def __init__(self, state: AppState, empty: QWidget) -> None:
        super().__init__(self._card, empty)
        self._state = state
        state.tunings.datasets_changed.connect(self._show)
        self._show()

    def _card(self) -> DatasetCard:
        card = DatasetCard()
        card.use_wanted.connect(self.use_wanted)
        card.ask_wanted.connect(self._ask)
        return card

    def _show(self) -> None:
        self.set_rows(self._state.tunings.datasets)

    def _ask(self, what: str, dataset: DatasetRow) -> None:
        tunings, name = self._state.tunings, names.one_line(dataset.name, 80)
        if what == "rename":
            others = [one.name for one in tunings.datasets if one.id != dataset.id]
            NamingDialog(
                self.window(),
                english.DATASET_RENAME,
                dataset.name,
                others,
                lambda text: tunings.ask(
                    "datasets.rename", {"dataset": dataset.id, "name": text}
                ),
            ).open()
            return
        confirm(
            self.window(),
            english.DATASET_REMOVE_TITLE.format(name=name),
            english.DATASET_REMOVE_TEXT,
            english.REMOVE,
            lambda: tunings.ask("datasets.remove", {"dataset": dataset.id}),
        )


def state_words(run: RunView) -> str:
    """Where a run stands, in a line; why, when it failed."""
    if run.state == "failed":
        message = (run.error or {}).get("message", "")
        return names.one_line(f"{english.RUN_STATES['failed']}: {message}", 240)
    words = run_words(run)
    if run.report is not None and run.report.loss.heldout is not None:
        before, after = run.report.loss.before, run.report.loss.heldout
        if before is not None:
            words += " · " + english.RUN_LOSS.format(
                before=f"{before:.2f}", after=f"{after:.2f}"
            )
    return words


def empty_note(title: str, text: str, *buttons: QWidget) -> QWidget:
    """What stands where nothing is yet."""
    heading = label(title, 1.15, BOLD)
    heading.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    words = label(text, tone="muted", wrap=True)
    words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    result = QWidget()
    layout = column(spacing=8, margins=(60, 48, 60, 24))
    layout.addWidget(heading)
    layout.addWidget(words)
    if buttons:
        layout.addSpacing(8)
        layout.addLayout(row(None, *buttons, None))
    result.setLayout(layout)
    return result
