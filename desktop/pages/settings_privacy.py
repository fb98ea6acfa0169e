"""Privacy: what is kept, where, how much of it, and how to be rid of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from desktop import theme
from desktop.client import Call
from desktop.dialogs.confirm import confirm
from desktop.preferences import Preferences
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    clear_layout,
    column,
    label,
    row,
)
from desktop.widgets.setting_rows import section, setting
from desktop.widgets.states_card import StatesCard
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import LibraryView, StorageReport

PARTS = {
    "libraries": english.STORED_LIBRARIES,
    "conversations": english.STORED_CONVERSATIONS,
    "models": english.STORED_MODELS,
    "scans": english.STORED_SCANS,
    "states": english.STORED_STATES,
    "logs": english.STORED_LOGS,
    "other": english.STORED_OTHER,
}


class PrivacySettings(QWidget):
    """Sizes are asked for when the section is shown."""

    changed = Signal()
    library_remove = Signal(str)

    def __init__(self, state: AppState, preferences: Preferences, home: str) -> None:
        super().__init__()
        self._state = state
        self._home = home
        self._call: Call | None = None
        self._shown: list[tuple[str, str, int]] = []
        self.total = label("", weight=BOLD)
        self.clear = button(english.CLEAR_ALL, self._clear, "danger")
        self.states = StatesCard(state, preferences)
        self.states.changed.connect(self.changed)
        self.states.cleared.connect(self.measure)
        layout = column(spacing=14, margins=(28, 10, 28, 28))
        for part in (
            self._promise(),
            self._kept(),
            self.states,
            self._libraries(),
            self._questions(),
        ):
            layout.addWidget(part)
        layout.addStretch(1)
        self.setLayout(layout)
        state.libraries_changed.connect(self._show_libraries)
        state.conversations_changed.connect(self._show_questions)
        self._show_libraries()
        self._show_questions()

    # --- cards ----------------------------------------------------------------------------

    def _promise(self) -> QFrame:
        picture = QLabel()
        picture.setFixedSize(26, 26)
        theme.set_label_icon(picture, "shield-check", "good", 24)
        words = column(
            label(english.OFFLINE_TITLE, 1.08, BOLD, wrap=True),
            label(english.OFFLINE_TEXT, tone="muted", wrap=True),
            spacing=4,
        )
        line = row(spacing=14)
        line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        return section("", line)

    def _kept(self) -> QFrame:
        path = ElidedLabel(self._home, mode=Qt.TextElideMode.ElideMiddle)
        self.copy = button(english.SETTINGS_COPY_HOME, self._copy_home)
        self.open = button(english.SETTINGS_OPEN_HOME, self.open_home)
        place = row(path, self.copy, self.open)
        place.setStretch(0, 1)
        self._sizes = QVBoxLayout()
        return section(
            english.SETTINGS_DATA,
            label(english.SETTINGS_HOME, 0.95, tone="muted", wrap=True),
            place,
            self._sizes,
        )

    def _libraries(self) -> QFrame:
        self._rows = QVBoxLayout()
        self._rows.setSpacing(10)
        self._libraries_card = section(
            english.SETTINGS_INDEXES,
            label(english.SETTINGS_INDEXES_TEXT, 0.92, tone="muted", wrap=True),
            self._rows,
        )
        return self._libraries_card

    def _questions(self) -> QFrame:
        self._questions_text = label("", 0.92, tone="muted", wrap=True)
        words = setting(english.CLEAR_TITLE, english.CLEAR_TEXT, self.clear)
        return section(english.SETTINGS_QUESTIONS, words, self._questions_text)

    # --- showing --------------------------------------------------------------------------

    def measure(self) -> None:
        """Ask the engine how much is kept."""
        if self._call is not None or not self._state.known:
            return
        self._call = self._state.client.request("storage")
        self._call.succeeded.connect(self._show_sizes)
        self._call.failed.connect(self._failed)
        self._call.finished.connect(self._measured)

    def _measured(self) -> None:
        self._call = None

    def _failed(self, error: EngineError) -> None:
        if not isinstance(error, Cancelled):
            self._state.notices.error(error)

    def _show_sizes(self, report: StorageReport) -> None:
        self.states.show_size(report)
        clear_layout(self._sizes)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(8)
        kept = [part for part in report.parts if part.size_bytes or part.name != "other"]
        for at, part in enumerate(kept):
            grid.addWidget(label(PARTS[part.name], wrap=True), at, 0)
            kept_size = (
                figures.size(part.size_bytes) if part.size_bytes else english.STORED_NONE
            )
            size = label(kept_size, tone="muted")
            size.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(size, at, 1)
        whole = sum(part.size_bytes for part in report.parts)
        self.total = label(figures.size(whole), weight=BOLD)
        self.total.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(label(english.STORED_TOTAL, weight=BOLD), len(kept), 0)
        grid.addWidget(self.total, len(kept), 1)
        grid.setColumnStretch(0, 1)
        holder = QWidget()
        holder.setLayout(grid)
        self._sizes.addWidget(holder)

    def _show_libraries(self) -> None:
        views = self._state.libraries
        shown = [(view.id, view.name, view.files) for view in views]
        self._libraries_card.setVisible(bool(views))
        if shown == self._shown:
            return
        self._shown = shown
        clear_layout(self._rows)
        for view in views:
            self._rows.addWidget(self._library_row(view))

    def _library_row(self, view: LibraryView) -> QWidget:
        name = ElidedLabel(view.name)
        facts = figures.count(view.files, *english.LIBRARY_SUMMARY_FILES)
        gone = button(english.DELETE_INDEX, lambda: self.library_remove.emit(view.id))
        gone.setAccessibleName(f"{english.DELETE_INDEX} {names.one_line(view.name, 80)}")
        result = QWidget()
        line = row(name, label(facts, tone="muted"), gone, spacing=14)
        line.setStretch(0, 1)
        result.setLayout(line)
        return result

    def _show_questions(self) -> None:
        number = len(self._state.conversations)
        self.clear.setEnabled(number > 0)
        self._questions_text.setText(figures.count(number, *english.QUESTIONS_KEPT))

    # --- doing ----------------------------------------------------------------------------

    def _clear(self) -> None:
        confirm(
            self.window(),
            english.CLEAR_ASK,
            english.CLEAR_ASK_TEXT,
            english.CLEAR_YES,
            self._clear_now,
        )

    def _clear_now(self) -> None:
        call = self._state.client.request("conversations.clear")
        call.failed.connect(self._state.notices.error)
        call.succeeded.connect(lambda answer: self._cleared())

    def _cleared(self) -> None:
        self._state.notices.info(english.CLEARED)
        self._state.refresh("conversations")
        self.measure()

    def _copy_home(self) -> None:
        QGuiApplication.clipboard().setText(self._home)
        self._state.notices.info(english.COPIED)

    def open_home(self) -> None:
        """Open the data folder in the file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._home))
