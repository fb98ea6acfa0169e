"""The left side of the window: new question, libraries, questions, the model, the way about."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop import theme
from desktop.models.rows import Row, RowsModel
from desktop.state import AppState
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    clear_layout,
    column,
    icon_button,
    label,
    row,
)
from desktop.widgets.following_line import following_words
from desktop.widgets.questions_panel import QuestionsPanel
from desktop.widgets.reading_bar import ReadingBar
from desktop.widgets.row_list import RowList

WIDTH_PX = 248
_LIBRARIES_SHOWN = 6


class ModelBadge(QFrame):
    """The card of the model in use; a click leads to the models."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("quiet")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.name = ElidedLabel(weight=BOLD)
        self.facts = ElidedLabel(scale=0.92, role="muted")
        self.setLayout(column(self.name, self.facts, spacing=1, margins=(12, 8, 12, 9)))

    def show_model(self, state: AppState) -> None:
        """Name and quantization, memory it needs, how fast it last wrote."""
        card = state.default_model()
        if card is None:
            waiting = not state.known
            self.name.set_text(english.ENGINE_STARTING if waiting else english.NO_MODEL)
            self.facts.set_text("" if waiting else english.NO_MODEL_HINT)
        else:
            name = names.one_line(card.name, 80)
            self.name.set_text(name)
            quant = names.one_line(card.quantization, 20)
            parts = [quant] if quant else []
            parts.append(figures.size(card.memory_bytes))
            if state.tokens_per_second:
                rate = f"{state.tokens_per_second:.0f}"
                parts.append(english.TOKENS_PER_SECOND.format(rate=rate))
            self.facts.set_text(" · ".join(parts))
        said = f"{english.MODEL_CARD}: {self.name.text()}, {self.facts.text()}"
        self.setAccessibleName(said)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
            return
        super().keyPressEvent(event)


