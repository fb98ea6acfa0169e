"""The upper part of the library page: name, facts, where it stands, its folders, a caution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop import theme
from desktop.actions import Actions
from desktop.strings import english, figures, names
from desktop.widgets.basics import (
    BOLD,
    ElidedLabel,
    button,
    card,
    clear_layout,
    column,
    icon_button,
    label,
    row,
)
from desktop.widgets.following_line import FollowingLine

if TYPE_CHECKING:
    from engine.work.api import LibraryView

ROOTS_SHOWN = 3
_MENU = (
    "library.scan",
    "library.pause",
    "library.resume",
    "",
    "library.rename",
    "library.add",
    "library.skipped",
    "",
    "library.remove",
)


class LibraryHead(QWidget):
    """Shows a `LibraryView`; what can be done with it comes from the table of commands."""

    root_remove_wanted = Signal(str)
    repair_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._actions: Actions | None = None
        self._roots_shown: list[str] = []
        self.title = ElidedLabel(scale=1.5, weight=BOLD)
        self.rename = icon_button("pencil", english.DO_LIBRARY_RENAME, self._rename, 15, "F2")
        self.facts = ElidedLabel(role="muted")
        self.following = FollowingLine()
        self.ask = button(english.LIBRARY_ASK, lambda: self._do("library.ask"), "primary")
        self.add = button(
            english.ADD_FOLDER, lambda: self._do("library.add"), icon="folder-plus"
        )
        self.scan = button(english.RESCAN, lambda: self._do("library.scan"), icon="refresh-cw")
        self.more = icon_button("ellipsis", english.LIBRARY_MORE, self._open_menu, 18)
        self._build()

    def _build(self) -> None:
        name = row(self.title, self.rename, None, spacing=4)
        name.setStretch(0, 0)
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        words = column(spacing=2)
        words.addLayout(name)
        words.addWidget(self.facts)
        self._head = row(spacing=10)
        self._head.addLayout(words, 1)
        controls = row(self.scan, self.add, self.ask, self.more)
        controls.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._head.addLayout(controls)
        self._roots = QVBoxLayout()
        self._roots.setSpacing(0)
        self._caution = card("caution")
        self._caution_text = label("", wrap=True)
        self.repair = button(english.REBUILD, self.repair_wanted.emit)
        caution = row(self._caution_text, self.repair, spacing=12, margins=(14, 8, 10, 8))
        caution.setStretch(0, 1)
        self._caution.setLayout(caution)
        self._caution.hide()
        layout = column(spacing=10)
        layout.addLayout(self._head)
        lines = column(spacing=4)
        lines.addWidget(self.following)
        lines.addLayout(self._roots)
        layout.addLayout(lines)
        layout.addWidget(self._caution)
        self.setLayout(layout)

    def bind(self, actions: Actions) -> None:
        """Do what the table of commands says."""
        self._actions = actions
        for control, name in ((self.scan, "library.scan"), (self.add, "library.add")):
            action = actions[name]
            action.changed.connect(
                lambda control=control, action=action: control.setEnabled(action.isEnabled())
            )
        self.following.pause_wanted.connect(actions["library.pause"].trigger)
        self.following.resume_wanted.connect(actions["library.resume"].trigger)

    def stack(self, narrow: bool) -> None:
        """Put what does not fit side by side one under the other."""
        ways = QBoxLayout.Direction
        self._head.setDirection(ways.TopToBottom if narrow else ways.LeftToRight)

    # --- showing --------------------------------------------------------------------------

    def show_view(self, view: LibraryView, lately: tuple[int, float], busy: bool) -> None:
        """Show this library; `busy` while a run of it is shown as a bar."""
        self.title.set_text(view.name)
        self.facts.set_text(_facts(view))
        self.following.show_view(view, lately, busy)
        self._show_roots(view)
        self._show_caution(view, busy)

    def _show_roots(self, view: LibraryView) -> None:
        if self._roots_shown == view.roots:
            return
        self._roots_shown = list(view.roots)
        clear_layout(self._roots)
        alone = len(view.roots) == 1
        for root in view.roots[:ROOTS_SHOWN]:
            self._roots.addWidget(_Root(root, None if alone else self.root_remove_wanted.emit))
        if folded := view.roots[ROOTS_SHOWN:]:
            self._roots.addWidget(_MoreRoots(folded, self._show_all))

    def _show_all(self) -> None:
        clear_layout(self._roots)
        for root in self._roots_shown:
            self._roots.addWidget(_Root(root, self.root_remove_wanted.emit))

    def roots(self) -> list[_Root]:
        """The folders shown."""
        found = [self._roots.itemAt(i).widget() for i in range(self._roots.count())]
        return [root for root in found if isinstance(root, _Root)]

    def _show_caution(self, view: LibraryView, busy: bool) -> None:
        text, action = "", english.REBUILD
        if view.state == "outdated":
            text = english.LIBRARY_OUTDATED
        elif view.state == "damaged":
            text = english.LIBRARY_DAMAGED
        elif view.waiting and view.state != "indexing" and view.following in ("off", "lost"):
            # Where it is followed, what was interrupted goes on by itself.
            waiting = figures.count(view.waiting, *english.LIBRARY_SUMMARY_FILES)
            text = english.LIBRARY_PARTLY.format(waiting=waiting)
            action = english.LIBRARY_CONTINUE
        self._caution.setVisible(bool(text) and not busy)
        self._caution_text.setText(text)
        self.repair.setText(action)

    # --- doing ----------------------------------------------------------------------------

    def _rename(self) -> None:
        self._do("library.rename")

    def _do(self, name: str) -> None:
        if self._actions is not None:
            self._actions[name].trigger()

    def _open_menu(self) -> None:
        if self._actions is not None:
            menu = self._actions.menu(self, *_MENU)
            menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))


class _Root(QWidget):
    """One folder of the library, with a way to take it out unless it is the only one."""

    def __init__(self, path: str, remove) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.path = path
        picture = label()
        theme.set_label_icon(picture, "folder", "muted", 15)
        self._text = ElidedLabel(path, 0.95, role="muted", mode=Qt.TextElideMode.ElideMiddle)
        self._text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = row(picture, self._text, spacing=8, margins=(1, 1, 0, 1))
        self.remove = None
        if remove is not None:
            says = f"{english.REMOVE_ROOT} {names.file_name(path)}"
            self.remove = icon_button("x", says, lambda: remove(path), 13)
            layout.addWidget(self.remove)
        layout.addStretch(1)
        self.setLayout(layout)

    def text(self) -> str:
        return self._text.text()


class _MoreRoots(QWidget):
    """Stands for the folders there was no room for."""

    def __init__(self, roots: list[str], show) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        text = english.ROOTS_MORE.format(n=len(roots))
        self.setLayout(row(button(text, show, "link"), None, margins=(24, 1, 0, 1)))


def _facts(view: LibraryView) -> str:
    parts = [
        figures.count(view.files, *english.LIBRARY_SUMMARY_FILES),
        figures.count(view.passages, *english.LIBRARY_PASSAGES),
        figures.size(view.size_bytes),
    ]
    if view.skipped:
        skipped = figures.count(view.skipped, *english.LIBRARY_SUMMARY_FILES)
        parts.append(english.LIBRARY_UNREAD.format(files=skipped))
    if view.following == "off" and (moment := figures.when(view.updated_at)):
        parts.append(english.LIBRARY_UPDATED.format(when=moment))
    return " · ".join(parts)
