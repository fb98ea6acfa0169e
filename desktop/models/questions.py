"""The conversations of the sidebar: by day, or what a search found in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from desktop.strings import english, names
from desktop.widgets.basics import plain_tip

if TYPE_CHECKING:
    from engine.work.api import ConversationHit, ConversationRow

ENTRY_ROLE = Qt.ItemDataRole.UserRole + 1
ID_ROLE = Qt.ItemDataRole.UserRole + 2
LONGEST_TITLE = 200
_OPEN, _CLOSE = "\u2068", "\u2069"
_ROOT = QModelIndex()


@dataclass(frozen=True)
class Entry:
    """A row: the name of a day, a conversation, or a place found in one."""

    kind: Literal["head", "question", "hit"]
    id: str
    text: str
    turn: int = 0
    pieces: tuple[tuple[str, bool], ...] = ()
    """Of a hit: what stands around the match, and whether it is the match itself."""


class QuestionsModel(QAbstractListModel):
    """Rows that keep their place when only titles change, so that an open editor stays."""

    renamed = Signal(str, str)
    """Conversation id and the title the user gave it."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []

    def show_conversations(
        self, rows: list[ConversationRow], now: datetime | None = None
    ) -> None:
        """All conversations under the names of their days, in the order given."""
        today = (now or datetime.now(UTC)).astimezone()
        entries: list[Entry] = []
        day = ""
        for conversation in rows:
            of = day_of(conversation.updated_at, today)
            if of != day:
                day = of
                entries.append(Entry("head", "", day))
            entries.append(Entry("question", conversation.id, conversation.title))
        self._replace(entries)

    def show_hits(self, hits: list[ConversationHit]) -> None:
        """What a search found, best first."""
        self._replace(
            [
                Entry("hit", hit.conversation, hit.title, hit.turn, marked(hit.snippet))
                for hit in hits
            ]
        )

    def _replace(self, entries: list[Entry]) -> None:
        same = [(e.kind, e.id, e.turn) for e in entries] == [
            (e.kind, e.id, e.turn) for e in self._entries
        ]
        if not same:
            self.beginResetModel()
            self._entries = entries
            self.endResetModel()
            return
        changed = [i for i, entry in enumerate(entries) if entry != self._entries[i]]
        self._entries = entries
        for i in changed:
            self.dataChanged.emit(self.index(i), self.index(i))

    def entry(self, row: int) -> Entry | None:
        """The row with this number."""
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def entries(self) -> list[Entry]:
        """All rows."""
        return self._entries

    def row_of(self, conversation_id: str) -> int:
        """Position of a conversation, -1 when it is not shown."""
        return next(
            (
                at
                for at, entry in enumerate(self._entries)
                if entry.id == conversation_id and entry.kind == "question"
            ),
            -1,
        )

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._entries)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        entry = self.entry(index.row())
        if entry is None or entry.kind == "head":
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if entry.kind == "question" else flags

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        entry = self.entry(index.row()) if index.isValid() else None
        if entry is None:
            return None
        if role == ENTRY_ROLE:
            return entry
        if role == ID_ROLE:
            return entry.id
        text = names.one_line(entry.text, LONGEST_TITLE)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return text
        snippet = "".join(piece for piece, _ in entry.pieces)
        if role == Qt.ItemDataRole.ToolTipRole and entry.kind != "head":
            return plain_tip(f"{text}\n{snippet}" if snippet else text)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{text}: {snippet}" if snippet else text
        return None

    def setData(
        self,
        index: QModelIndex | QPersistentModelIndex,
        value: object,
        role: int = Qt.ItemDataRole.EditRole,
    ) -> bool:
        entry = self.entry(index.row())
        title = " ".join(str(value).split())[:LONGEST_TITLE]
        if entry is None or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != " ".join(str(self.data(index)).split()):
            # Shown at once; the engine's answer confirms it or takes it back.
            self._entries[index.row()] = replace(entry, text=title)
            self.dataChanged.emit(index, index)
            self.renamed.emit(entry.id, title)
        return True


def day_of(iso: str, today: datetime) -> str:
    """Today, Yesterday or Earlier, in the reader's own time."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return english.EARLIER
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    date = moment.astimezone(today.tzinfo).date()
    if date >= today.date():
        return english.TODAY
    return english.YESTERDAY if date == today.date() - timedelta(days=1) else english.EARLIER


def marked(snippet: str) -> tuple[tuple[str, bool], ...]:
    """A snippet in pieces, each safe for one line; the engine marks matches with isolates."""
    pieces: list[tuple[str, bool]] = []
    for part in snippet[:1000].split(_OPEN):
        match, closed, rest = part.partition(_CLOSE)
        if not closed:
            match, rest = "", part
        for text, inside in ((match, True), (rest, False)):
            if text:
                pieces.append((names.one_line(text.replace("\n", " "), 400), inside))
    return tuple(pieces)
