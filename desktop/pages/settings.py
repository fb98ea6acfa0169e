"""The few things that can be set, where the data lives, and what this computer can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.client import Call
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    card,
    centred,
    clear_layout,
    column,
    label,
    row,
)
from desktop.widgets.chooser import Chooser
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import DoctorReport

_WIDTH_PX = 720
PASSAGES_OFFERED = (1, 2, 3, 4, 5, 6, 8, 10)
_THEMES: tuple[tuple[theme.Choice, str, str], ...] = (
    ("system", english.THEME_SYSTEM, "monitor"),
    ("light", english.THEME_LIGHT, "sun"),
    ("dark", english.THEME_DARK, "moon"),
)


class SettingsPage(QFrame):
    """Says what was set; the window keeps it."""

    theme_chosen = Signal(str)
    passages_chosen = Signal(int)
    go_models = Signal()
    shortcuts_wanted = Signal()

    def __init__(self, state: AppState, home: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self._home = home
        self._call: Call | None = None
        self._report: DoctorReport | None = None
        self.themes: dict[str, QPushButton] = {}
        body = column(
            label(english.SETTINGS_TITLE, 1.5, BOLD), spacing=14, margins=(28, 20, 28, 28)
        )
        for section in (self._look(), self._answers(), self._data(), self._computer()):
            body.addWidget(section)
        body.addStretch(1)
        inner = QWidget()
        inner.setLayout(body)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(centred(inner, _WIDTH_PX))
        self.setLayout(column(scroll))
        state.models_changed.connect(self._show_model)
        state.ready.connect(self._show_version)
        self._show_model()
        self._show_version()

    # --- sections -------------------------------------------------------------------------

    def _look(self) -> QFrame:
        group = QButtonGroup(self)
        group.setExclusive(True)
        line = row(spacing=6)
        for choice, text, icon in _THEMES:
            chooser = button(
                text, lambda choice=choice: self.theme_chosen.emit(choice), "segment", icon
            )
            chooser.setCheckable(True)
            group.addButton(chooser)
            self.themes[choice] = chooser
            line.addWidget(chooser)
        line.addStretch(1)
        return _section(english.SETTINGS_LOOK, line)

    def _answers(self) -> QFrame:
        self.model_name = ElidedLabel(weight=BOLD)
        link = button(english.SETTINGS_MODEL_LINK, self.go_models.emit, "link")
        self.passages = Chooser(english.SETTINGS_PASSAGES)
        self.passages.chosen.connect(self._choose_passages)
        body = column(spacing=10)
        model = row(label(english.SETTINGS_MODEL), self.model_name, None, link, spacing=12)
        body.addLayout(model)
        body.addLayout(row(label(english.SETTINGS_PASSAGES), None, self.passages))
        body.addWidget(label(english.SETTINGS_PASSAGES_TEXT, 0.92, tone="muted", wrap=True))
        return _section(english.SETTINGS_ANSWERS, body)

    def _data(self) -> QFrame:
        path = ElidedLabel(self._home, mode=Qt.TextElideMode.ElideMiddle)
        copy = button(english.SETTINGS_COPY_HOME, self._copy_home)
        show = button(english.SETTINGS_OPEN_HOME, self._open_home)
        body = column(label(english.SETTINGS_HOME, 0.95, tone="muted", wrap=True), spacing=8)
        line = row(path, copy, show)
        line.setStretch(0, 1)
        body.addLayout(line)
        return _section(english.SETTINGS_DATA, body)

    def _computer(self) -> QFrame:
        self.version = label("", weight=BOLD)
        keys = button(english.SETTINGS_SHORTCUTS, self.shortcuts_wanted.emit, icon="keyboard")
        self.check = button(english.SETTINGS_DOCTOR, self.examine)
        self.copy_report = button(english.SETTINGS_COPY_REPORT, self._copy_report)
        self.copy_report.hide()
        self._pulse = Pulse()
        self._pulse.say(english.SETTINGS_DOCTOR_RUNNING)
        self._pulse.hide()
        self._results = QVBoxLayout()
        self._results.setSpacing(8)
        body = column(spacing=10)
        body.addLayout(row(self.version, None, keys, self.copy_report, self.check))
        body.addWidget(label(english.SETTINGS_DOCTOR_TEXT, 0.92, tone="muted", wrap=True))
        body.addWidget(self._pulse)
        body.addLayout(self._results)
        return _section(english.SETTINGS_ABOUT, body)

    # --- showing --------------------------------------------------------------------------

    def show_choices(self, choice: str, passages: int) -> None:
        """Show what is set."""
        self.themes[choice].setChecked(True)
        self._show_passages(passages)

    def _show_passages(self, passages: int) -> None:
        rows = [("0", english.SETTINGS_PASSAGES_AUTO)]
        rows += [(str(n), str(n)) for n in sorted({*PASSAGES_OFFERED, passages} - {0})]
        self.passages.set_choices(rows, str(passages))

    def _choose_passages(self, choice: str) -> None:
        self._show_passages(int(choice))
        self.passages_chosen.emit(int(choice))

    def _show_model(self) -> None:
        model = self._state.default_model()
        self.model_name.set_text(model.name if model is not None else english.NO_MODEL)

    def _show_version(self) -> None:
        self.version.setText(
            english.SETTINGS_VERSION.format(version=self._state.version or "…")
        )

    # --- doing ----------------------------------------------------------------------------

    def examine(self) -> None:
        """Have the engine look at this computer."""
        if self._call is not None:
            return
        self.check.setEnabled(False)
        self._pulse.show()
        self._call = self._state.client.request("doctor")
        self._call.succeeded.connect(self._show_report)
        self._call.failed.connect(self._failed)
        self._call.finished.connect(self._examined)

    def _examined(self) -> None:
        self._call = None
        self.check.setEnabled(True)
        self._pulse.hide()

    def _failed(self, error: EngineError) -> None:
        if not isinstance(error, Cancelled):
            self._state.notices.error(error)

    def _show_report(self, report: DoctorReport) -> None:
        self._report = report
        self.copy_report.show()
        clear_layout(self._results)
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(7)
        memory = english.DOCTOR_MEMORY.format(
            there=figures.size(report.memory_available_bytes),
            all=figures.size(report.memory_bytes),
        )
        facts = [
            (english.LABEL_SYSTEM, report.system),
            (
                english.LABEL_PROCESSOR,
                english.DOCTOR_CPU.format(cpu=report.cpu, cores=report.cores),
            ),
            (english.LABEL_MEMORY, memory),
            (english.LABEL_GPU, report.gpu or english.LABEL_GPU_NONE),
        ]
        for timing in report.embedder_backends:
            if timing.chosen:
                line = english.BACKEND_LINE.format(
                    name=names.one_line(timing.backend, 40),
                    rate=f"{timing.passages_per_second:.0f}",
                    speedup=f"{timing.speedup:.1f}",
                )
                facts.append((english.LABEL_EMBEDDER, line))
        for at, (what, value) in enumerate(facts):
            grid.addWidget(label(what, tone="muted"), at, 0)
            grid.addWidget(ElidedLabel(value), at, 1)
        grid.setColumnStretch(1, 1)
        holder = QWidget()
        grid.setContentsMargins(0, 4, 0, 4)
        holder.setLayout(grid)
        self._results.addWidget(holder)
        for check in report.checks:
            self._results.addWidget(_check(check))

    def _copy_report(self) -> None:
        if self._report is not None:
            QGuiApplication.clipboard().setText(self._report.model_dump_json(indent=2))
            self._state.notices.info(english.COPIED)

    def _copy_home(self) -> None:
        QGuiApplication.clipboard().setText(self._home)
        self._state.notices.info(english.COPIED)

    def _open_home(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._home))


def _section(title: str, body: Any) -> QFrame:
    result = card()
    layout = column(label(title, 1.08, BOLD), spacing=12, margins=(20, 16, 20, 18))
    layout.addLayout(body)
    result.setLayout(layout)
    return result


def _check(check: Any) -> QWidget:
    picture = QLabel()
    picture.setFixedSize(18, 18)
    icon, tone = ("circle-check", "good") if check.ok else ("triangle-alert", "warning")
    theme.set_label_icon(picture, icon, tone, 17)
    state = english.DOCTOR_OK if check.ok else english.DOCTOR_NOT_OK
    words = " · ".join(part for part in (check.detail, "" if check.ok else check.hint) if part)
    name = ElidedLabel(check.name, weight=BOLD)
    detail = ElidedLabel(words, role="muted")
    result = QWidget()
    layout = row(picture, name, detail, spacing=10)
    layout.setStretch(2, 1)
    result.setLayout(layout)
    result.setAccessibleName(f"{names.one_line(check.name)}: {state}. {names.one_line(words)}")
    return result
