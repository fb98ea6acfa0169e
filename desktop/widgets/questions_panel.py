"""The conversations in the sidebar: found by words, opened, renamed, exported, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from desktop import theme
from desktop.client import Call
from desktop.dialogs.export import FORMATS, Export
from desktop.models.questions import QuestionsModel
from desktop.state import AppState
from desktop.strings import english
from desktop.widgets.basics import column, label
from desktop.widgets.question_list import QuestionList
from engine.errors import Cancelled, EngineError

if TYPE_CHECKING:
    from engine.work.api import ConversationHits

_TYPING_MS = 180
_HITS = 60
_LONGEST_QUERY = 300


class _SearchField(QLineEdit):
    """Esc empties it, and only then goes on to the window; Down goes to the list."""

    down = Signal()

    def event(self, event: QEvent) -> bool:
        wanted = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if wanted and event.key() == Qt.Key.Key_Escape and self.text():  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self.down.emit()
        else:
            super().keyPressEvent(event)


class QuestionsPanel(QWidget):
    """Shows the state's conversations; renaming and exporting it does itself."""

    opened = Signal(str, int)
    """Conversation id, and the turn that was found (0 for none)."""
    delete_wanted = Signal(str)

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self._state = state
        self._call: Call | None = None
        self.model = QuestionsModel()
        self.list = QuestionList(self.model)
        self.search = _SearchField()
        self.search.setPlaceholderText(english.SEARCH_QUESTIONS)
        self.search.setAccessibleName(english.SEARCH_QUESTIONS)
        self.search.setMaxLength(_LONGEST_QUERY)
        self.search.setFont(theme.font(0.95))
        self._none = label("", 0.92, tone="muted", wrap=True)
        self._none.setContentsMargins(10, 4, 8, 4)
        layout = column(self.search, self._none, spacing=4)
        layout.addWidget(self.list, 1)
        self.setLayout(layout)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._look)
        self.search.textChanged.connect(self._typed)
        self.search.returnPressed.connect(self.list.open_first)
        self.search.down.connect(self._to_list)
        self.list.opened.connect(self.opened)
        self.list.delete_wanted.connect(self.delete_wanted)
        self.list.menu_wanted.connect(self._open_menu)
        self.model.renamed.connect(self._rename)
        state.conversations_changed.connect(self._show)
        self._show()

    @property
    def query(self) -> str:
        """What is searched for, "" for nothing."""
        return self.search.text().strip()

    def _show(self) -> None:
        there = bool(self._state.conversations)
        self.search.setVisible(there)
        if self.query and there:
            self._look()
            return
        self.model.show_conversations(self._state.conversations)
        self._say(english.NO_QUESTIONS if self._state.known and not there else "")

    def _say(self, text: str) -> None:
        self._none.setText(text)
        self._none.setVisible(bool(text))

    # --- searching ------------------------------------------------------------------------

    def find(self) -> None:
        """Put the cursor where questions are searched for."""
        self.search.setFocus()
        self.search.selectAll()

    def _typed(self) -> None:
        if self.query:
            self._typing.start()
        else:
            self._typing.stop()
            self._give_up()
            self._show()

    def _give_up(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _look(self) -> None:
        self._give_up()
        params = {"query": self.query, "limit": _HITS}
        call = self._call = self._state.client.request("conversations.search", params)
        call.succeeded.connect(lambda found: self._take(call, found))
        call.failed.connect(lambda error: self._failed(call, error))

    def _take(self, call: Call, found: ConversationHits) -> None:
        if call is self._call:
            self._call = None
            self.model.show_hits(found.hits)
            self._say("" if found.hits else english.NO_QUESTIONS_FOUND)

    def _failed(self, call: Call, error: EngineError) -> None:
        if call is self._call and not isinstance(error, Cancelled):
            self._call = None
            self._state.notices.error(error)

    def _to_list(self) -> None:
        self.list.setFocus(Qt.FocusReason.TabFocusReason)
        if not self.list.currentIndex().isValid() and self.model.rowCount():
            first = 0 if self.query else 1
            self.list.setCurrentIndex(self.model.index(first))

    # --- doing ----------------------------------------------------------------------------

    def _rename(self, conversation_id: str, title: str) -> None:
        params = {"conversation": conversation_id, "title": title}
        call = self._state.client.request("conversations.rename", params)
        call.failed.connect(self._state.notices.error)
        # Whatever came of it, the list shows what the engine has.
        call.finished.connect(lambda: self._state.refresh("conversations"))

    def export(self, conversation_id: str, kind: str) -> Export:
        """Write a conversation as `kind` (md, html or json) where the user says."""
        return Export(self.window(), self._state, conversation_id, kind)

    def menu(self, conversation_id: str) -> QMenu:
        """What can be done with a conversation."""
        menu = QMenu(self)
        menu.addAction(
            theme.icon("message-square"),
            english.OPEN_QUESTION,
            lambda: self.opened.emit(conversation_id, 0),
        )
        if self.model.row_of(conversation_id) >= 0:
            menu.addAction(
                theme.icon("pencil"),
                english.RENAME_QUESTION,
                lambda: self.list.rename(conversation_id),
            )
        export = menu.addMenu(theme.icon("download"), english.EXPORT_QUESTION)
        for kind, says in FORMATS.items():
            export.addAction(says, lambda kind=kind: self.export(conversation_id, kind))
        menu.addSeparator()
        menu.addAction(
            theme.icon("trash-2", "danger"),
            english.REMOVE_QUESTION,
            lambda: self.delete_wanted.emit(conversation_id),
        )
        return menu

    def _open_menu(self, conversation_id: str, at: QPoint) -> None:
        menu = self.menu(conversation_id)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)
