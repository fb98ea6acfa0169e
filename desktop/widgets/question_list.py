"""The list of conversations: painted rows, so that hundreds cost no more than ten."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop import theme
from desktop.models.questions import ENTRY_ROLE, ID_ROLE, LONGEST_TITLE, Entry, QuestionsModel
from desktop.strings import english
from desktop.widgets.basics import BOLD

_HEAD_PX = 28
_ROW_PX = 34
_HIT_PX = 54
_ICON_PX = 17
_TEXT_LEFT_PX = 10 + _ICON_PX + 10


class QuestionDelegate(QStyledItemDelegate):
    """Paints days, titles and what was found; edits titles in their place."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        entry: Entry = index.data(ENTRY_ROLE)
        height = {"head": _HEAD_PX, "question": _ROW_PX, "hit": _HIT_PX}[entry.kind]
        lines = 2 if entry.kind == "hit" else 1
        return QSize(120, max(height, lines * option.fontMetrics.height() + 12))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        entry: Entry = index.data(ENTRY_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(0, 1, 0, -1)
        if entry.kind == "head":
            painter.setFont(theme.font(0.86, BOLD))
            painter.setPen(theme.colour("muted"))
            room = box.adjusted(10, 4, -8, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, str(index.data()))
            painter.restore()
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected" if chosen else "hover"))
            painter.drawRoundedRect(box, 7, 7)
        keyed = QStyle.StateFlag.State_HasFocus | QStyle.StateFlag.State_KeyboardFocusChange
        if option.state & keyed == keyed:
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 7, 7)
        title = box.adjusted(_TEXT_LEFT_PX, 0, -8, 0)
        if entry.kind == "hit":
            title.setHeight(box.height() // 2 + 2)
        self._icon(painter, box, title, chosen)
        painter.setFont(option.font)
        painter.setPen(theme.colour("text"))
        text = option.fontMetrics.elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, title.width()
        )
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(title, flags, text)
        if entry.kind == "hit":
            self._snippet(
                painter, QRect(title.left(), title.bottom(), title.width(), 20), entry
            )
        painter.restore()

    def _icon(self, painter: QPainter, box: QRect, title: QRect, chosen: bool) -> None:
        scale = painter.device().devicePixelRatioF()
        role = "accent" if chosen else "muted"
        picture = theme.pixmap("message-square", role, _ICON_PX, scale)
        painter.drawPixmap(QPoint(box.left() + 10, title.center().y() - _ICON_PX // 2), picture)

    def _snippet(self, painter: QPainter, room: QRect, entry: Entry) -> None:
        """One line around the match, the match marked and in view."""
        pieces = list(entry.pieces)
        small = theme.font(0.9)
        painter.setFont(small)
        before = pieces[0][0] if pieces and not pieces[0][1] else ""
        if painter.fontMetrics().horizontalAdvance(before) > room.width() // 2:
            words = before.split(" ")
            while len(words) > 1 and (
                painter.fontMetrics().horizontalAdvance(" ".join(words)) > room.width() // 2
            ):
                words.pop(0)
            pieces[0] = ("…" + " ".join(words), False)
        text = painter.fontMetrics().elidedText(
            "".join(piece for piece, _ in pieces), Qt.TextElideMode.ElideRight, room.width()
        )
        layout = QTextLayout(text, small)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        layout.setTextOption(option)
        layout.beginLayout()
        layout.createLine().setLineWidth(room.width())
        layout.endLayout()
        formats, at = [], 0
        for piece, match in pieces:
            length = len(piece.encode("utf-16-le", "surrogatepass")) // 2  # as Qt counts
            look = QTextLayout.FormatRange()
            look.start, look.length = at, length
            shade = QTextCharFormat()
            shade.setForeground(theme.colour("text" if match else "muted"))
            if match:
                shade.setBackground(theme.colour("mark"))
            look.format = shade
            formats.append(look)
            at += length
        layout.draw(painter, QPointF(room.topLeft()), formats)

    # --- renaming -------------------------------------------------------------------------

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setMaxLength(LONGEST_TITLE)
        editor.setAccessibleName(english.RENAME_QUESTION)
        editor.setAutoFillBackground(True)
        return editor

    def updateEditorGeometry(
        self,
        editor: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        editor.setGeometry(option.rect.adjusted(2, 0, -2, 0))


class QuestionList(QListView):
    """A click or Enter opens, F2 or a double click renames, Delete deletes."""

    opened = Signal(str, int)
    """Conversation id and the turn that was found, 0 for its end."""
    delete_wanted = Signal(str)
    menu_wanted = Signal(str, QPoint)

    def __init__(self, model: QuestionsModel) -> None:
        super().__init__()
        self._model = model
        self._current = ""
        self.setModel(model)
        self.setItemDelegate(QuestionDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.EditKeyPressed | triggers.DoubleClicked)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName(english.QUESTION_LIST)
        self.viewport().setAutoFillBackground(False)
        model.modelReset.connect(self._select)
        theme.follow(self, self.viewport().update)

    def set_current(self, conversation_id: str) -> None:
        """Show which conversation is on the page; "" for none."""
        self._current = conversation_id
        self._select()

    def current(self) -> str:
        """The conversation shown as chosen."""
        return self._current

    def rename(self, conversation_id: str) -> None:
        """Edit the title of a conversation in its place."""
        at = self._model.row_of(conversation_id)
        if at >= 0:
            self.scrollTo(self._model.index(at))
            self.setCurrentIndex(self._model.index(at))
            self.edit(self._model.index(at))

    def _select(self) -> None:
        at = self._model.row_of(self._current) if self._current else -1
        if at < 0:
            self.clearSelection()
        elif self.state() != QAbstractItemView.State.EditingState:
            self.setCurrentIndex(self._model.index(at))

    def _open(self, index: QModelIndex) -> None:
        entry: Entry | None = index.data(ENTRY_ROLE) if index.isValid() else None
        if entry is not None and entry.kind != "head":
            self.opened.emit(entry.id, entry.turn)

    def open_first(self) -> None:
        """Open the first conversation of the list."""
        for at in range(self._model.rowCount()):
            entry = self._model.entry(at)
            if entry is not None and entry.kind != "head":
                self._open(self._model.index(at))
                return

    def event(self, event: QEvent) -> bool:
        # F2 and Delete are this list's while it has the focus, whatever the window does
        # with them otherwise.
        wanted = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if wanted and event.key() in (Qt.Key.Key_F2, Qt.Key.Key_Delete):  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyed = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyed else self.indexAt(event.pos())
        if index.isValid() and index.data(ID_ROLE):
            at = self.visualRect(index).center() if keyed else event.pos()
            self.menu_wanted.emit(str(index.data(ID_ROLE)), self.viewport().mapToGlobal(at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        editing = self.state() == QAbstractItemView.State.EditingState
        if event.button() == Qt.MouseButton.LeftButton and not editing:
            self._open(self.indexAt(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        editing = self.state() == QAbstractItemView.State.EditingState
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if event.key() in keys and index.isValid() and not editing:
            self._open(index)
        elif event.key() == Qt.Key.Key_Delete and index.isValid() and not editing:
            self.delete_wanted.emit(str(index.data(ID_ROLE)))
        else:
            super().keyPressEvent(event)
