"""Where a question is written: the field, what it is asked of, ask and stop."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Signal
from PySide6.QtWidgets import QFrame, QPushButton

from desktop import theme
from desktop.scope import Scope
from desktop.strings import english, names
from desktop.widgets.basics import button, column, icon_button, label, row
from desktop.widgets.chooser import Chooser
from desktop.widgets.composer_field import LONGEST, QuestionField
from desktop.widgets.library_chooser import LibraryChooser, said
from desktop.widgets.mode_chooser import ModeChooser

_ROOMY_PX = 520


class Composer(QFrame):
    """The box at the foot of the ask page."""

    asked = Signal(str)
    stopped = Signal()
    libraries_chosen = Signal(list)
    """Library ids; none for asking without documents."""
    filter_wanted = Signal()
    preset_chosen = Signal(str)
    presets_wanted = Signal()
    mode_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("composer")
        self.setProperty("focused", False)
        self.field = QuestionField()
        self.chooser = LibraryChooser()
        self.chooser.libraries_chosen.connect(self.libraries_chosen)
        self.filter = icon_button(
            "list-filter", english.FILTER_OPEN, self.filter_wanted.emit, 17, "Ctrl+Shift+L"
        )
        self.presets = Chooser(english.PRESET_CHOOSER, "sparkles")
        self.presets.chosen.connect(self.preset_chosen)
        self.modes = ModeChooser("book-open")
        self.modes.chosen.connect(self.mode_chosen)
        self.modes.set_compact(True)
        self._preset = ""
        self._library = ""
        self._offered: tuple[list[tuple[str, str]], str] | None = None
        self._hint = label(english.ASK_HINT, 0.9, tone="muted")
        self.send = self._square("arrow-up", english.ASK_BUTTON, "primary", self.ask)
        self.stop = self._square("square", english.STOP_TIP, "", self.stopped.emit)
        self.stop.hide()
        foot = row(self.chooser, self.filter, self.presets, self.modes, None, spacing=6)
        foot.addWidget(self._hint)
        foot.addSpacing(4)
        foot.addWidget(self.send)
        foot.addWidget(self.stop)
        layout = column(spacing=10, margins=(15, 13, 9, 9))
        layout.addLayout(row(self.field, margins=(1, 0, 4, 0)))
        layout.addLayout(foot)
        self.setLayout(layout)
        self.field.entered.connect(self.ask)
        self.field.textChanged.connect(self._enable)
        self.field.installEventFilter(self)
        self._busy = False
        self._enable()

    def _square(self, icon: str, says: str, look: str, act) -> QPushButton:  # type: ignore[no-untyped-def]
        result = button("", act, look, icon)
        result.setIconSize(QSize(18, 18))
        result.setFixedSize(46, 32)
        result.setToolTip(says)
        result.setAccessibleName(says)
        return result

    # --- what is asked --------------------------------------------------------------------

    def set_libraries(self, rows: list[tuple[str, str]], chosen: list[str]) -> None:
        """Offer (id, name) rows; `chosen` are the ids in use."""
        self.chooser.set_libraries(rows, chosen)
        known = [title for library_id, title in rows if library_id in chosen]
        self._invite(said(known, len(rows)) if known else "")
        self.filter.setVisible(bool(known))
        self.modes.setVisible(bool(known))

    def show_library(self, name: str) -> None:
        """Show a library that has no id yet as the one to ask."""
        self.chooser.set_shown(name)
        self.chooser.set_picture("folder")
        self._invite(name)

    def set_presets(self, rows: list[tuple[str, str]], chosen: str) -> None:
        """Offer (id, name) rows of presets; `chosen` "" is none. An open menu stays."""
        if (rows, chosen) == self._offered:
            return
        self._offered = (list(rows), chosen)
        self._preset = chosen if any(chosen == preset_id for preset_id, _ in rows) else ""
        self.presets.set_choices([("", english.PRESET_NONE), *rows], self._preset)
        self.presets.add_command(english.PRESETS_MANAGE, self.presets_wanted.emit)
        self._fit()

    def set_mode(self, mode: str) -> None:
        """Show how passages are read."""
        self.modes.set_mode(mode)
        self._invite(self._library)

    def show_scope(self, scope: Scope) -> None:
        """Light the filter up while it is in force."""
        theme.set_icon(self.filter, "list-filter", "accent" if scope.filtered else "muted", 17)

    def _invite(self, name: str) -> None:
        self._library = name
        shown = english.ASK_PLACEHOLDER.format(library=names.one_line(name, 60))
        asked = name and self.modes.mode != "none"
        self.field.setPlaceholderText(shown if asked else english.ASK_PLACEHOLDER_NONE)

    # --- asking ---------------------------------------------------------------------------

    def set_busy(self, busy: bool) -> None:
        """While an answer is written, the ask button is a stop button."""
        focus = self.send.hasFocus() or self.stop.hasFocus()
        self._busy = busy
        self.send.setVisible(not busy)
        self.stop.setVisible(busy)
        if focus:
            self.field.setFocus()
        self._enable()

    def ask(self) -> None:
        """Hand over the question, unless there is none or an answer is being written."""
        text = self.field.toPlainText().strip()
        if text and not self._busy:
            self.asked.emit(text[:LONGEST])

    def _enable(self) -> None:
        self.send.setEnabled(bool(self.field.toPlainText().strip()))

    # --- fitting --------------------------------------------------------------------------

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.presets.set_compact(not self._preset or self.width() < _ROOMY_PX)
        choosers = (self.chooser, self.presets, self.modes)
        taken = sum(chooser.sizeHint().width() for chooser in choosers) + 145
        self._hint.setVisible(self.width() > taken + self._hint.sizeHint().width())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self.style().unpolish(self)
            self.style().polish(self)
        return super().eventFilter(watched, event)
