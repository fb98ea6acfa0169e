"""Figures side by side: each a value in bold over what it is."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from desktop.widgets.basics import BOLD, ElidedLabel, column, plain_tip

_TILE_PX = 138
"""Narrower than this, tiles stand in two rows."""


class FactTile(QFrame):
    """One figure. `hint` explains a word that not everybody knows."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__()
        self.setObjectName("card")
        self._what = what
        self.value = ElidedLabel("–", 1.08, BOLD)
        self.name = ElidedLabel(what, 0.95, role="muted")
        self.setLayout(column(self.value, self.name, spacing=2, margins=(14, 10, 14, 10)))
        if hint:
            self.setToolTip(plain_tip(hint))
            self.setAccessibleDescription(hint)
        self.say("")

    def say(self, value: str) -> None:
        """Show a value; "" where it is not known."""
        self.value.set_text(value or "–")
        self.setAccessibleName(f"{self._what}: {value or '–'}")


class FactTiles(QWidget):
    """Tiles of one width.

    Args:
        facts: (name, what it is, hint) of each.
    """

    def __init__(self, *facts: tuple[str, str, str]) -> None:
        super().__init__()
        self._tiles = {name: FactTile(what, hint) for name, what, hint in facts}
        self._columns = 0
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(10)
        self.setLayout(self._grid)
        self._arrange(len(facts))

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        for at in range(max(columns, self._columns)):
            self._grid.setColumnStretch(at, 1 if at < columns else 0)
        self._columns = columns
        for at, tile in enumerate(self._tiles.values()):
            self._grid.addWidget(tile, at // columns, at % columns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _TILE_PX * len(self._tiles)
        self._arrange(2 if narrow else len(self._tiles))

    def say(self, **values: str) -> None:
        """Show values by name."""
        for name, value in values.items():
            self._tiles[name].say(value)

    def value(self, name: str) -> str:
        """What a tile shows."""
        return self._tiles[name].value.text()
