"""The small lines under an answer: its colours, its dots, what was covered, how it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from desktop.origins import Origins
from desktop.strings import english, names
from desktop.widgets.basics import column, label
from desktop.widgets.origin_line import OriginLine, UnsupportedLine

if TYPE_CHECKING:
    from engine.work.api import AnswerReport


class AnswerNotes(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.origin = OriginLine()
        self.unsupported = UnsupportedLine()
        self.coverage = label("", 0.92, tone="muted", wrap=True)
        self.mode = label("", 0.92, tone="muted", wrap=True)
        layout = column(self.origin, self.unsupported, self.coverage, self.mode, spacing=5)
        self.setLayout(layout)
        self.coverage.hide()
        self.mode.hide()
        self.hide()

    def show_report(
        self, report: AnswerReport | None, origins: Origins, coloured: bool
    ) -> None:
        """Follow an answer; None while it is written."""
        covered = names.prose(report.coverage, 600) if report is not None else ""
        read = how_read(report)
        self.origin.setVisible(coloured and bool(origins.sources))
        self.unsupported.setVisible(bool(origins.unsupported))
        for line, text in ((self.coverage, covered), (self.mode, read)):
            line.setText(text)
            line.setVisible(bool(text))
        lines = (self.origin, self.unsupported, self.coverage, self.mode)
        self.setVisible(any(not line.isHidden() for line in lines))


def how_read(report: AnswerReport | None) -> str:
    """How the passages were read, and why: "Each passage read by itself: …"."""
    if report is None:
        return ""
    why = names.one_line(report.mode_reason.strip().rstrip("."), 300)
    if not report.passages and not why:
        return ""
    mode = english.MODE_READ.get(report.mode, names.one_line(report.mode, 60))
    if report.read == 1:
        mode = english.MODE_READ_ONE
    return english.MODE_WHY.format(mode=mode, why=why) if why else f"{mode}."
