"""An answer as it is written: Markdown, growing with its text, citation marks as links.

Once it is finished its words can wear the colours of their sources; see `answer_marks`.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QSizePolicy,
    QTextBrowser,
    QToolTip,
    QWidget,
)

from desktop import theme
from desktop.origins import Origins, Piece
from desktop.strings import english, names
from desktop.widgets.answer_marks import AnswerMarks
from desktop.widgets.basics import plain_tip
from desktop.widgets.notice_bar import announce
from desktop.widgets.placing import Span
from desktop.widgets.safe_text import SafeDocument, cited_number, show_markdown

REDRAW_MS = 66
"""About 15 times a second: a full `setMarkdown` costs 4 to 8 ms."""


class AnswerView(QTextBrowser):
    """Shows one answer. Never scrolls by itself: it is as tall as its text."""

    cited = Signal(int)
    link_copied = Signal(str)
    pointed = Signal(object)
    """The `Piece` under the pointer or the cursor, None for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self._wanted = ""
        self._sources = 0
        self._origins = Origins()
        self._coloured = False
        self._stale = False
        self._piece: Piece | None = None
        self._sentence = -1
        """The sentence last pointed at."""
        self.marks = AnswerMarks()
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
        self.setMouseTracking(True)
        self.cursorPositionChanged.connect(self._cursor_moved)
        theme.follow(self, self.redraw)

    def set_origins(self, origins: Origins, coloured: bool) -> None:
        """Where the words came from, and whether they show it; seen with `show_answer`."""
        if (origins, coloured) == (self._origins, self._coloured):
            return
        told = origins is self._origins
        self._origins, self._coloured, self._stale = origins, coloured, True
        if not told:
            said = [origins.tell(at) for at in range(len(origins.facts))]
            self.setAccessibleDescription(" ".join(said))

    def show_answer(self, text: str, sources: int, now: bool = False) -> None:
        """Show `text`; while it grows, at most fifteen times a second."""
        fresh = (text, sources) != (self._wanted, self._sources) or text != self._shown
        fresh = fresh or self._stale
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
        self._stale = False
        self._point(None)
        self._sentence = -1
        self.marks.clear()  # its places are those of the text that goes
        show_markdown(self.document(), self._shown, self._sources)
        self.marks.place(self.document(), self._shown, self._origins)
        self._fit()

    def _fit(self) -> None:
        document = self.document()
        document.setTextWidth(self.viewport().width())
        self.marks.forget_layout()
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
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key(), 0)  # type: ignore[call-overload]
        if control and step and self._origins.facts:
            self._go(step)
            return
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
            QToolTip.showText(event.globalPos(), tip or self._tip(event), self)
            return True
        return super().event(event)

    def loadResource(self, kind: int, name: QUrl) -> None:
        return None

    # --- where the words came from --------------------------------------------------------

    def light_source(self, n: int) -> None:
        """Light up the words that came from source `n`, 0 for none."""
        hue = self._origins.hue(n) if self._coloured and n else -1
        self._light(self.marks.of_source(n) if hue >= 0 else [], hue)

    def lit(self) -> list[str]:
        """The words lit up now."""
        shown = self.document().toRawText().encode("utf-16-le")
        return [shown[2 * a : 2 * b].decode("utf-16-le") for a, b in self.marks.lit]

    def explained(self, piece: Piece | None) -> list[str]:
        """Lines about a word or sentence; only what is drawn is explained."""
        if piece is None:
            return []
        if self._coloured:
            return self._origins.explain(piece)
        dotted = piece.sentence in self._origins.unsupported
        return [english.UNSUPPORTED_TIP] if dotted else []

    def _tip(self, event: QHelpEvent) -> str:
        piece = self._piece_under(self.viewport().mapFrom(self, event.pos()))
        return plain_tip("\n".join(self.explained(piece)))

    def _piece_under(self, at: QPoint) -> Piece | None:
        spot = QPointF(at) + QPointF(self.horizontalScrollBar().value(), 0)
        layout = self.document().documentLayout()
        position = layout.hitTest(spot, Qt.HitTestAccuracy.ExactHit)
        return self.marks.piece_at(position) if position >= 0 else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if self._origins.facts:
            self._point(self._piece_under(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._point(None)
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._point(None)
        super().focusOutEvent(event)

    def _cursor_moved(self) -> None:
        if self.hasFocus() and self._origins.facts:
            self._point(self.marks.piece_at(self.textCursor().position()))

    def _go(self, step: int) -> None:
        """To the beginning of the next or last sentence, and say where it came from."""
        wanted = min(max(0, self._sentence + step), len(self._origins.facts) - 1)
        begin = self.marks.begin_of(wanted)
        if begin < 0:
            return
        cursor = self.textCursor()
        cursor.setPosition(begin)
        self.setTextCursor(cursor)
        self._point(self.marks.piece_at(begin))
        announce(self, self._origins.tell(wanted))

    def _point(self, piece: Piece | None) -> None:
        if piece is self._piece:
            return
        self._piece = piece
        if piece is not None:
            self._sentence = piece.sentence
        hue = self._origins.hue(piece.n) if self._coloured and piece is not None else -1
        self._light(self.marks.around(piece) if piece is not None and hue >= 0 else [], hue)
        self.pointed.emit(piece)

    def _light(self, spans: list[Span], hue: int) -> None:
        if spans or self.marks.lit:
            self.marks.light(spans, hue)
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.translate(-self.horizontalScrollBar().value(), 0)
        self.marks.paint(painter, self.document(), self._coloured)
        painter.end()
        super().paintEvent(event)

    # --- links ----------------------------------------------------------------------------

    def _clicked(self, url: QUrl) -> None:
        number = cited_number(url)
        if number is not None:
            self.cited.emit(number)
            return
        address = names.one_line(url.toString())
        QGuiApplication.clipboard().setText(address)
        self.link_copied.emit(address)
