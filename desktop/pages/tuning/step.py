"""What every step of the tuning wizard is: a page with a title, and when it may be left."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QWidget

from desktop import theme
from desktop.state import AppState
from desktop.strings import english
from desktop.widgets.basics import clear_layout, column, label, row


class Draft(QObject):
    """What the wizard is about; every step reads it and writes its own part."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.dataset = ""
        self.model = ""
        self.method = "lora"
        self.minutes = 30
        """0: as long as it takes."""
        self.name = ""
        self.run = ""
        self.adapter = ""
        """What the run made: an adapter or, by a full fine-tuning, a model."""

    @property
    def whole(self) -> bool:
        """Whether the result is a model of its own."""
        return self.method == "full"

    def spec(self) -> dict[str, object]:
        """The parts of a TuneSpec."""
        return {
            "dataset": self.dataset,
            "name": self.name or english.TUNE_NAME,
            "model": self.model,
            "method": self.method,
            "minutes": float(self.minutes),
        }


class Step(QWidget):
    """One step. `changed` says that what it allows may be different now."""

    changed = Signal()
    mark = ""
    """Its name in the list at the left."""
    title = ""
    text = ""

    def __init__(self, state: AppState, draft: Draft) -> None:
        super().__init__()
        self.state = state
        self.draft = draft

    def next_text(self) -> str:
        """What the button that goes on says; "" for no such button."""
        return english.TUNE_NEXT

    def ready(self) -> bool:
        """Whether the next step can be gone to."""
        return True

    def busy(self) -> bool:
        """Whether the engine works on it now."""
        return False

    def may_go_back(self) -> bool:
        """Whether the step before can be gone to."""
        return True

    def buttons(self) -> list[QPushButton]:
        """Buttons of its own, left of the one that goes on."""
        return []

    def enter(self) -> None:
        """It is shown now."""

    def leave(self) -> None:
        """It is shown no longer: end what only it needs."""


def scrolling(inner: QWidget) -> QScrollArea:
    """`inner` with a scroll bar when it is taller than the room there is."""
    result = QScrollArea()
    result.setWidgetResizable(True)
    result.setFrameShape(QFrame.Shape.NoFrame)
    result.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    result.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    result.setWidget(inner)
    return result


class Remark(QWidget):
    """An icon and a sentence that wraps: good, warning, danger or muted."""

    ICONS = {
        "good": "circle-check",
        "warning": "triangle-alert",
        "danger": "circle-alert",
        "muted": "info",
    }

    def __init__(self, text: str, tone: str = "muted") -> None:
        super().__init__()
        picture = QLabel()
        picture.setFixedSize(20, 20)
        theme.set_label_icon(picture, self.ICONS[tone], tone, 17)
        self.text = label(text, 0.97, tone=tone, wrap=True)
        layout = row(spacing=9)
        layout.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.text, 1)
        self.setLayout(layout)


class Remarks(QWidget):
    """Remarks under each other; not there at all while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[tuple[str, str]] = []
        self._lines = column(spacing=8)
        self.setLayout(self._lines)
        self.hide()

    def say(self, remarks: list[tuple[str, str]]) -> None:
        """Show (text, tone) remarks; the same ones again are left as they are."""
        if remarks == self._said:
            return
        self._said = list(remarks)
        clear_layout(self._lines)
        for text, tone in remarks:
            self._lines.addWidget(Remark(text, tone))
        self.setVisible(bool(remarks))
