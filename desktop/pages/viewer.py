"""The document behind a citation: its page with the passage marked, or its text."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QImageReader,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QStackedWidget,
    QTextEdit,
)

from desktop import theme
from desktop.client import Call, EngineClient
from desktop.notices import error_details
from desktop.strings import english, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    card,
    column,
    icon_button,
    label,
    row,
)
from desktop.widgets.page_image import MOST_PIXELS, PageImage
from desktop.widgets.pulse import Pulse
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import SourceView

WIDTH_RANGE_PX = (300, 2400)
_ZOOM_STEP = 1.2
_SHARPEN_MS = 350


@dataclass(frozen=True)
class Place:
    """A place [start, end) of a file of a library."""

    library_id: str
    file_id: int
    start: int
    end: int
    name: str
    where: str = ""
    """The place in words, shown when the document does not say it itself."""


class Viewer(QFrame):
    """Shows one place at a time; a newer wish cancels an older one."""

    closed = Signal()

    def __init__(self, client: EngineClient, back: bool) -> None:
        super().__init__()
        self.setObjectName("pane")
        self._client = client
        self._place: Place | None = None
        self._view: SourceView | None = None
        self._call: Call | None = None
        self._drawn_px = 0
        self._details = ""
        self.page = PageImage()
        self.text = _PassageEdit()
        self._build(back)
        self._sharpen = QTimer(self)
        self._sharpen.setSingleShot(True)
        self._sharpen.setInterval(_SHARPEN_MS)
        self._sharpen.timeout.connect(self._draw_sharper)
        self.page.zoomed.connect(lambda zoom: self._sharpen.start())

    def _build(self, back: bool) -> None:
        icon, says = (
            ("arrow-left", english.VIEWER_BACK) if back else ("x", english.VIEWER_CLOSE)
        )
        self.close_button = icon_button(icon, says, self.closed.emit, 18, "Esc")
        self.title = ElidedLabel(weight=BOLD, mode=Qt.TextElideMode.ElideMiddle)
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.path = ElidedLabel(scale=0.9, role="muted", mode=Qt.TextElideMode.ElideMiddle)
        self.path.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        names_column = column(self.title, self.path, spacing=0)
        head = row(self.close_button, spacing=8, margins=(10, 9, 14, 7))
        head.addLayout(names_column, 1)
        self.previous = icon_button("chevron-left", english.VIEWER_PREVIOUS, self.turn_back)
        self.next = icon_button("chevron-right", english.VIEWER_NEXT, self.turn_on)
        self.page_label = ElidedLabel(scale=0.95, role="muted")
        self.smaller = icon_button(
            "zoom-out", english.VIEWER_ZOOM_OUT, lambda: self.scale(1 / _ZOOM_STEP), 17
        )
        self.larger = icon_button(
            "zoom-in", english.VIEWER_ZOOM_IN, lambda: self.scale(_ZOOM_STEP), 17
        )
        self.fit = icon_button(
            "maximize", english.VIEWER_FIT, lambda: self.page.set_zoom(1), 16
        )
        self._tools = QFrame()
        self._tools.setLayout(
            row(
                self.previous,
                self.page_label,
                self.next,
                None,
                self.smaller,
                self.fit,
                self.larger,
                spacing=4,
                margins=(10, 0, 12, 6),
            )
        )
        self._warning = card("caution")
        self._warning_text = label(english.VIEWER_CHANGED, 0.95, tone="warning", wrap=True)
        self._warning.setLayout(column(self._warning_text, margins=(12, 7, 12, 8)))
        outer = row(self._warning, margins=(12, 0, 12, 8))
        self._stack = QStackedWidget()
        self._waiting = self._make_waiting()
        self._problem = self._make_problem()
        for part in (self._waiting, self.page, self.text, self._problem):
            self._stack.addWidget(part)
        layout = column(spacing=0)
        layout.addLayout(head)
        layout.addWidget(self._tools)
        layout.addLayout(outer)
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)
        self._warning.hide()
        self._tools.hide()

    def _make_waiting(self) -> QFrame:
        self._pulse = Pulse()
        result = QFrame()
        layout = column(self._pulse, margins=(18, 18, 18, 18))
        layout.addStretch(1)
        result.setLayout(layout)
        return result

    def _make_problem(self) -> QFrame:
        self._problem_text: QLabel = label("", wrap=True, tone="danger")
        self._copy = button(english.COPY_DETAILS, self._copy_details, "link")
        result = QFrame()
        layout = column(self._problem_text, margins=(18, 18, 18, 18))
        layout.addLayout(row(self._copy, None))
        layout.addStretch(1)
        result.setLayout(layout)
        return result

    # --- what is shown --------------------------------------------------------------------

    def open_place(self, place: Place) -> None:
        """Show a place of a document, marked."""
        self._place, self._view = place, None
        self.title.set_text(place.name)
        self.path.set_text("")
        self._tools.hide()
        self._warning.hide()
        self._pulse.say(english.VIEWER_LOADING.format(name=names.one_line(place.name, 60)))
        self._stack.setCurrentWidget(self._waiting)
        self._ask(None)

    def turn_back(self) -> None:
        """Show the page before."""
        if self._view is not None and self._view.page and self._view.page > 1:
            self._ask(self._view.page - 1)

    def turn_on(self) -> None:
        """Show the page after."""
        if self._view is not None and self._view.page and self._view.page < self._view.pages:
            self._ask(self._view.page + 1)

    def scale(self, factor: float) -> None:
        """Zoom the page, or the size of the text."""
        if self._stack.currentWidget() is self.text:
            self.text.scale(factor)
        else:
            self.page.set_zoom(self.page.zoom * factor)

    def problem(self) -> str:
        """What is said instead of a document, empty when there is one."""
        shown = self._stack.currentWidget() is self._problem
        return self._problem_text.text() if shown else ""

    def showing(self) -> SourceView | None:
        """The view on the screen, None while it is being opened."""
        return self._view

    def warning(self) -> str:
        """The remark above the page."""
        return "" if self._warning.isHidden() else self._warning_text.text()

    def stop(self) -> None:
        """Give up what is being opened."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _ask(self, page: int | None, quietly: bool = False) -> None:
        self.stop()
        place = self._place
        if place is None:
            return
        low, high = WIDTH_RANGE_PX
        self._drawn_px = max(low, min(high, self.page.wanted_width_px()))
        params: dict[str, object] = {
            "library": place.library_id,
            "file_id": place.file_id,
            "start": place.start,
            "end": place.end,
            "width_px": self._drawn_px,
        }
        if page is not None:
            params["page"] = page
        call = self._client.request("view", params)
        self._call = call
        call.succeeded.connect(lambda view: self._take(call, view, quietly))
        call.failed.connect(lambda error: self._fail(call, error))

    def _take(self, call: Call, view: SourceView, quietly: bool) -> None:
        if call is not self._call:
            return
        self._call, self._view = None, view
        self.path.set_text(view.path)
        self._warning.setVisible(view.changed)
        if view.kind == "page":
            self._show_page(view, quietly)
        else:
            self._show_text(view)

    def _fail(self, call: Call, error: EngineError) -> None:
        if call is not self._call or isinstance(error, Cancelled):
            return
        self._call = None
        self._details = error_details(error)
        self._problem_text.setText(names.prose(str(error), 800))
        self._stack.setCurrentWidget(self._problem)

    def _show_page(self, view: SourceView, quietly: bool) -> None:
        image = read_image(view.png_base64)
        boxes = [QRectF(b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0) for b in view.boxes]
        name = names.one_line(self.title.text(), 80)
        says = english.VIEWER_IMAGE.format(page=view.page, name=name)
        bars = (self.page.verticalScrollBar(), self.page.horizontalScrollBar())
        kept = [bar.value() for bar in bars]
        self._stack.setCurrentWidget(self.page)
        self._tools.show()
        self.fit.show()
        self._say_place(view)
        several = view.pages > 1
        self.previous.setVisible(several)
        self.next.setVisible(several)
        self.previous.setEnabled(bool(view.page and view.page > 1))
        self.next.setEnabled(bool(view.page and view.page < view.pages))
        self.page.show_page(image, boxes, says)
        if quietly:
            for bar, value in zip(bars, kept, strict=True):
                bar.setValue(value)
        else:
            # The pane may just have become visible: scroll once more when it is laid out.
            QTimer.singleShot(0, self.page, self.page.bring_into_view)

    def place(self) -> str:
        """What is said about the place."""
        return self.page_label.text()

    def _say_place(self, view: SourceView) -> None:
        """ "Page 3 of 40", or the place in words where pages do not say it."""
        asked = self._place.where if self._place is not None else ""
        text = names.one_line(view.place or asked, 120)
        if view.kind == "page" and view.pages > 1 and not view.place:
            text = english.VIEWER_PAGE_OF.format(page=view.page, pages=view.pages)
        self.page_label.set_text(text)
        tools = self._tools.layout()
        if tools is not None:  # without the arrows the place stands over the text
            left = 10 if view.kind == "page" and view.pages > 1 else 18
            tools.setContentsMargins(left, 0, 12, 6)

    def _show_text(self, view: SourceView) -> None:
        self._stack.setCurrentWidget(self.text)
        self._tools.show()
        for tool in (self.previous, self.next, self.fit):
            tool.hide()
        self._say_place(view)
        self.text.show_passage(view.text, view.mark_start, view.mark_end)
        name = names.one_line(self.title.text(), 80)
        self.text.setAccessibleName(english.VIEWER_TEXT.format(name=name))

    def _draw_sharper(self) -> None:
        """After zooming or resizing: ask for the same page in the pixels it now has."""
        low, high = WIDTH_RANGE_PX
        wanted = max(low, min(high, self.page.wanted_width_px()))
        view = self._view
        if view is not None and view.kind == "page" and abs(wanted - self._drawn_px) > 1:
            self._ask(view.page, quietly=True)

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        self._sharpen.start()

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._details)


