"""The first start: one thing to do, and three reasons to do it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QVBoxLayout, QWidget

from desktop import theme
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import BOLD, button, centred, column, label, row
from desktop.widgets.drop_area import DropArea

_WIDTH_PX = 860
_NARROW_PX = 620


class Reassurance(QWidget):
    """An icon, a short promise and a line under it."""

    def __init__(self, icon: str, role: str, title: str, text: str) -> None:
        super().__init__()
        picture = QLabel()
        picture.setFixedSize(22, 24)
        theme.set_label_icon(picture, icon, role, 22)
        self.title = label(title, weight=BOLD, wrap=True)
        self.text = label(text, 0.95, tone="muted", wrap=True)
        words = column(self.title, self.text, spacing=3)
        words.addStretch(1)
        layout = row(picture, spacing=12)
        layout.setAlignment(picture, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.setLayout(layout)


class StartPage(QFrame):
    """Shown while there is no library."""

    folder_wanted = Signal()
    sample_wanted = Signal()
    dropped = Signal(list)

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("page")
        self._state = state
        self.drop = DropArea()
        self.drop.setAccessibleName(english.DROP_AREA)
        self.drop.setMinimumHeight(248)
        self.choose = button(english.CHOOSE_FOLDER, self.folder_wanted.emit, "primary")
        self.sample = button(english.TRY_SAMPLE, self.sample_wanted.emit)
        for control in (self.choose, self.sample):
            control.setMinimumSize(QSize(150, 36))
        self._model = Reassurance(
            "cpu", "good", english.READY_WAIT_TITLE, english.READY_WAIT_TEXT
        )
        self._build()
        self.drop.dropped.connect(self.dropped)
        self.drop.hovered.connect(self._hover)
        state.models_changed.connect(self._show_model)
        self._show_model()

    def _build(self) -> None:
        picture = QLabel()
        theme.set_label_icon(picture, "folder-open", "accent", 48)
        self._title = label(english.DROP_TITLE, 1.5, BOLD)
        text = label(english.DROP_TEXT, tone="muted", wrap=True)
        for part in (picture, self._title, text):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        inside = QVBoxLayout(self.drop)
        inside.setContentsMargins(32, 28, 32, 32)
        inside.setSpacing(8)
        inside.addStretch(1)
        inside.addWidget(picture)
        inside.addWidget(self._title)
        inside.addWidget(text)
        inside.addSpacing(10)
        inside.addLayout(row(None, self.choose, self.sample, None, spacing=10))
        inside.addStretch(1)
        headline = label(english.START_TITLE, 2.0, BOLD)
        under = label(english.START_SUBTITLE, 1.08, tone="muted", wrap=True)
        self._promises = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._promises.setSpacing(28)
        private = Reassurance(
            "shield-check", "good", english.PRIVATE_TITLE, english.PRIVATE_TEXT
        )
        sources = Reassurance("quote", "accent", english.SOURCES_TITLE, english.SOURCES_TEXT)
        for promise in (private, self._model, sources):
            self._promises.addWidget(promise, 1)
        inner = QWidget()
        body = column(headline, under, spacing=0, margins=(40, 24, 40, 24))
        body.insertStretch(0, 2)
        body.insertSpacing(2, 4)
        body.addSpacing(26)
        body.addWidget(self.drop)
        body.addSpacing(26)
        body.addLayout(self._promises)
        body.addStretch(3)
        inner.setLayout(body)
        self.setLayout(column(centred(inner, _WIDTH_PX + 80)))

    def _hover(self, over: bool) -> None:
        self._title.setText(english.DROP_HERE if over else english.DROP_TITLE)

    def _show_model(self) -> None:
        card = self._state.default_model()
        if card is None:
            return
        self._model.title.setText(
            english.READY_TITLE.format(model=names.one_line(card.name, 40))
        )
        self._model.text.setText(
            english.READY_TEXT.format(
                needed=figures.size(card.memory_bytes),
                there=figures.size(card.memory_available_bytes),
            )
        )

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX
        self._promises.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        )
        self._promises.setSpacing(14 if narrow else 28)
