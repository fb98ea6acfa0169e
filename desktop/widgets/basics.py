"""The small parts everything is made of: plain labels, buttons, cards, elided text."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.strings import names

BOLD = QFont.Weight.DemiBold


def label(
    text: str = "",
    scale: float = 1.0,
    weight: QFont.Weight = QFont.Weight.Normal,
    tone: str = "",
    wrap: bool = False,
    selectable: bool = False,
) -> QLabel:
    """A label that shows its text as it is: QLabel would guess HTML from a file name."""
    result = QLabel()
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setFont(theme.font(scale, weight))
    result.setWordWrap(wrap)
    if tone:
        result.setProperty("tone", tone)
    if selectable:
        result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return result


def set_tone(widget: QWidget, tone: str) -> None:
    """Change a label's colour by meaning: muted, good, warning, danger, or plain."""
    if widget.property("tone") != tone:
        widget.setProperty("tone", tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def button(
    text: str, on_click: Callable[[], object], look: str = "", icon: str = ""
) -> QPushButton:
    """A push button; `look` is primary, danger, link, chooser or segment."""
    # Fusion sets icon and text close together; a space keeps them apart at any font size.
    result = QPushButton(f" {text}" if icon and text else text)
    result.setAccessibleName(text)
    result.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if look:
        result.setProperty("look", look)
    result.clicked.connect(lambda checked=False: on_click())
    result.setCursor(Qt.CursorShape.PointingHandCursor)
    if icon:
        role = {"primary": "on_accent", "danger": "danger", "link": "accent"}.get(look, "muted")
        theme.set_icon(result, icon, role, 17)
        result.setIconSize(QSize(17, 17))
    return result


def icon_button(
    name: str, says: str, on_click: Callable[[], object], size_px: int = 18, shortcut: str = ""
) -> QToolButton:
    """A button with only an icon: its name is its tooltip and what a screen reader says."""
    result = QToolButton()
    result.setAutoRaise(True)
    result.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    result.setIconSize(QSize(size_px, size_px))
    theme.set_icon(result, name, "muted", size_px)
    shown = QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    result.setToolTip(f"{says} ({shown})" if shortcut else says)
    result.setAccessibleName(says)
    result.clicked.connect(lambda checked=False: on_click())
    result.setCursor(Qt.CursorShape.PointingHandCursor)
    return result


def card(name: str = "card") -> QFrame:
    """A framed surface; `name` picks its colours in the style sheet."""
    result = QFrame()
    result.setObjectName(name)
    return result


def column(
    *parts: QWidget, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QVBoxLayout:
    """Widgets one under the other."""
    layout = QVBoxLayout()
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        layout.addWidget(part)
    return layout


def row(
    *parts: QWidget | None, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QHBoxLayout:
    """Widgets side by side; None is a stretch."""
    layout = QHBoxLayout()
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        if part is None:
            layout.addStretch(1)
        else:
            layout.addWidget(part)
    return layout


def clear_layout(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Take out and free everything in a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()


class ElidedLabel(QWidget):
    """One line of untrusted text that gives way with "…" and shows all in its tooltip."""

    def __init__(
        self,
        text: str = "",
        scale: float = 1.0,
        weight: QFont.Weight = QFont.Weight.Normal,
        role: str = "text",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__()
        self._text = ""
        self._role = role
        self._mode = mode
        self._width = 0.0
        self.setFont(theme.font(scale, weight))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.follow(self, self.update)
        self.set_text(text)

    def text(self) -> str:
        """What is shown, before elision."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show `text` on one line, made safe."""
        self._text = names.one_line(text)
        self._width = QFontMetricsF(self.font()).horizontalAdvance(self._text)
        self.setAccessibleName(self._text)
        self._say()
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(int(self._width) + 2, QFontMetricsF(self.font()).height().__ceil__() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._say()

    def _say(self) -> None:
        self.setToolTip(plain_tip(self._text) if self._width > self.width() else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(theme.colour(self._role))
        shown = self.fontMetrics().elidedText(self._text, self._mode, self.width())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(self.rect(), flags | Qt.TextFlag.TextSingleLine, shown)
        painter.end()


def plain_tip(text: str) -> str:
    """A tooltip that Qt takes for plain text, whatever a file name looks like.

    Qt takes any text with a tag in it for HTML; such text becomes escaped HTML.
    """
    shown = "\n".join(names.one_line(line, 1000) for line in text.split("\n")[:12])
    if "<" not in shown:
        return shown
    return f"<p style='white-space:pre-wrap'>{escape(shown)}</p>"


def centred(inner: QWidget, width_px: int) -> QWidget:
    """`inner` in the middle of whatever there is, at most `width_px` wide."""
    inner.setMaximumWidth(width_px)
    result = QWidget()
    layout = QHBoxLayout(result)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addStretch(1)
    layout.addWidget(inner, 1000)
    layout.addStretch(1)
    return result