class _PassageEdit(QPlainTextEdit):
    """The document's text around the place, the place marked."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(18)
        self.setAccessibleName(english.VIEWER)
        self._mark = (0, 0)
        self._points = theme.font().pointSizeF()
        theme.follow(self, self._paint_mark)

    def show_passage(self, text: str, start: int, end: int) -> None:
        """Show `text` with [start, end) marked and in view. Offsets in code points."""
        before, inside = names.prose(text[:start]), names.prose(text[start:end])
        after = names.prose(text[end:])
        self.setPlainText(before + inside + after)
        self._mark = (_units(before), _units(before + inside))
        self._paint_mark()
        cursor = self.textCursor()
        cursor.setPosition(self._mark[0])
        self.setTextCursor(cursor)
        self.centerCursor()
        self.setAccessibleDescription(english.VIEWER_PASSAGE.format(text=inside[:400]))

    def marked(self) -> str:
        """The marked text."""
        return "".join(
            selection.cursor.selectedText().replace("\u2029", "\n")
            for selection in self.extraSelections()
        )

    def scale(self, factor: float) -> None:
        """Larger or smaller letters."""
        self._points = max(theme.SMALLEST_POINTS, min(28.0, self._points * factor))
        font = theme.font()
        font.setPointSizeF(self._points)
        self.setFont(font)

    def _paint_mark(self) -> None:
        start, end = self._mark
        if end <= start:
            self.setExtraSelections([])
            return
        selection = QTextEdit.ExtraSelection()
        look = QTextCharFormat()
        look.setBackground(QColor(theme.theme.tokens.mark))
        look.setForeground(QColor(theme.theme.tokens.text))
        selection.format = look
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        selection.cursor = cursor
        self.setExtraSelections([selection])


def _units(text: str) -> int:
    """Length as Qt counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_image(png_base64: str) -> QImage:
    """The page image; an empty one when it is no PNG or too large to be shown."""
    try:
        data = QByteArray(b64decode(png_base64, validate=True))
    except ValueError:
        return QImage()
    buffer = QBuffer(data)
    reader = QImageReader(buffer, QByteArray(b"png"))
    size: QSize = reader.size()
    if not size.isValid() or size.width() * size.height() > MOST_PIXELS:
        return QImage()
    return reader.read()
