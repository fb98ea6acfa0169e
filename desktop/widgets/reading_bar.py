"""How far the reading of a library is: a slim bar, a line, and a way to pause it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QProgressBar, QSizePolicy

from desktop.state import Reading
from desktop.strings import english, figures
from desktop.widgets.basics import ElidedLabel, column, icon_button, label, row

_STEPS = 1000


class ReadingBar(QFrame):
    """Follows one `Reading`. Slim for the sidebar, wide (with the file at work) elsewhere."""

    def __init__(self, reading: Reading, slim: bool) -> None:
        super().__init__()
        self.setObjectName("quiet" if slim else "card")
        self.reading = reading
        self._slim = slim
        self._title = ElidedLabel(weight=label().font().weight())
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(5 if slim else 6)
        self._line = ElidedLabel(scale=0.92, role="muted")
        self.pause = icon_button("pause", english.PAUSE_INDEXING, reading.pause, 15)
        layout = column(spacing=5, margins=(12, 6, 6, 9) if slim else (16, 8, 10, 13))
        if slim:
            layout.addLayout(row(self._title, self.pause, spacing=6))
        else:  # on one line, so that what is read keeps its room
            self._title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            self._line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            layout.addLayout(row(self._title, self._line, self.pause, spacing=12))
        layout.addLayout(row(self._bar, margins=(0, 0, 6, 0)))
        if slim:
            layout.addWidget(self._line)
        self.setLayout(layout)
        reading.moved.connect(self._show)
        self._show()

    def line(self) -> str:
        """What is said under the bar."""
        return self._line.text()

    def _show(self) -> None:
        reading = self.reading
        self._title.set_text(english.INDEXING.format(name=reading.name))
        self.pause.setEnabled(not reading.stopping)
        if reading.total <= 0:
            self._bar.setRange(0, 0)
            self._line.set_text(english.INDEXING_STARTING)
        else:
            self._bar.setRange(0, _STEPS)
            self._bar.setValue(int(_STEPS * min(1.0, reading.done / reading.total)))
            self._line.set_text(self._sentence())
        self._bar.setAccessibleName(f"{self._title.text()}. {self._line.text()}")

    def _sentence(self) -> str:
        reading = self.reading
        parts = [reading.note] if reading.note and not self._slim else []
        parts.append(f"{figures.percent(reading.done, reading.total)} %")
        if left := figures.time_left(reading.eta_s):
            parts.append(left)
        return " · ".join(parts)
