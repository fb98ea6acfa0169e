"""The settings in four sections; each says what a choice means, and the window keeps it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QStackedWidget,
    QWidget,
)

from desktop.pages.settings_general import GeneralSettings
from desktop.pages.settings_library import LibrarySettings
from desktop.pages.settings_model import ModelSettings
from desktop.pages.settings_privacy import PrivacySettings
from desktop.preferences import Preferences
from desktop.state import AppState
from desktop.strings import english
from desktop.widgets.basics import BOLD, button, centred, column, label, row

_WIDTH_PX = 740
SECTIONS = (
    ("general", english.SETTINGS_GENERAL),
    ("library", english.SETTINGS_LIBRARY),
    ("model", english.SETTINGS_MODEL_SECTION),
    ("privacy", english.SETTINGS_PRIVACY),
)


class SettingsPage(QFrame):
    """Changes the preferences and says so; `changed` is for whoever keeps and uses them."""

    changed = Signal()
    theme_chosen = Signal(str)
    go_models = Signal()
    shortcuts_wanted = Signal()
    library_remove = Signal(str)

    def __init__(self, state: AppState, preferences: Preferences, home: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self.general = GeneralSettings(state, preferences)
        self.library = LibrarySettings(preferences)
        self.model = ModelSettings(state, preferences)
        self.privacy = PrivacySettings(state, preferences, home)
        self._parts: dict[str, QWidget] = {
            "general": self.general,
            "library": self.library,
            "model": self.model,
            "privacy": self.privacy,
        }
        self.tabs: dict[str, QPushButton] = {}
        self._build()
        self._connect()

    def _build(self) -> None:
        group = QButtonGroup(self)
        group.setExclusive(True)
        tabs = row(spacing=4)
        for name, text in SECTIONS:
            tab = button(text, lambda name=name: self.open_section(name), "segment")
            tab.setCheckable(True)
            tab.setAccessibleDescription(english.SETTINGS_SECTION)
            group.addButton(tab)
            self.tabs[name] = tab
            tabs.addWidget(tab)
        tabs.addStretch(1)
        self._stack = QStackedWidget()
        for part in self._parts.values():
            self._stack.addWidget(_scrolling(part))
        head = QWidget()
        for bar in self._bars():
            # The heading stays in line with the cards when a scroll bar pushes them.
            bar.rangeChanged.connect(lambda *_: self._align())
        upper = column(label(english.SETTINGS_TITLE, 1.5, BOLD), spacing=12)
        upper.setContentsMargins(28, 20, 28, 4)
        upper.addLayout(tabs)
        head.setLayout(upper)
        self._head = centred(head, _WIDTH_PX)
        layout = column(self._head, spacing=0)
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)
        self.open_section("general")

    def _bars(self) -> list[QScrollBar]:
        scrolls = [self._stack.widget(i) for i in range(self._stack.count())]
        return [s.verticalScrollBar() for s in scrolls if isinstance(s, QScrollArea)]

    def _align(self) -> None:
        bar = self._bars()[self._stack.currentIndex()]
        right = bar.sizeHint().width() if bar.maximum() > 0 else 0
        self._head.layout().setContentsMargins(0, 0, right, 0)

    def _connect(self) -> None:
        self.general.theme_chosen.connect(self.theme_chosen)
        self.general.shortcuts_wanted.connect(self.shortcuts_wanted)
        self.model.go_models.connect(self.go_models)
        self.privacy.library_remove.connect(self.library_remove)
        for part in (self.general, self.library, self.model, self.privacy):
            part.changed.connect(self.changed)

    def open_section(self, name: str) -> None:
        """Show one of the four."""
        self.tabs[name].setChecked(True)
        self._stack.setCurrentIndex(list(self._parts).index(name))
        self._align()
        if self.isVisible() and name == "privacy":
            self.privacy.measure()

    def section(self) -> str:
        """The section shown."""
        return list(self._parts)[self._stack.currentIndex()]

    def showEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().showEvent(event)
        if self.section() == "privacy":
            self.privacy.measure()

    def show_choices(self) -> None:
        """Show what is set: something else changed it."""
        self.general.show_choices()

    def examine(self) -> None:
        """Have the engine look at this computer."""
        self.general.computer.examine()

    def open_home(self) -> None:
        """Open the data folder in the file manager."""
        self.privacy.open_home()


def _scrolling(part: QWidget) -> QScrollArea:
    result = QScrollArea()
    result.setWidgetResizable(True)
    result.setFrameShape(QFrame.Shape.NoFrame)
    result.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    result.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    result.setWidget(centred(part, _WIDTH_PX))
    return result
