"""The conditions in force, above the question field: each can be lifted with a click."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop import theme
from desktop.scope import Part, Scope
from desktop.strings import english, names
from desktop.widgets.basics import button, label, plain_tip
from desktop.widgets.flow_layout import FlowLayout

_WIDEST_PX = 230
_SHOWN = 24


class FilterChips(QWidget):
    """Hidden while every file counts."""

    lifted = Signal(object)
    """The `Part` to do without."""
    cleared = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[Part] = []
        self._widgets: list[QWidget] = []
        self._flow = FlowLayout(self)
        self.hide()

    def texts(self) -> list[str]:
        """What the chips say."""
        return [names.one_line(part.text, 120) for part in self._parts]

    def chips(self) -> list[QPushButton]:
        """The buttons, one a condition, then "Clear all" where there are several."""
        return [widget for widget in self._widgets if isinstance(widget, QPushButton)]

    def show_scope(self, scope: Scope) -> None:
        """One chip a condition."""
        parts = scope.parts()
        if parts == self._parts:
            return
        self._parts = parts
        for widget in self._widgets:
            self._flow.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._widgets = []
        if parts:
            self._widgets.append(self._lead())
        self._widgets += [self._chip(part) for part in parts[:_SHOWN]]
        if len(parts) > 1:
            clear = button(english.FILTER_CLEAR, self.cleared.emit, "chip")
            clear.setProperty("plain", True)
            self._widgets.append(clear)
        for widget in self._widgets:
            self._flow.addWidget(widget)
        self.setVisible(bool(parts))
        self.updateGeometry()

    def _lead(self) -> QLabel:
        picture = label()
        theme.set_label_icon(picture, "list-filter", "accent", 16)
        picture.setFixedSize(20, 26)
        picture.setToolTip(english.FILTER_IN_FORCE)
        return picture

    def _chip(self, part: Part) -> QPushButton:
        text = names.one_line(part.text, 120)
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, _WIDEST_PX)
        chip = button("", lambda: self.lifted.emit(part), "chip")
        chip.setText(f"{shown.replace('&', '&&')} ")
        chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross stands behind
        theme.set_icon(chip, "x", "muted", 14)
        chip.setIconSize(QSize(14, 14))
        chip.setAccessibleName(english.FILTER_LIFT.format(what=text))
        chip.setToolTip(plain_tip(english.FILTER_LIFT.format(what=part.tip)))
        return chip
