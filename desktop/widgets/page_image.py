"""A page of a document as a picture, the passage marked, at any zoom and screen scale."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from desktop import theme
from desktop.strings import english

_MARGIN_PX = 16
MOST_PIXELS = 60_000_000
_PAPER_MARK = QColor(255, 214, 64)
"""The highlighter is multiplied onto the paper, which is white in the dark scheme too."""


class _Sheet(QWidget):
    """Paints the page; its size is the page's at the zoom of now."""

    def __init__(self) -> None:
        super().__init__()
        self.image = QImage()
        self.boxes: list[QRectF] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.image.isNull():
            return
        painter = QPainter(self)
        page = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        # Drawn by the reader for exactly these pixels: any smoothing would only blur it.
        exact = abs(self.image.width() - page.width() * self.devicePixelRatioF()) < 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
        painter.drawImage(page, self.image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setPen(Qt.PenStyle.NoPen)
        shade = QColor(_PAPER_MARK)
        shade.setAlphaF(0.62)
        painter.setBrush(shade)
        for box in self.boxes:
            painter.drawRoundedRect(self._on_page(box, page).adjusted(-2, -1, 2, 1), 3, 3)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawRect(page)
        painter.end()

    def _on_page(self, box: QRectF, page: QRectF) -> QRectF:
        return QRectF(
            page.x() + box.x() * page.width(),
            page.y() + box.y() * page.height(),
            box.width() * page.width(),
            box.height() * page.height(),
        )


class PageImage(QScrollArea):
    """Scrolls a page. `zoom` 1 fits the width."""

    zoomed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._sheet = _Sheet()
        self._zoom = 1.0
        self.setWidget(self._sheet)
        self.setAccessibleName(english.VIEWER)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.follow(self, self._sheet.update)

    @property
    def boxes(self) -> list[QRectF]:
        """The marked rectangles, in fractions of the page."""
        return self._sheet.boxes

    @property
    def zoom(self) -> float:
        return self._zoom

    def show_page(self, image: QImage, boxes: list[QRectF], says: str) -> None:
        """Show a page and bring what is marked into view."""
        self._sheet.image, self._sheet.boxes = image, boxes
        self._sheet.setAccessibleName(says)
        self.setAccessibleName(says)
        self._fit()
        self._sheet.update()
        self.bring_into_view()

    def bring_into_view(self) -> None:
        """Scroll so that the first mark is a third down the view."""
        bar = self.verticalScrollBar()
        if not self.boxes:
            bar.setValue(0)
            return
        first = self.boxes[0]
        bar.setValue(int(first.y() * self._sheet.height() - self.viewport().height() / 3))
        if self._zoom > 1:
            aside = self.horizontalScrollBar()
            aside.setValue(int(first.x() * self._sheet.width()) - 24)

    def set_zoom(self, zoom: float) -> None:
        """Scale the page, keeping the middle of the view."""
        zoom = max(0.5, min(4.0, zoom))
        if abs(zoom - self._zoom) < 1e-6:
            return
        bar = self.verticalScrollBar()
        at = (bar.value() + self.viewport().height() / 2) / max(1, self._sheet.height())
        self._zoom = zoom
        self._fit()
        bar.setValue(int(at * self._sheet.height() - self.viewport().height() / 2))
        self.zoomed.emit(zoom)

    def wanted_width_px(self) -> int:
        """Device pixels a page image needs to be crisp here."""
        return round(self._page_width() * self.devicePixelRatioF())

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self._zoom * (1.1 if event.angleDelta().y() > 0 else 1 / 1.1))
            event.accept()
            return
        super().wheelEvent(event)

    def _page_width(self) -> int:
        bar = self.verticalScrollBar().sizeHint().width()
        return int(max(120, self.width() - bar - 2 * _MARGIN_PX) * self._zoom)

    def _fit(self) -> None:
        image = self._sheet.image
        if image.isNull():
            self._sheet.resize(QSize(0, 0))
            return
        width = self._page_width()
        height = round(width * image.height() / max(1, image.width()))
        self._sheet.resize(width + 2, height + 2)

    def sheet_position(self) -> QPoint:
        """Where the page lies in the view, for tests."""
        return self._sheet.pos()
