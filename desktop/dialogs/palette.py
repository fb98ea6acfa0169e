"""The command palette: one field that finds commands, libraries, questions, models and files.

It lies over the window instead of being one, so that it appears in place everywhere, under
Wayland too, and what is behind it stays visible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
    QLineEdit,
    QStackedWidget,
    QWidget,
)

from desktop import theme
from desktop.client import Call, EngineClient
from desktop.matching import LONGEST_QUERY, score
from desktop.models.kinds import kind_icon
from desktop.strings import english, figures, names
from desktop.widgets.basics import column, label, row
from desktop.widgets.found_list import Found, FoundList, FoundModel
from desktop.widgets.notice_bar import announce

if TYPE_CHECKING:
    from engine.work.api import FileRow, FilesPage

WIDTH_PX = 620
MOST_FOUND = 60
ROWS_SHOWN = 12
FILES_SHOWN = 12
FILES_FROM = 2
"""Letters typed before files are looked for."""
_TYPING_MS = 120
_ANNOUNCE_MS = 350
_STEP = 8


@dataclass(frozen=True)
class Entry:
    """Something to go to or to do. `weight` lifts a kind over others that fit alike."""

    found: Found
    act: Callable[[], object]
    weight: float = 0.0


class Palette(QFrame):
    """Covers the window until something is chosen, Esc is pressed or it is clicked away.

    Args:
        entries: what can be found without asking the engine.
        files_of: library whose files are looked for as well: (id, name), or None.
        on_file: called with the row of a file that was chosen.
    """

    def __init__(
        self,
        window: QWidget,
        client: EngineClient,
        entries: list[Entry],
        files_of: tuple[str, str] | None,
        on_file: Callable[[FileRow], object],
    ) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(english.PALETTE)
        self._client = client
        self._entries = entries
        self._files: list[Entry] = []
        self._files_of = files_of
        self._on_file = on_file
        self._call: Call | None = None
        self._shown: list[Entry] = []
        self._before = window.focusWidget()
        self.model = FoundModel()
        self.model.setParent(self)
        self.list = FoundList(self.model, english.PALETTE_RESULTS)
        self.field = QLineEdit()
        self._build()
        self._typing = self._timer(_TYPING_MS, self._ask_files)
        self._saying = self._timer(_ANNOUNCE_MS, self._say)
        self.field.textChanged.connect(self._typed)
        self.list.chosen.connect(self.run)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._saying.start())
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self._find()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _build(self) -> None:
        self.field.setPlaceholderText(english.PALETTE_HINT)
        self.field.setAccessibleName(english.PALETTE)
        self.field.setAccessibleDescription(english.PALETTE_FOOT)
        self.field.setMaxLength(LONGEST_QUERY)
        self.field.setFont(theme.font(1.12))
        self.field.installEventFilter(self)
        none = label(english.PALETTE_NONE, tone="muted")
        none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        none.setMinimumHeight(64)
        self._results = QStackedWidget()
        self._results.addWidget(self.list)
        self._results.addWidget(none)
        foot = label(english.PALETTE_FOOT, 0.9, tone="muted")
        self.card = QFrame(self)
        self.card.setObjectName("card")
        inside = column(spacing=8, margins=(12, 12, 12, 10))
        inside.addWidget(self.field)
        inside.addWidget(self._results, 1)
        inside.addLayout(row(foot, margins=(8, 0, 8, 0)))
        self.card.setLayout(inside)
        shadow = QGraphicsDropShadowEffect(self.card)
        shadow.setBlurRadius(36)
        shadow.setOffset(0, 10)
        shadow.setColor(QColor(0, 0, 0, 90))
        self.card.setGraphicsEffect(shadow)

    def _timer(self, wait_ms: int, act: Callable[[], None]) -> QTimer:
        result = QTimer(self)
        result.setSingleShot(True)
        result.setInterval(wait_ms)
        result.timeout.connect(act)
        return result

    # --- finding --------------------------------------------------------------------------

    def _typed(self) -> None:
        self._files = []
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._find()
        long_enough = len(self.field.text().strip()) >= FILES_FROM
        if long_enough and self._files_of is not None:
            self._typing.start()
        else:
            self._typing.stop()

    def _find(self) -> None:
        query = self.field.text().strip()
        scored = [(score(query, entry.found.text), entry) for entry in self._entries]
        if query:
            fitting = [(fit + entry.weight, entry) for fit, entry in scored if fit]
            fitting.sort(key=lambda pair: -pair[0])
            shown = [entry for _, entry in fitting]
        else:
            shown = self._entries
        self._show([*shown[:MOST_FOUND], *self._files])

    def _show(self, entries: list[Entry]) -> None:
        chosen = self.list.currentIndex().row()
        kept = self._shown[chosen] if 0 <= chosen < len(self._shown) else None
        self._shown = entries
        self.model.set_rows([entry.found for entry in entries])
        self._results.setCurrentIndex(0 if entries else 1)
        # Files arrive later, below: what was chosen by the arrows stays chosen.
        at = entries.index(kept) if kept in entries and not self._typing.isActive() else 0
        if entries:
            self.list.setCurrentIndex(self.model.index(at if kept in entries else 0))
        self._place()
        self._saying.start()

    def _ask_files(self) -> None:
        if self._files_of is None:
            return
        params = {
            "library": self._files_of[0],
            "match": self.field.text().strip(),
            "limit": FILES_SHOWN,
        }
        self._call = self._client.request("libraries.files", params)
        self._call.succeeded.connect(self._take_files)

    def _take_files(self, page: FilesPage) -> None:
        self._call = None
        if self._files_of is None:
            return
        kind = english.PALETTE_FILE.format(library=names.one_line(self._files_of[1], 40))
        self._files = [
            Entry(
                Found(names.file_name(file.path), kind_icon(file.path), kind, tip=file.path),
                lambda file=file: self._on_file(file),
            )
            for file in page.rows
        ]
        self._find()

    # --- choosing -------------------------------------------------------------------------

    def run(self, at: int) -> None:
        """Close, then do what row `at` says."""
        if 0 <= at < len(self._shown):
            act = self._shown[at].act
            self.close()
            act()

    def _move(self, step: int) -> None:
        rows = self.model.rowCount()
        if rows:
            at = self.list.currentIndex().row() + step
            at = at % rows if abs(step) == 1 else max(0, min(rows - 1, at))
            self.list.setCurrentIndex(self.model.index(at))

    def _say(self) -> None:
        """A screen reader hears the row chosen, while the focus stays in the field."""
        at = self.list.currentIndex().row()
        if not 0 <= at < len(self._shown):
            announce(self.field, english.PALETTE_NONE)
            return
        found = self._shown[at].found
        count = figures.count(len(self._shown), *english.PALETTE_COUNT)
        parts = [found.text, found.kind, found.keys, f"{at + 1} / {count}"]
        announce(self.field, ", ".join(part for part in parts if part))

    def said(self) -> str:
        """The row chosen, as a test reads it."""
        at = self.list.currentIndex().row()
        return self._shown[at].found.text if 0 <= at < len(self._shown) else ""

    def texts(self) -> list[str]:
        """All rows shown."""
        return [entry.found.text for entry in self._shown]

    # --- keys, mouse, size ----------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.parent() and event.type() == QEvent.Type.Resize:
            self.setGeometry(self.parentWidget().rect())
        if watched is self.field and event.type() == QEvent.Type.ShortcutOverride:
            if event.key() in _KEYS:  # type: ignore[attr-defined]
                event.accept()
        elif watched is self.field and event.type() == QEvent.Type.KeyPress:
            return self._key(event)  # type: ignore[arg-type]
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._key(event):
            super().keyPressEvent(event)

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.run(self.list.currentIndex().row())
        elif key in _STEPS:
            self._move(_STEPS[Qt.Key(key)])
        else:
            return False
        return True

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes between the field and the list: what is behind cannot be reached."""
        target = self.field if self.list.hasFocus() else self.list
        target.setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.card.geometry().contains(event.position().toPoint()):
            self.close()

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        """The card hugs what was found, in the upper middle of the window."""
        width = min(WIDTH_PX, self.width() - 48)
        top = max(24, self.height() // 9)
        frame = self.field.sizeHint().height() + 66
        wanted = frame + max(64, self.list.hint_height(ROWS_SHOWN))
        height = min(wanted, self.height() - top - 24)
        self.card.setGeometry((self.width() - width) // 2, top, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        veil = theme.colour("shadow")
        veil.setAlphaF(0.45 if theme.theme.tokens.dark else 0.22)
        painter.fillRect(self.rect(), veil)
        painter.end()

    def closeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        if self._call is not None:
            self._call.cancel()
        self.parentWidget().removeEventFilter(self)
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        super().closeEvent(event)


_STEPS = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageDown: _STEP,
    Qt.Key.Key_PageUp: -_STEP,
}
_KEYS = {*_STEPS, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter}
