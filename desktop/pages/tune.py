"""Tuning: trainings, examples and adapters, and the wizard that leads from one to the next."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QStackedWidget, QWidget

from desktop.pages.tuning.adapters import AdapterList
from desktop.pages.tuning.lists import DatasetList, RunList, empty_note
from desktop.pages.tuning.step import scrolling
from desktop.pages.tuning.wizard import TuneWizard
from desktop.state import AppState
from desktop.strings import english
from desktop.widgets.basics import BOLD, button, centred, column, label, row

if TYPE_CHECKING:
    from engine.work.api import RunView

_WIDTH_PX = 860
SECTIONS = (
    ("runs", english.TUNE_RUNS),
    ("examples", english.TUNE_DATASETS),
    ("adapters", english.TUNE_ADAPTERS),
)
EXAMPLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".conll", ".bio", ".txt")


class TunePage(QFrame):
    """An overview in three sections, or the wizard in its place."""

    changed = Signal()
    """Another part is shown, or what can be done has changed."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self._wizard: TuneWizard | None = None
        self.tabs: dict[str, QPushButton] = {}
        self.runs = RunList(
            state,
            empty_note(
                english.TUNE_EMPTY,
                english.TUNE_EMPTY_TEXT,
                button(english.TUNE_NEW, self.begin, "primary", "wand-sparkles"),
            ),
        )
        self.datasets = DatasetList(
            state, empty_note(english.DATASETS_EMPTY, english.DATASETS_EMPTY_TEXT)
        )
        self.adapters = AdapterList(
            state, empty_note(english.ADAPTERS_EMPTY, english.ADAPTERS_EMPTY_TEXT)
        )
        self._build()
        self.runs.open_wanted.connect(self.open_run)
        self.datasets.use_wanted.connect(self.begin_with)
        tunings = state.tunings
        for signal in (
            tunings.runs_changed,
            tunings.datasets_changed,
            tunings.adapters_changed,
        ):
            signal.connect(self._show_counts)
        self.show_section("runs")

    def _build(self) -> None:
        self.bring = button(english.TUNE_IMPORT, self.choose_examples, icon="file-text")
        self.bring_adapter = button(
            english.ADAPTER_IMPORT, self.import_adapter, icon="download"
        )
        self.new = button(english.TUNE_NEW, self.begin, "primary", "wand-sparkles")
        head = row(label(english.TUNE_PAGE, 1.5, BOLD), None, spacing=8)
        for each in (self.bring, self.bring_adapter, self.new):
            head.addWidget(each)
        group = QButtonGroup(self)
        group.setExclusive(True)
        tabs = row(spacing=4)
        for name, text in SECTIONS:
            tab = button(text, lambda name=name: self.show_section(name), "segment")
            tab.setCheckable(True)
            tab.setAccessibleDescription(english.TUNE_SECTION)
            group.addButton(tab)
            self.tabs[name] = tab
            tabs.addWidget(tab)
        tabs.addStretch(1)
        upper = QWidget()
        top = column(spacing=10, margins=(28, 20, 28, 4))
        top.addLayout(head)
        top.addWidget(label(english.TUNE_PAGE_TEXT, tone="muted", wrap=True))
        top.addLayout(tabs)
        upper.setLayout(top)
        self._sections = QStackedWidget()
        for part in (self.runs, self.datasets, self.adapters):
            inner = QWidget()
            inner.setLayout(column(part, margins=(28, 8, 28, 28)))
            self._sections.addWidget(scrolling(centred(inner, _WIDTH_PX)))
        overview = QWidget()
        layout = column(centred(upper, _WIDTH_PX), spacing=0)
        layout.addWidget(self._sections, 1)
        overview.setLayout(layout)
        self._parts = QStackedWidget()
        self._parts.addWidget(overview)
        self.setLayout(column(self._parts))

    @property
    def wizard(self) -> TuneWizard:
        """The wizard, made when it is first wanted: the window is to show without it."""
        if self._wizard is None:
            wizard = self._wizard = TuneWizard(self._state)
            self._parts.addWidget(wizard)
            wizard.closed.connect(lambda: self.show_section(self.section()))
            wizard.finished.connect(
                lambda made: self.show_section("adapters" if made else "runs")
            )
            wizard.moved.connect(self.changed)
        return self._wizard

    # --- where the user is ----------------------------------------------------------------

    @property
    def in_wizard(self) -> bool:
        """Whether the wizard is shown."""
        return self._wizard is not None and self._parts.currentWidget() is self._wizard

    def section(self) -> str:
        """The section of the overview."""
        return SECTIONS[self._sections.currentIndex()][0]

    def show_section(self, name: str) -> None:
        """Show a section of the overview: runs, examples or adapters."""
        self._sections.setCurrentIndex([each for each, _ in SECTIONS].index(name))
        self.tabs[name].setChecked(True)
        self._parts.setCurrentIndex(0)
        self._show_counts()
        self.changed.emit()

    def _show_wizard(self) -> None:
        self._parts.setCurrentWidget(self.wizard)
        self.wizard.next.setFocus()
        self.changed.emit()

    def _show_counts(self) -> None:
        tunings = self._state.tunings
        counts = {
            "runs": len(tunings.runs),
            "examples": len(tunings.datasets),
            "adapters": len(tunings.adapters),
        }
        for name, text in SECTIONS:
            self.tabs[name].setText(f"{text}  {counts[name]}" if counts[name] else text)
        self.changed.emit()

    # --- doing ----------------------------------------------------------------------------

    def begin(self) -> None:
        """A new tuning."""
        self.wizard.begin()
        self._show_wizard()

    def begin_with(self, dataset: str) -> None:
        """A new tuning with this dataset."""
        self.wizard.begin(dataset)
        self._show_wizard()

    def choose_examples(self) -> None:
        """Let the user choose a file, and show what an import would make of it."""
        self.begin()
        self.wizard.examples.choose_file()

    def import_adapter(self) -> None:
        """Let the user choose an adapter file, and check it."""
        self.show_section("adapters")
        self.adapters.choose_import()

    def take_feedback(self) -> None:
        """Make examples of the corrections in conversations, and show them."""
        self.begin()
        self.wizard.examples.take_feedback()

    def open_run(self, run: RunView) -> None:
        """Show a training as it goes, or what came of it."""
        self.wizard.attach(run)
        self._show_wizard()

    def current_run(self) -> RunView | None:
        """The run that commands are about: the one shown, else one that is active."""
        if self.in_wizard and self.wizard.draft.run:
            return self._state.tunings.run(self.wizard.draft.run)
        active = self._state.tunings.active()
        return active[0] if active else None

    def ask_run(self, what: str) -> None:
        """Pause, resume or stop the run that is meant."""
        run = self.current_run()
        if run is not None:
            self._state.tunings.ask(f"runs.{what}", {"run": run.id})

    def escape(self) -> None:
        """Leave the wizard; nothing ends."""
        if self.in_wizard:
            self.show_section(self.section())

    def takes(self, paths: list[str]) -> str:
        """What a drop of these does here: "adapter", "examples" or "" for nothing."""
        for path in paths:
            lower = path.lower()
            if lower.endswith(".gguf") or is_peft(path):
                return "adapter"
            if lower.endswith(EXAMPLE_SUFFIXES) and not os.path.isdir(path):
                return "examples"
        return ""

    def take(self, paths: list[str]) -> None:
        """Take in what was dropped: adapters all, of files with examples the first."""
        if self.takes(paths) == "adapter":
            self.show_section("adapters")
            for path in paths:
                if self.takes([path]) == "adapter":
                    self.adapters.take_path(path)
        elif self.takes(paths) == "examples":
            file = next(path for path in paths if self.takes([path]) == "examples")
            # Off the drop's stack: the page that is shown next takes drops itself.
            QTimer.singleShot(0, self, lambda: self._import(file))

    def _import(self, file: str) -> None:
        self.wizard.import_file(file)
        self._show_wizard()


def is_peft(path: str) -> bool:
    """Whether a path is a folder as peft writes it."""
    return os.path.isfile(os.path.join(path, "adapter_config.json"))
