"""Under an answer: copy, ask again, earlier versions, thumbs, and what it cost."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from desktop import copying, theme
from desktop.conversation import Turn
from desktop.strings import english, figures
from desktop.widgets.basics import icon_button, label, row

_COPIED_MS = 1800
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TurnActions(QWidget):
    """Shows one turn; what the user wants done with it goes out as signals."""

    again = Signal()
    edit = Signal()
    judged = Signal(str)
    """up, down or none."""
    correct = Signal()
    version_wanted = Signal(int)
    inspect = Signal()
    origins_wanted = Signal(bool)

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn
        self.copy = icon_button("copy", english.COPY_ANSWER, self.copy_plain, 17)
        self.ask_again = icon_button("refresh-cw", english.ASK_AGAIN, self.again.emit, 17)
        self.up = icon_button("thumbs-up", english.THUMB_UP, lambda: self._judge("up"), 17)
        self.down = icon_button(
            "thumbs-down", english.THUMB_DOWN, lambda: self._judge("down"), 17
        )
        for thumb in (self.up, self.down):
            thumb.setCheckable(True)
        self.origins = icon_button(
            "highlighter", english.ORIGINS_TOGGLE, self._want_origins, 17, "Ctrl+E"
        )
        self.origins.setCheckable(True)
        self.origins.hide()
        self.more = icon_button("ellipsis", english.MORE_ACTIONS, self._open_menu, 17)
        self.older = icon_button(
            "chevron-left", english.VERSION_OLDER, lambda: self._go(-1), 16
        )
        self.newer = icon_button(
            "chevron-right", english.VERSION_NEWER, lambda: self._go(1), 16
        )
        self._version = label("", 0.92, tone="muted")
        self._versions = QWidget()
        self._versions.setLayout(row(self.older, self._version, self.newer, spacing=1))
        self._said = ""
        self._timing = label("", 0.92, tone="muted")
        # It gives way to the buttons where there is no room for it.
        self._timing.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._timing.setAlignment(_RIGHT)
        parts = (self.copy, self.ask_again, self.up, self.down, self.origins, self.more)
        layout = row(*parts, self._versions, self._timing, spacing=4)
        layout.setStretch(len(parts) + 1, 1)
        self.setLayout(layout)

    def timing(self) -> str:
        """The figures at the right."""
        return self._said

    def version(self) -> str:
        """ "2 of 3", empty when there is but one answer."""
        return "" if self._versions.isHidden() else self._version.text()

    def show_turn(self) -> None:
        """Follow the turn."""
        turn = self._turn
        newest = turn.version == turn.versions
        self.copy.setVisible(bool(turn.text))
        self.more.setVisible(bool(turn.text) or turn.report is not None)
        judging = bool(turn.number) and newest and bool(turn.text)
        verdict = turn.newest.feedback.verdict if turn.newest and turn.newest.feedback else ""
        for thumb, name in ((self.up, "up"), (self.down, "down")):
            thumb.setVisible(judging)
            thumb.setChecked(verdict == name)
            theme.set_icon(
                thumb, f"thumbs-{name}", "accent" if verdict == name else "muted", 17
            )
        self._versions.setVisible(turn.versions > 1)
        self._version.setText(
            english.VERSION_OF.format(version=turn.version, versions=turn.versions)
        )
        self.older.setEnabled(turn.version > 1)
        self.newer.setEnabled(turn.version < turn.versions)
        self._said = self._figures()
        self._timing.setAccessibleName(self._said)
        self._fit()

    def show_origins(self, there: bool, shown: bool) -> None:
        """Offer to show where the words came from, where that is known."""
        self.origins.setVisible(there)
        self.origins.setChecked(shown)
        theme.set_icon(self.origins, "highlighter", "accent" if shown else "muted", 17)

    def _want_origins(self) -> None:
        self.origins_wanted.emit(self.origins.isChecked())

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """All of the figures, or none: half a figure says something else."""
        needed = self._timing.fontMetrics().horizontalAdvance(self._said)
        self._timing.setText(self._said if self._timing.width() >= needed else "")

    def _figures(self) -> str:
        report = self._turn.report
        if report is None:
            return ""
        cited = len({(cite.file_id, cite.start) for cite in report.citations})
        sources = cited or len(report.passages)
        parts = [
            figures.count(sources, "source", "sources") if sources else english.NO_SOURCES_USED
        ]
        parts.append(figures.seconds(report.timings.total_ms / 1000))
        if report.tokens_per_second:
            rate = f"{report.tokens_per_second:.0f}"
            parts.append(english.TOKENS_PER_SECOND.format(rate=rate))
        return " · ".join(parts)

    def _judge(self, verdict: str) -> None:
        thumb: QToolButton = self.up if verdict == "up" else self.down
        self.judged.emit(verdict if thumb.isChecked() else "none")

    def _go(self, step: int) -> None:
        self.version_wanted.emit(self._turn.version + step)

    # --- copying --------------------------------------------------------------------------

    def copy_plain(self) -> None:
        """The answer as plain text with its sources."""
        self._copied(copying.as_plain(self._turn))

    def copy_markdown(self) -> None:
        """Question, answer and sources as Markdown."""
        self._copied(copying.as_markdown(self._turn))

    def copy_words(self) -> None:
        """The answer exactly as the model wrote it."""
        self._copied(self._turn.text)

    def _copied(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copy.setToolTip(english.COPIED)
        theme.set_icon(self.copy, "check", "good", 17)
        QTimer.singleShot(_COPIED_MS, self, self._copy_done)

    def _copy_done(self) -> None:
        self.copy.setToolTip(english.COPY_ANSWER)
        theme.set_icon(self.copy, "copy", "muted", 17)

    def menu(self) -> QMenu:
        """Everything that can be done with this turn."""
        menu = QMenu(self)
        for says, icon, act in (
            (english.COPY_ANSWER, "copy", self.copy_plain),
            (english.COPY_MARKDOWN, "copy", self.copy_markdown),
            (english.COPY_WORDS, "copy", self.copy_words),
            ("", "", None),
            (english.EDIT_QUESTION, "pencil", self.edit.emit),
            (english.CORRECTION_OPEN, "thumbs-down", self.correct.emit),
            (english.INSPECT, "text-search", self.inspect.emit),
        ):
            if act is None:
                menu.addSeparator()
                continue
            if act == self.correct.emit and self.down.isHidden():
                continue
            menu.addAction(theme.icon(icon), says, act)
        return menu

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height() + 2)))
