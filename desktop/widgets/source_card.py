"""One source of an answer: number, file, page and the words it stands on. A click opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFrame, QMenu, QSizePolicy

from desktop import theme
from desktop.strings import english, names, places
from desktop.widgets.basics import BOLD, ElidedLabel, column, icon_button, plain_tip, row
from desktop.widgets.origin_line import Swatch
from desktop.widgets.passage_text import PassageText

if TYPE_CHECKING:
    from engine.work.api import Citation, PassageHit


class SourceCard(QFrame):
    """A card of the source pane."""

    opened = Signal(int)
    why_wanted = Signal(int)
    only_file = Signal(object)
    only_folder = Signal(object)
    pointed = Signal(int)
    """Its number while the pointer or the focus is on it, else 0."""

    def __init__(self, number: int, hit: PassageHit, library: str = "") -> None:
        super().__init__()
        self.number = number
        self.hit = hit
        self._chosen = False
        self._over = False
        self._pointed = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        name = names.file_name(hit.path)
        where = places.place(hit.page, hit.place, hit.heading)
        if library:
            where = " · ".join(part for part in (where, names.one_line(library, 60)) if part)
        digit = ElidedLabel(str(number), weight=BOLD)
        digit.setFixedWidth(digit.sizeHint().width() + 2)
        self.swatch = Swatch()
        self.swatch.hide()
        title = ElidedLabel(name, weight=BOLD, mode=Qt.TextElideMode.ElideMiddle)
        title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._place = ElidedLabel(where, scale=0.92, role="muted")
        if not where:  # never setVisible(True): without a parent it would flash up by itself
            self._place.hide()
        self._text = PassageText()
        self.more = icon_button(
            "ellipsis", english.SOURCE_MORE.format(n=number), self._menu, 15
        )
        layout = column(spacing=1, margins=(14, 7, 8, 13))
        layout.addLayout(row(digit, self.swatch, title, self.more, spacing=7))
        layout.addLayout(row(self._place, margins=(0, 0, 6, 0)))
        layout.addSpacing(4)
        if hit.header:  # the rows below go on from a table that begins further up
            head = ElidedLabel(hit.header, scale=0.9, role="muted", weight=BOLD)
            layout.addLayout(row(head, margins=(0, 0, 6, 0)))
        layout.addLayout(row(self._text, margins=(0, 0, 6, 0)))
        self.setLayout(layout)
        self.setAccessibleName(
            english.SOURCE_CARD.format(n=number, name=name, place=names.one_line(where))
        )
        self.setToolTip(plain_tip(hit.path))
        theme.follow(self, self.update)
        self.show_evidence([])

    def show_evidence(self, citations: list[Citation]) -> None:
        """Mark what the answer quotes from this source, and say when it is not verbatim."""
        start, length = self.hit.start, len(self.hit.text)
        marks = [
            (cite.start - start, cite.end - start)
            for cite in citations
            if cite.verified and 0 <= cite.start - start < cite.end - start <= length
        ]
        self._text.set_passage(self.hit.text, marks)
        self.setAccessibleDescription(self._text.shown())

    def marked(self) -> list[str]:
        """The pieces of the passage that are marked."""
        return self._text.marked()

    def set_chosen(self, chosen: bool) -> None:
        """Ring the card that belongs to the mark just clicked."""
        if chosen != self._chosen:
            self._chosen = chosen
            self.update()

    def set_hue(self, hue: int) -> None:
        """Wear the colour of its words in the answer, from 0; -1 for none."""
        self.swatch.set_hue(hue)
        self.swatch.setVisible(hue >= 0)
        self._pointed = self._pointed and hue >= 0
        self.update()

    def set_pointed(self, pointed: bool) -> None:
        """Ring it in its colour while one of its words is pointed at."""
        pointed = pointed and self.swatch.hue >= 0
        if pointed != self._pointed:
            self._pointed = pointed
            self.update()

    @property
    def is_pointed(self) -> bool:
        """True while one of its words is pointed at."""
        return self._pointed

    def menu(self) -> QMenu:
        """What can be done with this source."""
        menu = QMenu(self)
        for says, icon, act in (
            (english.SOURCE_OPEN, "file-text", lambda: self.opened.emit(self.number)),
            (english.SOURCE_WHY, "text-search", lambda: self.why_wanted.emit(self.number)),
            (english.SOURCE_ONLY_FILE, "list-filter", lambda: self.only_file.emit(self.hit)),
            (english.SOURCE_ONLY_FOLDER, "folder", lambda: self.only_folder.emit(self.hit)),
            (english.COPY_PATH, "copy", self._copy_path),
        ):
            menu.addAction(theme.icon(icon), says, act)
        return menu

    def _menu(self, at: QPoint | None = None) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at or self.more.mapToGlobal(QPoint(0, self.more.height() + 2)))

    def _copy_path(self) -> None:
        QGuiApplication.clipboard().setText(self.hit.path)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        self._menu(None if by_key else event.globalPos())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(
            event.position().toPoint()
        ):
            self.opened.emit(self.number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit(self.number)
            return
        super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._over = True
        self.pointed.emit(self.number)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._over = False
        self.pointed.emit(self.number if self.hasFocus() else 0)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.pointed.emit(self.number)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.pointed.emit(0)
        super().focusOutEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self._chosen or self.hasFocus()
        edge = theme.colour("accent" if strong else "border" if self._over else "line")
        if self._pointed:
            edge = theme.hue(self.swatch.hue)
        width = 2.0 if strong or self._pointed else 1.0
        painter.setPen(QPen(edge, width))
        painter.setBrush(theme.colour("card"))
        inset = width / 2
        painter.drawRoundedRect(
            self.rect().adjusted(0, 0, 0, 0).toRectF().adjusted(inset, inset, -inset, -inset),
            10,
            10,
        )
        painter.end()
