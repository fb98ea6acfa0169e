"""Under an answer: what its colours mean, and what the dots under a sentence mean."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop import theme
from desktop.strings import english
from desktop.widgets.answer_marks import dots
from desktop.widgets.basics import ElidedLabel, label, row

_SIDE_PX = 11


class Swatch(QWidget):
    """A small square in the colour of a source; nothing while it has none."""

    def __init__(self) -> None:
        super().__init__()
        self.hue = -1
        self.setFixedSize(_SIDE_PX, _SIDE_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.follow(self, self.update)

    def set_hue(self, hue: int) -> None:
        """The source's colour, from 0; -1 for none."""
        if hue != self.hue:
            self.hue = hue
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hue < 0:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.hue(self.hue))
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        painter.end()


class _Dots(QWidget):
    """A dotted line, as it stands under a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(22, _SIDE_PX)
        theme.follow(self, self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(dots())
        middle = self.height() / 2 + 1
        painter.drawLine(QPointF(1, middle), QPointF(self.width() - 1, middle))
        painter.end()


class OriginLine(QWidget):
    """One line, always as high: a hint, or where the word pointed at came from."""

    def __init__(self) -> None:
        super().__init__()
        self.swatch = Swatch()
        self._text = ElidedLabel("", 0.92, role="muted")
        # Words of any length never move what is around them.
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = row(self.swatch, self._text, spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.explain([], -1)
        self.hide()

    def text(self) -> str:
        """The line, empty when it is hidden."""
        return "" if self.isHidden() else self._text.text()

    def explain(self, lines: list[str], hue: int) -> None:
        """Say where a word came from; without lines, how to find out."""
        self._text.set_text("; ".join(lines) if lines else english.ORIGIN_HINT)
        self.swatch.set_hue(hue)
        self.swatch.setVisible(hue >= 0)

    def sizeHint(self) -> QSize:
        return QSize(200, self._text.sizeHint().height())


class UnsupportedLine(QWidget):
    """Says once what the dots under sentences mean."""

    def __init__(self) -> None:
        super().__init__()
        words = label(english.UNSUPPORTED_LEGEND, 0.92, tone="muted", wrap=True)
        layout = row(_Dots(), words, spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.setAccessibleName(english.UNSUPPORTED_LEGEND)
        self.hide()