class Sidebar(QFrame):
    """Shows the state and says what the user chose; it changes nothing itself."""

    new_question = Signal()
    add_folder = Signal()
    library_opened = Signal(str)
    library_menu_wanted = Signal(str, QPoint)
    """A library, and where on the screen its menu belongs."""
    folders_dropped = Signal(str, list)
    """Library id and the folders let go on it."""
    conversation_opened = Signal(str)
    conversation_found = Signal(str, int)
    """A conversation, and the turn that a search found in it."""
    conversation_remove = Signal(str)
    go_models = Signal()
    go_tune = Signal()
    go_settings = Signal()
    go_library = Signal()

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setFixedWidth(WIDTH_PX)
        self.setAccessibleName(english.SIDEBAR)
        self._state = state
        self.libraries_model = RowsModel()
        self.libraries = RowList(self.libraries_model, english.LIBRARY_LIST)
        self.libraries.hug(_LIBRARIES_SHOWN)
        self.questions = QuestionsPanel(state)
        self.conversations = self.questions.list
        self.conversations_model = self.questions.model
        self.badge = ModelBadge()
        self._readings = QVBoxLayout()
        self._readings.setSpacing(6)
        self._build()
        self._connect()
        self._show_libraries()
        self.badge.show_model(state)

    def _build(self) -> None:
        self.ask_new = button(
            english.NEW_QUESTION, self.new_question.emit, "primary", "message-square-plus"
        )
        self.ask_new.setFixedHeight(36)
        self.ask_new.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._no_libraries = label(english.NO_LIBRARIES, 0.92, tone="muted", wrap=True)
        self._no_libraries.setContentsMargins(10, 2, 8, 4)
        plus = icon_button(
            "folder-plus", english.ADD_FOLDER, self.add_folder.emit, 16, "Ctrl+O"
        )
        self.foot = self._foot()
        layout = column(self.ask_new, spacing=0, margins=(12, 12, 12, 10))
        layout.addSpacing(14)
        layout.addLayout(row(_heading(english.LIBRARIES), None, plus, margins=(2, 0, 0, 0)))
        layout.addSpacing(2)
        layout.addWidget(self._no_libraries)
        layout.addWidget(self.libraries)
        layout.addSpacing(14)
        layout.addLayout(row(_heading(english.QUESTIONS), margins=(2, 4, 0, 0)))
        layout.addSpacing(4)
        layout.addWidget(self.questions, 1)
        layout.addSpacing(8)
        layout.addLayout(self._readings)
        layout.addSpacing(6)
        layout.addWidget(self.badge)
        layout.addSpacing(6)
        layout.addWidget(self.foot)
        self.setLayout(layout)

    def _foot(self) -> QWidget:
        result = QWidget()
        self.nav_library = icon_button(
            "library", english.NAV_LIBRARY, self.go_library.emit, 18, "Ctrl+L"
        )
        self.nav_models = icon_button(
            "cpu", english.NAV_MODELS, self.go_models.emit, 18, "Ctrl+M"
        )
        self.nav_tune = icon_button(
            "wand-sparkles", english.NAV_TUNE, self.go_tune.emit, 18, "Ctrl+T"
        )
        self.nav_settings = icon_button(
            "settings", english.NAV_SETTINGS, self.go_settings.emit, 18, "Ctrl+,"
        )
        for nav in (self.nav_tune, self.nav_library, self.nav_models, self.nav_settings):
            nav.setCheckable(True)
            nav.setAutoExclusive(False)
        result.setLayout(
            row(
                self.nav_tune,
                self.nav_library,
                self.nav_models,
                self.nav_settings,
                None,
                _offline(),
                spacing=1,
            )
        )
        return result

    def _connect(self) -> None:
        state = self._state
        state.libraries_changed.connect(self._show_libraries)
        for signal in (state.models_changed, state.speed_changed):
            signal.connect(lambda: self.badge.show_model(state))
        state.readings_changed.connect(self._show_readings)
        self.libraries.opened.connect(self.library_opened)
        self.libraries.take_folders()
        self.libraries.dropped.connect(self.folders_dropped)
        self.libraries.menu_wanted.connect(self.library_menu_wanted)
        self.questions.opened.connect(self._open_question)
        self.questions.delete_wanted.connect(self.conversation_remove)
        self.badge.clicked.connect(self.go_models)

    def show_place(self, page: str, library_id: str, conversation_id: str) -> None:
        """Mark where the user is."""
        self.libraries.set_current(library_id if page in ("ask", "library") else "")
        self._show_libraries()
        self.conversations.set_current(conversation_id if page == "ask" else "")
        self.nav_library.setChecked(page == "library")
        self.nav_models.setChecked(page == "models")
        self.nav_tune.setChecked(page == "tune")
        self.nav_settings.setChecked(page == "settings")

    def _show_libraries(self) -> None:
        current = self.libraries.current()
        rows = []
        for view in self._state.libraries:
            icon = "folder-open" if view.id == current else "folder"
            if view.state in ("outdated", "damaged") or view.following == "lost":
                icon = "triangle-alert"
            elif view.following == "paused":
                icon = "circle-pause"
            busy = self._state.reading_of(view.id) is not None
            tip = "\n".join([view.name, following_words(view, busy)[2], *view.roots])
            rows.append(Row(view.id, view.name, icon, f"{view.files:,}", tip))
        self.libraries_model.set_rows(rows)
        idle = not self._state.readings
        self._no_libraries.setVisible(self._state.known and not rows and idle)

    def _open_question(self, conversation_id: str, turn: int) -> None:
        if turn:
            self.conversation_found.emit(conversation_id, turn)
        else:
            self.conversation_opened.emit(conversation_id)

    def _show_readings(self) -> None:
        self._show_libraries()
        shown = [self._readings.itemAt(i).widget() for i in range(self._readings.count())]
        if [
            bar.reading for bar in shown if isinstance(bar, ReadingBar)
        ] == self._state.readings:
            return
        clear_layout(self._readings)
        for reading in self._state.readings[:3]:
            self._readings.addWidget(ReadingBar(reading, slim=True))


def _heading(text: str) -> QLabel:
    result = label(text, 0.88, BOLD, "muted")
    result.setContentsMargins(0, 0, 0, 0)
    return result


def _offline() -> QFrame:
    """The badge that says nothing leaves this computer."""
    result = QFrame()
    result.setObjectName("quiet")
    picture = QLabel()
    theme.set_label_icon(picture, "shield-check", "good", 15)
    result.setLayout(
        row(
            picture,
            label(english.OFFLINE, 0.9, tone="muted"),
            spacing=5,
            margins=(8, 5, 9, 5),
        )
    )
    result.setToolTip(english.OFFLINE_WHY)
    result.setAccessibleName(english.OFFLINE_WHY)
    return result
