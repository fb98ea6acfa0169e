"""An answer as it is written: Markdown, growing with its text, citation marks as links."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QResizeEvent,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QToolTip, QWidget

from desktop import theme
from desktop.strings import english, names
from desktop.widgets.basics import plain_tip
from desktop.widgets.safe_text import SafeDocument, cited_number, show_markdown

REDRAW_MS = 66
"""About 15 times a second: a full `setMarkdown` costs 4 to 8 ms."""


class AnswerView(QTextBrowser):
    """Shows one answer. Never scrolls by itself: it is as tall as its text."""

    cited = Signal(int)
    link_copied = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self._wanted = ""
        self._sources = 0
        self.setDocument(SafeDocument(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName(english.ANSWER_SAID)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(0)
        option = QTextOption(self.document().defaultTextOption())
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)
        self.anchorClicked.connect(self._clicked)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self._draw)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        theme.follow(self, self.redraw)

    def show_answer(self, text: str, sources: int, now: bool = False) -> None:
        """Show `text`; while it grows, at most fifteen times a second."""
        fresh = (text, sources) != (self._wanted, self._sources) or text != self._shown
        self._wanted, self._sources = text, sources
        if not fresh:
            self._timer.stop()
        elif now:
            self._timer.stop()
            self._draw()
        elif not self._timer.isActive():
            self._timer.start()

    def redraw(self) -> None:
        """Draw again in the colours of now."""
        if self._wanted:
            self._draw()

    def _draw(self) -> None:
        self._shown = self._wanted
        show_markdown(self.document(), self._shown, self._sources)
        self._fit()

    def _fit(self) -> None:
        document = self.document()
        document.setTextWidth(self.viewport().width())
        bar = self.horizontalScrollBar()
        extra = bar.sizeHint().height() if bar.maximum() > 0 else 0
        height = int(document.size().height()) + extra + 1
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(400, max(20, int(self.document().size().height())))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls, not the answer

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (
            Qt.Key.Key_PageUp,
            Qt.Key.Key_PageDown,
            Qt.Key.Key_Home,
            Qt.Key.Key_End,
        ):
            event.ignore()
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            target = self.anchorAt(self.viewport().mapFrom(self, event.pos()))
            number = cited_number(QUrl(target)) if target else None
            tip = english.CITE_TIP.format(n=number) if number else plain_tip(target)
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)

    def loadResource(self, kind: int, name: QUrl) -> None:
        return None

    def _clicked(self, url: QUrl) -> None:
        number = cited_number(url)
        if number is not None:
            self.cited.emit(number)
            return
        address = names.one_line(url.toString())
        QGuiApplication.clipboard().setText(address)
        self.link_copied.emit(address)
