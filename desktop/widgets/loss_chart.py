"""The training as a curve: training loss as a line, held-out loss as dots, drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop import theme
from desktop.strings import english

Point = tuple[float, float]
_LEFT_PX = 62
_RIGHT_PX = 16
_TOP_PX = 14
_BOTTOM_PX = 50
_DOT_PX = 3.4
_X_TICKS = 9
_Y_TICKS = 6
_NEAR_PX = 14


class LossChart(QWidget):
    """Shows what it is given; an unfinished run leaves the right side empty."""

    def __init__(self) -> None:
        super().__init__()
        self._train: list[Point] = []
        self._heldout: list[Point] = []
        self._steps = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setAccessibleName(english.TUNE_CHART)
        theme.follow(self, self.update)
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(640, 320)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 170)

    def set_points(self, train: Sequence[Point], heldout: Sequence[Point], steps: int) -> None:
        """Show (step, loss) points of a run of `steps` steps, in order."""
        self._train = [one for one in train if math.isfinite(one[1])]
        self._heldout = [one for one in heldout if math.isfinite(one[1])]
        self._steps = steps
        self._describe()
        self.update()

    def points(self) -> tuple[list[Point], list[Point]]:
        """What is shown: training and held-out."""
        return self._train, self._heldout

    def _describe(self) -> None:
        """The curve in words, for who cannot see it."""
        parts = []
        if self._train:
            step, loss = self._train[-1]
            parts.append(english.TUNE_CHART_TRAIN.format(step=int(step), loss=f"{loss:.2f}"))
        if self._heldout:
            first, (step, loss) = self._heldout[0][1], self._heldout[-1]
            parts.append(
                english.TUNE_CHART_HELDOUT.format(
                    step=int(step), loss=f"{loss:.2f}", first=f"{first:.2f}"
                )
            )
        self.setAccessibleDescription(" ".join(parts) or english.TUNE_CHART_EMPTY)

    # --- where things are -----------------------------------------------------------------

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT_PX, _TOP_PX, -_RIGHT_PX, -_BOTTOM_PX)

    def _range(self) -> tuple[float, float]:
        """Lowest and highest loss of the axis, with some room."""
        values = [loss for _, loss in (*self._train, *self._heldout)]
        if not values:
            return 0.0, 1.0
        low, high = min(values), max(values)
        room = max((high - low) * 0.08, 0.02)
        return max(0.0, low - room), high + room

    def _last_step(self) -> float:
        seen = [points[-1][0] for points in (self._train, self._heldout) if points]
        return max([1.0, float(self._steps), *seen])

    def _place(self, point: Point, plot: QRectF) -> QPointF:
        low, high = self._range()
        inset = 12.0
        x = plot.left() + inset + (plot.width() - 2 * inset) * point[0] / self._last_step()
        y = plot.bottom() - plot.height() * (point[1] - low) / (high - low)
        return QPointF(x, y)

    # --- painting -------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(0.92))
        plot = self._plot()
        painter.fillRect(self.rect(), theme.colour("card"))
        self._paint_grid(painter, plot)
        if self._train or self._heldout:
            self._paint_train(painter, plot)
            self._paint_heldout(painter, plot)
            self._paint_legend(painter, plot)
        else:
            painter.setPen(theme.colour("muted"))
            painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, english.TUNE_CHART_EMPTY)
        painter.end()

    def _paint_grid(self, painter: QPainter, plot: QRectF) -> None:
        low, high = self._range()
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        for value in ticks(low, high, _Y_TICKS):
            y = self._place((0.0, value), plot).y()
            painter.setPen(QPen(theme.colour("line"), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(theme.colour("muted"))
            painter.drawText(QRectF(20, y - 10, _LEFT_PX - 28, 20), middle, f"{value:g}")
        for value in ticks(0.0, self._last_step(), _X_TICKS):
            if value != int(value):
                continue
            x = self._place((value, low), plot).x()
            painter.setPen(QPen(theme.colour("border"), 1))
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() - 5))
            painter.setPen(theme.colour("muted"))
            room = QRectF(x - 40, plot.bottom() + 4, 80, 18)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, f"{int(value):,}")
        painter.setPen(QPen(theme.colour("border"), 1))
        painter.drawLine(plot.topLeft(), plot.bottomLeft())
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.setPen(theme.colour("muted"))
        under = QRectF(plot.left(), plot.bottom() + 23, plot.width(), 20)
        painter.drawText(under, Qt.AlignmentFlag.AlignCenter, english.TUNE_CHART_X)
        painter.save()
        painter.translate(10, plot.center().y())
        painter.rotate(-90)
        side = QRectF(-plot.height() / 2 - 20, -10, plot.height() + 40, 20)
        painter.drawText(side, Qt.AlignmentFlag.AlignCenter, english.TUNE_CHART_Y)
        painter.restore()

    def _paint_train(self, painter: QPainter, plot: QRectF) -> None:
        line = [self._place(point, plot) for point in thinned(self._train, int(plot.width()))]
        painter.setPen(QPen(theme.colour("accent"), 1.5))
        painter.drawPolyline(QPolygonF(line))

    def _paint_heldout(self, painter: QPainter, plot: QRectF) -> None:
        line = [self._place(point, plot) for point in self._heldout]
        pen = QPen(theme.colour("warning"), 2)
        pen.setDashPattern([5, 2])
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(line))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("warning"))
        for point in line:
            painter.drawEllipse(point, _DOT_PX, _DOT_PX)

    def _paint_legend(self, painter: QPainter, plot: QRectF) -> None:
        names = (("accent", english.TUNE_TRAINING), ("warning", english.TUNE_HELDOUT))
        widest = max(painter.fontMetrics().horizontalAdvance(text) for _, text in names)
        left = plot.right() - widest - 50
        box = QRectF(left - 10, plot.top() + 4, widest + 56, 58)
        painter.fillRect(box, theme.colour("card"))
        for at, (role, text) in enumerate(names):
            y = plot.top() + 18 + at * 26
            painter.setPen(QPen(theme.colour(role), 2))
            painter.drawLine(QPointF(left, y), QPointF(left + 22, y))
            if role == "warning":
                painter.setBrush(theme.colour(role))
                painter.drawEllipse(QPointF(left + 11, y), _DOT_PX, _DOT_PX)
            painter.setPen(theme.colour("text"))
            room = QRectF(left + 32, y - 10, widest + 8, 20)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    # --- pointing -------------------------------------------------------------------------

    def said_at(self, x: float) -> str:
        """The losses nearest to a place, in words; "" where there are none."""
        plot, words = self._plot(), []
        for points, form in (
            (self._train, english.TUNE_POINT_TRAIN),
            (self._heldout, english.TUNE_POINT_HELDOUT),
        ):
            if not points:
                continue
            near = min(points, key=lambda point: abs(self._place(point, plot).x() - x))
            if abs(self._place(near, plot).x() - x) <= _NEAR_PX:
                words.append(form.format(step=int(near[0]), loss=f"{near[1]:.3f}"))
        return "\n".join(words)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(
            event.globalPosition().toPoint(), self.said_at(event.position().x()), self
        )


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round values between `low` and `high`, about so many of them."""
    width = high - low
    if not width > 0 or not math.isfinite(width):
        return []
    rough = width / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(at * step, 10) for at in range(first, last + 1)]


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most about `most` points: of each stretch the mean, so that a long run stays light."""
    if len(points) <= max(2, most):
        return list(points)
    size = math.ceil(len(points) / max(2, most))
    result = []
    for at in range(0, len(points), size):
        part = points[at : at + size]
        result.append((part[-1][0], sum(loss for _, loss in part) / len(part)))
    return result
