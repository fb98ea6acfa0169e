"""What this computer can do: measured by the engine, shown, and copied for a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from desktop import theme
from desktop.client import Call
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
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import Check, DoctorReport


class ComputerCard(QFrame):
    """Empty until the user asks for the check."""

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("card")
        self._state = state
        self._call: Call | None = None
        self.report: DoctorReport | None = None
        self.version = label("", 0.92, tone="muted")
        self.check = button(english.SETTINGS_DOCTOR, self.examine)
        self.copy_report = button(english.SETTINGS_COPY_REPORT, self._copy_report)
        self.copy_report.hide()
        self._pulse = Pulse()
        self._pulse.say(english.SETTINGS_DOCTOR_RUNNING)
        self._pulse.hide()
        self.results = QVBoxLayout()
        self.results.setSpacing(8)
        words = column(label(english.SETTINGS_ABOUT, 1.08, BOLD), self.version, spacing=2)
        head = row(spacing=8)
        head.addLayout(words, 1)
        head.addWidget(self.copy_report)
        head.addWidget(self.check)
        layout = column(spacing=10, margins=(20, 16, 20, 18))
        layout.addLayout(head)
        layout.addWidget(label(english.SETTINGS_DOCTOR_TEXT, 0.92, tone="muted", wrap=True))
        layout.addWidget(self._pulse)
        layout.addLayout(self.results)
        self.setLayout(layout)
        state.ready.connect(self._show_version)
        self._show_version()

    def _show_version(self) -> None:
        version = self._state.version or "…"
        self.version.setText(english.SETTINGS_VERSION.format(version=version))

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
        self.report = report
        self.copy_report.show()
        clear_layout(self.results)
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(7)
        for at, (what, value) in enumerate(_facts(report)):
            grid.addWidget(label(what, tone="muted"), at, 0)
            grid.addWidget(ElidedLabel(value), at, 1)
        grid.setColumnStretch(1, 1)
        holder = QWidget()
        grid.setContentsMargins(0, 4, 0, 4)
        holder.setLayout(grid)
        self.results.addWidget(holder)
        for check in report.checks:
            self.results.addWidget(_check(check))

    def _copy_report(self) -> None:
        if self.report is not None:
            QGuiApplication.clipboard().setText(self.report.model_dump_json(indent=2))
            self._state.notices.info(english.COPIED)


def _facts(report: DoctorReport) -> list[tuple[str, str]]:
    memory = english.DOCTOR_MEMORY.format(
        there=figures.size(report.memory_available_bytes),
        all=figures.size(report.memory_bytes),
    )
    processor = english.DOCTOR_CPU.format(cpu=report.cpu, cores=report.cores)
    result = [
        (english.LABEL_SYSTEM, report.system),
        (english.LABEL_PROCESSOR, processor),
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
            result.append((english.LABEL_EMBEDDER, line))
    return result


def _check(check: Check) -> QWidget:
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
